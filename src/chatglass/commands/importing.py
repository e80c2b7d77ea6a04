"""`chatglass import`."""

from __future__ import annotations

import argparse
import contextlib
import shutil
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import Any

from chatglass.commands.opening import opened
from chatglass.commands.printing import complain, emit_json, note
from chatglass.transfer.formats import files_in
from chatglass.transfer.importing import FileReport, import_files
from chatglass.values.figures import counted

_MOST_KINDS = 12


async def run_import(found: argparse.Namespace) -> int:
    with _files(found.paths) as files:
        if not files:
            complain(f"{', '.join(found.paths)}: there is no file to import in it.")
            return 1
        async with opened(found.data_dir, make=True) as store:
            reports: list[FileReport] = []
            async for report in import_files(store, files):
                reports.append(report)
                if not found.json:
                    _tell(report)
    if found.json:
        emit_json([_as_json(report) for report in reports])
    return int(any(report.failed for report in reports))


@contextlib.contextmanager
def _files(names: list[str]) -> Generator[list[Path]]:
    """The files that `names` are or hold; `-` is what stands on stdin."""
    with contextlib.ExitStack() as stack:
        paths: list[Path] = []
        for name in names:
            if name != "-":
                paths.append(Path(name).expanduser())
                continue
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            with (folder / "stdin").open("wb") as file:
                shutil.copyfileobj(sys.stdin.buffer, file)
            paths.append(folder / "stdin")
        yield list(files_in(paths))


def _tell(report: FileReport) -> None:
    name = "stdin" if report.path.name == "stdin" else str(report.path)
    if report.format:
        note(f"{name}: {report.format}: {_sums(report)}.")
    skipped = report.skipped.counts.most_common()
    if skipped:
        kinds = [f"{count:,} {kind}" for kind, count in skipped[:_MOST_KINDS]]
        rest = sum(count for _, count in skipped[_MOST_KINDS:])
        note(f"  skipped: {', '.join(kinds)}" + (f" and {rest:,} more" if rest else "") + ".")
    for fault in report.skipped.faults:
        complain(f"{name}: {fault}")
    if report.fault:
        complain(f"{name}: was not imported: {report.fault}")


def _sums(report: FileReport) -> str:
    if not report.new and not report.grown:
        return f"nothing new (sessions that were there: {report.unchanged:,})"
    parts = [counted(report.new, "new session")] if report.new else []
    if report.grown:
        parts.append(f"{counted(report.grown, 'session')} went on")
    if report.unchanged:
        parts.append(f"{report.unchanged:,} were there")
    parts.append(counted(report.messages, "message"))
    parts.append(counted(report.tool_calls, "tool call"))
    parts.append(counted(report.requests, "request"))
    return ", ".join(parts)


def _as_json(report: FileReport) -> dict[str, Any]:
    return {
        "path": str(report.path),
        "format": report.format or None,
        "new_sessions": report.new,
        "grown_sessions": report.grown,
        "unchanged_sessions": report.unchanged,
        "messages": report.messages,
        "tool_calls": report.tool_calls,
        "requests": report.requests,
        "session_ids": report.sessions,
        "skipped": dict(report.skipped.counts),
        "faults": [*report.skipped.faults, *([report.fault] if report.fault else [])],
    }
