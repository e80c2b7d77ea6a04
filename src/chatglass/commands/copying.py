"""`chatglass store copy FROM TO`."""

from __future__ import annotations

import argparse
import os
from dataclasses import asdict
from pathlib import Path

from chatglass.commands.opening import held_open, paths_of
from chatglass.commands.printing import complain, emit_json, note
from chatglass.store.copying import Copied, copy_sessions
from chatglass.store.open_store import FILE_NAME, store_at
from chatglass.store.protocol import SessionStore, StoreError

PASSWORD = "CHATGLASS_REDIS_PASSWORD"


async def run_copy(found: argparse.Namespace) -> int:
    paths = paths_of(found.data_dir)
    password = os.environ.get(PASSWORD) or None
    source = store_at(found.source, paths.data, password=password)
    target = store_at(found.target, paths.data, password=password)
    _refuse_nothing(found.source)
    if source.location == target.location:
        raise StoreError(f"{source.location}: can't be copied to itself. Name another store.")
    if found.target.startswith("redis"):
        paths.make()
    copied: list[Copied] = []
    async with held_open(source), held_open(target):
        async for each in copy_sessions(source, target):
            copied.append(each)
            if each.fault:
                complain(f"session {each.session_id}: {each.fault}")
    _tell(found.json, source, target, copied)
    return int(any(each.fault for each in copied))


def _refuse_nothing(source: str) -> None:
    """A file that is not there would be made, empty."""
    path = Path(source).expanduser()
    if "://" in source or (path / FILE_NAME if path.is_dir() else path).exists():
        return
    raise StoreError(f"{source}: there is no store, and so nothing to copy.")


def _tell(as_json: bool, source: SessionStore, target: SessionStore, copied: list[Copied]) -> None:
    new = sum(each.added is not None and each.added.is_new for each in copied)
    grown = sum(bool(each.added) for each in copied) - new
    failed = sum(bool(each.fault) for each in copied)
    if as_json:
        emit_json(
            {
                "from": source.location,
                "to": target.location,
                "new": new,
                "grown": grown,
                "unchanged": len(copied) - new - grown - failed,
                "failed": {each.session_id: each.fault for each in copied if each.fault},
                "sessions": {each.session_id: asdict(each.added) for each in copied if each.added},
            }
        )
        return
    unchanged = len(copied) - new - grown - failed
    note(
        f"Copied {source.location} to {target.location}: {new:,} new, {grown:,} grown, "
        f"{unchanged:,} unchanged, {failed:,} not copied."
    )
