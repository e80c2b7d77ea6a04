"""Small pictures of attached images: drawn when seen, once, and without moving anything."""

from __future__ import annotations

import asyncio
import io
import json

import pytest
from PIL import Image
from textual.app import App
from textual.pilot import Pilot

from chatglass.store.records import MessageRow, QueuedPrompt
from chatglass.tui.transcript.from_rows import prompt_item, queued_item
from chatglass.tui.transcript.items import AnswerItem, Item, PromptItem
from chatglass.tui.transcript.previews import MOST_COLUMNS, MOST_ROWS, Previews
from chatglass.tui.transcript.widget import Transcript
from chatglass.values.images import Image as ImageFile
from chatglass.values.images import ImageFacts
from transcript.arranged import NOON, screen_rows, shown


@pytest.fixture(autouse=True)
def colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.delenv("NO_COLOR", raising=False)


def png(width: int, height: int, colour: tuple[int, int, int] = (200, 40, 40)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(file, "PNG")
    return file.getvalue()


def content_of(*files: bytes, size: tuple[int, int] = (1, 1)) -> str:
    parts: list[object] = [{"type": "text", "text": "look"}]
    for data in files:
        url = ImageFile(ImageFacts("png", *size, len(data)), data).data_url
        parts.append({"type": "image_url", "image_url": {"url": url}, "name": "shot.png"})
    return json.dumps(parts)


def prompt(id_: str, *files: bytes) -> PromptItem:
    row = MessageRow(
        id=id_,
        session_id="s",
        parent_id=None,
        turn_id="t",
        role="user",
        content=content_of(*files),
        created_at=NOON,
        content_is_json=True,
    )
    return prompt_item(row)


async def drawn(transcript: Transcript, pilot: Pilot[None], count: int) -> None:
    """Until so many pictures were decoded, and are on screen."""
    async with asyncio.timeout(8):
        while transcript.previews.drawn_count < count or transcript.previews._working:
            await pilot.pause(0.005)
    await pilot.pause(0.02)


def picture_rows(app: App[None]) -> list[str]:
    return [row for row in screen_rows(app) if "▀" in row]


async def test_a_picture_comes_into_lines_that_were_kept_for_it() -> None:
    async with shown([prompt("p", png(400, 200))], size=(80, 30)) as (app, transcript, pilot):
        before = transcript.virtual_size
        await drawn(transcript, pilot, 1)
        rows = picture_rows(app)
        assert len(rows) == 10
        assert all(row.count("▀") == MOST_COLUMNS for row in rows)
        assert transcript.virtual_size == before
        # At another width that shows it as large, and after a reload, it is not decoded again.
        await pilot.resize_terminal(100, 30)
        transcript.load([prompt("p", png(400, 200))])
        await pilot.pause(0.05)
        await drawn(transcript, pilot, 1)
        assert len(picture_rows(app)) == 10
        assert transcript.previews.drawn_count == 1
        # A narrow one is drawn for its width.
        await pilot.resize_terminal(30, 30)
        await drawn(transcript, pilot, 2)
        assert {row.count("▀") for row in picture_rows(app)} == {30 - 2 - 1 - 1 - 2}


async def test_only_what_is_seen_is_decoded() -> None:
    items: list[Item] = []
    for number in range(30):
        items.append(prompt(f"p{number}", png(100, 100, (number, 0, 0))))
        items.append(AnswerItem(id=f"a{number}", at=NOON, model="m", text="ok"))
    async with shown(items, size=(80, 20)) as (app, transcript, pilot):
        await drawn(transcript, pilot, 1)
        async with asyncio.timeout(8):
            while transcript._refiner.working:
                await pilot.pause(0.005)
        assert transcript.previews.drawn_count <= 2
        assert len(picture_rows(app)) >= MOST_ROWS
        transcript.action_to_start()
        seen = transcript.previews.drawn_count
        await drawn(transcript, pilot, seen + 1)
        assert transcript.previews.drawn_count <= seen + 2


async def test_a_large_picture_is_never_decoded_and_a_broken_one_takes_no_lines() -> None:
    data = bytearray(png(10, 10))
    data[16:24] = (40_000).to_bytes(4, "big") * 2  # as its header would have it
    assert prompt("p", bytes(data)).images == ()
    broken = png(200, 200)[:60]
    async with shown([prompt("p", broken)], size=(80, 30)) as (app, transcript, pilot):
        await drawn(transcript, pilot, 1)
        assert picture_rows(app) == []
        assert transcript.virtual_size.height == len(["", "You", "look", "+ shot.png"])
        assert any("shot.png" in row for row in screen_rows(app))


def test_a_queued_prompt_has_the_same_picture() -> None:
    entries = [
        {"label": "notes.md", "part": {"type": "text", "text": "```notes.md\nx\n```"}},
        {"label": "shot.png (PNG)", "part": json.loads(content_of(png(80, 40)))[1]},
    ]
    queued = QueuedPrompt(
        id="q", session_id="s", text="look", created_at=NOON, content_json=json.dumps(entries)
    )
    (image,) = queued_item(queued).images
    assert (image.label, image.width, image.height) == (1, 80, 40)
    previews = Previews(lambda _: None)
    assert previews.rows(image, 60) == 10
    assert len(previews._draw(image, 60)[1]) == 10


@pytest.mark.parametrize("why", ["NO_COLOR", "16 colours", "ansi theme", "setting"])
async def test_where_there_are_no_colours_there_is_no_picture(
    why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if why == "NO_COLOR":
        monkeypatch.setenv("NO_COLOR", "1")
    elif why == "16 colours":
        monkeypatch.delenv("COLORTERM")
        monkeypatch.setenv("TERM", "xterm")
    async with shown([], size=(80, 30)) as (app, transcript, pilot):
        if why == "ansi theme":
            app.theme = "ansi-dark"
        transcript.wants_pictures = why != "setting"
        await pilot.resize_terminal(81, 30)
        transcript.load([prompt("p", png(400, 200))])
        await pilot.pause(0.05)
        assert picture_rows(app) == []
        assert transcript.previews.drawn_count == 0
        assert any("shot.png" in row for row in screen_rows(app))
