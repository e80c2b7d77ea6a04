"""Resource templates: what is typed of one, and what it stands for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatglass.tools.mcp.templates import Typed, UriTemplate, Variable

NOTE = UriTemplate("note://{topic}/{page}")
TOPIC, PAGE = Variable("topic", False), Variable("page", False)


@pytest.mark.parametrize(
    ("uri", "typed"),
    [
        ("", Typed("", after="note://")),
        ("no", Typed("", after="note://")),
        ("note://", Typed("note://", {}, TOPIC, "", "/")),
        ("note://al%20p", Typed("note://", {}, TOPIC, "al p", "/")),
        ("note://a/", Typed("note://a/", {"topic": "a"}, PAGE, "", "", True)),
        ("note://a/7", Typed("note://a/", {"topic": "a"}, PAGE, "7", "", True)),
        ("note://a/7/8", None),
        ("file:///x", None),
    ],
)
def test_what_is_typed(uri: str, typed: Typed | None) -> None:
    assert NOTE.typed(uri) == typed


def test_what_is_whole() -> None:
    assert NOTE.is_whole("note://a/b")
    assert not NOTE.is_whole("note://a/")
    assert not NOTE.is_whole("note:///b")
    assert not NOTE.is_whole("note://a")
    text = UriTemplate("file:///{name}.txt")
    assert text.is_whole("file:///a.txt")
    assert not text.is_whole("file:///a")
    assert not text.is_whole("file:///a/b.txt")
    assert UriTemplate("file:///{+path}").is_whole("file:///a/b.txt")
    assert UriTemplate("a://plain").is_whole("a://plain")
    assert UriTemplate("{any}").is_whole("x")


def test_what_is_not_understood_is_completed_up_to_there() -> None:
    found = UriTemplate("find://{where}/{?query}")
    assert not found.is_simple
    assert found.start == "find://"
    assert not found.is_whole("find://a/")
    assert UriTemplate("x{unclosed").start == "x"


@given(st.text(min_size=1, max_size=20), st.text(min_size=1, max_size=20))
def test_every_value_comes_back_as_it_was_put_in(topic: str, page: str) -> None:
    first = NOTE.typed("note://")
    assert first
    second = NOTE.typed(first.with_value(topic))
    assert second
    assert second.values == {"topic": topic}
    whole = second.with_value(page)
    assert NOTE.is_whole(whole)
    last = NOTE.typed(whole)
    assert last
    assert (last.values, last.value) == ({"topic": topic}, page)


@given(st.text(max_size=30), st.text(max_size=30))
def test_nothing_that_a_server_says_breaks_it(template: str, uri: str) -> None:
    found = UriTemplate(template)
    found.typed(uri)
    found.is_whole(uri)
