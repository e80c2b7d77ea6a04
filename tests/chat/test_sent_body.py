"""What a request sent is rebuilt from the store, byte for byte as the server received it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chat.harness import Bench, ask, calls, echo, tool
from chatglass.chat.attachments import Attachment
from chatglass.chat.engine import Engine
from chatglass.chat.events import Event, TextDelta
from chatglass.chat.sent_body import rebuild_body, record_body
from chatglass.models.client import wire_bytes
from chatglass.models.demo.script import Reply, rate_limited


async def check(here: Bench, engine: Engine, *, received: int | None = None) -> None:
    """Each request of the session, against the last body that the server got for it."""
    rows = [row for row in await here.requests(engine) if row.body_hash]
    bodies = [request.body for request in here.demo.requests]
    rebuilt = [wire_bytes(await rebuild_body(here.store, row)) for row in rows]
    if received is not None:
        assert len(bodies) == received
    assert rebuilt
    for number, body in enumerate(rebuilt):
        assert body in bodies, f"request {number} was never received like this: {body!r}"
    if received is None:
        assert rebuilt == bodies


async def test_plain_turns_with_tools_and_parameters(here: Bench) -> None:
    engine = await here.engine(
        here.session(
            system_prompt="Be short. — Sei knapp.",
            temperature=0.7,
            max_output_tokens=900,
            reasoning_effort="low",
        ),
        tools=[tool("echo", echo)],
    )
    here.demo.script(
        calls(("echo", {"x": "ä\n\"'"}), ("echo", {"x": "2"}), reasoning="hm", text="I look"),
        "done 🎉",
        "again",
    )
    await ask(engine, "first\u2028line")
    await ask(engine, "second")
    await check(here, engine)


async def test_few_parts_whatever_the_length(here: Bench) -> None:
    engine = await here.engine(here.session(system_prompt="Be short."))
    for number in range(10):
        here.demo.script(f"answer {number}")
        await ask(engine, f"prompt {number}")
    await check(here, engine)
    [*_, last] = await here.requests(engine)
    parts = await here.store.request_parts(last.id)
    assert [kind for kind, _ in parts] == ["blob", "path"]


async def test_after_a_resume_and_a_branch(here: Bench) -> None:
    engine = await here.engine()
    here.demo.script("a", "b", "c", "d")
    await ask(engine, "1")
    engine = await here.reopened(engine)
    await ask(engine, "2")
    await engine.branch_before_answer()
    await _drain(engine)
    await ask(engine, "3")
    await check(here, engine)


async def _drain(engine: Engine) -> None:
    async for _ in engine.go_on():
        pass


async def test_after_a_compaction(here: Bench) -> None:
    engine = await here.engine(here.session(system_prompt="s"), threshold=400)
    for number in range(6):
        here.demo.script("word " * 100)
        await ask(engine, f"prompt {number}")
    assert engine.context.compactions
    await check(here, engine)


async def test_after_mending(here: Bench) -> None:
    """A call without an answer on disk, which is answered in what is sent alone."""
    context = here.context()
    await context.initialize()
    from chatglass.models.wire import ProposedCall

    await context.add_user_message("call it")
    await context.add_assistant_message("", tool_calls=[ProposedCall("c1", "echo", "{}")])
    await context.add_user_message("and on")
    await context.close()
    engine = await here.engine(await here.store.get_session(context.session.id))
    here.demo.script("fine")
    await _drain(engine)
    assert not here.demo.violations
    await check(here, engine, received=1)


@pytest.mark.parametrize(
    "refused", [("tools",), ("stream_options",), ("temperature", "max_tokens"), ("tools", "stream")]
)
async def test_after_adaptation(here: Bench, refused: tuple[str, ...]) -> None:
    engine = await here.engine(
        here.session(system_prompt="s", temperature=0.5, max_output_tokens=100),
        tools=[tool("echo", echo)],
    )
    here.demo.script(calls(("echo", {"x": "1"})), "done")
    await ask(engine, "with tools")
    here.demo.refuse(*refused)
    here.demo.script("adapted", "again")
    await ask(engine, "now without")
    await ask(engine, "and again")
    rows = await here.requests(engine)
    by_body = {request.body for request in here.demo.requests}
    for row in rows:
        assert wire_bytes(await rebuild_body(here.store, row)) in by_body
    assert wire_bytes(await rebuild_body(here.store, rows[-1])) == here.demo.requests[-1].body


async def test_after_a_retry_a_stop_and_a_fault(here: Bench) -> None:
    engine = await here.engine()
    here.demo.script(
        rate_limited("0.01"),
        "late",
        Reply(text="cut here", split=3, cut_before=2),
        Reply(text="stop here", split=3, gates={3: asyncio.Event()}),
        "end",
    )
    await ask(engine, "1")
    await ask(engine, "2")

    def on_event(event: Event) -> None:
        if isinstance(event, TextDelta):
            engine.stop()

    await ask(engine, "3", on_event)
    await ask(engine, "4")
    await check(here, engine, received=5)
    assert len(await here.requests(engine)) == 4


async def test_attachments_and_characters_that_utf8_cannot_hold(here: Bench) -> None:
    engine = await here.engine()
    here.demo.script("ok", "ok")
    part: dict[str, Any] = {"type": "text", "text": "file\ud800"}
    await engine.submit("see \udc00", [Attachment("a", part)])
    async for _ in engine.run():
        pass
    await ask(engine, "more")
    await check(here, engine)
    assert (await here.rows(engine))[0].content_is_json


async def test_what_adaptation_leaves_out_or_joins_costs_few_parts(here: Bench) -> None:
    """The system prompt in the first user message, as for models that take none."""
    context = here.context(here.session(system_prompt="s"))
    await context.initialize()
    for number in range(10):
        await context.add_user_message(f"prompt {number}")
        await context.add_assistant_message(f"answer {number}")
    outgoing = context.outgoing()
    _, first, *rest = outgoing.messages
    joined = {**first, "content": "s\n\nprompt 0"}
    body = {"model": "m", "messages": [joined, *rest]}
    parts, _, _ = await record_body(here.store, body, outgoing)
    assert [kind for kind, _ in parts] == ["blob", "path"]
    await context.close()
