"""A process that writes to a store, and says on stdout what was acknowledged, one line each.

python writer_process.py turns FILE      turns in a new session, until it is killed
python writer_process.py drafts FILE ID N   N messages to a session of its own, N drafts to ID
python writer_process.py claim FILE ID   claims the session and waits for the end of stdin
"""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from chatglass.store.records import ToolResult
from chatglass.store.sqlite import SqliteStore
from store.builders import answer, finished, message, new_session, queued, request, tool_call


def say(*words: object) -> None:
    # One write of less than a pipe's buffer: it arrives whole or not at all.
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


async def turns(store: SqliteStore) -> None:
    session = await new_session(store)
    say("session", session.id)
    leaf = None
    for turn in range(1_000_000):
        waiting = queued(session.id)
        await store.enqueue_prompt(waiting)
        prompt = message(session.id, leaf, content=f"prompt {turn}")
        await store.append_message(prompt, queued_id=waiting.id)
        say("message", prompt.id)
        begun = answer(session.id, prompt.id, content="", status="partial")
        await store.append_message(begun)
        say("message", begun.id)
        blob = await store.put_blob(f"system {turn}")
        sent = request(session.id, parts=(("blob", blob), ("message", prompt.id)))
        await store.add_request(sent)
        say("request", sent.id)
        call = tool_call(session.id, message_id=begun.id)
        for part in range(5):
            text = f"answer {turn} " * 200 * part
            # Together, so that kills also fall into commits of several writes.
            await asyncio.gather(
                store.checkpoint_message(begun.id, text, ""),
                store.set_draft(session.id, f"draft {turn} {part}"),
            )
            say("text", begun.id, len(text))
        await store.finish_message(replace(begun, content=text, status="complete"))
        say("complete", begun.id)
        await store.finish_request(replace(sent, **finished(sent)))
        say("finished", sent.id)
        await store.add_tool_calls([call])
        await store.update_tool_call(replace(call, state="ok"), ToolResult("r" * 100_000, "r"))
        say("result", call.id)
        leaf = begun.id


async def drafts(store: SqliteStore, shared: str, count: int) -> None:
    session = await new_session(store)
    leaf = None
    for at in range(count):
        row = message(session.id, leaf, content=f"{os.getpid()} {at}")
        await store.append_message(row)
        await store.set_draft(shared, f"{os.getpid()} {at}")
        leaf = row.id
    say("session", session.id)


async def claim(store: SqliteStore, session_id: str) -> None:
    holder = await store.claim(session_id)
    say("claimed" if holder is None else f"held by {holder.pid}", os.getpid())
    await asyncio.to_thread(sys.stdin.read)


async def main(what: str, file: str, *rest: str) -> None:
    store = SqliteStore(Path(file))
    await store.open()
    if what == "turns":
        await turns(store)
    elif what == "drafts":
        await drafts(store, rest[0], int(rest[1]))
    elif what == "claim":
        await claim(store, rest[0])
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
