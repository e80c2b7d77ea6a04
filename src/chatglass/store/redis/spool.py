"""Spool: writes that the server has not got yet, in a file of this machine.

A file belongs to one writer, whose numbers keep a write from being done twice however often the
file is sent. It is locked while its process lives; what a dead process left is taken over by the
next (`leftovers`). A record is a line `NUMBER LENGTH CRC32` and then so many bytes; one that was
torn by a crash was never confirmed to anybody, and ends the file.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import struct
import threading
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from chatglass.store.protocol import StoreError

_SUFFIX = ".spool"
_LENGTH = struct.Struct(">I")


@dataclass(frozen=True, slots=True)
class Record:
    """One write: its number, its arguments for the writing script, and where it ends in the file."""

    number: int
    args: tuple[bytes, ...]
    end: int = 0


def pack(number: int, args: Sequence[bytes]) -> bytes:
    body = b"".join(_LENGTH.pack(len(arg)) + arg for arg in args)
    return b"%d %d %d\n" % (number, len(body), zlib.crc32(body)) + body


def _unpack(body: bytes) -> tuple[bytes, ...]:
    args: list[bytes] = []
    at = 0
    while at < len(body):
        (length,) = _LENGTH.unpack_from(body, at)
        at += _LENGTH.size
        args.append(body[at : at + length])
        at += length
    return tuple(args)


class Spool:
    """The file of one writer. All methods but `path` touch the disk."""

    def __init__(self, path: Path, writer: str, file: IO[bytes]) -> None:
        """For `make` and `leftovers`."""
        self.path = path
        self.writer = writer
        self._file = file
        self._one_at_a_time = threading.Lock()
        self.start = _first_line_end(file)

    @classmethod
    def make(cls, folder: Path, writer: str, server: str) -> Spool:
        """A new one, empty. Raises StoreError."""
        path = folder / f"{writer}{_SUFFIX}"
        # Under its own name only once it is locked, or another start would take it for a leftover.
        unlocked = folder / f"{writer}.new"
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(unlocked, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_APPEND, 0o600)
            file = os.fdopen(handle, "r+b", buffering=0)
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write(
                json.dumps({"chatglass spool of": server, "writer": writer}).encode() + b"\n"
            )
            os.fsync(file.fileno())
            unlocked.rename(path)
            _sync_folder(folder)
        except OSError as error:
            raise _unusable(path, error) from error
        return cls(path, writer, file)

    @classmethod
    def leftovers(cls, folder: Path) -> Iterator[Spool]:
        """Those of processes that no longer live, locked. Raises StoreError."""
        for path in sorted(folder.glob(f"*{_SUFFIX}")):
            try:
                file = path.open("r+b", buffering=0)
            except FileNotFoundError:  # its process has just sent it
                continue
            except OSError as error:
                raise _unusable(path, error) from error
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.close()
                continue
            if not os.fstat(file.fileno()).st_nlink:
                file.close()
                continue
            yield cls(path, path.stem, file)

    def append(self, packed: Sequence[bytes]) -> None:
        """Returns once they are on the disk. Raises StoreError, and then none of them is kept."""
        with self._one_at_a_time:
            before = os.fstat(self._file.fileno()).st_size
            try:
                _write_all(self._file, b"".join(packed))
                os.fsync(self._file.fileno())
            except OSError as error:
                with contextlib.suppress(OSError):
                    os.ftruncate(self._file.fileno(), before)
                raise _unusable(self.path, error) from error

    def records(self, start: int, *, most_bytes: int) -> list[Record]:
        """The whole records after the offset `start`, at least one if there is one."""
        found: list[Record] = []
        at = start
        while at - start < most_bytes:
            record = self._record(at)
            if record is None:
                break
            found.append(record)
            at = record.end
        return found

    def count(self) -> int:
        """How many records there are."""
        count, at = 0, self.start
        while record := self._record(at):
            count, at = count + 1, record.end
        return count

    def _record(self, at: int) -> Record | None:
        handle = self._file.fileno()
        head, newline, _ = os.pread(handle, 64, at).partition(b"\n")
        if not newline:
            return None
        try:
            number, length, crc = map(int, head.split())
        except ValueError:
            return None
        begin = at + len(head) + 1
        body = _read_all(handle, length, begin)
        if len(body) < length or zlib.crc32(body) != crc:
            return None
        return Record(number, _unpack(body), begin + length)

    def clear(self) -> None:
        """Everything in it was sent. Raises StoreError."""
        try:
            os.ftruncate(self._file.fileno(), self.start)
        except OSError as error:
            raise _unusable(self.path, error) from error

    def remove(self) -> None:
        """Everything in it was sent, and no more will come."""
        self.path.unlink(missing_ok=True)
        self._file.close()

    def close(self) -> None:
        """Leave it for a later start."""
        self._file.close()


def _first_line_end(file: IO[bytes]) -> int:
    head = os.pread(file.fileno(), 4096, 0)
    return head.find(b"\n") + 1 or len(head)


def _read_all(handle: int, length: int, at: int) -> bytes:
    chunks: list[bytes] = []
    while length and (chunk := os.pread(handle, min(length, 2**26), at)):
        chunks.append(chunk)
        at += len(chunk)
        length -= len(chunk)
    return b"".join(chunks)


def _write_all(file: IO[bytes], data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file.fileno(), view) :]


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def keep_refused(folder: Path, packed: bytes, why: str) -> Path:
    """Append a write that the server refused to a file of such, for a person to look at."""
    path = folder / "refused"
    try:
        handle = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
        with os.fdopen(handle, "ab", buffering=0) as file:
            _write_all(file, why.encode() + b"\n" + packed + b"\n")
            os.fsync(file.fileno())
    except OSError as error:
        raise _unusable(path, error) from error
    return path


def _unusable(path: Path, error: OSError) -> StoreError:
    return StoreError(
        f"{path}: can't be used ({error.strerror or error}), and so what Redis does not take is not "
        "kept. Make room, or check that you may write there, and try again."
    )
