from __future__ import annotations

from typing import Any

import pytest

from chatglass.models.demo.validate import tools_violation, violation

USER = {"role": "user", "content": "x"}


def calls(*ids: str) -> dict[str, Any]:
    made = [
        {"id": i, "type": "function", "function": {"name": "f", "arguments": "{}"}} for i in ids
    ]
    return {"role": "assistant", "content": None, "tool_calls": made}


def result(call_id: str) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": call_id, "content": "r"}


@pytest.mark.parametrize(
    "messages",
    [
        [USER],
        [{"role": "system", "content": "s"}, USER, {"role": "assistant", "content": ""}],
        [USER, calls("a", "b"), result("a"), result("b"), {"role": "assistant", "content": "x"}],
        [USER, calls("a"), result("a"), calls("a"), result("a")],
        [{"role": "user", "content": [{"type": "text", "text": "x"}]}],
    ],
)
def test_good_lists(messages: list[Any]) -> None:
    assert violation(messages) is None


@pytest.mark.parametrize(
    ("messages", "names"),
    [
        ([], "at least one"),
        ("x", "array"),
        ([{"role": "robot", "content": "x"}], r"messages.[0].role"),
        ([{"role": "user"}], "content is missing"),
        ([{"role": "user", "content": 3}], "neither a string"),
        ([USER, calls("a")], "missing: a"),
        ([USER, calls("a", "b"), result("a"), USER], "missing: b"),
        ([USER, calls("a", "b"), result("b"), result("a")], "the result of 'a'"),
        ([USER, result("a")], "no tool message"),
        ([USER, calls("a"), result("a"), result("a")], "no tool message"),
        ([USER, calls("a", "a")], "repeats an id"),
        ([USER, {"role": "assistant", "content": "x", "tool_calls": []}], "empty"),
    ],
)
def test_bad_lists_are_named(messages: Any, names: str) -> None:
    assert names in (violation(messages) or "")


def test_tools() -> None:
    assert tools_violation(None) is None
    assert tools_violation([{"type": "function", "function": {"name": "a-b_1"}}]) is None
    assert "at least one" in (tools_violation([]) or "")
    assert "tools.[0]" in (
        tools_violation([{"type": "function", "function": {"name": "a b"}}]) or ""
    )
