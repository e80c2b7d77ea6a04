"""SessionBuilder: rows of a session from the messages of another program.

Ids follow from those of the source, so that importing a file again finds what it brought before.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from chatglass.chat.messages import tool_calls_json
from chatglass.store.records import (
    CompactionRow,
    MessageRow,
    MessageStatus,
    Parameters,
    RequestRow,
    Role,
    SessionRow,
    ToolCallRow,
    ToolCallState,
    ToolResult,
    WholeSession,
)
from chatglass.transfer.content import content_of
from chatglass.values.text import one_line, storable
from chatglass.values.usage import Usage

_TITLE_CHARS = 80
_TIME_BITS, _HASH_BYTES = 48, 10


def stable_id(at: int | None, *words: str) -> str:
    """A ULID that is the same whenever `at` (milliseconds, None: unknown) and `words` are."""
    from ulid import ULID

    text = "\0".join(storable(word) for word in words)
    digest = hashlib.sha256(text.encode()).digest()[:_HASH_BYTES]
    time = min(max(at or 0, 0), 2**_TIME_BITS - 1)
    return str(ULID(time.to_bytes(_TIME_BITS // 8, "big") + digest))


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A tool call as the source has it; `id` may be empty or used before."""

    id: str
    name: str
    arguments: str
    server: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a tool gave."""

    text: str
    state: ToolCallState = "ok"
    at: int | None = None
    started_at: int | None = None


class SessionBuilder:
    """Takes messages in such an order that a parent comes before its children.

    Keys are the source's own ids, unique within the session. `source` names the program and
    stands as the endpoint of what it answered: it never is one of chatglass's.
    """

    def __init__(
        self, source: str, key: str, created_at: int | None, *, otherwise: int = 0
    ) -> None:
        """`otherwise` is the time of the file, for what has none of its own."""
        self.source = source
        self._key = key
        self._created_at = created_at or otherwise
        self.id = stable_id(created_at, source, key)
        self._messages: dict[str, MessageRow] = {}
        self._requests: list[RequestRow] = []
        self._compactions: list[CompactionRow] = []
        self._calls: dict[str, ToolCallRow] = {}
        self._results: dict[str, ToolResult] = {}
        self._calls_of: dict[str, list[str]] = {}

    def __contains__(self, key: str) -> bool:
        return key in self._messages

    def _id(self, kind: str, key: str, at: int | None) -> str:
        return stable_id(at, self.source, self._key, kind, key)

    def add(
        self,
        key: str,
        parent: str | None,
        role: Role,
        content: str,
        at: int | None = None,
        *,
        content_is_json: bool = False,
        reasoning: str = "",
        model: str | None = None,
        status: MessageStatus = "complete",
        error: str | None = None,
    ) -> str:
        """Add a message that is no tool's. Returns `key`, the parent of what follows it."""
        above = self._messages[parent] if parent is not None else None
        time = at or (above.created_at if above else self._created_at)
        turn = above.turn_id if above and role != "user" else self._id("turn", key, at)
        self._messages[key] = MessageRow(
            id=self._id("message", key, at),
            session_id=self.id,
            parent_id=above.id if above else None,
            turn_id=turn,
            role=role,
            content=content,
            created_at=time,
            status=status,
            content_is_json=content_is_json,
            reasoning=reasoning,
            endpoint=self.source if role == "assistant" else None,
            model=model or None,
            error=error,
        )
        return key

    def call(
        self,
        key: str,
        calls: Sequence[Call],
        outcomes: Sequence[Outcome | None],
        *,
        may_grow: bool = False,
    ) -> str:
        """Give the assistant message `key` its tool calls, and add the tool messages of those
        that have an outcome. Returns the parent of what follows.

        Where more results may come (`may_grow`), those behind a missing one wait for it, since a
        message can't be put before one that is stored.
        """
        if may_grow and None in outcomes:
            there = list(outcomes).index(None)
            outcomes = [*outcomes[:there], *(None for _ in outcomes[there:])]
        answer = self._messages[key]
        ids = _unique_ids(calls, answer.id)
        triples = [(id_, call.name, call.arguments) for id_, call in zip(ids, calls, strict=True)]
        answer = replace(answer, tool_calls=tool_calls_json(triples))
        self._messages[key] = answer
        last = key
        for position, (call_id, call, outcome) in enumerate(zip(ids, calls, outcomes, strict=True)):
            row = ToolCallRow(
                id=self._id("call", f"{key}\0{position}", answer.created_at),
                session_id=self.id,
                turn_id=answer.turn_id,
                # `request` fills it in, where the source tells of one.
                request_id="",
                message_id=answer.id,
                call_id=call_id,
                position=position,
                name=call.name,
                arguments=call.arguments,
                server=call.server,
                proposed_at=answer.created_at,
                # Nobody knows whether it took effect.
                state="unknown",
            )
            if outcome is not None:
                row = self._settled(row, outcome)
                last = self._answer_call(f"{key}\0{position}", last, row, outcome)
            self._calls[row.id] = row
            self._calls_of.setdefault(answer.id, []).append(row.id)
        return last

    def _settled(self, row: ToolCallRow, outcome: Outcome) -> ToolCallRow:
        size = len(storable(outcome.text).encode())
        self._results[row.id] = ToolResult(outcome.text, outcome.text)
        return replace(
            row,
            state=outcome.state,
            started_at=outcome.started_at,
            finished_at=outcome.at,
            result_bytes=size,
            seen_bytes=size,
        )

    def _answer_call(self, key: str, parent: str, row: ToolCallRow, outcome: Outcome) -> str:
        above = self._messages[parent]
        self._messages[key] = MessageRow(
            id=self._id("message", key, outcome.at),
            session_id=self.id,
            parent_id=above.id,
            turn_id=above.turn_id,
            role="tool",
            content=outcome.text,
            created_at=outcome.at or above.created_at,
            tool_call_id=row.call_id,
            tool_name=row.name,
        )
        return key

    def request(
        self,
        key: str,
        answer: str | None,
        *,
        at: int | None,
        model: str,
        usage: Usage | None,
        cost: Decimal | None = None,
        finished_at: int | None = None,
        finish_reason: str | None = None,
        is_running: bool = False,
    ) -> None:
        """Add what one call to the model used. A cost only where the source says it."""
        row = self._messages.get(answer) if answer is not None else None
        request_id = self._id("request", key, at)
        self._requests.append(
            RequestRow(
                id=request_id,
                session_id=self.id,
                turn_id=row.turn_id if row else "",
                message_id=row.id if row else None,
                purpose="answer",
                endpoint=self.source,
                base_url="",
                model=model,
                started_at=at or (row.created_at if row else self._created_at),
                status="running" if is_running else "complete",
                finished_at=finished_at,
                finish_reason=finish_reason,
                usage=usage,
                cost=cost,
                price_source="unknown" if cost is None else self.source,
            )
        )
        for call_id in self._calls_of.get(row.id, ()) if row else ():
            self._calls[call_id] = replace(self._calls[call_id], request_id=request_id)

    def compaction(
        self, anchor: str, first_kept: str, summary: str, at: int | None, *, tokens_before: int = 0
    ) -> None:
        """What lies before `first_kept` was replaced by `summary` after `anchor`."""
        last, kept = self._messages[anchor], self._messages[first_kept]
        self._compactions.append(
            CompactionRow(
                id=self._id("compaction", f"{anchor}\0{first_kept}", at),
                session_id=self.id,
                anchor_id=last.id,
                first_kept_id=kept.id,
                strategy=self.source,
                created_at=at or kept.created_at,
                summary=summary,
                tokens_before=tokens_before,
            )
        )

    def build(
        self,
        *,
        title: str = "",
        leaf: str | None = None,
        root: str = "",
        system_prompt: str | None = None,
        updated_at: int | None = None,
        model: str = "",
        archived: bool = False,
        pinned: bool = False,
    ) -> WholeSession | None:
        """The session; None where there is no message. `leaf` defaults to the last message added,
        `root` (where it is no absolute path) to the current directory."""
        if not self._messages:
            return None
        rows = list(self._messages.values())
        models = [row.model for row in rows if row.model]
        session = SessionRow(
            id=self.id,
            title=one_line(title, 4 * _TITLE_CHARS) if title.strip() else _title(rows),
            root=root if os.path.isabs(root) else os.getcwd(),
            endpoint=self.source,
            model=model or (models[-1] if models else ""),
            created_at=self._created_at or rows[0].created_at,
            updated_at=updated_at or max(row.created_at for row in rows),
            leaf_id=(self._messages[leaf] if leaf is not None else rows[-1]).id,
            parameters=Parameters(system_prompt=system_prompt or None),
            archived=archived,
            pinned=pinned,
        )
        return WholeSession(
            session=session,
            messages=tuple(rows),
            requests=tuple(self._requests),
            tool_calls=tuple(self._calls.values()),
            results=self._results,
            compactions=tuple(self._compactions),
        )


def _unique_ids(calls: Iterable[Call], message_id: str) -> list[str]:
    """The calls' ids, with ours where the source has none or repeats one."""
    ids: list[str] = []
    for number, call in enumerate(calls):
        ids.append(call.id if call.id and call.id not in ids else f"call_{message_id}_{number}")
    return ids


def _title(rows: Iterable[MessageRow]) -> str:
    first = next((row for row in rows if row.role == "user" and row.content.strip()), None)
    return one_line(content_of(first).text, _TITLE_CHARS) if first else ""
