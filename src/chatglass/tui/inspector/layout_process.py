"""Runs `json_layout` in a child process, which is ended when the caller is cancelled."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL
from contextlib import suppress
from typing import IO

from chatglass.tui.inspector import json_layout
from chatglass.tui.inspector.json_layout import LaidOut

_SLICE = 4 * 1024 * 1024
INLINE_CHARACTERS = 65_536
"""Texts up to here are laid out at once (under 4 ms); a child costs more than that to start."""


async def lay_out_apart(text: str) -> LaidOut | None:
    """As `json_layout.lay_out_tree`, without keeping the event loop busy. `text` must be UTF-8-able."""
    # Files, since asyncio moves all that is left of a text with every 64 kB that a pipe takes.
    with _nameless_file() as given, _nameless_file() as laid_out:
        await asyncio.to_thread(_write, given, text)
        try:
            child = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", json_layout.__file__),
                stdin=given,
                stdout=laid_out,
                stderr=DEVNULL,
            )
        except OSError:
            # No process to be had (a limit, a frozen build): slower, but it shows the same.
            return await asyncio.to_thread(json_layout.lay_out_tree, text)
        try:
            code = await child.wait()
        except asyncio.CancelledError:
            with suppress(ProcessLookupError):
                child.kill()
            await child.wait()
            raise
        if code != 0:
            return None
        return await asyncio.to_thread(_read, laid_out)


def _write(file: IO[bytes], text: str) -> None:
    """In slices: each call holds the interpreter, and 50 MB are 20 ms in one."""
    for start in range(0, len(text), _SLICE):
        file.write(text[start : start + _SLICE].encode())
    file.seek(0)


def _read(file: IO[bytes]) -> LaidOut:
    file.seek(0)
    return json_layout.unpack(file.read())


def _nameless_file() -> IO[bytes]:
    """A file that only its descriptor leads to, in memory where the system can."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("chatglass"), "w+b")
    import tempfile

    return tempfile.TemporaryFile()
