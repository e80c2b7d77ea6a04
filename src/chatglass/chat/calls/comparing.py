"""Comparing two texts without keeping the event loop busy."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from asyncio.subprocess import DEVNULL
from contextlib import suppress

from chatglass.chat.calls import line_diff
from chatglass.chat.calls.line_diff import MOST_CHARS, Compared, compare

INLINE_CHARS = 16_000
"""Of both texts: compared at once, in 10 ms at worst; a child costs more than that to start."""
SECONDS = 20.0


async def compare_apart(left: str, right: str) -> Compared:
    """As `line_diff.compare`; large texts in a child process, which is ended when this is cancelled."""
    if len(left) + len(right) <= INLINE_CHARS:
        return compare(left, right)
    # What is beyond is not compared; one character more tells the child that there is more.
    most = MOST_CHARS + 1
    size = max(len(left), len(right))
    given = json.dumps([left[:most], right[:most]]).encode()
    with tempfile.TemporaryFile() as stdin, tempfile.TemporaryFile() as stdout:
        stdin.write(given)
        stdin.seek(0)
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", os.fspath(line_diff.__file__)),
            stdin=stdin,
            stdout=stdout,
            stderr=DEVNULL,
        )
        try:
            async with asyncio.timeout(SECONDS):
                code = await child.wait()
        except (asyncio.CancelledError, TimeoutError) as error:
            with suppress(ProcessLookupError):
                child.kill()
            await child.wait()
            if isinstance(error, TimeoutError):
                return Compared((), (f"comparing took more than {SECONDS:.0f} s and was ended",))
            raise
        if code != 0:
            return Compared((), (f"the process that compares ended with code {code}",))
        stdout.seek(0)
        compared = Compared.from_json(stdout.read())
    notes = tuple(
        note.replace(f"of {MOST_CHARS + 1:,} characters", f"of {size:,} characters")
        for note in compared.notes
    )
    return Compared(compared.rows, notes)
