"""What a result holds, read from what was kept of it."""

from __future__ import annotations

import base64
import json
import struct
import zlib

import pytest

from chatglass.tools.mcp.contents import Content, contents_of, plain_text


def png(wide: int, high: int) -> bytes:
    """A grey picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))  # fmt: skip

    rows = (b"\0" + b"\x80" * wide) * high
    head = struct.pack(">IIBBBBB", wide, high, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )  # fmt: skip


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


RESULT = {
    "content": [
        {"type": "text", "text": "Look:\n"},
        {"type": "image", "mimeType": "image/png", "data": encoded(png(7, 3))},
        {"type": "audio", "mimeType": "audio/wav", "data": encoded(b"RIFF")},
        {"type": "resource", "resource": {"uri": "own://a", "text": "of a", "mimeType": "text/x"}},
        {"type": "resource", "resource": {"uri": "own://b", "blob": encoded(b"\0\1\2")}},
        {"type": "resource_link", "uri": "file:///c", "name": "c", "description": "about c"},
    ],
    "structuredContent": {"n": 1},
}


def test_each_content_is_what_it_is() -> None:
    contents = contents_of(json.dumps(RESULT))
    assert contents
    assert [content.kind for content in contents] == [
        "text", "image", "audio", "resource", "resource", "link", "structured",
    ]  # fmt: skip
    _, image, audio, text, blob, link, structured = contents
    assert image.dimensions() == (7, 3)
    assert image.bytes() == png(7, 3)
    assert image.size == len(png(7, 3))
    assert (image.extension, audio.extension, blob.extension) == (".png", ".wav", ".bin")
    assert audio.dimensions() is None
    assert text.words() == "resource · text/x · 4 B · own://a"
    assert (blob.bytes(), blob.size) == (b"\0\1\2", 3)
    assert (link.uri, link.text) == ("file:///c", "about c")
    assert json.loads(structured.text) == {"n": 1}
    assert plain_text(contents).splitlines()[2].startswith("[image · image/png · ")
    assert plain_text(contents[-1:]) == '{"n": 1}'


@pytest.mark.parametrize("produced", ["", "plain", "{", "[1]", "{}", '{"content": 1}', '{"a": []}'])
def test_what_is_no_result_of_a_server(produced: str) -> None:
    assert contents_of(produced) is None


def test_what_is_foreign_is_not_believed() -> None:
    hostile = contents_of(
        json.dumps(
            {
                "content": [
                    "x",
                    {"type": 5, "text": 7},
                    {"type": "image", "mimeType": "text/x-sh\x1b[2J", "data": "no base64!"},
                ]
            }
        )
    )
    assert hostile
    empty, image = hostile
    assert empty == Content(kind="text")
    with pytest.raises(ValueError, match="base64"):
        image.bytes()
    assert image.dimensions() is None
    assert "\x1b" not in image.words()
