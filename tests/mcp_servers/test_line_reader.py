"""Lines from pieces of any size; a line over the limit keeps its ends and costs no memory."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chatglass.tools.line_reader import END_KEPT, LineReader, TooLong


@given(st.lists(st.binary(max_size=20), max_size=30))
def test_lines_do_not_depend_on_the_pieces(pieces: list[bytes]) -> None:
    reader = LineReader(1_000)
    lines = [line for piece in pieces for line in reader.feed(piece)]
    assert lines == b"".join(pieces).split(b"\n")[:-1]


def test_a_long_line_keeps_its_ends() -> None:
    reader = LineReader(100_000)
    head, tail = b"h" * END_KEPT, b"t" * END_KEPT
    assert reader.feed(head + b"x" * 60_000) == []
    for _ in range(50):
        assert reader.feed(b"x" * 60_000) == []
    found, after = reader.feed(tail + b"\nnext\n")
    assert found == TooLong(head, tail, 2 * END_KEPT + 51 * 60_000)
    assert after == b"next"
    (exact,) = reader.feed(b"y" * 100_000 + b"\n")
    assert exact == b"y" * 100_000
