"""Files that a prompt carries, and how they are joined to what is sent."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from chatglass.chat.attachments import Attachment
from chatglass.chat.image_fitting import MOST_READ, CantBeSent, fitted
from chatglass.values import figures
from chatglass.values.images import Image, image_of, image_of_url, look_at

if TYPE_CHECKING:
    from chatglass.store.records import MessageRow, QueuedPrompt

MOST_BYTES = 1_000_000
"""A larger file is not attached: it would not fit any context window either."""

_BACKTICKS = re.compile("`{3,}")


class AttachError(Exception):
    """A file that can't be attached. `str()` names it, the cause and the way on."""


@dataclass(frozen=True, slots=True)
class AttachedText:
    """A file of a prompt: its name as shown, and its text."""

    name: str
    text: str

    def block(self) -> str:
        """The fenced block that names the path. The fence is longer than any in the text."""
        longest = max((len(run) for run in _BACKTICKS.findall(self.text)), default=2)
        fence = "`" * max(3, longest + 1)
        end = "" if self.text.endswith("\n") or not self.text else "\n"
        return f"{fence}{fence_word(self.name)}\n{self.text}{end}{fence}"

    def content(self) -> Attachment:
        """As the engine takes it."""
        return Attachment(self.name, {"type": "text", "text": self.block()})


@dataclass(frozen=True, slots=True)
class AttachedImage:
    """An image of a prompt: its name as shown, and the file as it is sent."""

    name: str
    image: Image

    def content(self) -> Attachment:
        """As the engine takes it. The name is kept beside the part; `to_wire` doesn't send it."""
        url = {"url": self.image.data_url}
        part = {"type": "image_url", "image_url": url, "name": self.name}
        return Attachment(f"{self.name} ({self.image.facts})", part)


AttachedFile = AttachedText | AttachedImage


def fence_word(name: str) -> str:
    """A file's name as the info string of a fence: it must hold neither backtick nor line break."""
    return re.sub(r"[`\s\x00-\x1f]+", "_", name)


def from_block(block: str) -> AttachedText:
    """The file that `AttachedText.block` wrote."""
    head, _, rest = block.partition("\n")
    fence = head[: len(head) - len(head.lstrip("`"))]
    return AttachedText(head[len(fence) :], rest.removesuffix(fence))


def _files(parts: Iterable[Any]) -> tuple[AttachedFile, ...]:
    entries = (cast(dict[str, Any], part) for part in parts if isinstance(part, dict))
    found = (_file_of(entry) for entry in entries)
    return tuple(file for file in found if file is not None)


def _file_of(part: dict[str, Any]) -> AttachedFile | None:
    if isinstance(text := part.get("text"), str):
        return from_block(text)
    image = image_of_url(url_of(part))
    return None if image is None else AttachedImage(image_name(part), image)


def url_of(part: dict[str, Any]) -> str:
    """The URL of an image part; empty where it has none."""
    url = cast(dict[str, Any], part.get("image_url") or {}).get("url")
    return url if isinstance(url, str) else ""


def image_name(part: dict[str, Any]) -> str:
    """The name that an image part was attached by."""
    name = part.get("name")
    return name if isinstance(name, str) and name else "image"


def queued_files(prompt: QueuedPrompt) -> tuple[AttachedFile, ...]:
    """The files of a prompt that waits."""
    return _files(entry.get("part") for entry in json.loads(prompt.content_json or "[]"))


def message_files(row: MessageRow) -> tuple[AttachedFile, ...]:
    """The files of a prompt that was sent."""
    return _files(json.loads(row.content)[1:]) if row.content_is_json else ()


def read_file(path: Path, name: str) -> AttachedFile:
    """Read a text file or an image to attach. Blocks; for a thread. Raises AttachError."""
    try:
        if not path.is_file():
            raise AttachError(f"{name} is no regular file, so it can't be attached.")
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
            facts = look_at(data)
            if facts is not None:
                data += file.read(MOST_READ + 1 - len(data))
    except OSError as error:
        raise AttachError(f"{name} can't be read: {error.strerror or error}.") from error
    return _text(data, name) if facts is None else read_image(data, name)


def read_image(data: bytes, name: str) -> AttachedImage:
    """An image file to attach, scaled where it is too large. Blocks; for a thread. Raises
    AttachError."""
    if len(data) > MOST_READ:
        raise AttachError(f"{name} has more than {figures.size(MOST_READ)}; scale it down first.")
    image = image_of(data)
    if image is None:
        raise AttachError(f"{name} is no PNG, JPEG, GIF or WebP image.")
    try:
        return AttachedImage(name, fitted(image))
    except CantBeSent as error:
        raise AttachError(f"{name} {error}") from error


def _text(data: bytes, name: str) -> AttachedText:
    if len(data) > MOST_BYTES:
        raise AttachError(
            f"{name} is larger than {MOST_BYTES:,} bytes; ask for the part that matters instead."
        )
    if b"\0" in data:
        raise AttachError(
            f"{name} is neither text nor a PNG, JPEG, GIF or WebP image, so it can't be attached."
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise AttachError(
            f"{name} is not UTF-8 text (byte {error.start:,}), so it can't be attached."
        ) from error
    return AttachedText(name, text)
