"""Engines: the queue, the start, several at once, branches, drafts, and a session held elsewhere."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator

import pytest

from chat.harness import Bench, Turn, allow, ask, collect, echo, tool, turns_of, watch
from chatglass.chat.attachments import Attachment
from chatglass.chat.engine import Engine
from chatglass.chat.events import Event, RequestStarted, TurnStarted
from chatglass.models.demo.script import Reply, unauthorized


def new(here: Bench, **options: object) -> Engine:
    return Engine(here.context(**options), decide_tool=allow)  # type: ignore[arg-type]


async def test_prompts_are_answered_in_order_and_leave_the_queue(here: Bench) -> None:
    engine = await here.engine()
    here.demo.script("a", "b", "c")
    for text in ("1", "2", "3"):
        await engine.submit(text)
    assert [p.text for p in await here.store.queued_prompts(engine.session_id)] == ["1", "2", "3"]
    turns = turns_of(await collect(engine.run()))
    assert [turn.text for turn in turns] == ["a", "b", "c"]
    assert [row.content for row in await here.rows(engine)] == ["1", "a", "2", "b", "3", "c"]
    assert await here.store.queued_prompts(engine.session_id) == []
    assert engine.state == "idle"


async def test_a_prompt_that_is_entered_while_a_turn_runs_is_answered_by_the_same_run(
    here: Bench,
) -> None:
    gate = asyncio.Event()
    here.demo.script(Reply(text="a", gates={-1: gate}), "b")
    engine = await here.engine()
    watching = await watch(engine, "1")
    await here.demo.wait_received(1)
    await engine.submit("2")
    assert [event async for event in engine.run()] == [], "one run at a time"
    gate.set()
    async with asyncio.timeout(10):
        await watching.task
    assert [turn.text for turn in turns_of(watching.events)] == ["a", "b"]


async def test_a_prompt_that_is_entered_while_an_answer_is_retried_comes_after_it(
    here: Bench,
) -> None:
    gate = asyncio.Event()
    here.demo.script("a", Reply(text="a2", gates={-1: gate}), "b")
    engine = await here.engine()
    await ask(engine, "1")
    await engine.branch_before_answer()
    reading = asyncio.create_task(collect(engine.go_on()))
    await here.demo.wait_received(2)
    await engine.submit("2")
    gate.set()
    turns = turns_of(await reading)
    assert [turn.text for turn in turns] == ["a2", "b"]
    assert [row.content for row in await here.rows(engine)] == ["1", "a2", "2", "b"]


@pytest.mark.parametrize("how", ["stopped", "error"])
async def test_what_is_queued_behind_a_turn_that_ends_badly_waits(here: Bench, how: str) -> None:
    engine = await here.engine()
    here.demo.script(
        unauthorized() if how == "error" else Reply(text="x", gates={-1: asyncio.Event()})
    )
    await engine.submit("1")
    await engine.submit("2")

    def on_event(event: Event) -> None:
        if how == "stopped" and isinstance(event, RequestStarted):
            engine.stop()

    turns = turns_of(await collect(engine.run(), on_event))
    assert len(turns) == 1
    assert [prompt.text for prompt in engine.queue] == ["2"]
    stored = await here.store.queued_prompts(engine.session_id)
    assert [prompt.text for prompt in stored] == ["2"]
    here.demo._script.clear()  # pyright: ignore[reportPrivateUsage]
    here.demo.script("now")
    [turn] = turns_of(await collect(engine.run()))
    assert turn.text == "now"


async def test_a_queued_prompt_survives_the_process_with_its_attachments(here: Bench) -> None:
    engine = await here.engine()
    part = {"type": "text", "text": "content"}
    await engine.submit("look", [Attachment("a.txt", part)])
    engine = await here.reopened(engine)
    assert [prompt.text for prompt in engine.queue] == ["look"]
    here.demo.script("seen")
    [turn] = turns_of(await collect(engine.run()))
    assert turn.status == "complete"
    assert "content" in (await here.rows(engine))[0].content


async def test_a_prompt_that_is_entered_while_the_engine_starts_waits(here: Bench) -> None:
    engine = new(here)
    await engine.submit("0")
    assert engine.state == "starting"
    assert [event async for event in engine.run()] == []
    starting = asyncio.create_task(engine.start())
    entered = ["0"]
    for number in range(1, 5):
        await engine.submit(str(number))
        entered.append(str(number))
    await starting
    here.stack.push_async_callback(engine.close)
    assert [prompt.text for prompt in engine.queue] == entered
    here.demo.script(*("answer" for _ in entered))
    turns = turns_of(await collect(engine.run()))
    assert [turn.status for turn in turns] == ["complete"] * 5
    assert [row.content for row in await here.rows(engine)][::2] == entered
    assert here.read("SELECT count(*) FROM sessions") == [(1,)]


async def test_the_same_for_a_session_that_is_stored(here: Bench) -> None:
    first = await here.engine()
    here.demo.script("a")
    await ask(first, "1")
    await first.submit("2")
    await first.close()
    engine = new(here, session=await here.store.get_session(first.session_id))
    prompt = await engine.submit("3")
    await engine.start()
    here.stack.push_async_callback(engine.close)
    assert [queued.text for queued in engine.queue] == ["2", "3"]
    assert await engine.unqueue(prompt.id) == prompt
    assert await engine.unqueue(prompt.id) is None
    here.demo.script("b")
    await collect(engine.run())
    assert [row.content for row in await here.rows(engine)] == ["1", "a", "2", "b"]


async def test_two_engines_at_once_do_not_mix(here: Bench) -> None:
    gates = [asyncio.Event(), asyncio.Event()]
    here.demo.script(
        Reply(text="for one " * 20, gates={5: gates[0]}),
        Reply(text="for two " * 20, gates={5: gates[1]}),
    )
    engines = [await here.engine(tools=[tool("echo", echo)]) for _ in range(2)]
    watches = []
    for number, engine in enumerate(engines):
        watches.append(await watch(engine, f"prompt {number}"))
        await here.demo.wait_received(number + 1)
    for gate in reversed(gates):
        gate.set()
    turns = [await watching.turn() for watching in watches]
    assert {event.session_id for event in turns[0].events} == {engines[0].session_id}
    assert turns[0].text == "for one " * 20
    assert turns[1].text == "for two " * 20
    for number, engine in enumerate(engines):
        assert [row.content for row in await here.rows(engine)] == [
            f"prompt {number}",
            turns[number].text,
        ]
    stats = [await engine.context.get_token_stats() for engine in engines]
    assert sum(each.total_tokens for each in stats) == here.reported_tokens
    # Stopping one leaves the other at work.
    here.demo.script(
        Reply(text="a", gates={-1: asyncio.Event()}),
        Reply(text="b", gates={-1: (g := asyncio.Event())}),
    )
    watches = []
    for number, engine in enumerate(engines):
        watches.append(await watch(engine))
        await here.demo.wait_received(3 + number)
    engines[0].stop()
    assert (await watches[0].turn()).status == "interrupted"
    g.set()
    assert (await watches[1].turn()).status == "complete"


async def test_one_turn_at_a_time(here: Bench) -> None:
    here.demo.script(Reply(text="x", gates={-1: asyncio.Event()}))
    engine = await here.engine()
    watching = await watch(engine)
    await watching.until(TurnStarted)
    with pytest.raises(RuntimeError, match="a turn of this session is running"):
        await anext(engine.conversation.run_turn(None))
    engine.stop()
    await watching.turn()


HOLD = """
import asyncio, sys
from pathlib import Path
from chatglass.store.sqlite import SqliteStore

async def main():
    store = SqliteStore(Path(sys.argv[1]))
    await store.open()
    assert await store.claim(sys.argv[2]) is None
    print("held", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await store.close()

asyncio.run(main())
"""


@pytest.fixture
def holders() -> Iterator[list[subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        process.kill()
        process.communicate()


async def test_a_session_that_another_process_runs_is_read_only(
    here: Bench, holders: list[subprocess.Popen[str]]
) -> None:
    first = await here.engine()
    here.demo.script("a")
    await ask(first, "1")
    await first.close()
    process = subprocess.Popen(  # noqa: ASYNC220 - it lives on beside the test
        [sys.executable, "-c", HOLD, str(here.db), first.session_id],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    holders.append(process)
    assert process.stdout is not None
    assert await asyncio.to_thread(process.stdout.readline) == "held\n"
    engine = await here.engine(await here.store.get_session(first.session_id))
    assert engine.state == "read-only"
    assert engine.holder is not None
    assert engine.holder.pid == process.pid
    assert engine.context.get_conversation_length() == 2
    assert [event async for event in engine.go_on()] == []
    with pytest.raises(RuntimeError, match="read-only"):
        await anext(engine.answer("no"))
    await engine.close()
    await asyncio.to_thread(process.communicate)
    engine = await here.engine(await here.store.get_session(first.session_id))
    assert engine.state == "idle"


async def test_drafts(here: Bench) -> None:
    engine = await here.engine()
    await engine.save_draft("")
    assert here.read("SELECT count(*) FROM sessions") == [(0,)], "nothing to keep yet"
    await engine.save_draft("half a thou")
    assert (await here.store.get_session(engine.session_id)).draft == "half a thou"
    engine.save_draft_now("half a thought")
    assert (await here.store.get_session(engine.session_id)).draft == "half a thought"
    here.demo.script("ok")
    await ask(engine, "half a thought")
    assert (await here.store.get_session(engine.session_id)).draft == "", "it was sent"


async def test_branches(here: Bench) -> None:
    engine = await here.engine()
    here.demo.script("a", "b", "a2", "c")
    await ask(engine, "1")
    await ask(engine, "2")
    rows = await here.rows(engine)
    await engine.switch_branch(rows[3].id, 1)
    assert engine.context.get_conversation_length() == 4, "there is no sibling"
    assert await engine.branch_before_answer()
    [turn] = turns_of(await collect(engine.go_on()))
    assert (turn.text, turn.one(TurnStarted).user_message_id) == ("a2", None)
    assert [row.content for row in await here.rows(engine)] == ["1", "a", "2", "a2"]
    await engine.switch_branch((await here.rows(engine))[3].id, -1)
    assert [row.content for row in engine.context.path.rows] == ["1", "a", "2", "b"]
    await engine.branch_before_prompt(rows[2].id)
    await ask(engine, "2 anew")
    assert [row.content for row in await here.rows(engine)] == ["1", "a", "2 anew", "c"]
    stats = await engine.context.get_token_stats()
    assert stats.requests == 4, "what was said on every branch was spent"
    assert stats.total_tokens == here.reported_tokens


async def test_nothing_to_answer(here: Bench) -> None:
    engine = await here.engine()
    assert [event async for event in engine.go_on()] == []
    assert not await engine.branch_before_answer()


async def test_answering_one_prompt_leaves_what_is_queued(here: Bench) -> None:
    engine = await here.engine()
    await engine.submit("queued")
    here.demo.script("now")
    turn = Turn(await collect(engine.answer("asked now")))
    assert turn.text == "now"
    assert [prompt.text for prompt in engine.queue] == ["queued"]
    assert [row.content for row in await here.rows(engine)] == ["asked now", "now"]


async def test_calls_whose_turn_was_torn_are_answered_by_what_is_stored(here: Bench) -> None:
    """As a crash leaves them: one done, one running, one asked about, none answered."""
    from dataclasses import replace

    from chatglass.models.wire import ProposedCall
    from chatglass.store.records import ToolResult

    context = here.context()
    await context.initialize()
    await context.add_user_message("do it")
    message_id = await context.begin_assistant()
    proposed = [ProposedCall(f"c{n}", "work", "{}") for n in range(3)]
    await context.finish_assistant(message_id, tool_calls=proposed)
    request = context.requests.new(context.session, context.turn_id, message_id)
    await here.store.add_request(request)
    rows = await context.propose_calls(message_id, request.id, proposed)
    await context.settle_call(replace(rows[0], state="ok"), ToolResult("all", "the result"))
    await here.store.update_tool_call(replace(rows[1], state="running", started_at=1))
    await here.store.update_tool_call(replace(rows[2], state="asking"))
    await context.close()

    engine = await here.engine(await here.store.get_session(context.session.id))
    here.demo.script("I see")
    turn = await ask(engine, "go on")
    assert turn.status == "complete"
    contents = [row.content for row in await here.rows(engine)]
    assert contents[2] == "the result"
    assert "may have taken effect" in contents[3]
    assert "was not run" in contents[4]
    assert contents[5:] == ["go on", "I see"]
    assert [row.state for row in await here.calls(engine)] == ["ok", "unknown", "cancelled"]
    assert not here.demo.violations
