from __future__ import annotations

from textual.geometry import Offset
from textual.pilot import Pilot

from chatglass.tui.transcript.items import AnswerItem, Item, PromptItem
from chatglass.tui.transcript.selection import word_at
from transcript.arranged import NOON, conversation, screen_rows, shown

PARAGRAPH = (
    "A paragraph with **bold** words and a [link](http://x.y) that is long enough to be "
    "wrapped twice on this narrow screen, so that copying has to join it again."
)
PLAIN = PARAGRAPH.replace("**", "").replace("[link]", "link ")


async def drag(pilot: Pilot, start: tuple[int, int], end: tuple[int, int]) -> None:
    await pilot.mouse_down(offset=start)
    await pilot.hover(offset=end)
    await pilot.mouse_up(offset=end)
    await pilot.pause()


def row_of(rows: list[str], text: str) -> int:
    return next(y for y, row in enumerate(rows) if text in row)


async def test_wrapped_lines_are_joined_and_messages_kept_apart() -> None:
    items: list[Item] = [
        PromptItem(id="p", text="first line\nsecond line", at=NOON),
        AnswerItem(id="a", at=NOON, model="m", text=f"{PARAGRAPH}\n\nNext one."),
    ]
    async with shown(items, size=(50, 21)) as (app, transcript, pilot):
        rows = screen_rows(app)
        start = (2, row_of(rows, "first line"))
        end = (6, row_of(rows, "Next one."))
        await drag(pilot, start, end)
        text = app.screen.get_selected_text()
        assert text is not None
        lines = text.split("\n")
        assert lines[:2] == ["first line", "second line"]
        assert lines[3].startswith("Assistant · m")
        assert lines[4] == PLAIN
        assert lines[-1] == "Next "[:5].rstrip()
        assert transcript.copy_text("selection") == text
        assert "▎" not in text


async def test_selected_text_is_marked_on_screen() -> None:
    async with shown([PromptItem(id="p", text="some words here", at=NOON)]) as (
        _,
        transcript,
        pilot,
    ):
        await drag(pilot, (7, 2), (11, 2))
        ground = transcript._look.selection.bgcolor
        strips = transcript.render_lines(transcript.size.region)
        marked = [text for strip in strips for text, style, _ in strip if style.bgcolor == ground]
        assert marked == ["words"]


async def test_a_selection_stays_on_its_text_while_heights_above_change() -> None:
    items = conversation(60)
    async with shown(items) as (app, transcript, pilot):
        transcript.scroll_to_item("a30")
        await pilot.pause()
        row = row_of(screen_rows(app), "answer 30")
        await drag(pilot, (2, row), (10, row))
        assert app.screen.get_selected_text() == "answer 30"
        while transcript._items.refine_one():
            pass
        transcript._refined()
        items[3].text += "\n\nmore\n\nmore"
        transcript.changed(items[3].id)
        transcript._pacer.flush_now()
        assert app.screen.get_selected_text() == "answer 30"


async def test_leaving_the_transcript_selects_to_the_edge_of_the_screen_only() -> None:
    async with shown(conversation(400)) as (app, transcript, pilot):
        transcript.scroll_to_item("p10")
        await pilot.pause()
        rows = screen_rows(app)
        await drag(pilot, (2, 2), (3, 20))
        text = app.screen.get_selected_text()
        assert text is not None
        assert text.startswith("prompt 10")
        assert len(text.splitlines()) <= len(rows) + 1


async def test_wide_characters_are_counted_as_characters() -> None:
    async with shown([PromptItem(id="p", text="漢字 and 漢字", at=NOON)]) as (app, _, pilot):
        await drag(pilot, (2, 2), (5, 2))
        assert app.screen.get_selected_text() == "漢字"


async def test_a_double_click_selects_a_word_a_third_the_line() -> None:
    async with shown([PromptItem(id="p", text="see src/a.py now", at=NOON)]) as (app, _, pilot):
        await pilot.click(offset=(9, 2), times=2)
        assert app.screen.get_selected_text() == "src/a.py"
        await pilot.click(offset=(9, 2), times=3)
        assert app.screen.get_selected_text() == "see src/a.py now"


async def test_an_inserted_item_drops_the_selection() -> None:
    async with shown(conversation(4), size=(80, 60)) as (app, transcript, pilot):
        row = row_of(screen_rows(app), "answer 3")
        await drag(pilot, (2, row), (10, row))
        transcript.insert_before("p1", PromptItem(id="x", text="x", at=NOON))
        await pilot.pause()
        assert not app.screen.selections


def test_words() -> None:
    assert word_at("see src/a.py", 5) == (4, 12)
    assert word_at("漢字 x", 5) == (3, 4)
    first, last = word_at("a  b", 2)
    assert first == last
    assert Offset(first, 0)
