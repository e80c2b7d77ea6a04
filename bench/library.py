"""A library of sessions as a long-time user has one: prose, code, tool calls, some of it Chinese.

The same number makes the same texts on the same Python, whose manual they are taken from: real
words, so that trigrams are as common and as rare as in what people write.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from decimal import Decimal
from pydoc_data.topics import topics

from chatglass.store.records import (
    MessageRow,
    RequestRow,
    Role,
    SessionRow,
    ToolCallRow,
    ToolResult,
    WholeSession,
)
from chatglass.values.ids import new_id
from chatglass.values.usage import Usage

MODELS = ("gpt-5-mini", "gpt-5", "claude-sonnet", "gemma3:13b")
TOOLS = ("read_file", "search_files", "run_command", "fetch_url", "write_file", "list_directory")
MESSAGES = 50
"""Of a session, on average."""
_CHINESE = "的一是不了在人有我他这中大来上个国到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可文件错误测试解析"
_HOUR = 3_600_000


class Words:
    """Texts by a seeded generator: passages of Python's own manual, and identifiers made of it."""

    def __init__(self, seed: int = 1) -> None:
        self.random = random.Random(seed)
        self._manual = " ".join(topics[name] for name in sorted(topics)).split()
        self._names = sorted({word for word in self._manual if re.fullmatch("[a-z]{3,9}", word)})

    def prose(self, count: int) -> str:
        start = self.random.randrange(len(self._manual) - count)
        words = self._manual[start : start + count]
        if self.random.random() < 0.2:
            words.insert(len(words) // 2, f"{self.name()}()")
        if self.random.random() < 0.03:
            words.append("".join(self.random.choices(_CHINESE, k=20)))
        return " ".join(words)

    def name(self) -> str:
        """An identifier, of which there are ten million."""
        return "_".join(self.random.choices(self._names, k=2))

    def path(self) -> str:
        return f"{'/'.join(self.random.choices(self._names, k=3))}/{self.name()}.py"


def whole_sessions(count: int, *, root: str, until: int) -> Iterator[WholeSession]:
    """`count` sessions, the oldest first, an hour apart, the newest at `until`."""
    words = Words()
    for number in range(count):
        at = until - (count - number) * _HOUR
        yield _session(words, number, root if number % 3 else f"/projects/{number % 40}", at)


def _session(words: Words, number: int, root: str, at: int) -> WholeSession:
    model = words.random.choice(MODELS)
    session_id = new_id()
    messages: list[MessageRow] = []
    requests: list[RequestRow] = []
    calls: list[ToolCallRow] = []
    results: dict[str, ToolResult] = {}
    turn_id = ""

    def add(role: Role, content: str, **more: str | None) -> str:
        messages.append(
            MessageRow(
                id=new_id(),
                session_id=session_id,
                parent_id=messages[-1].id if messages else None,
                turn_id=turn_id,
                role=role,
                content=content,
                created_at=at + len(messages) * 1_000,
                endpoint="bench" if role == "assistant" else None,
                model=model if role == "assistant" else None,
                **more,
            )
        )
        return messages[-1].id

    def answer(content: str, tool_calls: str | None = None) -> str:
        message_id = add("assistant", content, tool_calls=tool_calls)
        tokens = 200 * len(messages)
        requests.append(
            RequestRow(
                id=new_id(),
                session_id=session_id,
                turn_id=turn_id,
                message_id=message_id,
                purpose="answer",
                endpoint="bench",
                base_url="http://127.0.0.1/v1",
                model=model,
                started_at=messages[-1].created_at,
                status="complete",
                finished_at=messages[-1].created_at + 900,
                usage=Usage(prompt_tokens=tokens, completion_tokens=100),
                cost=Decimal(tokens) / 4_000_000,
            )
        )
        return message_id

    def call_tool() -> None:
        name = words.random.choice(TOOLS)
        arguments = json.dumps({"path": words.path(), "query": words.prose(2)})
        function = {"name": name, "arguments": arguments}
        asked = [{"id": f"call_{len(calls)}", "type": "function", "function": function}]
        message_id = answer("", json.dumps(asked))
        produced = words.prose(80)
        row = ToolCallRow(
            id=new_id(),
            session_id=session_id,
            turn_id=turn_id,
            request_id=requests[-1].id,
            message_id=message_id,
            call_id=f"call_{len(calls)}",
            position=0,
            name=name,
            arguments=arguments,
            proposed_at=at,
            state="ok",
            started_at=at,
            finished_at=at + 30,
            result_bytes=len(produced),
            seen_bytes=len(produced),
        )
        calls.append(row)
        results[row.id] = ToolResult(produced, produced)
        add("tool", produced, tool_call_id=row.call_id, tool_name=name)

    wanted = words.random.randint(MESSAGES // 2, MESSAGES * 3 // 2)
    while len(messages) < wanted:
        turn_id = new_id()
        add("user", words.prose(words.random.randint(6, 30)))
        if words.random.random() < 0.4:
            call_tool()
        answer(words.prose(words.random.randint(15, 70)))
    row = SessionRow(
        id=session_id,
        title=f"{words.prose(4).capitalize()} {number}",
        root=root,
        endpoint="bench",
        model=model,
        created_at=at,
        updated_at=messages[-1].created_at,
        leaf_id=messages[-1].id,
        pinned=number % 500 == 0,
        archived=number % 50 == 7,
        tags=("work",) if number % 9 == 0 else (),
    )
    return WholeSession(
        session=row,
        messages=tuple(messages),
        requests=tuple(requests),
        tool_calls=tuple(calls),
        results=results,
    )
