"""What was sent stays as it was sent, so that providers' prompt caches hit: also when tools come late,
the mode of approval changes, images are attached, or an answer is stopped."""

from __future__ import annotations

import asyncio
import json
from itertools import pairwise
from typing import Any

from chat.harness import Bench, Turn, ask, calls, collect, echo, tool, watch
from chatglass.chat.approvals import SessionPolicy
from chatglass.chat.attachments import Attachment
from chatglass.chat.engine import Engine
from chatglass.chat.events import TextDelta
from chatglass.models.demo.script import Reply
from chatglass.tools.places import Surroundings
from chatglass.tools.rules.rule_book import RuleBook
from chatglass.tools.tool_manager import ToolManager

IMAGE = Attachment(
    "a.png", {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
)


def parts(body: bytes) -> tuple[bytes, bytes]:
    """The messages without the end of their list, and what stands behind them."""
    end = body.rindex(b'],"tools":')
    return body[:end], body[end:]


async def late(manager: ToolManager, *names: str) -> None:
    """An MCP server connects, with these tools."""
    manager.replace_source("late", [tool(name, echo) for name in names])


async def turn(here: Bench, engine: Engine, number: int, **reply: Any) -> Turn:
    here.demo.script(calls(("echo", {"x": f"{number}"}), **reply), f"answer {number}")
    made = await ask(engine, f"prompt {number}")
    assert made.status == "complete", made.notices
    return made


async def test_the_prefix_stays_through_all_that_happens_in_a_session(here: Bench) -> None:
    book = RuleBook(Surroundings.of_user([]))
    policy = SessionPolicy(str(here.folder), rules=lambda root: book)
    engine = await here.engine(
        here.session(system_prompt="Be short."), tools=[tool("echo", echo)], judge=policy.judge
    )
    manager = engine.context.tool_manager
    await turn(here, engine, 1)
    policy.mode = "all"
    await turn(here, engine, 2)
    await late(manager, "late__a", "late__b")
    await turn(here, engine, 3)
    here.demo.script("I see a picture.")
    await engine.submit("What is it?", [IMAGE, Attachment("n", {"type": "text", "text": "file"})])
    assert Turn(await collect(engine.run())).status == "complete"
    policy.mode = "ask"
    await turn(here, engine, 4)
    here.demo.script(Reply(text="one two three four", split=4, gates={3: asyncio.Event()}))
    reading = await watch(engine, "and then")
    await reading.until(TextDelta)
    engine.stop()
    await reading.turn()
    await turn(here, engine, 5)
    # The server goes away, and comes again.
    manager.replace_source("late", [])
    await turn(here, engine, 6)
    await late(manager, "late__b", "late__a")
    await turn(here, engine, 7)
    before_restart = [request.body for request in here.demo.requests]
    engine = await here.reopened(engine, tools=[tool("echo", echo)], judge=policy.judge)
    await late(engine.context.tool_manager, "late__a", "late__b")
    await turn(here, engine, 8)

    sent = [parts(request.body) for request in here.demo.requests]
    for (former, _), (now, _) in pairwise(sent):
        assert now.startswith(former)
    # What stands behind the messages is the same wherever the tools are, in whatever order they came.
    tails = [tail for _, tail in sent]
    of_tools: dict[tuple[str, ...], set[bytes]] = {}
    for tail in tails:
        named = json.loads(b"{" + tail[2:])["tools"]
        of_tools.setdefault(tuple(each["function"]["name"] for each in named), set()).add(tail)
    assert set(of_tools) == {("echo",), ("echo", "late__a", "late__b")}
    assert all(len(forms) == 1 for forms in of_tools.values())
    assert len(before_restart) < len(sent)


async def test_tools_that_come_within_a_turn_leave_its_messages_as_they_are(here: Bench) -> None:
    async def connect(arguments: dict[str, Any]) -> str:
        await late(engine.context.tool_manager, "late__a")
        return "connected"

    engine = await here.engine(tools=[tool("echo", connect)])
    await turn(here, engine, 1)
    first, second = (parts(request.body) for request in here.demo.requests)
    assert second[0].startswith(first[0])
    assert b"late__a" in second[1]
    assert b"late__a" not in first[1]


async def test_a_picture_that_is_refused_changes_what_was_sent_once(
    here: Bench,
) -> None:
    engine = await here.engine(tools=[tool("echo", echo)])
    here.demo.script("I see.")
    await engine.submit("What is it?", [IMAGE])
    await collect(engine.run())
    here.demo.script(
        Reply(status=400, body='{"error": {"message": "This model does not support images."}}')
    )
    await turn(here, engine, 1)
    await turn(here, engine, 2)
    taken = [parts(request.body)[0] for request in here.demo.requests]
    placeholder = b"takes no images"
    place = next(i for i, body in enumerate(taken) if placeholder in body)
    assert all(placeholder in body for body in taken[place:])
    for former, now in pairwise(taken[place:]):
        assert now.startswith(former)
