"""SessionStore: what chatglass asks of a place that keeps sessions.

Every method that writes returns after the write is committed: what was awaited survives SIGKILL.
Methods may be called from one event loop at a time. Writes run in the order of the calls, and a
read sees every write that was awaited before it. Cancelling a task that awaits a write does not
undo the write: once called, it is done whole or fails whole.
Errors are `StoreError`s that name the file, the cause and the way on.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Literal, Protocol

from chatglass.store.records import (
    Added,
    CompactionRow,
    Holder,
    MessageRow,
    Parameters,
    QueuedPrompt,
    RequestRow,
    SessionQuery,
    SessionRow,
    StoreSize,
    ToolCallRow,
    ToolResult,
    WholeSession,
)
from chatglass.store.search_records import Matches, MessageExcerpt, SearchHit
from chatglass.store.usage_records import Reserved, UsageQuery, UsageRow


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
        """Newest first; sessions with neither message, draft nor queued prompt are left out.

        Reads no transcript."""
        ...

    async def newest_session(self, root: str) -> SessionRow | None:
        """The first of `list_sessions` with that root, archived ones left out."""
        ...

    async def rename_session(self, session_id: str, title: str, *, by_user: bool) -> None: ...
    async def set_model(self, session_id: str, endpoint: str, model: str) -> None: ...
    async def set_parameters(self, session_id: str, parameters: Parameters) -> None: ...
    async def set_root(self, session_id: str, root: str) -> None: ...
    async def set_leaf(self, session_id: str, leaf_id: str | None) -> None:
        """Show another branch; None shows an empty one."""
        ...

    async def set_pinned(self, session_id: str, pinned: bool) -> None: ...
    async def set_archived(self, session_id: str, archived: bool) -> None: ...
    async def set_tags(self, session_id: str, tags: Sequence[str]) -> None:
        """Replace its tags. None of these three changes `updated_at`."""
        ...

    async def set_draft(self, session_id: str, draft: str) -> None: ...
    def set_draft_now(self, session_id: str, draft: str) -> None:
        """`set_draft` that blocks until it is committed: for the exit, when nothing can be awaited."""
        ...

    async def delete_session(self, session_id: str) -> None:
        """Remove it with all that is its own. StoreError while another live process holds it."""
        ...

    # -- a session as a whole
    async def whole_session(self, session_id: str) -> WholeSession:
        """The session with all that is its own, on one state of the store. Raises SessionGone.

        A blob that should be there and is not is left out."""
        ...

    async def add_whole_session(self, whole: WholeSession) -> Added:
        """Add what is not there of `whole`, known by its ids, in one transaction.

        What is final stays as it is; a message, request or tool call that is stored unfinished
        takes its final form. Where the session was there, it keeps its settings; its shown path
        becomes that of `whole` if that continues it, or if nothing was said here that is not in
        `whole`. Queued prompts and the draft come with a new session only. Once more adds nothing.
        StoreError where an id belongs to another session, a parent or blob is nowhere, or
        another live process holds the session and there is something to add.
        """
        ...

    # -- who runs a session
    async def claim(self, session_id: str) -> Holder | None:
        """Make this process the one that runs the session. None: it is now (or was already).

        Otherwise nothing changed, and the other live process that holds it is returned. A holder
        that no longer lives is replaced.
        """
        ...

    async def release(self, session_id: str) -> None:
        """Give up this process's claim, if it has one. `close` releases all that this store made."""
        ...

    # -- messages
    async def append_message(self, row: MessageRow, *, queued_id: str | None = None) -> None:
        """Add the row and make it the leaf of its session, in one transaction.

        `queued_id` names the queued prompt that this message was, which goes in the same
        transaction. A user message also clears the session's draft where they are equal.
        """
        ...

    async def checkpoint_message(self, message_id: str, content: str, reasoning: str) -> None:
        """The text so far of a `partial` message. Not indexed for search.

        Nothing happens if the message is final by now."""
        ...

    async def finish_message(self, row: MessageRow) -> None:
        """The final form of a `partial` message (same id); indexes it.

        A message that is final already stays as it is: StoreError if `row` differs from it."""
        ...

    async def path(self, session_id: str, leaf_id: str | None) -> list[MessageRow]:
        """The messages from the first to `leaf_id`; empty for None."""
        ...

    async def siblings(self, message_id: str) -> list[str]:
        """Ids of the messages with the same parent and session, itself included, oldest first."""
        ...

    async def forks(self, session_id: str) -> dict[str | None, list[str]]:
        """Where the session branches: parent id (None: the start) → its several children, oldest
        first."""
        ...

    async def leaf_below(self, message_id: str) -> str:
        """The newest leaf of the branch that `message_id` is on."""
        ...

    async def excerpts(
        self,
        session_id: str,
        around: str = "",
        *,
        text: str = "",
        before: int = 6,
        after: int = 6,
        chars: int = 1_500,
    ) -> list[MessageExcerpt]:
        """The message `around`, `before` messages above it and `after` below, in order; by default
        the last ones of the shown path.

        Below it goes down the newest branch. Of a longer message there are `chars` characters:
        those around the first match of a word of `text` (as in `search`) in its first 64 KB, else
        its start. Reads no more than that, whatever the length of the session. Raises SessionGone.
        """
        ...

    # -- requests and tool calls
    async def put_blob(self, text: str) -> str:
        """Keep `text` once, under the SHA-256 of its UTF-8 in hex, which is returned.

        A blob stays as long as a request of some session refers to it, and an hour without one.
        """
        ...

    async def get_blob(self, digest: str) -> str: ...
    async def add_request(self, row: RequestRow) -> None: ...
    async def finish_request(self, row: RequestRow) -> None:
        """Replace the row of that id; the session's totals follow. Empty `parts` keep those it has.

        A row that is not running ends the session's reservation, in the same transaction."""
        ...

    async def requests(self, session_id: str) -> list[RequestRow]:
        """All of the session's requests, of every branch, oldest first, without their `parts`."""
        ...

    async def request_parts(self, request_id: str) -> tuple[tuple[str, str], ...]:
        """What the request sent, in order (`RequestRow.parts`)."""
        ...

    async def add_tool_calls(self, rows: Sequence[ToolCallRow]) -> None: ...
    async def update_tool_call(
        self, row: ToolCallRow, result: ToolResult | None = None, *, preview_chars: int = 65_536
    ) -> None:
        """Replace the row of that id, and keep its result if one is given.

        Only the first `preview_chars` of a result are indexed for search.
        """
        ...

    async def tool_calls(self, session_id: str, *, turn_id: str | None = None) -> list[ToolCallRow]:
        """The session's calls, or those of one turn, without their results, oldest first."""
        ...

    async def tool_result(self, tool_call_id: str) -> ToolResult | None: ...

    # -- spending
    async def usage(self, query: UsageQuery) -> list[UsageRow]:
        """Sums over requests, by day (oldest first) or by model, tool or session (dearest first,
        then those with the most tokens, then by name). Days are those of the local time zone.

        Reads request rows and no transcript."""
        ...

    async def reserve(
        self,
        session_id: str,
        amount: Decimal,
        *,
        now: int,
        since: int,
        until: int,
        most: Decimal | None,
    ) -> Reserved:
        """Set `amount` USD aside for the next request of a session, where it fits.

        In one transaction: what the requests begun in `since` ≤ time < `until` cost, what other
        sessions have reserved since `since`, and, where these and `amount` are at most `most`
        (None: in any case), the reservation, which replaces an earlier one of the session. It ends
        with the session's next `finish_request`, by `end_reservation`, and with the process that
        made it (in SQLite only where that left no request running, which may have been billed).
        """
        ...

    async def end_reservation(self, session_id: str) -> None:
        """Give back what the session has reserved, if anything."""
        ...

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

        Only for a session that no live engine of this process runs; where another live process
        holds it, nothing happens."""
        ...

    async def search(self, text: str, limit: int = 200) -> list[SearchHit]:
        """What holds every word of `text` (a "quoted phrase" counts as one), newest first: titles,
        messages, tool calls by name and arguments, and the start of results.

        Words match anywhere, in either case: those of three characters and more, and pairs of
        Chinese, Japanese or Korean characters. Shorter ones only narrow down what the others find;
        with no other words only titles are searched (`search_words(text).reach`).
        """
        ...

    async def matches(self, text: str, *, limit: int = 1_000, after: str = "") -> Matches:
        """`search` without titles, of any number of matches: by session, without reading texts.

        Looks at the `limit` newest matches, or at as many older ones after an earlier page.
        Cancelling breaks the search off.
        """
        ...

    async def match_lines(self, text: str, refs: Sequence[str]) -> dict[str, SearchHit]:
        """The matches of `matches` with what stands around them, by ref; without those that have
        gone since."""
        ...

    async def calls_with(self, session_id: str, text: str) -> frozenset[str]:
        """Ids of the session's tool calls whose name and arguments, or the start of whose result,
        hold every word of `text` as in `search`; empty where the words are too short for it."""
        ...

    async def sessions_using(self, kind: Literal["tool", "model"], name: str) -> frozenset[str]:
        """Ids of the sessions in which a tool was called, or a model asked, whose name contains
        `name` in either case."""
        ...

    async def size(self) -> StoreSize:
        """What it takes. Quick, whatever its size."""
        ...
