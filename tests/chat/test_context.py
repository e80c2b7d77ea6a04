"""ChatContext as others call it, without an engine."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path

import pytest

from chat.harness import Bench
from chatglass.chat.messages import violations
from chatglass.models.wire import ModelRef, ProposedCall
from chatglass.store.records import Parameters
from chatglass.values.usage import Usage


async def test_before_initialize_everything_says_so(here: Bench) -> None:
    context = here.context()
    with pytest.raises(RuntimeError, match="initialize"):
        await context.add_user_message("x")
    with pytest.raises(RuntimeError, match="initialize"):
        await context.begin_assistant()
    with pytest.raises(RuntimeError, match="initialize"):
        await context.add_assistant_message("x")
    with pytest.raises(RuntimeError, match="initialize"):
        await context.add_tool_response("c", "r", "t")
    with pytest.raises(RuntimeError, match="initialize"):
        context.get_messages_for_llm()
    with pytest.raises(RuntimeError, match="initialize"):
        context.get_conversation_length()
    with pytest.raises(RuntimeError, match="initialize"):
        await context.clear_conversation_history()
    with pytest.raises(RuntimeError, match="initialize"):
        await context.get_token_stats()


async def test_no_limit_is_told_before_the_window_was_asked_for(here: Bench) -> None:
    context = here.context()
    await context.load()
    assert (await context.get_token_stats()).limit is None
    await context.initialize()
    assert (await context.get_token_stats()).limit == context.limit()
    context.size.is_window_asked = False
    await context.set_model(context.model)
    assert (await context.get_token_stats()).limit == context.limit()
    await context.close()


async def test_clearing_begins_an_empty_branch_and_keeps_what_was_spent(here: Bench) -> None:
    context = here.context(here.session("dear", system_prompt="s"))
    await context.initialize()
    await context.add_user_message("one")
    await context.add_assistant_message("two", usage=Usage(prompt_tokens=10, completion_tokens=5))
    old = [row.id for row in context.path.rows]
    before = await context.get_token_stats()
    assert before.total_tokens == 15
    assert before.estimated_cost == Decimal("3.15") * 10 / 10**6 + Decimal("15.75") * 5 / 10**6
    await context.clear_conversation_history()
    assert context.get_conversation_length() == 0
    assert context.get_messages_for_llm() == [{"role": "system", "content": "s"}]
    after = await context.get_token_stats()
    assert (after.total_tokens, after.estimated_cost) == (15, before.estimated_cost)
    assert after.context.history == 0
    await context.add_user_message("three")
    assert [row.content for row in await here.store.path(context.session.id, old[-1])] == [
        "one",
        "two",
    ]
    assert (await here.store.get_session(context.session.id)).messages == 3
    await context.close()


async def test_a_cancelled_write_is_whole_in_memory_too(here: Bench) -> None:
    context = here.context()
    await context.initialize()
    for number in range(20):
        task = asyncio.create_task(context.add_user_message(str(number)))
        for _ in range(number % 7):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    rows = await here.store.path(
        context.session.id, (await here.store.get_session(context.session.id)).leaf_id
    )
    assert [row.id for row in rows] == [row.id for row in context.path.rows]
    assert here.read("SELECT count(*) FROM messages") == [(len(rows),)]
    assert rows, "or this test tests nothing"
    await context.close()


async def test_a_partial_answer_by_hand(here: Bench) -> None:
    context = here.context()
    await context.initialize()
    await context.add_user_message("q")
    answer = await context.begin_assistant()
    await context.checkpoint(answer, "one ", reasoning="hm")
    await context.checkpoint(answer, "two")
    assert here.read("SELECT content, reasoning, status FROM messages WHERE id = ?", answer) == [
        ("one two", "hm", "partial")
    ]
    assert context.get_messages_for_llm()[-1]["content"] == "one two"
    await context.finish_assistant(answer, status="interrupted")
    assert here.read("SELECT content, status FROM messages WHERE id = ?", answer) == [
        ("one two", "interrupted")
    ]
    await context.close()


async def test_the_list_is_valid_at_every_step_of_a_tool_turn(here: Bench) -> None:
    context = here.context()
    await context.initialize()
    await context.add_user_message("q")
    made = [ProposedCall("a", "f", "{}"), ProposedCall("b", "f", "{}")]
    await context.add_assistant_message("", tool_calls=made)
    assert violations(context.get_messages_for_llm()) == []
    await context.add_tool_response("a", "1", "f", produced="")
    assert violations(context.get_messages_for_llm()) == []
    await context.add_tool_response("b", "2", "f", status="error")
    listed = context.get_messages_for_llm()
    assert violations(listed) == []
    assert [m.get("content") for m in listed[2:]] == ["1", "2"]
    states = here.read("SELECT state FROM tool_calls ORDER BY position")
    assert states == [("ok",), ("error",)]
    stats = await context.get_token_stats()
    assert stats.tool_calls == 2
    await context.close()


async def test_what_is_given_out_cannot_change_what_is_kept(here: Bench) -> None:
    context = here.context()
    await context.initialize()
    await context.add_user_message("q")
    context.get_messages_for_llm()[0]["content"] = "changed"
    assert context.get_messages_for_llm()[0]["content"] == "q"
    await context.close()


async def test_an_estimate_of_rows_is_the_same_however_they_came(here: Bench) -> None:
    """Kept sums must not count a row twice, also where one in the middle is not final."""
    context = here.context()
    await context.initialize()
    await context.add_user_message("word " * 50)
    left_partial = await context.begin_assistant()
    await context.checkpoint(left_partial, "word " * 30)
    context.context_parts()
    for _ in range(3):
        await context.add_user_message("word " * 20)
        context.context_parts()
    from chatglass.chat.shown_path import ShownPath

    fresh = ShownPath(context.path.rows)
    assert context.path.parts(None, 0) == fresh.parts(None, 0)
    assert context.context_parts().history == fresh.parts(None, 0).history
    await context.finish_assistant(left_partial)
    assert context.path.parts(None, 0) == ShownPath(context.path.rows).parts(None, 0)
    await context.close()


async def test_what_a_session_sends_is_kept(here: Bench) -> None:
    context = here.context()
    await context.initialize()
    await context.set_parameters(Parameters(temperature=0.1))
    await context.set_model(ModelRef("here", "dear"))
    await context.rename("A title\nwith a break")
    await context.add_user_message("does not become the title")
    row = await here.store.get_session(context.session.id)
    assert row.title == "A title with a break"
    assert row.model == "dear"
    assert row.title_by_user
    await context.close()
    again = here.context(row)
    await again.initialize()
    assert again.model == ModelRef("here", "dear")
    assert again.root == Path(here.folder)
    await again.close()
