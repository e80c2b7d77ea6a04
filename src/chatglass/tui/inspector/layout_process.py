"""Runs `json_layout` in a child process, which is ended when the caller is cancelled."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE
from contextlib import suppress

from chatglass.tui.inspector import json_layout

INLINE_CHARACTERS = 65_536
"""Texts up to here are laid out at once (under 4 ms); a child costs more than that to start."""


async def lay_out_apart(text: str) -> str | None:
    """As `json_layout.lay_out`, without keeping the event loop busy. `text` must be UTF-8-able."""
    try:
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            "-S",
            json_layout.__file__,
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
        )
    except OSError:
        # No process to be had (a limit, a frozen build): slower, but it shows the same.
        return await asyncio.to_thread(json_layout.lay_out, text)
    try:
        output, _ = await child.communicate(text.encode())
    except asyncio.CancelledError:
        with suppress(ProcessLookupError):
            child.kill()
        await child.wait()
        raise
    return output.decode() if child.returncode == 0 else None
