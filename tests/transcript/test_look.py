"""What stands on screen for each kind of item, at several widths."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from chatglass.store.records import ToolCallState
from chatglass.tui.state_marks import STATE_MARKS
from chatglass.tui.transcript.cards import SWEEP_MS, WORDS, card_line, fraction, sweep
from chatglass.tui.transcript.items import (
    AnswerItem,
    FoldItem,
    Item,
    NoticeItem,
    PromptItem,
    ToolCard,
)
from transcript.arranged import NOON, conversation, screen_rows, shown

STATES: list[ToolCallState] = list(STATE_MARKS)


def every_kind() -> list[Item]:
    cards = [
        ToolCard(
            tool_call_id=state,
            name=f"tool_{state}",
            arguments="some/long/path.py 漢字 " * 6,
            state=state,
            started_at=NOON,
            duration_ms=None if state == "running" else 1_234,
            size="1,204 lines",
            progress="3 of 10 files",
        )
        for state in STATES
    ]
    return [
        PromptItem(
            id="p", text="a prompt 漢字 " * 9, at=NOON, branch=(2, 3), attachments=("a.py",)
        ),
        AnswerItem(id="a", at=NOON, model="m" * 50, reasoning="r", reasoning_ms=4000, cards=cards),
        AnswerItem(id="b", at=NOON, model="m", continues=True, text="so", footer="m · 12 · $0.01"),
        AnswerItem(id="c", at=NOON, model="m", text="half", status="interrupted"),
        AnswerItem(id="d", at=NOON, model="m", status="error", error="The cause.", advice="Retry."),
        AnswerItem(id="e", at=NOON, model="m", status="streaming", drafting="write_file 3,120"),
        NoticeItem(id="n", text="A notice.", advice="Do this.", severity="warning"),
        FoldItem(id="f", title="40 messages are sent as a summary", body="sum", open=True),
        PromptItem(id="q", text="next", at=NOON, state="queued"),
        PromptItem(id="w", text="next", at=NOON, state="waiting"),
    ]


async def test_a_wide_screen_does_not_make_long_lines() -> None:
    words = [AnswerItem(id="a", at=NOON, model="m", text="word " * 100)]
    async with shown(words, size=(250, 20)) as (app, transcript, pilot):
        longest = max(len(row.rstrip()) for row in screen_rows(app))
        assert longest > 200
        transcript.text_width = 120
        await pilot.resize_terminal(249, 20)
        longest = max(len(row.rstrip()) for row in screen_rows(app))
        assert 110 < longest <= 124


@pytest.mark.parametrize("width", [10, 20, 40, 55, 60, 80, 120, 250])
async def test_every_line_fits(width: int) -> None:
    async with shown(every_kind(), size=(width, 90)) as (_, transcript, _pilot):
        layout = transcript._items
        for index in range(len(layout.items)):
            view = layout.view(index)
            for line in range(view.height):
                assert view.line(line).cell_length <= layout.setting.width
                assert view.line(line).cell_length == cell_len(view.line(line).text)
        assert all(
            strip.cell_length == width for strip in transcript.render_lines(transcript.size.region)
        )


async def test_what_is_said_of_each_item() -> None:
    async with shown(every_kind(), size=(80, 70)) as (app, _, _pilot):
        rows = screen_rows(app)
        text = "\n".join(rows)
        for state in STATES:
            row = next(row for row in rows if f"tool_{state}" in row)
            assert STATE_MARKS[state] in row
            assert WORDS[state] in row
        for said in (
            "▎ You ‹2/3›",
            "+ a.py",
            "▸ thought for 4 s",
            "⊘ interrupted",
            "✗ The cause.",
            "Retry.",
            "○ write_file 3,120",
            "! A notice.",
            "▾ 40 messages",
            "You ○ queued",
            "You ○ waits for the engine",
            "▰▰▱▱▱▱▱▱ 3 of 10 files",
        ):
            assert said in text, said
        assert next(row for row in rows if "$0.01" in row).startswith("  " * 20)
        assert sum("Assistant" in row for row in rows) == 4  # not of the one that continues


async def test_foreign_text_cannot_steer_the_terminal() -> None:
    evil = "x\x1b[31m[bold]red[/bold]\x07\u202e"
    card = ToolCard(tool_call_id="c", name=evil, arguments=evil, state="ok", size=evil)
    items: list[Item] = [
        PromptItem(id="p", text=evil, at=NOON, attachments=(evil,)),
        AnswerItem(id="a", at=NOON, model=evil, reasoning=evil, reasoning_open=True, cards=[card]),
        AnswerItem(id="b", at=NOON, model="m", text=evil, footer=evil, error=evil, advice=evil),
        NoticeItem(id="n", text=evil, advice=evil),
        FoldItem(id="f", title=evil, body=evil, open=True),
    ]
    async with shown(items, size=(70, 60)) as (app, _, _pilot):
        text = "".join(screen_rows(app))
        assert not set("\x1b\x07\u202e") & set(text)
        assert "[bold]red[/bold]" in text


def test_a_bar_of_unknown_end_goes_to_and_fro() -> None:
    seen = [sweep(step * SWEEP_MS) for step in range(11)]
    assert seen[0] == "▰▰▰▱▱▱▱▱"
    assert seen[5] == "▱▱▱▱▱▰▰▰"
    assert seen[10] == seen[0]
    assert seen[4] == seen[6]


@pytest.mark.parametrize(
    ("share", "still", "bar"),
    [
        (0.5, False, "▰▰▰▰▱▱▱▱"),
        (None, False, "▰▰▰▱▱▱▱▱"),
        (None, True, ""),
        (0.5, True, "▰▰▰▰▱▱▱▱"),
    ],
)
async def test_progress_is_a_bar(share: float | None, still: bool, bar: str) -> None:
    card = ToolCard(
        tool_call_id="c", name="n", arguments="", state="running", progress="on it", share=share
    )
    items: list[Item] = [AnswerItem(id="a", at=NOON, model="m", cards=[card])]
    async with shown(items, size=(90, 10)) as (app, transcript, _pilot):
        app.animation_level = "none" if still else "full"
        transcript.notify_style_update()
        look = transcript._current_look()
        assert look.still is still
        line = card_line(card, 80, look, 0).text
        assert "".join(letter for letter in line if letter in "▰▱") == bar
        assert "on it" in line


@pytest.mark.parametrize(
    ("words", "share"),
    [
        ("3 of 10 files", 0.3),
        ("1,500/3,000", 0.5),
        ("45 %", 0.45),
        ("150 %", 1.0),
        ("0/0", None),
        ("reading", None),
    ],
)
def test_fractions_in_words(words: str, share: float | None) -> None:
    assert fraction(words) == share


async def test_an_empty_transcript_welcomes() -> None:
    async with shown([], empty_text="Welcome\nAsk something") as (app, transcript, pilot):
        rows = screen_rows(app)
        assert rows[9].strip() == "Welcome"
        assert rows[10].strip() == "Ask something"
        await pilot.press("up", "down", "enter", "pageup", "home", "end", "left_square_bracket")
        assert transcript.find("x") == 0
        assert transcript.copy_text("item") is None
        transcript.append(PromptItem(id="p", text="hello", at=NOON))
        await pilot.pause()
        assert "hello" in screen_rows(app)[2]


async def test_no_colour_where_none_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with shown(conversation(4)) as (_, transcript, _pilot):
        for strip in transcript.render_lines(transcript.size.region):
            for segment in strip:
                for color in (segment.style.color, segment.style.bgcolor):
                    assert color is None or color.triplet is None or len(set(color.triplet)) == 1


async def test_a_border_stands_around_the_rows() -> None:
    async with shown(conversation(20)) as (app, transcript, pilot):
        plain = screen_rows(app)
        transcript.styles.border = ("round", "red")
        transcript.border_title = "Conversation"
        await pilot.pause()
        rows = screen_rows(app)
        assert rows[0].startswith("╭─ Conversation ─")
        assert all(row[0] == row[-1] == "│" for row in rows[1:-1])
        assert rows[-2].strip("│▐ ") in plain[-1]
