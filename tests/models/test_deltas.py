"""Tool calls and text out of chunks, however servers cut them."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatglass.models.deltas import AnswerAssembly, merged
from chatglass.models.sse import EventReader
from chatglass.models.usage import read_usage
from chatglass.models.wire import ProposedCall, ReasoningPiece, TextPiece, ToolCallPiece
from models.loopback import USAGE, delta, finish, pieces_of, sse

Entry = dict[str, Any]


def assemble(*deltas: list[Entry]) -> tuple[ProposedCall, ...]:
    assembly = AnswerAssembly()
    for entries in deltas:
        assembly.take(delta(tool_calls=entries))
    return assembly.finished().tool_calls


def entry(
    arguments: str | None = None,
    *,
    index: int | None = None,
    id: str | None = None,
    name: str | None = None,
) -> Entry:
    found: Entry = {"function": {}}
    if index is not None:
        found["index"] = index
    if id is not None:
        found["id"] = id
        found["type"] = "function"
    if name is not None:
        found["function"]["name"] = name
    if arguments is not None:
        found["function"]["arguments"] = arguments
    return found


A, B = '{"path": "a"}', '{"path": "b"}'
TWO = [("one", "read", A), ("two", "list", B)]


@pytest.mark.parametrize(
    "deltas",
    [
        pytest.param(
            [
                [entry("", index=0, id="one", name="read")],
                [entry(A[:5], index=0)],
                [entry(A[5:], index=0)],
                [entry("", index=1, id="two", name="list")],
                [entry(B, index=1)],
            ],
            id="as OpenAI does",
        ),
        pytest.param(
            [[entry(A, id="one", name="read"), entry(B, id="two", name="list")]],
            id="whole, no index, in one delta",
        ),
        pytest.param(
            [[entry(A, index=0, id="one", name="read")], [entry(B, index=0, id="two", name="list")]],
            id="whole, each with index 0",
        ),
        pytest.param(
            [
                [entry(A[:4], index=0, id="one", name="read")],
                [entry(A[4:], index=0, id="one", name="read")],
                [entry(B[:4], index=1, id="two", name="list")],
                [entry(B[4:], index=1, id="two", name="list")],
            ],
            id="id and name repeated",
        ),
        pytest.param(
            [
                [entry("", id="one", name="read")],
                [entry(A[:4])],
                [entry(A[4:])],
                [entry("", id="two", name="list")],
                [entry(B)],
            ],
            id="no index, id only first",
        ),
        pytest.param(
            [
                [entry("", index=0, id="one", name="read"), entry("", index=1, id="two", name="list")],
                [entry(A[:4], index=0), entry(B[:4], index=1)],
                [entry(B[4:], index=1), entry(A[4:], index=0)],
            ],
            id="interleaved",
        ),
        pytest.param(
            [
                [entry("", index=0, id="one", name="re")],
                [entry("", index=0, name="ad")],
                [entry(A, index=0)],
                [entry("", index=1, id="two", name="li")],
                [entry(B, index=1, name="list")],
            ],
            id="names in pieces and cumulative",
        ),
        pytest.param(
            [
                [entry("", index=0, name="read")],
                [entry(A, index=0, id="one")],
                [entry(B, index=1, id="two", name="list")],
            ],
            id="id late",
        ),
        pytest.param(
            [
                [entry(A[:6], index=0, id="one", name="read")],
                [entry(A[6:], index=0, id="other-id-each-time", name="read")],
                [entry(B, index=1, id="two", name="list")],
            ],
            id="a new id in every delta",
        ),
        pytest.param(
            [
                [entry(A[:6], index=0, id="one", name="read")],
                [entry(A[6:], index=0)],
                [entry(B, index=1, id="two", name="list")],
                [entry(A, index=0, id="one", name="read"), entry(B, index=1, id="two", name="list")],
            ],
            id="all repeated at the end",
        ),
        pytest.param(
            [
                [entry(A, index="0", id="one", name="read")],  # type: ignore[arg-type]
                [entry(json.loads(B), index=1, id="two", name="list")],
            ],
            id="index as text, arguments as object",
        ),
    ],
)  # fmt: skip
def test_two_calls_in_every_form(deltas: list[list[Entry]]) -> None:
    assert assemble(*deltas) == tuple(ProposedCall(*call) for call in TWO)


def test_equal_ids_are_made_unique() -> None:
    calls = assemble(
        [entry(A, index=0, id="same", name="read"), entry(B, index=1, id="same", name="read")]
    )
    assert [(c.id, c.arguments) for c in calls] == [("same", A), ("same_2", B)]
    calls = assemble([entry(A, id="same", name="read")], [entry(B, id="same", name="read")])
    assert [(c.id, c.arguments) for c in calls] == [("same", A), ("same_2", B)]


def test_an_id_made_unique_takes_no_other_id() -> None:
    calls = assemble(
        [entry(A, index=0, id="x", name="f")],
        [entry(B, index=1, id="x", name="f")],
        [entry("{}", index=2, id="x_2", name="f")],
    )
    assert len({c.id for c in calls}) == 3


def test_missing_ids_are_made() -> None:
    for deltas in (
        [[entry(A, name="read"), entry(B, name="read")]],
        [[entry(A, name="read")], [entry(B, name="read")]],
        [[entry(A, index=0, name="read")], [entry(B, index=1, name="read")]],
        [[entry("", name="read")], [entry(A)], [entry("", name="read")], [entry(B)]],
    ):
        calls = assemble(*deltas)
        assert [(c.name, c.arguments) for c in calls] == [("read", A), ("read", B)]
        assert all(c.id for c in calls)
        assert calls[0].id != calls[1].id


def test_two_calls_without_arguments_at_index_0() -> None:
    calls = assemble(
        [entry("", index=0, id="one", name="now")], [entry("", index=0, id="two", name="here")]
    )
    assert [(c.id, c.name) for c in calls] == [("one", "now"), ("two", "here")]


def test_the_older_function_call() -> None:
    assembly = AnswerAssembly()
    assembly.take(delta(function_call={"name": "f", "arguments": '{"a"'}))
    assembly.take(delta(function_call={"arguments": ":1}"}))
    (call,) = assembly.finished().tool_calls
    assert (call.name, call.arguments) == ("f", '{"a":1}')


@pytest.mark.parametrize(
    "bad", [None, 3, "x", {}, [None], [3], [{"function": 3}], [{"index": True, "function": None}]]
)
def test_nonsense_in_tool_calls_breaks_nothing(bad: object) -> None:
    assembly = AnswerAssembly()
    assembly.take(delta(tool_calls=bad, content=3, reasoning=[]))
    assembly.take({"choices": bad, "usage": bad})
    assembly.finished()


def test_progress_of_calls() -> None:
    assembly = AnswerAssembly()
    first = assembly.take(delta(tool_calls=[entry("", index=0, id="c", name="read")]))
    second = assembly.take(delta(tool_calls=[entry("12345", index=0)]))
    assert [*first, *second] == [ToolCallPiece(0, "read", 0), ToolCallPiece(0, "read", 5)]


def test_parts_of_content() -> None:
    assembly = AnswerAssembly()
    parts = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
        {"type": "text", "text": "so"},
    ]
    assert assembly.take(delta(content=parts)) == [ReasoningPiece("hm"), TextPiece("so")]


def test_halves_of_a_character_are_joined() -> None:
    assembly = AnswerAssembly()
    texts = [
        event.text
        for half in ("a\ud83d", "\udc4d", "b\ud83d")
        for event in assembly.take(delta(content=half))
        if isinstance(event, TextPiece)
    ]
    assert texts == ["a", "👍", "b"]
    assert assembly.rest() == [TextPiece("\ufffd")]


def test_merging_keeps_the_order() -> None:
    events = [TextPiece("a"), TextPiece("b"), ReasoningPiece("c"), TextPiece("d")]
    assert merged(events) == [TextPiece("ab"), ReasoningPiece("c"), TextPiece("d")]


_json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
_calls = st.lists(
    st.tuples(
        st.from_regex(r"[a-z_]{1,12}", fullmatch=True),
        st.dictionaries(st.text(max_size=6), _json_values, max_size=3),
    ),
    min_size=1,
    max_size=4,
)


@given(
    calls=_calls,
    style=st.sampled_from(["openai", "repeating", "no index", "late id"]),
    data=st.data(),
)
def test_random_splits_assemble_equally(
    calls: list[tuple[str, dict[str, Any]]], style: str, data: st.DataObject
) -> None:
    """Calls whose arguments are cut anywhere, in a stream whose bytes are cut anywhere."""
    chunks: list[object] = []
    expected: list[ProposedCall] = []
    for number, (name, value) in enumerate(calls):
        arguments = json.dumps(value, ensure_ascii=False)
        expected.append(ProposedCall(f"id{number}", name, arguments))
        cuts = data.draw(st.sets(st.integers(0, len(arguments)), max_size=5))
        places = [0, *sorted(cuts), len(arguments)]
        for turn, (start, end) in enumerate(itertools.pairwise(places)):
            first = turn == 0
            last = turn == len(places) - 2
            with_id = (
                first if style in ("openai", "no index") else last if style == "late id" else True
            )
            with_name = first or style == "repeating"
            chunks.append(
                delta(
                    tool_calls=[
                        entry(
                            arguments[start:end],
                            index=None if style == "no index" else number,
                            id=f"id{number}" if with_id else None,
                            name=name if with_name else None,
                        )
                    ]
                )
            )
    body = sse(*chunks, finish("tool_calls", usage=USAGE))
    reader, assembly = EventReader(), AnswerAssembly()
    for piece in pieces_of(body, data.draw(st.sets(st.integers(0, len(body)), max_size=30))):
        for event in reader.feed(piece):
            if event.data != "[DONE]":
                assembly.take(json.loads(event.data))
    finished = assembly.finished()
    assert finished.tool_calls == tuple(expected)
    assert finished.finish_reason == "tool_calls"


@given(
    events=st.lists(
        st.tuples(st.sampled_from(["", "error", "x"]), st.text("ab:  ü\n", min_size=1, max_size=9)),
        max_size=5,
    ),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    data=st.data(),
)
def test_events_are_the_same_however_cut(
    events: list[tuple[str, str]], end: str, data: st.DataObject
) -> None:
    text = "\ufeff: hello" + end
    for name, value in events:
        text += f"event: {name}{end}" if name else ""
        text += "".join(f"data: {line}{end}" for line in value.split("\n")) + end
    body = text.encode()
    reader = EventReader()
    got = []
    for piece in pieces_of(body, data.draw(st.sets(st.integers(0, len(body))))):
        got += reader.feed(piece)
    got += reader.finish()
    assert [(e.name, e.data) for e in got] == events


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({"prompt_tokens": 5, "completion_tokens": 3}, (5, 3, 0, 0, 0)),
        (
            {
                "prompt_tokens": 5,
                "completion_tokens": 3,
                "prompt_tokens_details": {"cached_tokens": 4},
                "completion_tokens_details": {"reasoning_tokens": 2},
            },
            (5, 3, 4, 0, 2),
        ),
        # DeepSeek
        (
            {"prompt_tokens": 5, "completion_tokens": 3, "prompt_cache_hit_tokens": 4},
            (5, 3, 4, 0, 0),
        ),
        # xAI: reasoning beside the completion
        (
            {
                "prompt_tokens": 5,
                "completion_tokens": 3,
                "total_tokens": 18,
                "completion_tokens_details": {"reasoning_tokens": 10},
            },
            (5, 13, 0, 0, 10),
        ),
        # Google: reasoning only in the total
        ({"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 18}, (5, 13, 0, 0, 10)),
        # OpenRouter
        (
            {
                "prompt_tokens": 50,
                "completion_tokens": 3,
                "prompt_tokens_details": {"cached_tokens": 10, "cache_write_tokens": 30},
            },
            (50, 3, 10, 30, 0),
        ),
        # Anthropic's own counts leave out of the input what the cache took, whatever they are called
        (
            {
                "input_tokens": 10,
                "output_tokens": 20,
                "cache_read_input_tokens": 5000,
                "cache_creation_input_tokens": 300,
                "output_tokens_details": {"thinking_tokens": 15},
            },
            (5310, 20, 5000, 300, 15),
        ),
        (
            {
                "prompt_tokens": 10,
                "completion_tokens": 20,
                "total_tokens": 30,
                "cache_read_input_tokens": 5000,
                "cache_creation_input_tokens": 300,
            },
            (5310, 20, 5000, 300, 0),
        ),
        # LiteLLM has the names and OpenAI's meaning
        (
            {
                "prompt_tokens": 5310,
                "completion_tokens": 20,
                "total_tokens": 5330,
                "prompt_tokens_details": {"cached_tokens": 5000},
                "cache_read_input_tokens": 5000,
                "cache_creation_input_tokens": 300,
            },
            (5310, 20, 5000, 300, 0),
        ),
        # OpenAI's Responses API
        (
            {
                "input_tokens": 50,
                "output_tokens": 3,
                "input_tokens_details": {"cached_tokens": 40},
                "cache_read_input_tokens": 40,
            },
            (50, 3, 40, 0, 0),
        ),
        # Only a total: nothing says that the answer was thought.
        ({"prompt_tokens": 10, "total_tokens": 30}, (10, 20, 0, 0, 0)),
        ({"prompt_tokens": 10, "completion_tokens": 0, "total_tokens": 30}, (10, 20, 0, 0, 20)),
        ({"prompt_tokens": None, "completion_tokens": -3}, None),
        ({"prompt_tokens": -1, "completion_tokens": 3, "total_tokens": None}, (0, 3, 0, 0, 0)),
        ({"prompt_tokens": 5, "completion_tokens": 3, "cached_tokens": 99}, (5, 3, 5, 0, 0)),
        ({"prompt_tokens": "5", "completion_tokens": True}, None),
        ({}, None),
        (None, None),
        ([], None),
    ],
)
def test_usage_of_many_providers(raw: object, expected: tuple[int, ...] | None) -> None:
    usage = read_usage(raw)
    if expected is None:
        assert usage is None
        return
    assert usage is not None
    assert (
        usage.prompt_tokens,
        usage.completion_tokens,
        usage.cached_tokens,
        usage.cache_write_tokens,
        usage.reasoning_tokens,
    ) == expected
    assert json.loads(usage.raw or "") == raw
