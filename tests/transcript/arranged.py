"""An app that holds a transcript and counts what it does."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from textual.app import App, ComposeResult
from textual.message import Message
from textual.pilot import Pilot
from textual.widgets import Static

from chatglass.tui.transcript.items import AnswerItem, Item, PromptItem
from chatglass.tui.transcript.widget import Transcript

NOON = 1_700_000_000_000


class Counted(Transcript):
    """Counts paints, rows and layouts."""

    def __init__(self, **options) -> None:
        super().__init__(**options)
        self.layouts = self.rows = self.resized = 0
        self.regions: list[int] = []

    def refresh(self, *regions, repaint=True, layout=False, recompose=False):
        self.layouts += layout
        self.regions.extend(region.height for region in regions)
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def render_lines(self, crop):
        self.rows += crop.height
        return super().render_lines(crop)

    def _size_updated(self, *args, **kwargs):
        self.resized += 1
        return super()._size_updated(*args, **kwargs)

    def reset(self) -> None:
        self.layouts = self.rows = self.resized = 0
        self.regions = []
        self._painter.painted = 0

    @property
    def painted(self) -> int:
        """Lines painted anew, not taken from the cache."""
        return self._painter.painted


class TranscriptApp(App[None]):
    CSS = "Transcript { height: 1fr; } Static { height: 1; }"

    def __init__(self, items: Sequence[Item], empty_text: str = "") -> None:
        super().__init__()
        self.transcript = Counted(empty_text=empty_text, clock=lambda: NOON)
        self.loaded = items
        self.told: list[Message] = []

    def compose(self) -> ComposeResult:
        yield self.transcript
        yield Static("below")

    def on_mount(self) -> None:
        self.transcript.load(self.loaded)
        self.transcript.focus()

    def told_of(self, kind: type[Message]) -> list[Message]:
        """Each once, though the hook is called on every widget that a message bubbles to."""
        return list({id(told): told for told in self.told if isinstance(told, kind)}.values())


@asynccontextmanager
async def shown(
    items: Sequence[Item], size: tuple[int, int] = (60, 21), empty_text: str = ""
) -> AsyncIterator[tuple[TranscriptApp, Counted, Pilot[None]]]:
    """The transcript in the upper rows of a screen, with one row below it."""
    app = TranscriptApp(items, empty_text)
    async with app.run_test(size=size, message_hook=app.told.append) as pilot:
        await pilot.pause()
        yield app, app.transcript, pilot


def screen_rows(app: App[None]) -> list[str]:
    """What is on the rows of the transcript, right-stripped, without the scroll bar."""
    transcript = app.query_one(Transcript)
    region = transcript.region
    strips = app.screen._compositor.render_strips()
    rows = [strip.text for strip in strips[region.y : region.bottom]]
    return [row.rstrip().rstrip("▐").rstrip() for row in rows]


WORDS = [
    "one",
    "two",
    "three",
    "**four**",
    "five",
    "`six`",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
]


def conversation(turns: int, seed: int = 1) -> list[Item]:
    """Prompts and answers of different lengths, the same for a seed."""
    chance = random.Random(seed)
    items: list[Item] = []
    for turn in range(turns):
        prompt = " ".join(chance.choices(WORDS, k=chance.randint(1, 30)))
        items.append(PromptItem(id=f"p{turn}", text=f"prompt {turn} {prompt}", at=NOON))
        paragraphs = [
            " ".join(chance.choices(WORDS, k=chance.randint(1, 60)))
            for _ in range(chance.randint(1, 4))
        ]
        if chance.random() < 0.2:
            paragraphs.append("```python\ndef f():\n    return 1\n```")
        text = f"answer {turn}\n\n" + "\n\n".join(paragraphs)
        items.append(AnswerItem(id=f"a{turn}", at=NOON, model="m", text=text))
    return items
