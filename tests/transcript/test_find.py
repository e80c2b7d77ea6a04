from __future__ import annotations

from chatglass.tui.transcript.items import AnswerItem, Item, PromptItem, ToolCard
from transcript.arranged import NOON, conversation, screen_rows, shown


def marked(transcript) -> list[tuple[str, bool]]:
    """(text, whether current) of all marked pieces on screen."""
    look = transcript._look
    found = []
    for strip in transcript.render_lines(transcript.size.region):
        for text, style, _ in strip:
            if style and style.bgcolor == look.found_current.bgcolor:
                found.append((text, True))
            elif style and style.bgcolor == look.found.bgcolor:
                found.append((text, False))
    return found


async def test_matches_are_counted_marked_and_walked() -> None:
    items: list[Item] = [
        PromptItem(id="p", text="Find the Needle", at=NOON),
        AnswerItem(id="a", at=NOON, model="needle", text="a **needle** and a\nneedle, two"),
    ]
    async with shown(items, size=(60, 20)) as (_, transcript, _pilot):
        assert transcript.find("needle") == 3  # the name of the model is not searched
        assert marked(transcript) == [("Needle", True), ("needle", False), ("needle", False)]
        assert transcript.find_next() == (2, 3)
        assert marked(transcript)[1] == ("needle", True)
        assert transcript.find_next(-1) == (1, 3)
        assert transcript.find_next(-1) == (3, 3)
        assert transcript.find("Needle") == 1
        assert transcript.find("nothing") == 0
        assert transcript.find_position == (0, 0)
        assert marked(transcript) == []


async def test_a_match_over_a_wrapped_line_is_marked_on_both() -> None:
    text = "word " * 10 + "alpha omega " + "word " * 10
    item = PromptItem(id="p", text=text, at=NOON)
    async with shown([item], size=(60, 20)) as (_, transcript, _pilot):
        assert transcript.find("alpha omega") == 1
        assert marked(transcript) == [("alpha", True), ("omega", True)]


async def test_find_brings_a_far_match_into_view() -> None:
    items = conversation(500)
    items[300].text += " the hidden zebra"
    async with shown(items) as (app, transcript, pilot):
        assert transcript.find("zebra") == 1
        await pilot.pause()
        assert any("zebra" in row for row in screen_rows(app))
        assert not transcript.following
        transcript.clear_find()
        assert marked(transcript) == []


async def test_find_unfolds_reasoning_and_finds_cards() -> None:
    card = ToolCard(tool_call_id="c", name="run", arguments="zebra.py", state="ok")
    item = AnswerItem(id="a", at=NOON, model="m", reasoning="a zebra", text="t", cards=[card])
    async with shown([item]) as (app, transcript, pilot):
        assert transcript.find("zebra") == 2
        await pilot.pause()
        assert item.reasoning_open
        assert any(row.strip() == "a zebra" for row in screen_rows(app))
        assert marked(transcript) == [("zebra", True), ("zebra", False)]


async def test_find_starts_at_the_top_of_the_screen() -> None:
    async with shown(conversation(50)) as (_, transcript, _pilot):
        transcript.scroll_to_item("p20")
        total = transcript.find("prompt")
        assert transcript.find_position == (21, total)


async def test_what_streams_in_counts_too() -> None:
    item = AnswerItem(id="a", at=NOON, model="m", text="zebra", status="streaming")
    async with shown([item]) as (_, transcript, _pilot):
        assert transcript.find("zebra") == 1
        transcript.push_text("a", " and zebra")
        transcript._pacer.flush_now()
        assert transcript.find_next() == (2, 2)
        assert len(marked(transcript)) == 2


async def test_a_match_that_is_unfolded_at_the_end_stays_in_view() -> None:
    item = AnswerItem(id="z", at=NOON, model="m", reasoning="zebra\n" + "deep\n" * 60, text="t")
    async with shown([*conversation(20), item]) as (app, transcript, pilot):
        transcript.find("zebra")
        await pilot.pause()
        assert any("zebra" in row for row in screen_rows(app))
