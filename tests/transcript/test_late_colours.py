from __future__ import annotations

import asyncio

from chatglass.tui.markdown.document import MarkdownDocument
from chatglass.tui.transcript.items import AnswerItem
from transcript.arranged import NOON, Counted, screen_rows, shown

CODE = "".join(f"def f{number}(x):\n    return 'text'  # why\n\n" for number in range(400))


def colours(transcript: Counted) -> list[int]:
    """How many styles each row on screen has."""
    rows = transcript._content_rows(0, transcript.size.height)
    return [len({style for _, style, _ in row}) for row in rows]


async def refined(transcript: Counted) -> None:
    transcript._refiner._busy_at = 0.0
    while transcript._refiner.working:  # noqa: ASYNC110 - it has no event, and needs none but here
        await asyncio.sleep(0.02)


async def test_long_code_comes_on_screen_at_once_and_gets_its_colours_in_place() -> None:
    items = [AnswerItem(id="a", at=NOON, model="m", text=f"```python\n{CODE}```")]
    async with shown([]) as (app, transcript, pilot):
        transcript._refiner.stop()
        transcript._refiner.start = lambda: None
        transcript.load(items)
        await pilot.pause()
        before, top, height = screen_rows(app), transcript.scroll_y, transcript.virtual_size.height
        assert any("return 'text'" in row for row in before)
        assert max(colours(transcript)) <= 3
        transcript.reset()
        while transcript._items.refine_one():
            pass
        transcript._refined()
        await pilot.pause()
        assert max(colours(transcript)) > 3
        assert screen_rows(app) == before
        assert (transcript.scroll_y, transcript.virtual_size.height) == (top, height)
        # Not all that was coloured is on screen.
        assert transcript.painted <= 2 * transcript.size.height
        assert transcript.layouts == 0


async def test_what_is_scrolled_to_gets_its_colours_then(monkeypatch) -> None:
    steps: list[object] = []
    colour = MarkdownDocument.colour

    def counted(self):
        found = colour(self)
        steps.append(found)
        return found

    monkeypatch.setattr(MarkdownDocument, "colour", counted)
    items = [
        AnswerItem(id="a", at=NOON, model="m", text=f"```python\n{CODE}```"),
        AnswerItem(id="b", at=NOON, model="m", text="word\n\n" * 60),
    ]
    async with shown(items) as (_, transcript, pilot):
        await refined(transcript)
        assert not [step for step in steps if step]  # nobody sees it
        transcript.scroll_to_item("a", 0)
        await refined(transcript)
        await pilot.pause()
        assert max(colours(transcript)) > 3
