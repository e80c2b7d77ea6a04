"""What a prompt of many lines costs, as counts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.style import Style
from textual.strip import Strip

from chatglass.tui.transcript import strips
from chatglass.tui.transcript.items import FoldItem, PromptItem
from chatglass.tui.transcript.strips import PlainText
from transcript.arranged import NOON, screen_rows, shown

LINES = 20_000


async def test_of_a_long_prompt_only_what_is_on_screen_is_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[str] = []

    class Counted(Strip):
        def __init__(self, segments, cell_length=None):
            super().__init__(segments, cell_length)
            made.append(self.text)

    monkeypatch.setattr(strips, "Strip", Counted)
    text = "\n".join(f"line {number}" for number in range(LINES))
    async with shown([PromptItem(id="p", text=text, at=NOON)]) as (app, transcript, pilot):
        assert screen_rows(app)[-1].endswith(f"line {LINES - 1}")
        await pilot.resize_terminal(50, 21)
        await pilot.press("pageup")
        await pilot.press("home")
        await pilot.pause()
        assert "line 0" in screen_rows(app)[2]
        assert transcript.virtual_size.height > LINES
        assert len(made) < 300


@given(st.lists(st.text("ab \r\n\tö", max_size=8), max_size=8))
def test_a_text_that_grows_has_the_lines_of_the_whole(chunks: list[str]) -> None:
    growing, text, style = PlainText(), "", Style()
    seen: list[Strip] = []
    for chunk in chunks:
        text += chunk
        lines, first = growing.lines(text, 5, style)
        assert all(a is b for a, b in zip(seen[:first], lines[:first], strict=True))
        seen = list(lines)
    whole, _ = PlainText().lines(text, 5, style)
    assert [strip.text for strip in growing.lines(text, 5, style)[0]] == [s.text for s in whole]
    assert not whole or whole[-1] is whole[len(whole) - 1]


async def test_code_of_a_summary_gets_its_colours_too() -> None:
    body = (
        f"```python\n{'x = 1  # why' + chr(10)}```\n\n```python\n{'y = 2  # why' + chr(10) * 2}```"
    )
    code = "".join(f"x{number} = 'text'  # why\n" for number in range(300))
    fold = FoldItem(id="f", title="A summary", body=f"{body}\n\n```python\n{code}```", open=True)
    async with shown([fold]) as (_, transcript, pilot):
        while transcript._items.refine_one():
            pass
        transcript._refined()
        await pilot.pause()
        rows = transcript._content_rows(0, transcript.size.height)
        assert max(len({style for _, style, _ in row}) for row in rows) > 3
