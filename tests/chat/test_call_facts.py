"""Of one tool call: its schema and what did not fit, its tokens and what they cost, its round."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from chat.harness import Bench, ask, calls, echo, tool
from chatglass.chat.call_round import call_round
from chatglass.chat.call_schema import call_schema
from chatglass.chat.call_tokens import CallTokens, call_tokens
from chatglass.chat.engine import Engine
from chatglass.store.records import ToolCallRow
from chatglass.tools import policy
from chatglass.tools.function_tool import CallContext, FunctionTool
from chatglass.tools.tool import ToolOutput
from chatglass.values.ids import new_id


async def call_of(here: Bench, engine: Engine, number: int = 0) -> ToolCallRow:
    return (await here.store.tool_calls(engine.session_id))[number]


async def tokens_of(here: Bench, engine: Engine, number: int = 0) -> CallTokens:
    call = await call_of(here, engine, number)
    result = await here.store.tool_result(call.id)
    assert result is not None
    path = await engine.context.messages.whole_path()
    return await call_tokens(here.store, call, result.seen, path, lambda tokens: tokens)


async def test_each_request_that_held_the_call_costs_its_share(here: Bench) -> None:
    engine = await here.engine(here.session(model="dear"), tools=[tool("echo", echo)])
    here.demo.script(calls(("echo", {"x": "1"}), ("echo", {"x": "22"})), "done", "again", "more")
    await ask(engine, "go")
    await ask(engine, "and")
    await ask(engine, "on")
    rows = await here.requests(engine)
    for number in (0, 1):
        tokens = await tokens_of(here, engine, number)
        assert tokens.arguments > 8
        assert tokens.result > 4
        assert [held.request.id for held in tokens.held_by] == [row.id for row in rows[1:]]
        assert [held.place for held in tokens.held_by] == [2, 3, 4]
        assert tokens.sent == 3 * tokens.added
        for held in tokens.held_by:
            row = held.request
            assert row.usage is not None
            assert row.prompt_cost is not None
            exact = row.prompt_cost * tokens.added / row.usage.prompt_tokens
            assert held.cost is not None
            assert abs(held.cost - exact) < Decimal("1e-11")
        assert tokens.cost == sum(held.cost or 0 for held in tokens.held_by)
        assert tokens.unpriced == 0


async def test_a_request_that_sent_a_stub_for_the_result_does_not_hold_it(here: Bench) -> None:
    async def look(context: CallContext, x: str) -> ToolOutput:
        """Look at something."""
        text = "word " * 300 if x == "long" else "short"
        return ToolOutput("ok", text, text)

    made = FunctionTool(look, lambda arguments, root: policy.harmless("It is a test."))
    engine = await here.engine(tools=[made])
    here.demo.script(calls(("look", {"x": "long"}), ("look", {"x": "short"})), "done", "after")
    await ask(engine)
    await ask(engine)
    last = (await here.requests(engine))[-1]
    [(kind, whole)] = await here.store.request_parts(last.id)
    assert kind == "path"
    for form in ("stubs", "short"):
        row = replace(last, id=new_id(), parts=((form, whole),), status="running")
        await here.store.add_request(row)
    first, short = await tokens_of(here, engine), await tokens_of(here, engine, 1)
    assert [held.place for held in first.held_by] == [2, 3]
    assert first.left_out == 2
    assert [held.place for held in short.held_by] == [2, 3, 4, 5], "what is short stays"


async def test_another_branch_and_a_compaction_do_not_hold_it(here: Bench) -> None:
    engine = await here.engine(here.session(), tools=[tool("echo", echo)], threshold=400)
    here.demo.script(calls(("echo", {"x": "1"})), "done")
    await ask(engine, "go")
    for number in range(5):
        here.demo.script("word " * 100)
        await ask(engine, f"prompt {number}")
    assert engine.context.compactions
    tokens = await tokens_of(here, engine)
    assert tokens.left_out > 0
    assert 1 <= len(tokens.held_by) < 6
    assert len(tokens.held_by) + tokens.left_out == len(await here.requests(engine)) - 1
    reopened = await here.reopened(engine)
    again = await tokens_of(here, reopened)
    assert [held.request.id for held in again.held_by] == [
        held.request.id for held in tokens.held_by
    ]


async def test_without_a_price_there_is_no_cost(here: Bench) -> None:
    engine = await here.engine(here.session(model="other"), tools=[tool("echo", echo)])
    here.demo.script(calls(("echo", {"x": "1"})), "done")
    await ask(engine, "go")
    tokens = await tokens_of(here, engine)
    (held,) = tokens.held_by
    assert (held.cost is None) == (held.request.prompt_cost is None)
    assert (tokens.cost is None) == (tokens.unpriced == 1)


async def test_what_did_not_fit_is_told_with_its_place(here: Bench) -> None:
    engine = await here.engine(tools=[tool("echo", echo)])
    here.demo.script(calls(("echo", {"x": 5, "y": "?"})), calls(("nothing", {})), "done")
    await ask(engine, "go")
    requests = {row.id: row for row in await here.requests(engine)}
    first = await call_of(here, engine)
    manager = engine.context.tool_manager
    schema = await call_schema(here.store, manager, first, requests[first.request_id])
    assert schema.sent is not None
    assert schema.sent["name"] == "echo"
    assert schema.description == schema.spec.description if schema.spec else False
    told = {(misfit.path, misfit.expected) for misfit in schema.misfits}
    assert ("x", "string") in told
    unknown = await call_of(here, engine, 1)
    missing = await call_schema(here.store, manager, unknown, requests[unknown.request_id])
    assert (missing.sent, missing.spec, missing.misfits) == (None, None, ())


async def test_the_round_of_a_call(here: Bench) -> None:
    engine = await here.engine(tools=[tool("echo", echo)])
    here.demo.script(calls(("echo", {"x": "1"})), calls(("echo", {"x": "1"})), "done")
    await ask(engine, "go")
    rows = await here.requests(engine)
    every = await here.store.tool_calls(engine.session_id)
    first, second = [await call_round(here.store, call, every) for call in every]
    assert (first.request, first.taken_back_by, first.before) == (rows[0], rows[1], ())
    assert (second.request, second.taken_back_by) == (rows[1], rows[2])
    assert second.before == (every[0],)
