"""Importing files in tests, and looking at what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from chatglass.chat.messages import mend, to_wire, violations
from chatglass.store.protocol import SessionStore
from chatglass.store.records import MessageRow, SessionQuery, WholeSession
from chatglass.transfer.exporting import ExportFormat, export
from chatglass.transfer.importing import FileReport, import_files
from chatglass.transfer.shown import Tree

EVERY = SessionQuery(include_archived=True)


async def import_file(store: SessionStore, path: Path) -> FileReport:
    (report,) = [report async for report in import_files(store, [path])]
    return report


async def only_session(store: SessionStore, path: Path) -> WholeSession:
    """The one session of a file that is imported without a fault."""
    report = await import_file(store, path)
    assert not report.failed, (report.fault, report.skipped.faults)
    (session_id,) = report.sessions
    return await store.whole_session(session_id)


async def exported(store: SessionStore, form: ExportFormat, ids: Sequence[str] = ()) -> str:
    rows = [await store.get_session(each) for each in ids] or await store.list_sessions(EVERY)
    return "".join([piece async for piece in export(store, rows, form)])


def spoken(rows: Sequence[MessageRow]) -> list[tuple[str, str]]:
    return [(row.role, row.content) for row in rows]


def shown(whole: WholeSession) -> list[tuple[str, str]]:
    return spoken(Tree(whole.messages).path(whole.session.leaf_id))


def branches(whole: WholeSession) -> list[list[tuple[str, str]]]:
    tree = Tree(whole.messages)
    return [spoken(each.messages) for each in tree.branches(tree.path(whole.session.leaf_id))]


def faults_of_lists(whole: WholeSession) -> list[str]:
    """What is wrong with any path of the session, beside calls that have no result at its end."""
    tree = Tree(whole.messages)
    ends = [row for row in whole.messages if not tree.children.get(row.id)]
    found: list[str] = []
    for end in ends:
        wire = [to_wire(row) for row in tree.path(end.id)]
        found += violations(wire)
        assert not violations(mend(wire))
    return found
