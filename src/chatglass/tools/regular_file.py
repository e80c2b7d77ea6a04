"""Opening files that a model named: regular files only, without waiting for a pipe or a device."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


class NotReadable(Exception):
    """It is not a regular file. `str()` says what it is."""


def open_regular(path: Path) -> BinaryIO:
    """`path` open for reading. It must be resolved: a link in its last part is not followed.

    Raises NotReadable, OSError.
    """
    # O_NONBLOCK: opening a pipe without a writer would wait for one.
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK | getattr(os, "O_NOCTTY", 0)
    _refuse_special(path, os.lstat(path).st_mode)
    descriptor = os.open(path, flags)
    try:
        _refuse_special(path, os.fstat(descriptor).st_mode)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read_regular(path: Path, *, limit: int) -> bytes:
    """At most `limit` bytes of `path`. Raises NotReadable, OSError."""
    with open_regular(path) as file:
        return file.read(limit)


def why_not(error: OSError | NotReadable, path: Path | str) -> str:
    """The error as a sentence for the model."""
    if isinstance(error, NotReadable):
        return str(error)
    if isinstance(error, FileNotFoundError):
        return f"{path} does not exist."
    if isinstance(error, PermissionError):
        return f"{path} may not be opened: permission denied."
    return f"{path}: {(error.strerror or str(error)).lower()}."


def _refuse_special(path: Path, mode: int) -> None:
    if stat.S_ISREG(mode):
        return
    kind = next((name for test, name in _KINDS if test(mode)), "not a regular file")
    advice = " List it with list_directory." if stat.S_ISDIR(mode) else ""
    raise NotReadable(f"{path} is {kind}, not a regular file.{advice}")
