"""The newer layout of llm's log: `threads` of `turns` over a tree of `messages` with `parts`.

A message row has no time; it has that of the first turn of its thread that holds it. A fork shares
the messages before it, which here are in both sessions.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import cast

from chatglass.store.records import Role, WholeSession
from chatglass.transfer.building import Call, Outcome, SessionBuilder
from chatglass.transfer.llm_values import SOURCE, column, json_of, prompt_content, usage_of
from chatglass.transfer.source import (
    JsonObject,
    Skipped,
    arguments_text,
    count_of,
    iso_ms,
    list_of,
    object_of,
    text_of,
)


@dataclass(slots=True)
class _Message:
    hash: str
    parent: str | None
    role: str
    parts: list[JsonObject] = field(default_factory=list[JsonObject])

    def of(self, kind: str) -> list[JsonObject]:
        return [part for part in self.parts if part["type"] == kind]

    def text(self, kind: str) -> str:
        return "\n".join(text for part in self.of(kind) if (text := text_of(part.get("text"))))


def sessions(db: sqlite3.Connection, there: set[str], skipped: Skipped) -> Iterator[WholeSession]:
    # A message that forks share has no turn in the thread of the fork.
    answered = {
        row["tip_message_hash"]: text_of(column(row, "resolved_model")) or text_of(row["model"])
        for row in db.execute("SELECT * FROM turns ORDER BY datetime_utc DESC, id DESC")
    }
    for thread in db.execute("SELECT * FROM threads ORDER BY id").fetchall():
        whole = _Thread(db, there, thread, answered, skipped).read()
        if whole is not None:
            yield whole
        else:
            skipped.add("thread without messages")


class _Thread:
    def __init__(
        self,
        db: sqlite3.Connection,
        there: set[str],
        thread: sqlite3.Row,
        answered: dict[str, str],
        skipped: Skipped,
    ) -> None:
        """`answered` names the model of each message that ends a turn."""
        self._db = db
        self._answered = answered
        self._skipped = skipped
        self._has_attachments = "attachments" in there
        self._row = thread
        self._turns = db.execute(
            "SELECT * FROM turns WHERE thread_id = ? ORDER BY datetime_utc, id", (thread["id"],)
        ).fetchall()
        created = iso_ms(thread["datetime_utc"])
        if created is None and self._turns:
            created = iso_ms(self._turns[0]["datetime_utc"])
        self._builder = SessionBuilder(SOURCE, f"thread {thread['id']}", created)
        self._messages: dict[str, _Message] = {}
        self._answers: dict[str, _Message] = {}
        """Message with calls → the message with their results."""
        self._answering: set[str] = set()
        self._ends: dict[str, str | None] = {}
        self._system: str | None = None

    def read(self) -> WholeSession | None:
        chains = [(turn, self._chain(turn["tip_message_hash"])) for turn in self._turns]
        tip = self._chain(self._row["tip_message_hash"])
        for _, chain in [*chains, (None, tip)]:
            for one, next_one in pairwise(chain):
                if one.of("tool_call") and next_one.of("tool_result"):
                    self._answering.add(self._answers.setdefault(one.hash, next_one).hash)
        for turn, chain in chains:
            self._add_turn(turn, chain)
        self._add(tip, self._newest_time(), "")
        leaf = self._ends.get(tip[-1].hash) if tip else None
        return self._builder.build(
            title=text_of(self._row["name"]), leaf=leaf, system_prompt=self._system
        )

    def _newest_time(self) -> int | None:
        times = [iso_ms(row["datetime_utc"]) for row in (self._row, *self._turns)]
        return max((time for time in times if time is not None), default=None)

    def _chain(self, tip: str | None) -> list[_Message]:
        """The messages from the first to `tip`."""
        chain: list[_Message] = []
        seen: set[str] = set()
        while tip is not None and tip not in seen:
            seen.add(tip)
            message = self._messages.get(tip) or self._load(tip)
            if message is None:
                self._skipped.add("message that is not in the log")
                break
            chain.append(message)
            tip = message.parent
        chain.reverse()
        return chain

    def _load(self, hash_: str) -> _Message | None:
        row = self._db.execute("SELECT * FROM messages WHERE hash = ?", (hash_,)).fetchone()
        if row is None:
            return None
        message = _Message(hash_, row["parent_hash"], text_of(row["role"]))
        for part in self._db.execute(
            "SELECT * FROM parts WHERE message_hash = ? ORDER BY position", (hash_,)
        ):
            payload = object_of(json_of(part["payload"]))
            text = self._text(part["text"], payload)
            message.parts.append({**payload, "type": text_of(part["type"]), "text": text, "id": part["id"]})  # fmt: skip
        self._messages[hash_] = message
        return message

    def _text(self, text: str | None, payload: JsonObject) -> str:
        """The text of a part, of which fragments may be kept apart."""
        if text is not None:
            return text
        pieces: list[str] = []
        for piece in map(object_of, list_of(payload.get("text_ref"))):
            if "literal" in piece:
                pieces.append(text_of(piece["literal"]))
                continue
            found = self._db.execute(
                "SELECT content FROM fragments WHERE id = ?", (piece.get("fragment"),)
            ).fetchone()
            pieces.append(text_of(found["content"]) if found else "")
        return "".join(pieces)

    def _add_turn(self, turn: sqlite3.Row, chain: list[_Message]) -> None:
        at = iso_ms(turn["datetime_utc"])
        model = text_of(column(turn, "resolved_model")) or text_of(turn["model"])
        self._add(chain, at, model)
        own: list[_Message] = []
        for message in reversed(chain):
            if message.hash == turn["parent_message_hash"]:
                break
            own.append(message)
        answer = next((each for each in own if each.role == "assistant"), None)
        duration = count_of(turn["duration_ms"])
        self._builder.request(
            text_of(turn["id"]),
            answer.hash if answer is not None else None,
            at=at,
            finished_at=at + duration if at is not None else None,
            model=model,
            usage=usage_of(turn),
        )

    def _add(self, chain: list[_Message], at: int | None, model: str) -> None:
        """Add what is new of a chain."""
        parent: str | None = None
        for message in chain:
            if message.hash not in self._ends:
                self._ends[message.hash] = self._one(message, parent, at, model)
            parent = self._ends[message.hash]

    def _one(self, message: _Message, parent: str | None, at: int | None, model: str) -> str | None:
        match message.role:
            case "assistant":
                return self._answer(message, parent, at, model)
            case "tool":
                # Added with the calls that it answers.
                if message.hash not in self._answering:
                    self._skipped.add("tool result without its call")
                return parent
            case "system" if parent is None and self._system in (None, message.text("text")):
                self._system = message.text("text") or None
                return None
            case "system" | "user":
                content, is_json = message.text("text"), False
                if message.role == "user":
                    content, is_json = prompt_content(
                        content, self._attached(message), self._skipped
                    )
                role = cast(Role, message.role)
                return self._builder.add(
                    message.hash, parent, role, content, at, content_is_json=is_json
                )
            case other:
                self._skipped.add(f"message by {other[:40] or 'nobody'}")
                return parent

    def _attached(self, message: _Message) -> list[sqlite3.Row]:
        if not self._has_attachments:
            return []
        return [
            row
            for part in message.of("attachment")
            for row in self._db.execute(
                "SELECT a.* FROM part_attachments u JOIN attachments a ON a.id = u.attachment_id "
                'WHERE u.part_id = ? ORDER BY u."order"',
                (part["id"],),
            )
        ]

    def _answer(self, message: _Message, parent: str | None, at: int | None, model: str) -> str:
        key = message.hash
        self._builder.add(
            key,
            parent,
            "assistant",
            message.text("text"),
            at,
            reasoning=message.text("reasoning"),
            model=self._answered.get(key, model),
        )
        parts = message.of("tool_call")
        if not parts:
            return key
        calls = [
            Call(
                id=text_of(part.get("tool_call_id")),
                name=text_of(part.get("name")),
                arguments=arguments_text(part.get("arguments", {})),
            )
            for part in parts
        ]
        # What the provider ran itself is answered within the same message.
        results = message.of("tool_result")
        if (answer := self._answers.get(key)) is not None:
            results += answer.of("tool_result")
        return self._builder.call(key, calls, [_outcome(call, results) for call in calls])


def _outcome(call: Call, results: list[JsonObject]) -> Outcome | None:
    for result in results:
        if (text_of(result.get("tool_call_id")), text_of(result.get("name"))) == (
            call.id,
            call.name,
        ):
            results.remove(result)
            error = text_of(result.get("exception"))
            text = text_of(result.get("output")) or error
            return Outcome(text=text, state="error" if error else "ok")
    return None
