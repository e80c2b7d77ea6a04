"""The older layout of llm's log: a row of `responses` for each prompt and its answer."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterator

from chatglass.store.records import WholeSession
from chatglass.transfer.building import Call, Outcome, SessionBuilder
from chatglass.transfer.llm_values import SOURCE, column, prompt_content, usage_of
from chatglass.transfer.source import Skipped, arguments_text, count_of, iso_ms, text_of

_Rows = dict[str, list[sqlite3.Row]]


def sessions(db: sqlite3.Connection, there: set[str], skipped: Skipped) -> Iterator[WholeSession]:
    log = _Log(db, there)
    rows = db.execute("SELECT * FROM responses ORDER BY conversation_id, datetime_utc, id")
    conversation: list[sqlite3.Row] = []
    for row in rows:
        if conversation and _conversation_id(row) != _conversation_id(conversation[0]):
            yield from log.session(conversation, skipped)
            conversation = []
        conversation.append(row)
    if conversation:
        yield from log.session(conversation, skipped)


def _conversation_id(row: sqlite3.Row) -> str:
    """One without a conversation is its own."""
    return text_of(row["conversation_id"]) or f"response {row['id']}"


class _Log:
    """The tables beside `responses`, by the id of the response."""

    def __init__(self, db: sqlite3.Connection, there: set[str]) -> None:
        self._names = {
            row["id"]: text_of(row["name"]) for row in db.execute("SELECT * FROM conversations")
        }
        self._fragments: dict[str, _Rows] = {}
        for kind in ("prompt_fragments", "system_fragments"):
            self._fragments[kind] = _by_response(
                db, there, {kind, "fragments"},
                f"SELECT u.response_id, f.content FROM {kind} u "
                'JOIN fragments f ON f.id = u.fragment_id ORDER BY u."order"',
            )  # fmt: skip
        self._attachments = _by_response(
            db, there, {"prompt_attachments", "attachments"},
            "SELECT u.response_id, a.* FROM prompt_attachments u "
            'JOIN attachments a ON a.id = u.attachment_id ORDER BY u."order"',
        )  # fmt: skip
        self._calls = _by_response(
            db, there, {"tool_calls"}, "SELECT * FROM tool_calls ORDER BY id"
        )
        self._results = _by_response(
            db, there, {"tool_results"}, "SELECT * FROM tool_results ORDER BY id"
        )

    def session(self, responses: list[sqlite3.Row], skipped: Skipped) -> Iterator[WholeSession]:
        first = responses[0]
        builder = SessionBuilder(SOURCE, _conversation_id(first), iso_ms(first["datetime_utc"]))
        system = first_system = self._with_fragments("system", first)
        parent: str | None = None
        for row, following in zip(responses, [*responses[1:], None], strict=True):
            said = self._with_fragments("system", row)
            if said and said != system:
                system = said
                at = iso_ms(row["datetime_utc"])
                parent = builder.add(f"{row['id']} system", parent, "system", said, at)
            parent = self._turn(builder, parent, row, following, skipped)
        title = self._names.get(first["conversation_id"], "")
        whole = builder.build(title=title, system_prompt=first_system)
        if whole is not None:
            yield whole

    def _with_fragments(self, kind: str, row: sqlite3.Row) -> str:
        """The prompt or the system prompt with the fragments that go before it."""
        fragments = self._fragments[f"{kind}_fragments"].get(row["id"], [])
        texts = [*(text_of(each["content"]) for each in fragments), text_of(row[kind])]
        return "\n".join(text for text in texts if text)

    def _turn(
        self,
        builder: SessionBuilder,
        parent: str | None,
        row: sqlite3.Row,
        following: sqlite3.Row | None,
        skipped: Skipped,
    ) -> str:
        key, at = text_of(row["id"]), iso_ms(row["datetime_utc"])
        attachments = self._attachments.get(key, [])
        prompt, is_json = prompt_content(self._with_fragments("prompt", row), attachments, skipped)
        if prompt:
            parent = builder.add(
                f"{key} prompt", parent, "user", prompt, at, content_is_json=is_json
            )
        duration = count_of(row["duration_ms"])
        finished = at + duration if at is not None else None
        model = text_of(column(row, "resolved_model")) or text_of(row["model"])
        end = builder.add(
            key,
            parent,
            "assistant",
            text_of(row["response"]),
            finished,
            reasoning=text_of(column(row, "reasoning")),
            model=model,
        )
        if calls := self._calls.get(key):
            end = builder.call(key, *self._answered(calls, following))
        builder.request(key, key, at=at, finished_at=finished, model=model, usage=usage_of(row))
        return end

    def _answered(
        self, calls: list[sqlite3.Row], following: sqlite3.Row | None
    ) -> tuple[list[Call], list[Outcome | None]]:
        """The calls, and what they gave: it stands with the response that it was sent for."""
        results = self._results.get(following["id"], [])[:] if following is not None else []
        at = iso_ms(following["datetime_utc"]) if following is not None else None
        outcomes: list[Outcome | None] = []
        for call in calls:
            wanted = (call["tool_call_id"], call["name"])
            result = next(
                (each for each in results if (each["tool_call_id"], each["name"]) == wanted), None
            )
            if result is None:
                outcomes.append(None)
                continue
            results.remove(result)
            error = text_of(column(result, "exception"))
            outcomes.append(
                Outcome(
                    text=text_of(result["output"]) or error, state="error" if error else "ok", at=at
                )
            )
        made = [
            Call(
                id=text_of(call["tool_call_id"]),
                name=text_of(call["name"]),
                arguments=arguments_text(call["arguments"] or "{}"),
            )
            for call in calls
        ]
        return made, outcomes


def _by_response(db: sqlite3.Connection, there: set[str], needed: set[str], sql: str) -> _Rows:
    found: _Rows = defaultdict(list)
    if needed <= there:
        for row in db.execute(sql):
            found[row["response_id"]].append(row)
    return found
