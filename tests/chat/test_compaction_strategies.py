"""Every strategy against a real server: what is sent, what it costs, what survives."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.harness import Bench, Turn, ask, bench, calls, collect
from chatglass.chat.compaction import prompt as prompts
from chatglass.chat.compaction.elide import ElideToolResults
from chatglass.chat.compaction.extractive import Extractive, summary_tokens
from chatglass.chat.compaction.log import CompactionChoice, NotInForce
from chatglass.chat.compaction.strategies import WHAT, check_name, load
from chatglass.chat.compaction.strategy import CompactionTask, ContextTurn
from chatglass.chat.compaction.stubs import LEAST_CHARS, may_be_elided, shortened, stub
from chatglass.chat.engine import Engine
from chatglass.chat.events import (
    Compacted,
    Compacting,
    Event,
    Notice,
    RequestStarted,
    UsageReported,
)
from chatglass.chat.messages import violations
from chatglass.chat.ports import Proceed, RequestPlan, Stop
from chatglass.chat.sent_body import rebuild_body
from chatglass.models.client import wire_bytes
from chatglass.models.demo import summaries
from chatglass.models.demo.script import Reply, context_overflow, error, server_error
from chatglass.models.wire import ModelRef
from chatglass.store.records import MessageRow
from chatglass.tools import policy
from chatglass.tools.function_tool import CallContext, FunctionTool
from chatglass.tools.tool import ToolOutput
from chatglass.values.ids import new_id

LONG = "word " * 300
STRATEGIES = list(WHAT)


def look_tool() -> FunctionTool:
    async def look(context: CallContext, x: str) -> ToolOutput:
        """Look at something."""
        text = f"look {x} {LONG}"
        return ToolOutput("ok", text, text)

    return FunctionTool(look, lambda arguments, root: policy.harmless("It is a test."))


def by(strategy: str, **choice: Any) -> CompactionChoice:
    return CompactionChoice(strategy=strategy, **choice)


def bodies(here: Bench) -> list[dict[str, Any]]:
    return [json.loads(request.body) for request in here.demo.requests]


def is_summary(body: dict[str, Any]) -> bool:
    return str(body["messages"][0]["content"]).startswith(prompts.MARK)


async def filled(here: Bench, strategy: str, turns: int = 4, **options: Any) -> Engine:
    """A session of some turns with long results."""
    engine = await here.engine(
        here.session("dear"), tools=[look_tool()], compaction=by(strategy), **options
    )
    for number in range(turns):
        here.demo.script(calls(("look", {"x": f"{number}"})), f"answer {number}")
        await ask(engine, f"prompt {number}: the code is {number}{number}{number}7")
    return engine


async def compacted(engine: Engine, instructions: str = "") -> Turn:
    return Turn(await collect(engine.compact(instructions)))


# -- summarise


def test_the_demo_knows_the_request_for_a_summary() -> None:
    assert prompts.MARK.startswith(summaries.REQUEST)


async def test_a_summary_is_a_request_like_others_and_is_sent(here: Bench) -> None:
    engine = await filled(here, "summarise")
    spent = engine.context.requests.figures.cost
    here.demo.script("Facts\n- the code is 1117")
    turn = await compacted(engine, "keep the codes")
    assert [type(event) for event in turn.events[1:-1]] == [Compacting, UsageReported, Compacted]
    asked = bodies(here)[-1]
    assert is_summary(asked)
    assert "keep the codes" in asked["messages"][0]["content"]
    assert "prompt 1: the code is 1117" in asked["messages"][1]["content"]
    assert "tools" not in asked
    [*_, row] = await here.requests(engine)
    event = turn.one(Compacted)
    assert (row.purpose, row.message_id, row.compaction_id) == (
        "compaction", None, event.compaction_id,
    )  # fmt: skip
    assert row.cost is not None
    assert row.cost == event.cost_usd == turn.one(UsageReported).cost_usd
    assert engine.context.requests.figures.cost == spent + row.cost
    assert event.model == "dear"
    assert event.messages > 0
    assert event.tokens_after < event.tokens_before
    made = engine.context.compaction.in_force()
    assert made is not None
    assert made.request_id == row.id
    assert wire_bytes(await rebuild_body(here.store, row)) == here.demo.requests[-1].body
    here.demo.script("ok")
    await ask(engine, "and now")
    first = bodies(here)[-1]["messages"][0]
    assert first["role"] == "user"
    assert first["content"].endswith("- the code is 1117")
    assert (await engine.context.get_token_stats()).total_tokens == here.reported_tokens


async def test_facts_survive_several_compactions(here: Bench) -> None:
    engine = await here.engine(
        here.session(system_prompt="Remember."), compaction=by("summarise"), threshold=1_500
    )
    here.demo.script("noted")
    await ask(engine, "Please note: the launch code is 4711.")
    for number in range(24):
        turn = await ask(engine, f"write 150 words about river {number}")
        assert turn.status == "complete"
        assert violations(engine.context.get_messages_for_llm()) == []
    assert len(engine.context.compactions) >= 3
    assert "the launch code is 4711" in engine.context.get_messages_for_llm()[1]["content"]


@pytest.mark.parametrize("reply", [server_error(), Reply(text=" "), error(404, "no such model")])
async def test_a_failed_summary_falls_back_to_excerpts(tmp_path: Path, reply: Reply) -> None:
    from chatglass.models.retries import RetryPolicy

    async with bench(tmp_path, retries=RetryPolicy(attempts=1)) as here:
        engine = await filled(here, "summarise")
        here.demo.script(reply)
        turn = await compacted(engine)
        assert turn.one(Compacted).strategy == "extractive"
        assert turn.one(Compacted).model == ""
        assert "The summary failed" in turn.notices["compaction"]
        assert "the code is 0007" in engine.context.get_messages_for_llm()[0]["content"]


async def test_a_cheaper_model_sums_up(here: Bench) -> None:
    engine = await here.engine(
        here.session("other"), compaction=by("summarise", summary_model="here/dear")
    )
    for number in range(3):
        here.demo.script(f"answer {LONG}")
        await ask(engine, f"prompt {number}")
    here.demo.script("short")
    turn = await compacted(engine)
    assert turn.one(Compacting).model == "dear"
    assert bodies(here)[-1]["model"] == "dear"
    [*_, row] = await here.requests(engine)
    assert row.model == "dear"
    assert engine.context.model == ModelRef("here", "other")


async def test_a_budget_is_asked_before_a_summary(here: Bench) -> None:
    plans: list[RequestPlan] = []

    async def before(plan: RequestPlan) -> Proceed | Stop:
        plans.append(plan)
        return Stop("No money.") if plan.purpose == "compaction" else Proceed()

    engine = await filled(here, "summarise", before=before)
    received = here.demo.received
    turn = await compacted(engine)
    assert here.demo.received == received
    assert plans[-1].cost_with_answer is not None
    assert "No money." in turn.notices["compaction"]
    assert turn.one(Compacted).strategy == "extractive"


async def test_a_summary_can_be_stopped(here: Bench) -> None:
    engine = await filled(here, "summarise")
    gate = asyncio.Event()
    here.demo.script(Reply(text="a b c d", split=2, gates={2: gate}))
    received = here.demo.received

    async def stop() -> None:
        await here.demo.wait_received(received + 1)
        engine.stop()

    stopping = asyncio.create_task(stop())
    turn = await compacted(engine)
    await stopping
    assert turn.status == "interrupted"
    assert not turn.of(Compacted)
    assert not engine.context.compactions
    [*_, row] = await here.requests(engine)
    assert row.status == "interrupted"
    assert row.usage is not None
    assert row.usage.source == "estimated"
    assert engine.state == "idle"


async def test_what_does_not_fit_one_request_goes_in_pieces(tmp_path: Path) -> None:
    async with bench(tmp_path, window=6_000) as here:
        engine = await here.engine(here.session("dear"), compaction=by("summarise"))
        for number in range(3):
            here.demo.script("a")
            await ask(engine, f"prompt {number} {LONG} {LONG} {LONG}")
        # A smaller model takes over what a larger one has heard.
        engine.context.size.window = 3_500
        turn = await compacted(engine)
        sums = [body for body in bodies(here) if is_summary(body)]
        assert len(sums) > 1
        assert "<earlier-summary>" in sums[1]["messages"][1]["content"]
        assert turn.one(Compacted).strategy == "summarise"
        asked = [row for row in await here.requests(engine) if row.purpose == "compaction"]
        assert {row.compaction_id for row in asked} == {turn.one(Compacted).compaction_id}
        assert turn.one(Compacted).cost_usd == sum((row.cost or 0 for row in asked), Decimal(0))


async def test_a_summarisers_overflow_makes_the_pieces_smaller(here: Bench) -> None:
    engine = await here.engine(compaction=by("summarise"))
    for number in range(4):
        here.demo.script(f"a {LONG}")
        await ask(engine, f"prompt {number} {LONG}")
    here.demo.script(context_overflow(), "the summary", "the summary", "the summary")
    turn = await compacted(engine)
    assert turn.one(Compacted).strategy == "summarise"
    [notice] = turn.of(Notice)
    assert notice.severity == "information"
    assert "window of demo-fast counts as 8,192 tokens, not 1,000,000" in notice.cause


# -- elide-tool-results


async def test_old_results_become_stubs_that_can_be_read_back(here: Bench) -> None:
    engine = await filled(here, "elide-tool-results")
    turn = await compacted(engine)
    assert turn.one(Compacted).strategy == "elide-tool-results"
    listed = engine.context.get_messages_for_llm()
    first = next(message for message in listed if message["role"] == "tool")
    assert first["content"].startswith('[result of look("0") left out: ')
    assert "1.5 kB" in first["content"]
    assert listed[-2]["content"].startswith("look 3"), "the last turn is whole"
    assert listed[0]["content"].startswith("prompt 0")
    ref = first["content"].partition('read_result("')[2].partition('"')[0]
    here.demo.script(calls(("read_result", {"id": ref, "limit": 20})), "thanks")
    turn = await ask(engine, "what was it?")
    assert turn.status == "complete"
    names = [entry["function"]["name"] for entry in bodies(here)[-1]["tools"]]
    assert names == ["look", "read_result"]
    assert bodies(here)[-1]["messages"][-1]["content"].startswith("look 0 word word wor")
    assert "go on with offset=20" in bodies(here)[-1]["messages"][-1]["content"]
    here.demo.script(calls(("read_result", {"id": "nonsense"})), "oh")
    await ask(engine, "and?")
    assert "There is no result 'nonsense'" in bodies(here)[-1]["messages"][-1]["content"]


def write_tool(written: list[str]) -> FunctionTool:
    async def write(
        context: CallContext, path: str, content: str, more: list[str] | None = None
    ) -> ToolOutput:
        """Write a file."""
        written.append(content)
        return ToolOutput("ok", f"wrote {path}", "wrote")

    return FunctionTool(write, lambda arguments, root: policy.harmless("It is a test."))


async def test_long_arguments_become_stubs_that_can_be_read_back(here: Bench) -> None:
    written: list[str] = []
    engine = await here.engine(
        tools=[write_tool(written)], compaction=by("elide-tool-results"), threshold=35_000
    )
    text = 'line "one" of \\ a file: größer\n' * 1_000
    for number in range(3):
        here.demo.script(
            calls(
                (
                    "write",
                    {"path": f"{number}.txt", "content": text, "more": ["short", "x" * 1_200]},
                ),
                ("write", {"path": "small.txt", "content": "small"}),
            ),
            f"done {number}",
        )
        turn = await ask(engine, f"write {number}")
        assert turn.status == "complete", turn.notices
    assert violations(engine.context.get_messages_for_llm()) == []
    compaction = engine.context.compaction.in_force()
    assert compaction is not None
    assert compaction.strategy == "elide-tool-results"
    listed = engine.context.get_messages_for_llm()
    whole = [row for row in await here.rows(engine) if row.tool_calls]
    asked = [message for message in listed if message.get("tool_calls")]
    for message, row in zip(asked, whole, strict=True):
        stored = json.loads(row.tool_calls or "")
        for call, was in zip(message["tool_calls"], stored, strict=True):
            assert (call["id"], call["function"]["name"]) == (was["id"], was["function"]["name"])
            assert (
                json.loads(call["function"]["arguments"]).keys()
                == json.loads(was["function"]["arguments"]).keys()
            )
        assert message["tool_calls"][1] == stored[1], "what is short stays"
    first = json.loads(asked[0]["tool_calls"][0]["function"]["arguments"])
    assert first["path"] == "0.txt"
    assert first["more"][0] == "short"
    assert "33.0 kB" in first["content"]
    refs = [
        note.partition('("')[2].partition('"')[0] for note in (first["content"], first["more"][1])
    ]
    assert [ref[-2:] for ref in refs] == ["-1", "-2"]
    # The figures know what is saved.
    parts = engine.context.size.estimated_parts(engine.context.session, engine.context.path)
    assert parts.history < 35_000
    # It can be asked back.
    here.demo.script(
        calls(("read_result", {"id": refs[0], "limit": 12}), ("read_result", {"id": refs[1]})),
        "thanks",
    )
    await ask(engine, "what was it?")
    answers = [m["content"] for m in bodies(here)[-1]["messages"][-2:]]
    assert answers[0].startswith(text[:12])
    assert answers[1] == "x" * 1_200
    # A model that takes the note for the text writes nothing.
    count = len(written)
    here.demo.script(calls(("write", {"path": "c.txt", "content": first["content"]})), "oh")
    await ask(engine, "write it once more")
    assert len(written) == count
    assert "make the call again with all of it" in bodies(here)[-1]["messages"][-1]["content"]
    for row, request in zip(await here.requests(engine), here.demo.requests, strict=True):
        assert wire_bytes(await rebuild_body(here.store, row)) == request.body
    assert not here.demo.violations


async def test_what_was_sent_before_arguments_were_left_out_is_rebuilt_as_it_was(
    here: Bench,
) -> None:
    """Versions before kept `stubs` for ranges in which results alone were left out."""
    engine = await here.engine(tools=[write_tool([]), look_tool()])
    here.demo.script(
        calls(("write", {"path": "a", "content": "y" * 2_000}), ("look", {"x": "1"})), "done"
    )
    await ask(engine)
    row = (await here.requests(engine))[-1]
    parts = await here.store.request_parts(row.id)
    assert [kind for kind, _ in parts] == ["path"]
    bodies_by_kind: dict[str, list[Any]] = {}
    for kind in ("stubs", "short"):
        other = replace(row, id=new_id(), parts=((kind, parts[0][1]),), status="running")
        await here.store.add_request(other)
        bodies_by_kind[kind] = (await rebuild_body(here.store, other))["messages"]
    old, new = bodies_by_kind["stubs"], bodies_by_kind["short"]
    assert "y" * 2_000 in old[1]["tool_calls"][0]["function"]["arguments"]
    assert "left out: 2.0 kB" in new[1]["tool_calls"][0]["function"]["arguments"]
    assert old[3] == new[3]
    assert "left out" in old[3]["content"]


async def test_read_result_is_offered_only_while_results_are_left_out(here: Bench) -> None:
    engine = await filled(here, "elide-tool-results")
    assert [entry["function"]["name"] for entry in bodies(here)[-1]["tools"]] == ["look"]
    await compacted(engine)
    row = engine.context.compaction.in_force()
    assert row is not None
    await engine.context.compaction.undo(row.id)
    here.demo.script("ok")
    await ask(engine, "more")
    assert [entry["function"]["name"] for entry in bodies(here)[-1]["tools"]] == ["look"]
    assert "left out" not in json.dumps(bodies(here)[-1]["messages"])


@pytest.mark.parametrize("strategy", STRATEGIES)
async def test_one_turn_that_is_too_large_loses_its_oldest_results(
    here: Bench, strategy: str
) -> None:
    engine = await here.engine(tools=[look_tool()], compaction=by(strategy), threshold=2_500)
    steps = [calls(("look", {"x": f"{number}"})) for number in range(12)]
    here.demo.script(*steps, "done")
    turn = await ask(engine, "look at all of it")
    assert turn.status == "complete", turn.notices
    assert turn.of(Compacted)
    assert not here.demo.violations
    listed = engine.context.get_messages_for_llm()
    assert violations(listed) == []
    assert listed[0]["content"] == "look at all of it"
    assert any("left out" in str(message["content"]) for message in listed)
    rows = await here.requests(engine)
    assert all(row.estimated_prompt_tokens <= 2_500 for row in rows)


def test_a_stub_stays_as_it_is() -> None:
    """Bodies that were sent are rebuilt with it."""
    call = [
        {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"p": "a/b"}'}}
    ]
    asked = MessageRow(
        id="01J0000000000000000000000A", session_id="s", parent_id=None, turn_id="t",
        role="assistant", content="", created_at=1, tool_calls=json.dumps(call),
    )  # fmt: skip
    answer = MessageRow(
        id="01J00000000000000012345678", session_id="s", parent_id=asked.id, turn_id="t",
        role="tool", content="x" * 3_100, created_at=1, tool_call_id="c1", tool_name="f",
    )  # fmt: skip
    assert stub(answer, [asked]) == {
        "role": "tool",
        "tool_call_id": "c1",
        "content": '[result of f("a/b") left out: 3.1 kB; ask read_result("0012345678") for it]',
    }


# -- the prefix


@pytest.mark.parametrize("strategy", STRATEGIES)
async def test_the_prefix_is_the_same_byte_for_byte_between_compactions(
    here: Bench, strategy: str
) -> None:
    engine = await here.engine(
        here.session(system_prompt="Be short."), tools=[look_tool()],
        compaction=by(strategy), threshold=2_000,
    )  # fmt: skip
    for number in range(14):
        if number % 5 == 4:
            turn = await ask(engine, f"write 90 words about lake {number}")
        else:
            said = calls(("look", {"x": f"{number}"}))
            here.demo.script(said)
            if not engine.context.next_request_tokens(f"prompt {number}") > engine.context.limit():
                here.demo.script(f"answer {number}")
            turn = await ask(engine, f"prompt {number}")
        assert turn.status == "complete", turn.notices
        here.demo._script.clear()  # pyright: ignore[reportPrivateUsage]
    received = {
        wire_bytes(await rebuild_body(here.store, row)): row.compaction_id
        for row in await here.requests(engine)
        if row.purpose == "answer"
    }
    compactions: set[str | None] = set()
    before: tuple[bytes, str | None] | None = None
    compared = 0
    for request in here.demo.requests:
        body = request.body
        if is_summary(json.loads(body)):
            continue
        compaction = received[body]
        compactions.add(compaction)
        head, _, tail = body.rpartition(b'],"tools":')
        if before is not None and before[1] == compaction:
            former, _, former_tail = before[0].rpartition(b'],"tools":')
            assert head.startswith(former)
            assert former_tail == tail, "the tools and all that follows are the same too"
            compared += 1
        before = (body, compaction)
    assert len(compactions) >= 3, "it was compacted twice at least"
    assert compared > 10


# -- overflow


FORMS = [
    context_overflow(),
    error(400, "prompt is too long: 210000 tokens > 200000 maximum"),
    error(400, "the request exceeds the available context size, try increasing it",
          kind="exceed_context_size_error"),
    error(400, "Input token count (40000) exceeds the maximum number of tokens allowed (32768)."),
    error(413, "Request too large for the context window."),
    error(500, "context length of 4096 tokens exceeded, trying to keep the first 9000 tokens"),
]  # fmt: skip


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("form", FORMS, ids=range(len(FORMS)))
async def test_an_overflow_is_told_once_and_the_request_made_again(
    here: Bench, strategy: str, form: Reply
) -> None:
    engine = await filled(here, strategy, 3)
    here.demo.script(form)
    if strategy == "summarise":
        here.demo.script("the summary")
    here.demo.script("fits now")
    turn = await ask(engine, "one more")
    assert (turn.status, turn.text) == ("complete", "fits now")
    assert len(turn.of(Compacted)) == 1
    [notice] = turn.of(Notice)
    assert (notice.severity, notice.kind) == ("warning", "context_overflow")
    assert "asked once more" in notice.advice


async def test_an_overflow_where_nothing_can_be_left_out_is_told_once(here: Bench) -> None:
    engine = await here.engine()
    here.demo.script(context_overflow())
    turn = await ask(engine, "hi")
    assert turn.status == "error"
    [notice] = turn.of(Notice)
    assert notice.severity == "error"


@pytest.mark.parametrize("strategy", STRATEGIES)
async def test_a_window_smaller_than_the_settings_say_is_learned_once(
    tmp_path: Path, strategy: str
) -> None:
    async with bench(tmp_path, window=4096) as here:
        configured = here.models._configured["here"]  # pyright: ignore[reportPrivateUsage]
        here.models._configured["here"] = replace(configured, context_window=32_768)  # pyright: ignore[reportPrivateUsage]
        engine = await here.engine(compaction=by(strategy))
        assert engine.context.limit() == 32_768 - 8_192
        told: list[str] = []
        for number in range(12):
            turn = await ask(engine, f"Prompt {number}: say 20 words. {LONG}")
            assert turn.status == "complete", turn.notices
            told += [f"{n.cause} {n.advice}" for n in turn.of(Notice) if "window" in n.advice]
        refused = [row for row in await here.requests(engine) if row.status == "error"]
        assert len(refused) == 1, "one refusal is enough to know it"
        [words] = told
        assert "window of demo-fast counts as 4,096 tokens, not 32,768" in words
        assert "context_window in [endpoints.here]" in words
        assert engine.context.limit() == 4096 * 3 // 4
        # Other sessions on that model know it too, also one that was open before.
        other = await here.engine()
        assert other.context.size.window == 4096
        assert await here.models.context_window(ModelRef("here", "dear")) == 32_768


async def test_an_open_session_takes_over_what_another_learned(here: Bench) -> None:
    engine = await here.engine()
    here.models.learn_window(engine.context.model, 4096)
    here.demo.script("hi")
    turn = await ask(engine)
    assert turn.one(RequestStarted).limit == 3072


async def test_the_output_limit_leaves_room_for_the_prompt(here: Bench) -> None:
    engine = await here.engine(here.session(max_output_tokens=8_000))
    here.models.learn_window(engine.context.model, 4096)
    here.demo.script("hi")
    await ask(engine)
    assert bodies(here)[-1]["max_tokens"] == 3072


async def test_a_refusal_without_a_number_bounds_the_window(here: Bench) -> None:
    engine = await here.engine(compaction=by("trim"))
    for number in range(4):
        here.demo.script("a " * 300)
        await ask(engine, f"prompt {number} {LONG * 2}")
    sent = engine.context.next_request_tokens("one more")
    assert sent > 3000
    here.demo.script(error(400, "prompt is too long"), "fits now")
    turn = await ask(engine, "one more")
    assert turn.text == "fits now"
    window = engine.context.size.window
    assert window is not None
    assert abs(window - sent) < 100
    # A proxy that takes no such body says nothing of tokens.
    other = await here.engine(here.session("dear"))
    here.demo.script(*["a " * 300] * 4)
    for number in range(4):
        await ask(other, f"prompt {number} {LONG * 2}")
    here.demo.script(error(413, "Request Entity Too Large"), "fits now")
    assert (await ask(other, "one more")).text == "fits now"
    assert other.context.size.window == 1_000_000


# -- editing and undoing


async def test_a_summary_is_edited_and_each_version_stays_with_what_sent_it(here: Bench) -> None:
    engine = await filled(here, "extractive")
    await compacted(engine)
    here.demo.script("one", "two", "three")
    await ask(engine, "a")
    log = engine.context.compaction
    first = log.in_force()
    assert first is not None
    second = await log.edit(first.id, "My own words.")
    assert engine.context.get_messages_for_llm()[0]["content"] == "My own words."
    await ask(engine, "b")
    with pytest.raises(NotInForce):
        await log.edit(first.id, "an older version")
    third = await log.edit(second.id, "Other words.")
    await ask(engine, "c")
    rows = (await here.requests(engine))[-3:]
    assert [row.compaction_id for row in rows] == [first.id, second.id, third.id]
    sent = [request.body for request in here.demo.requests][-3:]
    assert [wire_bytes(await rebuild_body(here.store, row)) for row in rows] == sent
    assert len({*sent}) == 3
    assert (await engine.context.get_token_stats()).segments == 2
    engine = await here.reopened(engine)
    assert engine.context.get_messages_for_llm()[0]["content"] == "Other words."


@pytest.mark.parametrize("strategy", STRATEGIES)
async def test_undo_sends_again_what_was_sent_before(here: Bench, strategy: str) -> None:
    engine = await filled(here, strategy)
    before = engine.context.get_messages_for_llm()
    if strategy == "summarise":
        here.demo.script("the summary")
    await compacted(engine)
    log = engine.context.compaction
    row = log.in_force()
    assert row is not None
    assert engine.context.get_messages_for_llm() != before
    edited = await log.edit(row.id, "edited")
    await log.undo(edited.id)
    assert log.in_force() is None
    assert engine.context.get_messages_for_llm() == before
    engine = await here.reopened(engine, compaction=by(strategy))
    assert engine.context.get_messages_for_llm() == before
    with pytest.raises(NotInForce):
        await engine.context.compaction.undo(row.id)


async def test_undo_goes_back_one_compaction(here: Bench) -> None:
    engine = await filled(here, "trim")
    await compacted(engine)
    between = engine.context.get_messages_for_llm()
    here.demo.script("x", "y")
    await ask(engine, f"more {LONG}")
    await ask(engine, f"and more {LONG}")
    first, length = engine.context.compaction.in_force(), len(between)
    await compacted(engine)
    second = engine.context.compaction.in_force()
    assert first is not None
    assert second is not None
    assert second.id != first.id
    await engine.context.compaction.undo(second.id)
    assert engine.context.compaction.in_force() == first
    assert engine.context.get_messages_for_llm()[:length] == between


# -- the choice


async def test_a_session_chooses_its_strategy(here: Bench) -> None:
    engine = await filled(here, "summarise")
    parameters = replace(engine.context.session.parameters, compaction="trim")
    await engine.context.set_parameters(parameters)
    engine = await here.reopened(engine, compaction=by("summarise"))
    assert (await engine.context.get_token_stats()).strategy == "trim"
    turn = await compacted(engine)
    assert turn.one(Compacted).strategy == "trim"


PLUGIN = """
from chatglass.chat.compaction.strategy import CompactionPlan

class LastOnly:
    name = "last-only"
    async def plan(self, task):
        if len(task.turns) < 2:
            return None
        return CompactionPlan(first_kept_id=task.turns[-1].first_message_id, summary="(gone)")

class Raises:
    name = "raises"
    async def plan(self, task):
        raise KeyError("oops")

class CutsBadly:
    name = "cuts-badly"
    async def plan(self, task):
        return CompactionPlan(first_kept_id=task.turns[-1].rows[-1].id)
"""


async def test_strategies_of_other_packages(
    here: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from chatglass.chat.compaction import strategies

    info = tmp_path / "other_strategies-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other-strategies\nVersion: 1\n")
    (info / "entry_points.txt").write_text(
        "[chatglass.compaction]\nlast-only = other_strategies:LastOnly\n"
        "broken = other_strategies_that_are_missing:Nothing\n"
        "raises = other_strategies:Raises\ncuts-badly = other_strategies:CutsBadly\n"
    )
    (tmp_path / "other_strategies.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(tmp_path)
    strategies._others.cache_clear()  # pyright: ignore[reportPrivateUsage]
    try:
        assert strategies.names()[-4:] == ["broken", "cuts-badly", "last-only", "raises"]
        engine = await filled(here, "last-only")
        turn = await compacted(engine)
        assert turn.one(Compacted).strategy == "last-only"
        assert engine.context.get_messages_for_llm()[0]["content"] == "(gone)"
        for name, fault in (("raises", "KeyError: 'oops'"), ("cuts-badly", "no turn begins")):
            engine = await filled(here, name)
            turn = await compacted(engine)
            assert turn.one(Compacted).strategy == "extractive"
            assert f"{name!r} of other-strategies failed" in turn.notices["compaction"]
            assert fault in turn.notices["compaction"]
        engine = await filled(here, "broken")
        turn = await compacted(engine)
        assert turn.one(Compacted).strategy == "extractive"
        assert "'broken' of other-strategies can't be used" in turn.notices["compaction"]
    finally:
        strategies._others.cache_clear()  # pyright: ignore[reportPrivateUsage]


def test_an_unknown_strategy_names_those_there_are() -> None:
    with pytest.raises(ValueError, match="There are: summarise, extractive"):
        check_name("sumarise")


# -- the forecast


async def test_turns_left_follow_from_the_last_turns(here: Bench) -> None:
    engine = await here.engine(threshold=10_000)
    lefts: list[int | None] = []
    for number in range(6):
        here.demo.script("word " * 200)
        await ask(engine, f"prompt {number}")
        lefts.append((await engine.context.get_token_stats()).turns_left)
    assert lefts[:2] == [None, None]
    known = [left for left in lefts if left is not None]
    assert len(known) == 4
    assert all(one - other == 1 for one, other in pairwise(known))
    before = known[-1]
    for number in range(before):
        here.demo.script("word " * 200)
        turn = await ask(engine, f"prompt {number}")
        assert not turn.of(Compacted)
    here.demo.script("word " * 200, "word " * 200)
    turns = [await ask(engine, "one more"), await ask(engine, "and one")]
    assert any(turn.of(Compacted) for turn in turns), "within a turn of what was said"


# -- strategies alone


def row(role: str, text: str, **fields: Any) -> MessageRow:
    return MessageRow(
        id=new_id(), session_id="s", parent_id=None, turn_id="t", role=role, content=text,
        created_at=1, **fields,
    )  # type: ignore[arg-type]  # fmt: skip


def measure(text: str) -> int:
    return len(text) // 4 + 1


def turn_of(*rows: MessageRow) -> ContextTurn:
    tokens = sum(measure(each.content) + 4 for each in rows)
    return ContextTurn("t", rows[0].id, tokens, rows)


TEXTS = st.text(min_size=0, max_size=600)


@st.composite
def contexts(draw: st.DrawFn) -> list[ContextTurn]:
    turns: list[ContextTurn] = []
    for _ in range(draw(st.integers(1, 8))):
        rows = [row("user", draw(TEXTS))]
        for _ in range(draw(st.integers(0, 3))):
            rows.append(row("assistant", "", tool_calls="[]"))
            text = draw(TEXTS) * draw(st.integers(1, 9))
            rows.append(row("tool", text, tool_call_id="c", tool_name="f"))
        rows.append(row("assistant", draw(TEXTS)))
        turns.append(turn_of(*rows))
    return turns


@given(turns=contexts(), budget=st.integers(50, 4_000), name=st.sampled_from(STRATEGIES))
async def test_plans_cut_between_turns_and_keep_the_last(
    turns: list[ContextTurn], budget: int, name: str
) -> None:
    task = CompactionTask(turns=turns, budget=budget, former="[x]\n\nold", measure=measure)
    plan = await load(name).plan(task)
    if plan is None:
        assert len(turns) < 2
        return
    firsts = [turn.first_message_id for turn in turns]
    assert plan.first_kept_id in firsts
    kept = turns[firsts.index(plan.first_kept_id) :]
    if len(kept) > 1 and name != "elide-tool-results":
        assert sum(turn.tokens for turn in kept) <= budget // 2
    if plan.elided_through is not None:
        rows = [each for turn in kept[:-1] for each in turn.rows]
        [through] = [each for each in rows if each.id == plan.elided_through]
        assert len(through.content) >= LEAST_CHARS
    assert await load(name).plan(task) == plan, "the same again"


async def test_excerpts_hold_what_a_conversation_is_remembered_by() -> None:
    said: Sequence[tuple[str, str]] = [
        ("user", "Remember: the build number is 90210. " + "Some talk about this and that. " * 9),
        (
            "assistant",
            "We decided to keep the parser in src/parse/lexer.py because of speed. Sure.",
        ),
        ("user", "Thanks."),
        ("assistant", "Some talk about this and that. " * 40),
    ]
    turns = [turn_of(row(role, text)) for role, text in said] + [turn_of(row("user", "last"))]
    task = CompactionTask(turns=turns, budget=700, measure=measure)
    plan = await Extractive().plan(task)
    assert plan is not None
    assert "the build number is 90210" in plan.summary
    assert "src/parse/lexer.py" in plan.summary
    assert plan.summary.count("this and that") <= 2, "nothing twice"
    assert measure(plan.summary) <= summary_tokens(task, len(turns) - 1) + 60
    again = CompactionTask(
        turns=[turn_of(row("user", "and then " * 50)), turns[-1]], budget=700,
        former=plan.summary, measure=measure,
    )  # fmt: skip
    later = await Extractive().plan(again)
    assert later is not None
    assert "the build number is 90210" in later.summary


async def test_elision_leaves_what_is_a_stub_already(here: Bench) -> None:
    turns = [
        turn_of(row("user", "q"), row("tool", "x" * 4_000, tool_call_id="c"), row("assistant", "a"))
        for _ in range(4)
    ]
    task = CompactionTask(turns=turns, budget=3_500, measure=measure)
    plan = await ElideToolResults().plan(task)
    assert plan is not None
    assert plan.elided_through == turns[2].rows[1].id
    assert plan.first_kept_id == turns[0].first_message_id
    # All that may be is a stub: what is too large now is left out by turns.
    again = replace(task, elided_through=plan.elided_through, budget=1_000)
    plan = await ElideToolResults().plan(again)
    assert plan is not None
    assert plan.first_kept_id != turns[0].first_message_id


async def test_the_reader_of_events_may_leave_a_compaction(here: Bench) -> None:
    engine = await filled(here, "summarise")
    here.demo.script(Reply(text="never", gates={-1: asyncio.Event()}))
    events = engine.compact()
    seen: list[Event] = []
    async for event in events:
        seen.append(event)
        if isinstance(event, Compacting):
            break
    await events.aclose()
    assert engine.state == "idle"
    assert not engine.context.compactions


def test_arguments_of_any_shape_are_looked_through() -> None:
    deep: Any = "z" * 2_000
    for _ in range(400):
        deep = [deep]
    for text, stubs in (
        (json.dumps({"a": deep}), 0),
        (json.dumps(["z" * 2_000, {"b": {"c": "z" * 1_000}}, "z" * 999]), 2),
        ('{"a": "' + "z" * 2_000, 0),
        ("z" * 2_000, 0),
        ("[" * 50_000, 0),
    ):
        call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": text}}
        made = row("assistant", "", tool_calls=json.dumps([call]))
        assert may_be_elided(made) == bool(stubs)
        [sent] = shortened(made)["tool_calls"]
        assert sent["id"] == "c1"
        assert sent["function"]["arguments"].count("read_result") == stubs
        assert (sent == call) == (not stubs)
