"""The log of `llm` (https://llm.datasette.io), `logs.db`, in both of its layouts.

First a prompt with its answer was a row of `responses` in a `conversation`; newer versions (0.36 is
what this was written by) have `threads` of `turns` over `messages`, which are kept once under the
hash of themselves and what is before them. A log with both is read in both: what was begun before
the change and continued after it comes as two sessions, the second with all messages, and no token
twice.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path

from chatglass.store.records import WholeSession
from chatglass.transfer import llm_responses, llm_threads
from chatglass.transfer.source import ImportFault, Skipped

FORMAT = "llm log"


def sessions(path: Path, skipped: Skipped) -> Iterator[WholeSession]:
    with _reading(path) as db:
        there = tables(db)
        if {"responses", "conversations"} <= there:
            yield from llm_responses.sessions(db, there, skipped)
        if {"threads", "turns", "messages", "parts"} <= there:
            yield from llm_threads.sessions(db, there, skipped)


def is_log(path: Path) -> bool:
    """Whether the SQLite file is a log of llm. Raises ImportFault."""
    with _reading(path) as db:
        there = tables(db)
    return {"responses", "conversations"} <= there or {"threads", "turns", "parts"} <= there


def tables(db: sqlite3.Connection) -> set[str]:
    return {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


@contextlib.contextmanager
def _reading(path: Path) -> Generator[sqlite3.Connection]:
    """A connection that leaves no trace beside the log. Raises ImportFault.

    SQLite makes a -shm file even for a reader of a log in WAL mode, unless it is told that nobody
    writes, and then it overlooks the -wal. So a -wal that a crash left is read in a copy.
    """
    wal, shm = (path.with_name(path.name + end) for end in ("-wal", "-shm"))
    try:
        with contextlib.ExitStack() as stack:
            flags = "mode=ro&immutable=1"
            if wal.exists() and wal.stat().st_size:
                flags = "mode=ro"
                if not shm.exists():
                    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
                    shutil.copyfile(wal, folder / wal.name)
                    path = Path(shutil.copyfile(path, folder / path.name))
            db = sqlite3.connect(f"{path.absolute().as_uri()}?{flags}", uri=True)
            stack.callback(db.close)
            db.row_factory = sqlite3.Row
            db.text_factory = _text
            db.execute("PRAGMA query_only = ON")
            yield db
    except sqlite3.Error as error:
        raise ImportFault(f"SQLite can't read it ({error}).") from error
    except OSError as error:
        raise ImportFault(f"it can't be read: {error.strerror or error}.") from error


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
