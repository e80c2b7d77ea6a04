"""The invariant of message lists, over random lists."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatglass.chat.messages import UNANSWERED, mend, to_wire, tool_calls_json, violations
from chatglass.models.demo.validate import violation
from chatglass.store.records import MessageRow

_ids = st.sampled_from(["a", "b", "c", "a_2"])


def _assistant(content: str | None, ids: list[str]) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": content}
    if ids:
        message["tool_calls"] = [
            {"id": id_, "type": "function", "function": {"name": "f", "arguments": "{}"}}
            for id_ in ids
        ]
    return message


def _tool(call_id: str, content: str = "r") -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": call_id, "content": content}


_messages = st.one_of(
    st.builds(lambda text: {"role": "user", "content": text}, st.text(max_size=3)),
    st.builds(lambda text: {"role": "system", "content": text}, st.text(max_size=3)),
    st.builds(_assistant, st.one_of(st.none(), st.text(max_size=2)), st.lists(_ids, max_size=3)),
    st.builds(_tool, _ids, st.text(max_size=2)),
)
_lists = st.lists(_messages, max_size=12)


@st.composite
def _valid_lists(draw: st.DrawFn) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = []
    for _ in range(draw(st.integers(0, 5))):
        if draw(st.booleans()):
            listed.append({"role": "user", "content": draw(st.text(max_size=3))})
            continue
        ids = draw(st.lists(_ids, max_size=3, unique=True))
        text = draw(st.text(min_size=0 if ids else 1, max_size=3))
        listed.append(_assistant(text, ids))
        listed += [_tool(id_, draw(st.text(max_size=3))) for id_ in ids]
    return listed


@given(_lists)
def test_what_is_mended_is_valid(listed: list[dict[str, Any]]) -> None:
    before = json.dumps(listed)
    mended = mend(listed)
    assert violations(mended) == []
    assert json.dumps(listed) == before, "the list that was given is not changed"


@given(_lists)
def test_mending_twice_changes_nothing_more(listed: list[dict[str, Any]]) -> None:
    once = mend(listed)
    twice = mend(once)
    assert twice == once
    assert all(a is b for a, b in zip(once, twice, strict=True))


@given(_valid_lists())
def test_a_valid_list_comes_back_as_it_is(listed: list[dict[str, Any]]) -> None:
    assert violations(listed) == []
    mended = mend(listed)
    assert all(a is b for a, b in zip(listed, mended, strict=True))


@given(_lists)
def test_all_but_tool_messages_and_empty_answers_stay_in_order(
    listed: list[dict[str, Any]],
) -> None:
    def kept(messages: list[dict[str, Any]]) -> list[tuple[str, object]]:
        return [
            (m["role"], m["content"])
            for m in messages
            if m["role"] != "tool"
            and not (m["role"] == "assistant" and not m["content"] and not m.get("tool_calls"))
        ]

    assert kept(mend(listed)) == kept(listed)


@given(_lists)
def test_every_answer_is_one_that_was_given_or_says_that_there_is_none(
    listed: list[dict[str, Any]],
) -> None:
    given_texts = {m["content"] for m in listed if m["role"] == "tool"}
    for message in mend(listed):
        if message["role"] == "tool":
            assert message["content"] in given_texts | {UNANSWERED}


@given(_lists)
def test_the_two_checkers_agree(listed: list[dict[str, Any]]) -> None:
    """The demo server refuses with a checker of its own what `violations` finds."""
    mended = mend(listed)
    if mended:
        assert violation(mended) is None


@pytest.mark.parametrize(
    ("ids", "answers", "expected"),
    [
        pytest.param(["a"], [], [("a", UNANSWERED)], id="missing"),
        pytest.param(["a"], ["a", "a"], [("a", "a0")], id="repeated"),
        pytest.param(["a"], ["b", "a"], [("a", "a1")], id="orphan"),
        pytest.param(["a", "b"], ["b", "a"], [("a", "a1"), ("b", "b0")], id="out of order"),
        pytest.param(["a", "a"], ["a", "a"], [("a", "a0"), ("a_2", "a1")], id="shared ids"),
        pytest.param(
            ["a", "a", "a_2"],
            ["a", "a", "a_2"],
            [("a", "a0"), ("a_2", "a1"), ("a_2_2", "a_22")],
            id="shared ids, new one taken",
        ),
    ],
)
def test_faults_one_by_one(
    ids: list[str], answers: list[str], expected: list[tuple[str, str]]
) -> None:
    listed = [_assistant("", ids), *(_tool(id_, f"{id_}{n}") for n, id_ in enumerate(answers))]
    mended = mend(listed)
    assert [(m["tool_call_id"], m["content"]) for m in mended[1:]] == expected
    assert [call["id"] for call in mended[0]["tool_calls"]] == [id_ for id_, _ in expected]


def test_an_answer_that_stands_behind_the_next_answer_is_moved_back() -> None:
    listed = [
        _assistant("x", ["a"]),
        _assistant("y", ["b"]),
        _tool("b", "for b"),
        {"role": "user", "content": "u"},
        _tool("a", "for a"),
    ]
    assert [m.get("content") for m in mend(listed)] == ["x", "for a", "y", "for b", "u"]


def test_an_id_that_is_used_again_answers_the_newer_call() -> None:
    listed = [_assistant("x", ["a"]), _assistant("y", ["a"]), _tool("a", "newer")]
    assert [m["content"] for m in mend(listed)] == ["x", UNANSWERED, "y", "newer"]


def _row(**fields: Any) -> MessageRow:
    values = {
        "id": "m",
        "session_id": "s",
        "parent_id": None,
        "turn_id": "t",
        "role": "assistant",
        "content": "",
        "created_at": 0,
    }
    return MessageRow(**{**values, **fields})


def test_rows_on_the_wire() -> None:
    calls = tool_calls_json([("1", "f", '{"x": "é"}')])
    assert to_wire(_row(content="hi", reasoning="hm")) == {"role": "assistant", "content": "hi"}
    assert to_wire(_row(tool_calls=calls, reasoning="hm")) == {
        "role": "assistant",
        "content": None,
        "reasoning_content": "hm",
        "tool_calls": [
            {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"x": "é"}'}}
        ],
    }
    assert to_wire(_row(role="tool", content="r", tool_call_id="1")) == _tool("1")
    parts = '[{"type": "text", "text": "a"}]'
    assert to_wire(_row(role="user", content=parts, content_is_json=True)) == {
        "role": "user",
        "content": [{"type": "text", "text": "a"}],
    }
