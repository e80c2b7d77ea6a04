from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatglass.tui.inspector import json_layout
from chatglass.tui.inspector.json_layout import (
    LaidOut,
    containers_of,
    lay_out,
    lay_out_tree,
    pack,
    unpack,
)
from chatglass.tui.inspector.json_marks import LineMarks, line_parts
from chatglass.tui.inspector.layout_process import lay_out_apart

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(alphabet=st.characters(codec="utf-8"), max_size=12)
    | st.sampled_from(['"', "\\", '\\"', "{", "}", "[", "]", ",", ":", "a\nb", ": ", "\u2028"])
)
documents = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=5) | st.sampled_from(['"', ",", "}"]), inner, max_size=4)
    ),
    max_leaves=20,
).filter(lambda value: isinstance(value, dict | list))


@given(documents, st.booleans(), st.sampled_from([None, 0, 1, "\t"]))
def test_lays_out_as_the_standard_library_does(value, ascii_only, indent) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    assert lay_out(text) == json.dumps(value, ensure_ascii=ascii_only, indent=2)


def test_every_token_stays_as_it_was_written() -> None:
    text = '{"a": 1.0e400, "a": 12345678901234567890.10, "b": "\\u0041\\/", "c": [ ] , "d":{ }}'
    laid_out = lay_out(text)
    assert laid_out is not None
    assert laid_out.splitlines() == [
        "{",
        '  "a": 1.0e400,',
        '  "a": 12345678901234567890.10,',
        '  "b": "\\u0041\\/",',
        '  "c": [],',
        '  "d": {}',
        "}",
    ]


@pytest.mark.parametrize(
    "text",
    ["", "  ", "plain", "3", '"text"', "{", "[1,]", '{"a":1}\n{"b":2}', "{a: 1}", "[" * 100_000],
)
def test_what_is_no_json_document_is_left_alone(text: str) -> None:
    assert lay_out(text) is None


def test_deep_documents_do_not_explode() -> None:
    deep = "[" * 400 + "1,2" + "]" * 400
    laid_out = lay_out(deep)
    assert laid_out is not None
    assert re.sub(r"\s", "", laid_out) == deep
    assert len(laid_out) < 400 * 2 * (2 * json_layout.DEEPEST + 3)


def test_runs_as_a_process_of_its_own_on_the_standard_library_alone() -> None:
    command = [sys.executable, "-I", "-S", json_layout.__file__]
    done = subprocess.run(command, input='{"ü": 1}'.encode(), capture_output=True, check=False)
    assert done.returncode == 0
    assert unpack(done.stdout).text == '{\n  "ü": 1\n}'
    done = subprocess.run(command, input=b"{no", capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (json_layout.NOT_JSON, b"")


async def test_the_process_gives_what_the_function_gives() -> None:
    text = json.dumps([{"n": i, "s": "ä" * 20} for i in range(5000)], ensure_ascii=False)
    assert await lay_out_apart(text) == lay_out_tree(text)
    assert await lay_out_apart("[nothing") is None


@given(documents)
def test_parts_of_laid_out_lines_tell_what_is_what(value) -> None:
    laid_out = lay_out(json.dumps(value))
    assert laid_out is not None
    start = 0
    for line in laid_out.split("\n"):
        parts = line_parts(laid_out, start, start + len(line))
        covered = "".join(laid_out[a:b] for a, b, _ in parts)
        assert covered == line.lstrip(" "), "every character but the indent has a kind"
        kinds = [kind for _, _, kind in parts]
        assert kinds.count("key") <= 1
        for a, b, kind in parts:
            token = laid_out[a:b]
            if kind in ("string", "key"):
                assert isinstance(json.loads(token), str)
            elif kind == "number":
                assert isinstance(json.loads(token), int | float)
        start += len(line) + 1


def test_parts_of_a_slice_are_those_of_its_line() -> None:
    text = '{\n  "key": "a long, long: value",\n  "n": 1\n}'
    marks = LineMarks(text)
    start = text.index("long, ")
    assert marks.parts(start, start + 5) == [(start, start + 5, "string")]
    end = text.index(",\n") + 1
    assert [kind for _, _, kind in marks.parts(end - 3, end)] == ["string", "punctuation"]
    number = text.index("1\n")
    assert marks.parts(number, number + 1) == [(number, number + 1, "number")]


def test_lines_that_are_no_json_stay_plain() -> None:
    text = "what ran, edited by user:"
    assert [kind for _, _, kind in line_parts(text, 0, len(text))] == []


def expected(value: object, text: str) -> list[tuple[int, int, int]]:
    """Parent, ordinal and count of each container that is not empty, in order."""
    found: list[tuple[int, int, int]] = []

    def walk(each: object, parent: int, ordinal: int) -> None:
        inner = list(each.values()) if isinstance(each, dict) else each
        if isinstance(inner, list) and inner:
            index = len(found)
            found.append((parent, ordinal, len(inner)))
            for place, element in enumerate(inner):
                walk(element, index, place)

    walk(value, -1, 0)
    return found


@given(documents)
def test_containers_are_told_with_their_place_and_size(value) -> None:
    laid_out = lay_out(json.dumps(value, ensure_ascii=False))
    assert laid_out is not None
    found = containers_of(laid_out)
    rows = list(zip(found.parents, found.ordinals, found.counts, strict=True))
    assert rows == expected(value, laid_out)
    for opens, closes in zip(found.opens, found.closes, strict=True):
        assert laid_out[opens] + laid_out[closes] in ("{}", "[]")
        inner = laid_out[opens : closes + 1]
        assert isinstance(json.loads(inner), dict | list)
    assert unpack(b"".join(pack(LaidOut(laid_out, found)))) == LaidOut(laid_out, found)
