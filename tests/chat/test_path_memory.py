"""What is no longer sent leaves memory, and is read again where it is asked for."""

from __future__ import annotations

import asyncio
import random

import pytest

from chat.harness import Bench, ask, calls, echo, tool
from chatglass.chat.chat_context import ChatContext
from chatglass.chat.compaction.versions import made
from chatglass.chat.engine import Engine
from chatglass.chat.shown_path import ShownPath
from chatglass.store.protocol import StoreError

WORDS = "word " * 100


async def led(here: Bench, turns: int, *, threshold: int = 1_500) -> Engine:
    """A session of that many turns, each with a tool call, that is compacted on its way."""
    engine = await here.engine(tools=[tool("echo", echo)], threshold=threshold)
    for number in range(turns):
        here.demo.script(calls(("echo", {"x": f"{number} {WORDS}"})), f"answer {number}")
        turn = await ask(engine, f"prompt {number}")
        assert turn.status == "complete"
    return engine


def weighed(context: ChatContext, path: ShownPath) -> object:
    return (
        len(path),
        path.leaf_id,
        path.outgoing(None),
        path.parts(None, 0),
        path.recent_turns(),
        [(turn.first_message_id, turn.tokens) for turn in path.turns()],
        path.turns_before(len(path)),
        [path.place_of(row.first_kept_id) for row in path.holding()],
        context.size.parts(context.session, path, context.requests.figures),
    )


async def test_memory_holds_what_is_sent_however_long_the_session(here: Bench) -> None:
    engine = await led(here, 60)
    context = engine.context
    assert made(context.compactions) > 5
    assert len(context.path) == 60 * 4
    assert len(context.path.rows) == len(context.path.sent_rows())
    assert len(context.path.rows) < 40
    assert len(context.requests.rows) < 100
    assert context.requests.figures.requests == 120
    assert len(await context.requests.all_rows()) == 120
    assert [row.id for row in await context.messages.whole_path()] == [
        row.id for row in await here.rows(engine)
    ]
    stats = await context.get_token_stats()
    assert stats.tool_calls == 60
    assert len(stats.cost_by_turn) == 30


async def test_what_went_changes_nothing_of_what_is_sent_and_counted(here: Bench) -> None:
    rng = random.Random(3)
    engine = await here.engine(tools=[tool("echo", echo)], threshold=1_500)
    context = engine.context
    for number in range(30):
        words = "word " * rng.randrange(10, 120)
        here.demo.script(*([calls(("echo", {"x": words}))] if number % 2 else []), words)
        await ask(engine, f"prompt {number} {words}")
        whole = ShownPath(await context.messages.whole_path(), context.compactions)
        assert weighed(context, context.path) == weighed(context, whole)
    assert context.path.rows_gone


async def compacted(here: Bench) -> Engine:
    """A session of which something is in the store alone."""
    engine = await here.engine(threshold=1_500)
    while not engine.context.path.rows_gone:
        here.demo.script(WORDS)
        await ask(engine, f"prompt {WORDS}")
    return engine


async def test_what_can_not_be_read_again_is_not_undone(
    here: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = await compacted(here)
    row = engine.context.compaction.in_force()
    assert row is not None
    before = engine.context.get_messages_for_llm()

    async def away(*_: object) -> None:
        raise StoreError("the store is away")

    with monkeypatch.context() as broken:
        broken.setattr(here.store, "path", away)
        with pytest.raises(StoreError):
            await engine.context.compaction.undo(row.id)
    assert engine.context.compaction.in_force() == row
    assert engine.context.get_messages_for_llm() == before
    assert len(await here.store.compactions(engine.session_id)) == 1


async def test_undoing_sends_again_what_had_left_memory(here: Bench) -> None:
    engine = await here.engine(threshold=1_500)
    before: list[object] = []
    while not engine.context.path.rows_gone:
        before = list(engine.context.get_messages_for_llm())
        here.demo.script(WORDS)
        await ask(engine, f"prompt {len(before)} {WORDS}")
    row = engine.context.compaction.in_force()
    assert row is not None
    await engine.context.compaction.undo(row.id)
    assert engine.context.path.rows_gone == 0
    assert engine.context.get_messages_for_llm()[: len(before)] == before
    await engine.close()


async def test_branches_begin_at_messages_that_left_memory(here: Bench) -> None:
    engine = await led(here, 12)
    first = (await here.rows(engine))[0]
    assert engine.context.path.get(first.id) is None
    found = await engine.context.messages.find(first.id)
    assert found == first
    answer = (await here.rows(engine))[3]
    assert await engine.branch_before_answer(answer.id)
    assert [row.id for row in engine.context.path.rows] == [first.id]


async def test_the_model_gets_back_a_result_that_left_memory(here: Bench) -> None:
    engine = await led(here, 12)
    result = next(row for row in await here.rows(engine) if row.role == "tool")
    reader = engine.context.tools.get("read_result")
    output = await reader.run({"id": result.id}, here.folder, lambda *_: None)
    assert output.seen == result.content


async def test_a_resumed_session_holds_what_is_sent(here: Bench) -> None:
    engine = await led(here, 20)
    sent = engine.context.get_messages_for_llm()
    again = await here.reopened(engine, threshold=1_500)
    assert len(again.context.path.rows) == len(again.context.path.sent_rows())
    assert again.context.path.rows_gone
    assert again.context.get_messages_for_llm() == sent
    assert (await again.context.get_token_stats()).tool_calls == 20


async def test_a_prompt_that_comes_while_a_branch_is_read_stands_on_it(here: Bench) -> None:
    engine = await led(here, 2)
    first = (await here.rows(engine))[0]
    await asyncio.gather(engine.context.show(first.id), engine.context.add_user_message("next"))
    path = engine.context.path
    assert [row.id for row in path.rows] == [
        row.id for row in await here.store.path(engine.session_id, path.leaf_id)
    ]
    assert [row.content for row in path.rows] == [first.content, "next"]
