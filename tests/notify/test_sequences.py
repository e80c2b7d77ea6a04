from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatglass.tui.notify.sequences import Protocol, desktop, protocol_of


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"TERM": "xterm-kitty"}, "osc99"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"}, "osc9"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"}, "osc777"),
        ({"TERM": "foot"}, "osc777"),
        ({"TERM": "tmux-256color", "TERM_PROGRAM": "tmux", "KITTY_WINDOW_ID": "1"}, "osc99"),
        ({"TERM": "xterm-256color"}, None),
        ({"TERM": "linux"}, None),
    ],
)
def test_a_terminal_gets_what_it_is_known_to_take(
    environ: dict[str, str], expected: Protocol | None
) -> None:
    assert protocol_of(environ) == expected


def test_the_sequences() -> None:
    assert desktop("osc9", "T", "B") == "\x1b]9;T: B\x1b\\"
    assert desktop("osc777", "a;b", "c;d") == "\x1b]777;notify;a,b;c,d\x1b\\"
    title, body = base64.b64encode(b"T").decode(), base64.b64encode(b"B").decode()
    assert desktop("osc99", "T", "B") == (
        f"\x1b]99;i=chatglass:e=1:d=0:p=title;{title}\x1b\\"
        f"\x1b]99;i=chatglass:e=1:d=1:p=body;{body}\x1b\\"
    )
    assert desktop("osc9", "T", "B", tmux=True) == ("\x1bPtmux;\x1b\x1b]9;T: B\x1b\x1b\\\x1b\\")


@given(st.sampled_from(["osc9", "osc777", "osc99"]), st.text(), st.text())
def test_no_text_gets_a_control_sequence_through(protocol: Protocol, title: str, body: str) -> None:
    title += "\x1b\\\x07\x9c"
    sequence = desktop(protocol, title, body)
    for part in sequence.split("\x1b]")[1:]:
        inner = part.removesuffix("\x1b\\")
        assert not [c for c in inner if ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0]
    assert len(sequence) < 1_500
