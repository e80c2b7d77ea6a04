"""SessionStore: what chatglass asks of a place that keeps sessions.

Every method that writes returns after the write is committed: what was awaited survives SIGKILL.
Methods may be called from one event loop at a time and run in the order of the calls.
Errors are `StoreError`s that name the file, the cause and the way on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from chatglass.store.records import (
    CompactionRow,
    MessageRow,
    Parameters,
    QueuedPrompt,
    RequestRow,
    SearchHit,
    SessionQuery,
    SessionRow,
    ToolCallRow,
    ToolResult,
)


class StoreError(Exception):
    """The store can't do what was asked. `str()` names file, cause and way on."""


class SessionGone(StoreError):
    """The session or message does not exist (any more)."""


class SessionStore(Protocol):
    """Sessions, messages, requests, tool calls, compactions, drafts and queued prompts."""

    @property
    def location(self) -> str:
        """Where it keeps things, in words for the screen."""
        ...

    async def open(self) -> None:
        """Make or open it and bring its schema up to date. Raises StoreError."""
        ...

    async def close(self) -> None: ...

    # -- sessions
    async def create_session(self, row: SessionRow) -> None: ...
    async def get_session(self, session_id: str) -> SessionRow:
        """Raises SessionGone."""
        ...

    async def find_session(self, prefix: str) -> SessionRow:
        """The one session whose id starts or ends with `prefix`; SessionGone says if none or several."""
        ...

    async def list_sessions(self, query: SessionQuery) -> list[SessionRow]:
        """Newest first; sessions with neither message nor draft are left out. Reads no transcript."""
        ...

    async def newest_session(self, root: str) -> SessionRow | None: ...
    async def rename_session(self, session_id: str, title: str, *, by_user: bool) -> None: ...
    async def set_model(self, session_id: str, endpoint: str, model: str) -> None: ...
    async def set_parameters(self, session_id: str, parameters: Parameters) -> None: ...
    async def set_root(self, session_id: str, root: str) -> None: ...
    async def set_leaf(self, session_id: str, leaf_id: str | None) -> None:
        """Show another branch; None shows an empty one."""
        ...

    async def set_draft(self, session_id: str, draft: str) -> None: ...
    async def delete_session(self, session_id: str) -> None: ...

    # -- messages
    async def append_message(self, row: MessageRow, *, queued_id: str | None = None) -> None:
        """Add the row and make it the leaf of its session, in one transaction.

        `queued_id` names the queued prompt that this message was, which goes in the same
        transaction. A user message also clears the session's draft where they are equal.
        """
        ...

    async def checkpoint_message(self, message_id: str, content: str, reasoning: str) -> None:
        """The text so far of a `partial` message. Not indexed for search."""
        ...

    async def finish_message(self, row: MessageRow) -> None:
        """The final form of a `partial` message (same id); indexes it."""
        ...

    async def path(self, session_id: str, leaf_id: str | None) -> list[MessageRow]:
        """The messages from the first to `leaf_id`; empty for None."""
        ...

    async def siblings(self, message_id: str) -> list[str]:
        """Ids of the messages with the same parent and session, itself included, oldest first."""
        ...

    async def leaf_below(self, message_id: str) -> str:
        """The newest leaf of the branch that `message_id` is on."""
        ...

    # -- requests and tool calls
    async def put_blob(self, text: str) -> str:
        """Keep `text` once, under the SHA-256 of its UTF-8 in hex, which is returned."""
        ...

    async def get_blob(self, digest: str) -> str: ...
    async def add_request(self, row: RequestRow) -> None: ...
    async def finish_request(self, row: RequestRow) -> None:
        """Replace the row of that id; the session's totals follow."""
        ...

    async def requests(self, session_id: str) -> list[RequestRow]:
        """All of the session's requests, of every branch, oldest first."""
        ...

    async def add_tool_calls(self, rows: Sequence[ToolCallRow]) -> None: ...
    async def update_tool_call(
        self, row: ToolCallRow, result: ToolResult | None = None, *, preview_chars: int = 65_536
    ) -> None:
        """Replace the row of that id, and keep its result if one is given.

        Only the first `preview_chars` of a result are indexed for search.
        """
        ...

    async def tool_calls(self, session_id: str) -> list[ToolCallRow]:
        """All of the session's calls without their results, oldest first."""
        ...

    async def tool_result(self, tool_call_id: str) -> ToolResult | None: ...

    # -- compactions, queue
    async def add_compaction(self, row: CompactionRow) -> None: ...
    async def compactions(self, session_id: str) -> list[CompactionRow]: ...
    async def enqueue_prompt(self, prompt: QueuedPrompt) -> None: ...
    async def queued_prompts(self, session_id: str) -> list[QueuedPrompt]: ...
    async def remove_queued_prompt(self, prompt_id: str) -> None: ...

    # -- after a crash, and search
    async def recover(self, session_id: str) -> None:
        """Settle what a crash left: partial messages become `interrupted`, running requests
        `interrupted`, running tool calls `unknown`, earlier open ones `cancelled`. Idempotent.

        Only for a session that no live engine runs."""
        ...

    async def search(self, text: str, limit: int = 200) -> list[SearchHit]: ...
