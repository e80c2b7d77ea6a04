"""Images as bytes: what kind they are and how large, by their content and never by their name."""

from __future__ import annotations

import base64
import binascii
import re
import struct
from dataclasses import dataclass
from typing import Literal

from chatglass.values import figures

ImageKind = Literal["png", "jpeg", "gif", "webp"]

_DATA_URL = re.compile(r"data:image/(?:png|jpeg|gif|webp);base64,", re.IGNORECASE)
_HEADER_BYTES = 3 * 64 * 1024
"""Of a data URL so much is decoded to see what it is: a JPEG may have its size behind a thumbnail."""
# Markers of a JPEG frame header: SOF0 to SOF15 without DHT, JPG and DAC.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """Its kind, its pixels and its bytes."""

    kind: ImageKind
    width: int
    height: int
    size: int

    def __str__(self) -> str:
        """`PNG, 800×600, 52.1 kB`."""
        return f"{self.kind.upper()}, {self.width}×{self.height}, {figures.size(self.size)}"


@dataclass(frozen=True, slots=True)
class Image:
    """An image file as it is sent."""

    facts: ImageFacts
    data: bytes

    @property
    def data_url(self) -> str:
        return f"data:image/{self.facts.kind};base64,{base64.b64encode(self.data).decode()}"


def image_of(data: bytes) -> Image | None:
    """`data` as an image; None where it is none that models take."""
    facts = look_at(data)
    return None if facts is None else Image(facts, data)


def look_at(data: bytes, size: int | None = None) -> ImageFacts | None:
    """What `data`, a whole file or its beginning, is an image of; None for anything else. `size` is
    that of the whole file."""
    try:
        found = _png(data) or _gif(data) or _webp(data) or _jpeg(data)
    except (struct.error, IndexError):
        return None  # it ends in the middle of its header
    if found is None:
        return None
    kind, width, height = found
    return ImageFacts(kind, width, height, len(data) if size is None else size)


def facts_of_url(url: str) -> ImageFacts | None:
    """The same of a data URL. Decodes its beginning alone."""
    match = _DATA_URL.match(url)
    if match is None:
        return None
    coded = len(url) - match.end()
    begin = url[match.end() : match.end() + _HEADER_BYTES // 3 * 4]
    size = coded * 3 // 4 - url[-2:].count("=")
    try:
        return look_at(base64.b64decode(begin), size)
    except binascii.Error:
        return None


def image_of_url(url: str) -> Image | None:
    """The whole image of a data URL."""
    match = _DATA_URL.match(url)
    if match is None:
        return None
    try:
        return image_of(base64.b64decode(url[match.end() :]))
    except binascii.Error:
        return None


_Found = tuple[ImageKind, int, int]


def _png(data: bytes) -> _Found | None:
    if data[:8] != b"\x89PNG\r\n\x1a\n" or data[12:16] != b"IHDR":
        return None
    return ("png", *struct.unpack(">II", data[16:24]))


def _gif(data: bytes) -> _Found | None:
    if data[:6] not in (b"GIF87a", b"GIF89a"):
        return None
    return ("gif", *struct.unpack("<HH", data[6:10]))


def _webp(data: bytes) -> _Found | None:
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        return None
    match data[12:16]:
        case b"VP8X":
            width, height = data[24:27], data[27:30]
            return (
                "webp",
                int.from_bytes(width, "little") + 1,
                int.from_bytes(height, "little") + 1,
            )
        case b"VP8L":
            bits = int.from_bytes(data[21:25], "little")
            return "webp", (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8 ":
            width, height = struct.unpack("<HH", data[26:30])
            return "webp", width & 0x3FFF, height & 0x3FFF
        case _:
            return None


def _jpeg(data: bytes) -> _Found | None:
    if data[:3] != b"\xff\xd8\xff":
        return None
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker in _FRAMES:
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return "jpeg", width, height
        if marker == 0xFF:  # fill
            at += 1
        else:
            at += 2 + struct.unpack(">H", data[at + 2 : at + 4])[0]
    return None
