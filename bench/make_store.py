"""Stores for the benchmarks, made with chatglass's own store.

python -m bench.make_store FOLDER --messages 10000     one session of so many messages
python -m bench.make_store FOLDER --sessions 10000     so many sessions of two messages
python -m bench.make_store FOLDER --result-mb 5        a session with a tool result of that size
python -m bench.make_store FOLDER --library 10000      so many sessions of about 50 messages each
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
from dataclasses import dataclass
from pathlib import Path

from bench.fakellm import text_of_tokens
from bench.library import whole_sessions
from chatglass.config.paths import find_paths
from chatglass.store.protocol import SessionStore
from chatglass.store.records import (
    MessageRow,
    RequestRow,
    Role,
    SessionRow,
    ToolCallRow,
    ToolResult,
    WholeSession,
)
from chatglass.store.sqlite import SqliteStore
from chatglass.values.clock import now_ms
from chatglass.values.ids import new_id
from chatglass.values.usage import Usage

MODEL = "fake"
LAST_LINE = "END-OF-SESSION"
"""The last message of a session ends with this."""
TOPICS = ("parser", "rivers", "release notes", "tests", "timetable", "recipes", "windows", "budget")


@dataclass(slots=True)
class Writer:
    """Adds messages to one session of a store."""

    store: SessionStore
    session_id: str
    turn_id: str = ""
    leaf_id: str | None = None

    async def add(
        self,
        role: Role,
        content: str,
        *,
        tool_calls: str | None = None,
        tool_call_id: str | None = None,
        tool_name: str | None = None,
    ) -> str:
        """The id of the new message, which is the leaf then."""
        if role == "user":
            self.turn_id = new_id()
        message_id = new_id()
        await self.store.append_message(
            MessageRow(
                id=message_id,
                session_id=self.session_id,
                parent_id=self.leaf_id,
                turn_id=self.turn_id,
                role=role,
                content=content,
                created_at=now_ms(),
                tool_calls=tool_calls,
                tool_call_id=tool_call_id,
                tool_name=tool_name,
                endpoint="bench" if role == "assistant" else None,
                model=MODEL if role == "assistant" else None,
            )
        )
        self.leaf_id = message_id
        return message_id


async def new_session(store: SessionStore, title: str) -> Writer:
    session_id = new_id()
    at = now_ms()
    await store.create_session(
        SessionRow(
            id=session_id,
            title=title,
            root=os.getcwd(),
            endpoint="bench",
            model=MODEL,
            created_at=at,
            updated_at=at,
        )
    )
    return Writer(store, session_id)


async def long_session(store: SessionStore, messages: int) -> None:
    writer = await new_session(store, f"{messages} messages")
    for number in range(messages // 2):
        last = number == messages // 2 - 1
        await writer.add("user", f"Question {number}: what about the {TOPICS[number % 8]}?")
        answer = text_of_tokens(90 + 37 * (number % 7))
        await writer.add("assistant", f"{answer}\n\n{LAST_LINE}" if last else answer)


async def many_sessions(store: SessionStore, sessions: int) -> None:
    for number in range(sessions):
        title = f"{TOPICS[number % 8].capitalize()}, part {number}"
        writer = await new_session(store, title)
        await writer.add("user", f"Tell me about the {TOPICS[number % 8]}")
        await writer.add("assistant", LAST_LINE)


async def tool_result(store: SessionStore, megabytes: float) -> None:
    writer = await new_session(store, "A large result")
    await writer.add("user", "Read the large file")
    arguments = json.dumps({"path": "large.json"})
    call = {
        "id": "call_1",
        "type": "function",
        "function": {"name": "read_file", "arguments": arguments},
    }
    message_id = await writer.add("assistant", "I'll read it.", tool_calls=json.dumps([call]))
    at = now_ms()
    request_id = new_id()
    await store.add_request(
        RequestRow(
            id=request_id,
            session_id=writer.session_id,
            turn_id=writer.turn_id,
            message_id=message_id,
            purpose="answer",
            endpoint="bench",
            base_url="http://127.0.0.1/v1",
            model=MODEL,
            started_at=at,
            finished_at=at,
            status="complete",
            usage=Usage(prompt_tokens=100, completion_tokens=20),
        )
    )
    produced = large_json(int(megabytes * 1_000_000))
    row = ToolCallRow(
        id=new_id(),
        session_id=writer.session_id,
        turn_id=writer.turn_id,
        request_id=request_id,
        message_id=message_id,
        call_id="call_1",
        position=0,
        name="read_file",
        arguments=arguments,
        proposed_at=at,
        state="ok",
        decided_by="policy",
        started_at=at,
        finished_at=at + 40,
        result_bytes=len(produced),
        seen_bytes=30_000,
    )
    await store.add_tool_calls([row])
    await store.update_tool_call(row, ToolResult(produced, produced[:30_000]))
    await writer.add("tool", produced[:30_000], tool_call_id="call_1", tool_name="read_file")
    await writer.add("assistant", f"It is long.\n\n{LAST_LINE}")


def large_json(size: int) -> str:
    """An array of small objects, about `size` bytes of JSON on one line."""
    record = {"id": 100_000, "name": "entry 100000", "tags": ["a", "b"], "score": 0.25, "on": True}
    count = max(1, size // (len(json.dumps(record)) + 2))
    return json.dumps(
        [{**record, "id": 100_000 + i, "name": f"entry {100_000 + i}"} for i in range(count)]
    )


async def library(store: SessionStore, sessions: int) -> None:
    batch: list[WholeSession] = []
    for whole in whole_sessions(sessions, root=os.getcwd(), until=now_ms()):
        batch.append(whole)
        if len(batch) == 32:
            await asyncio.gather(*map(store.add_whole_session, batch))
            batch.clear()
    await asyncio.gather(*map(store.add_whole_session, batch))


async def make(
    folder: Path,
    *,
    messages: int = 0,
    sessions: int = 0,
    result_mb: float = 0.0,
    in_library: int = 0,
) -> Path:
    """Make a store under the data folder `folder`, which is returned."""
    paths = find_paths(str(folder))
    paths.make()
    store = SqliteStore(paths.store)
    await store.open()
    try:
        if in_library:
            await library(store, in_library)
        if sessions:
            await many_sessions(store, sessions)
        if messages:
            await long_session(store, messages)
        if result_mb:
            await tool_result(store, result_mb)
    finally:
        await store.close()
    return folder


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--messages", type=int, default=0)
    parser.add_argument("--sessions", type=int, default=0)
    parser.add_argument("--result-mb", type=float, default=0.0)
    parser.add_argument("--library", type=int, default=0)
    options = parser.parse_args()
    asyncio.run(
        make(
            options.folder,
            messages=options.messages,
            sessions=options.sessions,
            result_mb=options.result_mb,
            in_library=options.library,
        )
    )
