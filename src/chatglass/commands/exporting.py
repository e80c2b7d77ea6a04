"""`chatglass export`."""

# ruff: noqa: ASYNC230, ASYNC240 - nothing else waits for this event loop

from __future__ import annotations

import argparse
import contextlib
import os
import re
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

from chatglass.commands.opening import named, opened
from chatglass.commands.printing import emit, note
from chatglass.store.records import SessionQuery, SessionRow
from chatglass.transfer.exporting import ENDINGS, ExportFormat, export
from chatglass.transfer.words import title_of
from chatglass.values.figures import counted

_EVERY = SessionQuery(include_archived=True, limit=2**31)


async def run_export(found: argparse.Namespace) -> int:
    form: ExportFormat = found.format
    async with opened(found.data_dir) as store:
        rows = await store.list_sessions(_EVERY) if found.all else await named(store, found.ids)
        if found.output == "-":
            async for piece in export(store, rows, form):
                emit(piece)
            return 0
        target = Path(found.output).expanduser()
        if target.is_dir():
            for row in rows:
                await _write(target / _file_name(row, form), export(store, [row], form))
        else:
            await _write(target, export(store, rows, form))
    sessions = counted(len(rows), "session")
    note(f"Exported {sessions} to {target}.")
    return 0


async def _write(target: Path, pieces: AsyncIterator[str]) -> None:
    """The file whole or not at all, for its owner alone."""
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        descriptor = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with open(descriptor, "w", encoding="utf-8", newline="") as file:
            async for piece in pieces:
                file.write(piece)
        part.replace(target)
    finally:
        with contextlib.suppress(FileNotFoundError):
            part.unlink()


def _file_name(row: SessionRow, form: ExportFormat) -> str:
    """From the title, as far as every file system takes it, and the id."""
    slug = re.sub(r"[^a-z0-9]+", "-", title_of(row).casefold()).strip("-")[:40].strip("-")
    return f"{slug or 'session'}-{row.id}{ENDINGS[form]}"
