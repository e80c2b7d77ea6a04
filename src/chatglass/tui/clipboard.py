"""Copying that works everywhere: a clipboard tool where there is one, and OSC 52 beside it."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Sequence

from textual.app import App

_TIMEOUT = 2.0
# What most terminals take of OSC 52 (xterm's and tmux's buffers; kitty and iTerm2 take more).
_OSC52_LIMIT = 74_994


def clipboard_tool() -> Sequence[str] | None:
    """The command that fills this machine's clipboard from stdin, if there is one."""
    candidates: list[tuple[bool, list[str]]] = [
        ("WAYLAND_DISPLAY" in os.environ, ["wl-copy"]),
        ("DISPLAY" in os.environ, ["xclip", "-selection", "clipboard", "-in"]),
        ("DISPLAY" in os.environ, ["xsel", "--clipboard", "--input"]),
        (True, ["pbcopy"]),
        (True, ["clip.exe"]),
        ("TMUX" in os.environ, ["tmux", "load-buffer", "-w", "-"]),
    ]
    for usable, command in candidates:
        if usable and shutil.which(command[0]):
            return command
    return None


async def copy(app: App[None], text: str) -> str:
    """Put `text` on the clipboard. Returns what can be said of it for sure, as a sentence end."""
    app.copy_to_clipboard(text)
    command = clipboard_tool()
    if command is not None and await _fill(command, text):
        return f"copied with {command[0]}"
    encoded = len(text.encode()) * 4 // 3
    if encoded > _OSC52_LIMIT:
        return f"sent to the terminal ({encoded:,} bytes: it may be more than it takes)"
    return "sent to the terminal's clipboard"


async def _fill(command: Sequence[str], text: str) -> bool:
    """Whether the tool took the text. It keeps no pipe of ours: xclip stays to serve it."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError:
        return False
    try:
        async with asyncio.timeout(_TIMEOUT):
            await process.communicate(text.encode())
    except TimeoutError:
        process.kill()
        return False
    return process.returncode == 0
