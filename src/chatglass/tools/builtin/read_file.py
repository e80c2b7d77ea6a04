"""read_file: a text file, or a range of its lines."""

from __future__ import annotations

import codecs
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, BinaryIO

from pydantic import Field

from chatglass.tools.builtin.files import FileAccess
from chatglass.tools.function_tool import CallContext, FunctionTool
from chatglass.tools.limits import PRODUCED_LIMIT, head
from chatglass.tools.regular_file import NotReadable, open_regular, why_not
from chatglass.tools.threads import check, in_thread
from chatglass.tools.tool import ToolOutput
from chatglass.values.figures import counted
from chatglass.values.text import storable

_OUTPUT_LIMIT = 30_000
_PIECE = 1024 * 1024
_MAGIC = (
    (b"\x89PNG", "a PNG image"), (b"\xff\xd8\xff", "a JPEG image"), (b"GIF8", "a GIF image"),
    (b"%PDF", "a PDF document"), (b"PK\x03\x04", "a ZIP archive (or a document made of one)"),
    (b"\x1f\x8b", "gzip data"), (b"\x7fELF", "an ELF program"), (b"SQLite format 3", "an SQLite database"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Range:
    """Lines as they were read. `more`: there are lines behind; `cut`: the byte limit ended it."""

    text: str
    lines_before: int
    more: bool
    cut: bool
    broken: bool
    """Some bytes were not valid in the file's encoding."""


def read_file_tool(files: FileAccess) -> FunctionTool:
    async def read_file(
        context: CallContext,
        path: Annotated[str, "The file, relative to the working directory or absolute."],
        start_line: Annotated[int, Field(ge=1, description="The first line to read, from 1.")] = 1,
        line_count: Annotated[
            int, Field(ge=0, description="How many lines; 0 reads to the end.")
        ] = 0,
    ) -> ToolOutput:
        """Read a text file, or a range of its lines."""
        place = files.open_place(context, path)
        if isinstance(place, ToolOutput):
            return place
        try:
            return await in_thread(
                lambda stop: _read(place.path, path, start_line, line_count, stop)
            )
        except (NotReadable, OSError) as error:
            return ToolOutput.error(why_not(error, path))

    return FunctionTool(
        read_file,
        files.assess_reading("read"),
        read_only=True,
        timeout_s=30.0,
        output_limit=_OUTPUT_LIMIT,
    )


def _read(path: Path, given: str, start: int, count: int, stop: threading.Event) -> ToolOutput:
    with open_regular(path) as file:
        probe = file.read(8192)
        encoding = _encoding(probe)
        if encoding is None:
            kind = next((name for magic, name in _MAGIC if probe.startswith(magic)), "binary data")
            size = path.stat().st_size
            return ToolOutput.error(f"{given} is {kind} ({counted(size, 'byte')}), not text.")
        file.seek(0)
        found = _lines(file, encoding, start, count, stop)
    if not found.text:
        if found.lines_before == 0:
            return ToolOutput("ok", "", f"[{given} is empty]")
        return ToolOutput.error(f"{given} has only {counted(found.lines_before, 'line')}.")
    text = storable(found.text)
    return ToolOutput("ok", text, _seen(text, found, start))


def _seen(text: str, found: _Range, start: int) -> str:
    shown = head(text, _OUTPUT_LIMIT - 300)
    notes: list[str] = []
    last = start + shown.count("\n") - (1 if shown.endswith("\n") else 0)
    if len(shown) < len(text):
        end = start + text.count("\n") - (1 if text.endswith("\n") else 0)
        if shown.endswith("\n"):
            notes.append(
                f"Lines {start:,} to {last:,} of {end:,} are shown; go on with start_line={last + 1}"
            )
        else:
            notes.append(
                f"Line {last:,} is longer than can be shown and is cut after {len(shown):,} characters"
                f" of this result; the next line is start_line={last + 1}"
            )
    elif found.more:
        notes.append(f"There is more; go on with start_line={last + 1}")
    if found.cut:
        notes.append(f"Reading ended after {PRODUCED_LIMIT // 1024 // 1024} MB")
    if found.broken:
        notes.append("Bytes that are no text in the file's encoding are shown as \ufffd")
    if not notes:
        return shown
    return shown.removesuffix("\n") + "".join(f"\n[{note}]" for note in notes)


def _encoding(probe: bytes) -> str | None:
    """The encoding of a file that begins with `probe`; None for binary data."""
    if probe.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    return None if b"\0" in probe else "utf-8-sig"


def _lines(file: BinaryIO, encoding: str, start: int, count: int, stop: threading.Event) -> _Range:
    """Read in pieces, so that a long file can be left at any time and no call holds up others."""
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    wanted: list[str] = []
    kept = 0
    line = 1
    last = start + count - 1 if count else None
    broken = seen_any = more = cut = False
    ends_open = False
    while not more and not cut:
        check(stop)
        data = file.read(_PIECE)
        text = decoder.decode(data, final=not data)
        seen_any = seen_any or bool(text)
        position = 0
        # Up to the first wanted line.
        while line < start and position < len(text):
            end = text.find("\n", position)
            if end == -1:
                position, ends_open = len(text), True
            else:
                position, line, ends_open = end + 1, line + 1, False
        part = text[position:]
        if last is not None and part:
            part, more = _first_lines(part, last - line + 1)
        if part:
            if kept + len(part) > PRODUCED_LIMIT:
                part, cut = part[: PRODUCED_LIMIT - kept], True
            broken = broken or "\ufffd" in part
            wanted.append(part)
            kept += len(part)
            line += part.count("\n")
        if not data:
            break
    before = 0 if not seen_any else line - 1 + (1 if ends_open and not wanted else 0)
    return _Range("".join(wanted), before, more, cut, broken)


def _first_lines(text: str, count: int) -> tuple[str, bool]:
    """At most `count` lines of `text`, and whether anything is behind them."""
    position = 0
    for _ in range(count):
        end = text.find("\n", position)
        if end == -1:
            return text, False
        position = end + 1
    return text[:position], position < len(text)
