"""The wire of a request: exact JSON, tokens by message, and what differs from the transcript."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.harness import Bench, ask, calls, echo, tool
from chatglass.chat.engine import Engine
from chatglass.chat.messages import UNANSWERED, tool_calls_json
from chatglass.chat.sent_changes import origins, other_forms
from chatglass.chat.wire_view import WireView, events_of, shared_prefix, wire_view
from chatglass.models.demo.script import rate_limited
from chatglass.store.records import MessageRow, Parameters


async def views(here: Bench, engine: Engine) -> list[WireView]:
    parameters = engine.context.session.parameters
    return [
        await wire_view(here.store, engine.session_id, row.id, parameters=parameters)
        for row in await here.store.requests(engine.session_id)
    ]


async def test_plain_turns_are_sent_as_they_stand(here: Bench) -> None:
    engine = await here.engine(here.session(system_prompt="Be short."), tools=[tool("echo", echo)])
    here.demo.script(calls(("echo", {"x": "1"}), text="I look"), "done", "again")
    await ask(engine, "first")
    await ask(engine, "second")
    one, two, three = await views(here, engine)
    assert [view.body for view in (one, two, three)] == [
        request.body.decode() for request in here.demo.requests
    ]
    assert [(view.place, view.count) for view in (one, two, three)] == [(1, 3), (2, 3), (3, 3)]
    assert [(m.role, m.origin) for m in three.messages] == [
        ("system", "system"),
        *[(role, "stored") for role in ("user", "assistant", "tool", "assistant", "user")],
    ]
    assert three.messages[2].start == "I look → echo"
    assert not any(view.changes for view in (one, two, three))
    assert one.tools == ("echo",)
    assert all(message.tokens > 0 and message.size > 10 for message in three.messages)
    assert one.shared is None
    assert (two.shared and two.shared.messages, three.shared and three.shared.messages) == (2, 4)
    assert two.shared is not None
    assert two.previous_body is not None
    assert two.body is not None
    assert two.body.encode()[: two.shared.bytes] == two.previous_body.encode()[: two.shared.bytes]
    assert two.shared.same_tools
    assert three.attempts[0].received().endswith(b"data: [DONE]\n\n")
    events = events_of(three.attempts[0].received())
    assert events is not None
    assert json.loads(events)[0]["object"] == "chat.completion.chunk"


async def test_a_compaction_says_what_it_left_out(here: Bench) -> None:
    engine = await here.engine(here.session(system_prompt="s"), threshold=400)
    for number in range(6):
        here.demo.script("word " * 100)
        await ask(engine, f"prompt {number}")
    (*_, last) = await views(here, engine)
    compaction = engine.context.compactions[-1]
    kinds = [change.kind for change in last.changes]
    assert kinds[0] == "left out"
    assert "turns" in last.changes[0].text
    assert compaction.strategy in last.changes[0].text
    assert ("summary" in kinds) == bool(compaction.summary)
    assert len(last.messages) < 12


async def test_a_cut_result_and_a_retry_are_told(here: Bench) -> None:
    async def long(arguments: dict[str, object]) -> str:
        return "x" * 500

    engine = await here.engine(tools=[tool("echo", long)])
    here.demo.script(calls(("echo", {"x": "1"})), rate_limited("0.01"), "done")
    await ask(engine, "go")
    (_, last) = await views(here, engine)
    (change,) = last.changes
    assert (change.kind, change.text) == (
        "cut", "message 3: echo shows 40 of 500 bytes that it produced",
    )  # fmt: skip
    assert [attempt.status for attempt in last.attempts] == [429, 200]


async def test_what_an_endpoint_refused_is_told(here: Bench) -> None:
    engine = await here.engine(
        here.session(temperature=0.5, max_output_tokens=100), tools=[tool("echo", echo)]
    )
    here.demo.script("with")
    await ask(engine, "1")
    here.demo.refuse("tools", "temperature")
    here.demo.script("without", "and again")
    await ask(engine, "2")
    await ask(engine, "3")
    _, adapted, after = await views(here, engine)
    told = " ".join(change.text for change in adapted.changes)
    assert {change.kind for change in adapted.changes} == {"dropped"}
    assert "temperature: the session has 0.5, the body has none" in told
    assert "tools: the request before had them" in told
    assert len(adapted.attempts) > 1
    assert all(each.failure for each in adapted.attempts[:-1])
    assert [change.text for change in after.changes] == [
        "temperature: the session has 0.5, the body has none"
    ]
    assert adapted.shared is not None
    assert not adapted.shared.same_tools


def test_a_message_in_another_form_is_told() -> None:
    """The system prompt within the first user message, and an answer without its reasoning."""
    first = MessageRow(
        id="m1", session_id="s", parent_id=None, turn_id="t", role="user", content="hi", created_at=1
    )  # fmt: skip
    calls = tool_calls_json([("c1", "echo", "{}")])
    second = replace(first, id="m2", role="assistant", content="", reasoning="hm", tool_calls=calls)
    sent = [
        {"role": "user", "content": "Be short.\n\nhi"},
        {"role": "assistant", "content": None, "tool_calls": json.loads(calls)},
        {"role": "tool", "tool_call_id": "c1", "content": UNANSWERED},
    ]
    found = origins(sent, [first, second])
    assert found == [("changed", first), ("changed", second), ("added", None)]
    assert [(change.kind, change.text) for change in other_forms(sent, found)] == [
        ("changed", "message 1 (user): content with 11 characters more around it"),
        ("changed", "message 2 (assistant): without reasoning_content"),
        ("added", "message 3: an answer to a call that has none"),
    ]


async def test_what_is_not_known_says_so(here: Bench) -> None:
    engine = await here.engine()
    here.demo.script("hello")
    await ask(engine, "1")
    (row,) = await here.store.requests(engine.session_id)
    await here.store.finish_request(replace(row, wire_hash=None, body_hash=None))
    (view,) = await views(here, engine)
    assert view.body is None
    assert "not known" in view.problem
    assert "kept" in view.problem
    with pytest.raises(LookupError):
        await wire_view(here.store, engine.session_id, "nothing", parameters=Parameters())


@given(st.binary(max_size=40), st.binary(max_size=20), st.binary(max_size=20))
def test_the_shared_prefix_is_that_of_a_comparison_byte_by_byte(
    start: bytes, one: bytes, other: bytes
) -> None:
    one, other = start + one, start + other
    expected = 0
    while expected < min(len(one), len(other)) and one[expected] == other[expected]:
        expected += 1
    assert shared_prefix(one, other) == expected


@pytest.mark.parametrize(
    ("received", "events"),
    [
        (b'data: {"a":1}\n\ndata: [DONE]\n\n', '[{"a":1}]'),
        (b": x\r\n\r\ndata: 1\r\ndata: \r\n\r\n", "[1\n]"),
        (b"<html>", None),
        (b"data: {oops\n\n", None),
        (b"", None),
    ],
)
def test_events_as_an_array(received: bytes, events: str | None) -> None:
    assert events_of(received) == events
