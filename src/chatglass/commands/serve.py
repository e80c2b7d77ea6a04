"""`chatglass serve`: the full screen in a browser of this machine."""

from __future__ import annotations

import argparse
import asyncio
import sys
from importlib.util import find_spec

from chatglass.config.errors import ConfigError
from chatglass.serving.access import Access, loopback


async def run_serve(found: argparse.Namespace) -> int:
    """Raises ConfigError."""
    host = loopback(found.host)
    if any(find_spec(name) is None for name in ("textual_serve", "aiohttp")):
        raise ConfigError("chatglass serve needs the extra chatglass[serve]; install that.")
    # -P: what is called chatglass in the working directory is not this program.
    command = [sys.executable, "-P", "-m", "chatglass", *found.flags]
    if code := await _objection(command):
        return code
    from chatglass.serving.server import serve

    await serve(command, host, found.port, most_tabs=found.sessions, tell=_tell)
    return 0


async def _objection(command: list[str]) -> int:
    """The exit code with which chatglass refuses the flags of its tabs, after it said why; or 0."""
    process = await asyncio.create_subprocess_exec(
        *command, "--version", stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL
    )
    return await process.wait()


def _tell(access: Access) -> None:
    print(f"chatglass answers at\n\n  {access.url}\n", flush=True)
    print(
        "Whoever has this address can use it as you, on this machine alone. Ctrl+C ends it.",
        flush=True,
    )
