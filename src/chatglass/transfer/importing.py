"""Importing files into a store, and the report of what came of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from chatglass.store.protocol import SessionStore, StoreError
from chatglass.store.records import WholeSession
from chatglass.transfer.formats import find_source
from chatglass.transfer.source import ImportFault, Skipped


@dataclass(slots=True)
class FileReport:
    """What came of one file."""

    path: Path
    format: str = ""
    sessions: list[str] = field(default_factory=list[str])
    """Ids of the sessions that are new or have grown."""
    new: int = 0
    """Sessions that were not there."""
    grown: int = 0
    unchanged: int = 0
    messages: int = 0
    tool_calls: int = 0
    requests: int = 0
    skipped: Skipped = field(default_factory=Skipped)
    fault: str = ""
    """Why the file was not imported, or not to its end."""

    @property
    def failed(self) -> bool:
        return bool(self.fault or self.skipped.faults)


async def import_files(store: SessionStore, paths: Iterable[Path]) -> AsyncIterator[FileReport]:
    """Import each file, each session in one transaction; a report for each.

    What is there already, by its ids, is not added again. Reads in the calling thread.
    """
    for path in paths:
        report = FileReport(path)
        try:
            source = find_source(path)
            report.format = source.format
            await _import_sessions(store, source.sessions(report.skipped), report)
        except ImportFault as error:
            report.fault = str(error)
        except OSError as error:
            report.fault = f"it can't be read: {error.strerror or error}."
        yield report


async def _import_sessions(
    store: SessionStore, found: Iterable[WholeSession], report: FileReport
) -> None:
    for whole in found:
        try:
            added = await store.add_whole_session(whole)
        except StoreError as error:
            report.skipped.faults.append(str(error))
            continue
        report.messages += added.messages
        report.tool_calls += added.tool_calls
        report.requests += added.requests
        report.new += added.is_new
        report.grown += bool(added) and not added.is_new
        report.unchanged += not added
        if added:
            report.sessions.append(whole.session.id)
