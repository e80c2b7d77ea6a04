"""The limit of a request, the warning, and what is left out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from chat.harness import Bench, Turn, ask, bench, calls, collect, echo, tool
from chatglass.chat.compaction.log import CompactionChoice
from chatglass.chat.compaction.strategy import CompactionTask, ContextTurn
from chatglass.chat.compaction.trim import Trim
from chatglass.chat.events import Compacted, Notice, RequestStarted, TurnStarted
from chatglass.chat.messages import violations
from chatglass.chat.ports import Compact, Proceed, RequestPlan, Stop
from chatglass.models.demo.script import Reply, context_overflow

LONG = "word " * 400


def sent(here: Bench, back: int = 1) -> list[dict[str, Any]]:
    return json.loads(here.demo.requests[-back].body)["messages"]


async def test_trim_leaves_out_the_oldest_turns_down_to_half() -> None:
    turns = [ContextTurn(str(n), f"m{n}", 100) for n in range(10)]
    plan = await Trim().plan(CompactionTask(turns=turns, budget=600))
    assert plan is not None
    assert plan.first_kept_id == "m7"
    assert "first 7 turns are" in plan.summary
    assert await Trim().plan(CompactionTask(turns=turns[:1], budget=10)) is None, (
        "the last turn is always kept"
    )
    last = await Trim().plan(CompactionTask(turns=turns, budget=10))
    assert last is not None
    assert last.first_kept_id == "m9"


async def test_old_turns_are_left_out_at_turn_boundaries_with_their_tools(here: Bench) -> None:
    engine = await here.engine(tools=[tool("echo", echo)], threshold=3000)
    compacted: list[Compacted] = []
    for number in range(8):
        here.demo.script(
            calls(("echo", {"x": f"{number} {LONG}"}), text=f"look {number}"), f"answer {number}"
        )
        turn = await ask(engine, f"prompt {number}")
        assert turn.status == "complete"
        compacted += turn.of(Compacted)
        assert violations(engine.context.get_messages_for_llm()) == []
        for event in turn.of(RequestStarted):
            assert event.limit == 3000
            assert event.estimated_prompt_tokens <= 3000
    assert compacted
    assert all(event.tokens_after < event.tokens_before for event in compacted)
    listed = sent(here)
    assert listed[0]["role"] == "user"
    assert listed[0]["content"].startswith("[The conversation so far is long")
    assert listed[1]["role"] == "user"
    assert listed[1]["content"].startswith("prompt ")
    assert len(await here.rows(engine)) == 8 * 4, "the transcript keeps everything"
    assert not here.demo.violations
    stats = await engine.context.get_token_stats()
    assert stats.segments == 1 + len(compacted)
    [*_, row] = await here.store.compactions(engine.session_id)
    assert row.strategy == "trim"
    [request] = [r for r in await here.requests(engine) if r.compaction_id == row.id][:1]
    assert request.status == "complete"


async def test_a_compaction_survives_resume_and_holds_where_its_anchor_is(here: Bench) -> None:
    engine = await here.engine(threshold=2000)
    for number in range(6):
        here.demo.script(f"answer {number} {LONG}")
        await ask(engine, f"prompt {number}")
    before = engine.context.get_messages_for_llm()
    assert before[0]["content"].startswith("[The conversation")
    # A branch from the end keeps it, one from before its anchor does not.
    engine = await here.reopened(engine, threshold=2000)
    assert engine.context.get_messages_for_llm() == before
    assert await engine.branch_before_answer()
    assert engine.context.get_messages_for_llm() == before[:-1]
    rows = engine.context.path.rows
    await engine.branch_before_prompt(rows[2].id)
    assert [m["content"].split()[0] for m in engine.context.get_messages_for_llm()] == [
        "prompt",
        "answer",
    ]


async def test_80_percent_is_told_once_per_crossing(here: Bench) -> None:
    engine = await here.engine(threshold=1000)
    seen: list[tuple[int, bool]] = []
    for number in range(24):
        here.demo.script(Reply(text=f"a{number} " + "word " * 60))
        turn = await ask(engine, f"prompt {number}")
        told = [event.cause for event in turn.of(Notice) if event.kind == "context"]
        tokens = turn.one(RequestStarted).estimated_prompt_tokens
        seen.append((tokens, bool(told)))
        for text in told:
            assert text == f"Token usage: {tokens}/1000 (80% threshold)"
    over = [tokens >= 800 for tokens, _ in seen]
    crossings = [now and not before for before, now in zip([False, *over], over, strict=False)]
    assert [told for _, told in seen] == crossings
    assert sum(crossings) >= 2, seen


async def test_without_compaction_what_does_not_fit_is_refused_before_it_is_stored(
    here: Bench,
) -> None:
    engine = await here.engine(threshold=500, infinite=False)
    turn = await ask(engine, LONG * 2)
    assert turn.status == "limit"
    assert turn.one(TurnStarted).user_message_id is None
    assert "the limit is 500" in turn.notices["context"]
    assert here.demo.received == 0
    assert not await here.rows(engine)
    assert [prompt.text for prompt in engine.queue] == [LONG * 2], "it is kept, as a queued prompt"
    assert len(await here.store.queued_prompts(engine.session_id)) == 1
    taken = await engine.unqueue(engine.queue[0].id)
    assert taken is not None
    here.demo.script("short")
    assert (await ask(engine, "short")).status == "complete"


async def test_attachments_count_before_they_are_sent(here: Bench) -> None:
    from chatglass.chat.attachments import Attachment

    engine = await here.engine(threshold=500, infinite=False)
    await engine.submit("see", [Attachment("a.txt", {"type": "text", "text": LONG * 2})])
    assert Turn(await collect(engine.run())).status == "limit"
    assert here.demo.received == 0


async def test_one_prompt_that_is_too_large_alone(here: Bench) -> None:
    engine = await here.engine(threshold=500)
    turn = await ask(engine, LONG * 2)
    assert turn.status == "limit"
    assert "nothing more can be left out" in turn.notices["context"]
    assert here.demo.received == 0
    assert not engine.conversation.prompt_stored, "the draft is kept"
    assert engine.context.get_conversation_length() == 0


async def test_a_prompt_that_can_never_fit_costs_no_compaction(here: Bench) -> None:
    engine = await here.engine(threshold=2_000, compaction=CompactionChoice(strategy="summarise"))
    for number in range(3):
        here.demo.script(f"answer {number} {LONG}")
        await ask(engine, f"prompt {number}")
    received = here.demo.received
    turn = await ask(engine, "word " * 4_000)
    assert turn.status == "limit"
    assert here.demo.received == received, "no summary was paid for"
    assert not engine.context.compactions


async def test_a_system_prompt_that_is_too_large_is_named(here: Bench) -> None:
    engine = await here.engine(here.session(system_prompt=LONG * 10), threshold=1_000)
    turn = await ask(engine, "hi")
    assert turn.notices["context"].startswith("The system prompt and the tools alone have")
    assert here.demo.received == 0


async def test_an_overflow_compacts_and_tries_once_more(here: Bench) -> None:
    engine = await here.engine()
    for number in range(4):
        here.demo.script(f"answer {number} {LONG}")
        await ask(engine, f"prompt {number}")
    here.demo.script(context_overflow(), "fits now")
    turn = await ask(engine, "one more")
    assert (turn.status, turn.text) == ("complete", "fits now")
    event = turn.one(Compacted)
    assert event.tokens_after <= event.tokens_before // 2 + 200
    assert [e.kind for e in turn.of(Notice)] == ["context_overflow"]
    assert sent(here)[-1]["content"] == "one more"
    # The second time it is told, and that is all.
    here.demo.script(context_overflow(), context_overflow(), "never")
    received = here.demo.received
    assert (await ask(engine, "yet more")).status == "error"
    assert here.demo.received == received + 2


async def test_an_overflow_without_compaction_is_an_error(here: Bench) -> None:
    engine = await here.engine(infinite=False)
    here.demo.script("a", context_overflow())
    await ask(engine)
    turn = await ask(engine)
    assert turn.status == "error"
    assert not turn.of(Compacted)


async def test_the_limit_is_the_smaller_of_threshold_and_window_less_the_answer(
    tmp_path: Path,
) -> None:
    async with bench(tmp_path, window=10_000) as here:
        engine = await here.engine()
        assert engine.context.size.window == 10_000
        assert engine.context.limit() == 7_500
        engine = await here.engine(threshold=4_000)
        assert engine.context.limit() == 4_000
        engine = await here.engine(here.session(max_output_tokens=1_000))
        assert engine.context.limit() == 9_000
        engine = await here.engine(here.session(max_output_tokens=50_000))
        assert engine.context.limit() == 2_500
    async with bench(tmp_path / "b", window=100_000) as here:
        engine = await here.engine()
        assert engine.context.limit() == 100_000 - 8_192


async def test_before_request_may_compact_and_is_asked_again(here: Bench) -> None:
    answers: list[Any] = [Proceed(), Proceed(), Compact(), Proceed()]
    plans: list[RequestPlan] = []

    async def before(plan: RequestPlan) -> Any:
        plans.append(plan)
        return answers.pop(0)

    engine = await here.engine(here.session("dear"), before=before)
    here.demo.script("a", "b", "c")
    for number in range(3):
        turn = await ask(engine, f"prompt {number}")
        assert turn.status == "complete"
    assert len(plans) == 4
    assert len(turn.of(Compacted)) == 1
    assert len(plans[3].messages) < len(plans[2].messages)
    assert [plan.request_number for plan in plans] == [1, 1, 1, 1]
    assert plans[0].cost is not None
    assert plans[0].limit == 150_000


async def test_before_request_that_wants_less_than_there_is_ends_the_turn(here: Bench) -> None:
    async def before(plan: RequestPlan) -> Compact:
        return Compact()

    engine = await here.engine(before=before)
    turn = await ask(engine)
    assert turn.status == "limit"
    assert here.demo.received == 0


async def test_before_request_may_stop(here: Bench) -> None:
    async def before(plan: RequestPlan) -> Stop:
        return Stop("The budget is used up.")

    engine = await here.engine(before=before)
    turn = await ask(engine)
    assert turn.status == "limit"
    assert turn.notices == {"limit": "The budget is used up."}
    assert here.demo.received == 0
    assert [row.content for row in await here.rows(engine)] == ["hi"]
