"""What the result of a server's tool holds: texts, images, sounds, resources, as values.

Read from what was kept of the call (`ToolResult.produced`), which is the result as its server sent
it, whole.
"""

from __future__ import annotations

import base64
import binascii
import json
import mimetypes
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from chatglass.tools.tool import JsonObject
from chatglass.values.figures import size as size_words
from chatglass.values.images import look_at
from chatglass.values.text import one_line, storable

_HEADER_CHARS = 4 * 64 * 1024
"""In which a header stands: that of a JPEG may come behind a thumbnail."""

Kind = Literal["text", "image", "audio", "resource", "link", "structured"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """One content of a result. All texts are the server's, checked for nothing.

    `text` is that of a text, of a resource, or the JSON of what is structured; `data` is base64,
    decoded only when it is wanted.
    """

    kind: Kind
    mime: str = ""
    text: str = ""
    data: str = field(default="", repr=False)
    uri: str = ""
    name: str = ""

    @property
    def size(self) -> int:
        """Bytes; of a link as many as its server says, 0 where it says nothing."""
        if self.data:
            return max(0, len(self.data) * 3 // 4 - self.data[-2:].count("="))
        return len(self.text.encode())

    @property
    def is_binary(self) -> bool:
        return bool(self.data)

    def bytes(self) -> bytes:
        """Raises ValueError for what is no base64."""
        if not self.data:
            return self.text.encode()
        try:
            return base64.b64decode(self.data, validate=True)
        except binascii.Error as error:
            raise ValueError(f"it is not valid base64: {error}") from error

    @property
    def extension(self) -> str:
        """By its MIME type, and by nothing else that the server says: `.png`, or `.bin`."""
        if not self.is_binary:
            return ".json" if self.kind == "structured" or "json" in self.mime else ".txt"
        mime = self.mime.partition(";")[0].strip().lower()
        # What everybody writes is not what is registered.
        mime = {"audio/wav": "audio/x-wav", "audio/mp3": "audio/mpeg"}.get(mime, mime)
        return mimetypes.guess_extension(mime) or ".bin"

    def dimensions(self) -> tuple[int, int] | None:
        """Pixels across and down of an image, by its header; None where that can't be read."""
        if not self.is_binary or not self.mime.startswith("image/"):
            return None
        try:
            facts = look_at(base64.b64decode(self.data[:_HEADER_CHARS]))
        except binascii.Error:
            return None
        return (facts.width, facts.height) if facts else None

    def words(self) -> str:
        """Kind, MIME type, size and name, in one line."""
        facts = [self.kind, self.mime, "" if self.kind == "link" else size_words(self.size)]
        facts.append(self.uri or self.name)
        return one_line(" · ".join(filter(None, facts)), 300)


def contents_of(produced: str) -> tuple[Content, ...] | None:
    """The contents of a server's result; None where `produced` is none. For a thread, where it is
    long: it parses JSON."""
    if not produced.startswith("{"):
        return None
    try:
        found: Any = json.loads(produced)
    except ValueError:
        return None
    if not isinstance(found, dict):
        return None
    result = cast("JsonObject", found)
    blocks = result.get("content", result.get("contents"))
    if not isinstance(blocks, list):
        return None
    contents = [
        _content(cast("JsonObject", block))
        for block in cast("list[Any]", blocks)
        if isinstance(block, dict)
    ]
    structured = result.get("structuredContent")
    if structured is not None:
        text = json.dumps(structured, ensure_ascii=False)
        contents.append(Content(kind="structured", mime="application/json", text=text))
    return tuple(contents)


def plain_text(contents: tuple[Content, ...]) -> str:
    """The texts, whole, and a note for each other content."""
    texts = [
        content.text if content.kind == "text" else f"[{content.words()}]"
        for content in contents
        if content.kind != "structured"
    ]
    if not texts:
        texts = [content.text for content in contents]
    return "\n".join(texts)


def _content(block: JsonObject) -> Content:
    kind = block.get("type")
    if kind == "resource" or (kind is None and "uri" in block):
        return _resource(cast("JsonObject", block.get("resource", block)))
    if kind in ("image", "audio"):
        return Content(
            kind=kind, mime=_text(block, "mimeType"), data=_text(block, "data").replace("\n", "")
        )
    if kind == "resource_link":
        return Content(
            kind="link",
            mime=_text(block, "mimeType"),
            uri=_text(block, "uri"),
            name=_text(block, "title") or _text(block, "name"),
            text=_text(block, "description"),
        )
    return Content(kind="text", text=_text(block, "text"))


def _resource(resource: JsonObject) -> Content:
    return Content(
        kind="resource",
        mime=_text(resource, "mimeType"),
        uri=_text(resource, "uri"),
        text=_text(resource, "text"),
        data=_text(resource, "blob"),
    )


def _text(block: JsonObject, name: str) -> str:
    value = block.get(name)
    return storable(value) if isinstance(value, str) else ""
