"""Previews: small pictures of the images that go with prompts, decoded when they come on screen."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from weakref import WeakKeyDictionary, WeakSet

from textual.strip import Strip

from chatglass.tui.lines.half_blocks import NoPicture, fitted, scaled, strips
from chatglass.tui.transcript.items import PromptImage, PromptItem
from chatglass.tui.transcript.strips import EMPTY
from chatglass.values.images import image_of_url

MOST_COLUMNS, MOST_ROWS = 40, 12
"""Cells of a preview."""
INDENT = 2
"""Cells before it: it stands below the name of its image."""
KEPT = 48
"""Drawn pictures that are kept, of at most 480 cells each."""

_Drawn = tuple[str, int, int]
"""Hash of the image's bytes, columns, lines of pixels."""


class Previews:
    """Draws one picture at a time, in a thread, the last one wanted first.

    A picture takes its lines from the start, since its header says how large it is: when it is
    drawn, nothing moves.
    """

    def __init__(self, drawn: Callable[[str], None]) -> None:
        """`drawn` is called with the id of an item that is to be shown again."""
        self.drawn_count = 0
        """Pictures decoded so far."""
        self._drawn_item = drawn
        self._hashes: WeakKeyDictionary[PromptImage, str] = WeakKeyDictionary()
        self._broken: WeakSet[PromptImage] = WeakSet()
        self._kept: OrderedDict[_Drawn, list[Strip]] = OrderedDict()
        self._wanted: OrderedDict[PromptImage, tuple[str, int]] = OrderedDict()
        """The item and the width for which each is wanted."""
        self._working = False

    def rows(self, image: PromptImage, width: int) -> int:
        """The lines that a picture takes in a text of so many cells; 0: it has none."""
        if image in self._broken or not _has_pillow():
            return 0
        return (_size(image, width)[1] + 1) // 2

    def lines(self, image: PromptImage, width: int) -> list[Strip]:
        """The picture, blank where it is not drawn yet."""
        return self._of(image, width) or [EMPTY] * self.rows(image, width)

    def want(self, item: PromptItem, width: int) -> bool:
        """Its pictures are on screen. Whether `work` is to be called, once."""
        for image in item.images:
            if self.rows(image, width) and self._of(image, width) is None:
                self._wanted[image] = (item.id, width)
        is_idle = bool(self._wanted) and not self._working
        self._working = self._working or is_idle
        return is_idle

    def forget_wanted(self) -> None:
        """Other items are on screen."""
        self._wanted.clear()

    async def work(self) -> None:
        """Draw what is wanted, until there is nothing more."""
        from chatglass.tools.threads import in_thread

        try:
            while self._wanted:
                image, (item_id, width) = self._wanted.popitem()
                try:
                    key, lines = await in_thread(
                        lambda stop, image=image, width=width: self._draw(image, width)
                    )
                except (NoPicture, ValueError):
                    self._broken.add(image)  # its name stands there all the same
                else:
                    self._hashes[image] = key[0]
                    self._kept[key] = lines
                    self._kept.move_to_end(key)
                    while len(self._kept) > KEPT:
                        self._kept.popitem(last=False)
                self._drawn_item(item_id)
        finally:
            self._working = False

    def _of(self, image: PromptImage, width: int) -> list[Strip] | None:
        digest = self._hashes.get(image)
        return None if digest is None else self._kept.get((digest, *_size(image, width)))

    def _draw(self, image: PromptImage, width: int) -> tuple[_Drawn, list[Strip]]:
        """In a thread. Raises NoPicture, ValueError."""
        data = _bytes(image)
        key = (hashlib.sha256(data).hexdigest(), *_size(image, width))
        kept = self._kept.get(key)
        if kept is None:
            self.drawn_count += 1
            kept = strips(scaled(data, _columns(width), MOST_ROWS), INDENT)
        return key, kept


def _columns(width: int) -> int:
    return max(1, min(MOST_COLUMNS, width - INDENT))


def _size(image: PromptImage, width: int) -> tuple[int, int]:
    return fitted(image.width, image.height, _columns(width), MOST_ROWS)


def _bytes(image: PromptImage) -> bytes:
    """The image's file. Raises ValueError."""
    from chatglass.chat.attached_files import url_of

    entry = json.loads(image.content)[image.part]
    found = image_of_url(url_of(entry.get("part", entry)))
    if found is None:
        raise ValueError("It is no image.")
    return found.data


@cache
def _has_pillow() -> bool:
    return find_spec("PIL") is not None
