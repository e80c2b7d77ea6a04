"""Bytes from the terminal: nothing breaks the decoder, nothing in a paste steers the parser."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from textual._xterm_parser import XTermParser

from chatglass.tui.input_decoder import InputDecoder


def decoded(*parts: bytes) -> str:
    decoder = InputDecoder()
    return "".join(decoder.decode(part) for part in parts) + decoder.decode(b"", final=True)


def test_a_byte_that_is_no_utf8_is_a_replacement() -> None:
    assert decoded(b"caf\xe9 ok") == "caf\ufffd ok"


def test_keys_pass_as_they_are() -> None:
    assert decoded(b"\x1b", b"[A\x1b[20~", b"x") == "\x1b[A\x1b[20~x"


def test_a_lone_escape_does_not_wait() -> None:
    assert InputDecoder().decode(b"\x1b") == "\x1b"


@given(st.lists(st.integers(0, 40), max_size=6))
def test_an_escape_in_a_paste_is_shown(cuts: list[int]) -> None:
    data = b"a\x1b[200~one\x1b[31mtwo\rthree\x1b[201~\x1b[B"
    places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    # A cut inside the first two characters of the opening mark can't be told from the Esc key.
    places = [place for place in places if place not in (2, 3)]
    parts = [data[first:last] for first, last in pairwise(places)]
    assert decoded(*parts) == "a\x1b[200~one\u241b[31mtwo\rthree\x1b[201~\x1b[B"


def test_alt_and_a_digit_is_a_key_and_no_character() -> None:
    assert decoded(b"\x1b1") == "\x1b[49;3u"
    assert [event.key for event in XTermParser().feed(decoded(b"\x1b9"))] == ["alt+9"]  # pyright: ignore
    assert decoded("¡".encode()) == "¡"
    assert decoded(b"\x1b[200~\x1b1\x1b[201~") == "\x1b[200~\u241b1\x1b[201~"
