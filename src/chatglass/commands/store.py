"""`chatglass store check|backup`: the file of the store itself."""

from __future__ import annotations

import argparse
from pathlib import Path

from chatglass.chat.messages import violations
from chatglass.commands.opening import paths_of
from chatglass.commands.printing import complain, emit_json, note
from chatglass.config.settings import load_settings
from chatglass.store.protocol import StoreError
from chatglass.store.sqlite.check import CheckReport, check, lists
from chatglass.store.sqlite.copying import back_up
from chatglass.transfer.words import size
from chatglass.values.figures import counted


def run_store(found: argparse.Namespace) -> int:
    paths = paths_of(found.data_dir)
    path = paths.store
    if not path.exists() and load_settings(paths.config_file).store.url is not None:
        raise StoreError(
            "The sessions are kept on the Redis server of store.url, and `store check` and `store "
            "backup` are for a file. `chatglass store copy URL FILE` copies them to one."
        )
    if found.action == "backup":
        target = Path(found.path).expanduser().absolute()
        if target.is_dir():
            target /= path.name
        back_up(path, target)
        note(f"Copied {path} to {target} ({size(target.stat().st_size)}).")
        return 0
    report = check(path)
    if not report.faults and report.counts.get("sessions"):
        _check_lists(path, report)
    if found.json:
        emit_json(
            {"path": str(path), "faults": report.faults, "notes": report.notes, **report.counts}
        )
    else:
        _tell(path, report)
    return int(bool(report.faults))


def _check_lists(path: Path, report: CheckReport) -> None:
    """Lists that a crash or an import left invalid; each is mended before it is sent."""
    for session_id, messages in lists(path):
        broken = [found for each in messages if (found := list(filter(_counts, violations(each))))]
        if broken:
            report.notes.append(
                f"session {session_id}: {broken[0][0]} ({len(broken)} of {len(messages)} branches). "
                "It is mended when it is sent."
            )


def _counts(violation: str) -> bool:
    """An answer that ended in an error before its first word is as it should be."""
    return "nothing in it" not in violation


def _tell(path: Path, report: CheckReport) -> None:
    for each in report.notes:
        note(f"Note: {each}")
    for each in report.faults:
        complain(f"{path}: {each}")
    counts = report.counts
    if report.faults:
        note(
            f"{counted(len(report.faults), 'fault')}. Back the file up before anything else "
            "(chatglass store backup PATH, or copy it while chatglass is closed), then save what is "
            "readable: chatglass export --all -o FILE, or sqlite3 FILE .recover."
        )
    elif "sessions" in counts:
        note(
            f"{path}: sound. {counted(counts['sessions'], 'session')}, {counted(counts['messages'], 'message')}, "
            f"{counts['tool_calls']:,} tool calls, {size(counts['bytes'])}, "
            f"of which the search index {size(counts['index_bytes'])}."
        )
    else:
        note(f"{path}: the file is sound.")
