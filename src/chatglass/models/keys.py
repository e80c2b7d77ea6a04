"""Keys of endpoints: from a variable, or from a command that prints one."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import signal

_TIMEOUT_S = 60.0
"""A password manager may wait for the user's finger."""
_LONGEST = 64 * 1024


class KeyUnavailable(Exception):
    """A key that could not be had. `str()` says why; it never holds what the command printed."""


class KeyCommand:
    """`api_key_cmd`: run without a shell, when a key is first needed, and then kept in memory.

    What it prints is never logged or shown, on failure neither: it may be the key.
    """

    def __init__(self, command: str, name: str, *, timeout_s: float = _TIMEOUT_S) -> None:
        self._command = command
        self._name = name
        self._timeout_s = timeout_s
        self._lock = asyncio.Lock()
        self._key: str | None = None

    @property
    def known(self) -> str | None:
        """The key, if it has been fetched."""
        return self._key

    async def key(self) -> str:
        """The key. Raises KeyUnavailable."""
        async with self._lock:
            if self._key is None:
                self._key = await self._run()
            return self._key

    def forget(self, key: str) -> None:
        """`key` was refused: the next call of `key()` runs the command again."""
        if self._key == key:
            self._key = None

    async def _run(self) -> str:
        try:
            words = shlex.split(self._command)
        except ValueError as error:
            raise KeyUnavailable(f"{self._name} is not a valid command line ({error}).") from error
        if not words:
            raise KeyUnavailable(f"{self._name} is empty.")
        try:
            process = await asyncio.create_subprocess_exec(
                *words,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            raise KeyUnavailable(
                f"{self._name} can't be run: {words[0]}: {error.strerror or error}."
            ) from error
        try:
            async with asyncio.timeout(self._timeout_s):
                printed, _ = await process.communicate()
        except TimeoutError as error:
            raise KeyUnavailable(f"{self._name} gave no key in {self._timeout_s:g} s.") from error
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
        if process.returncode != 0:
            raise KeyUnavailable(f"{self._name} ended with exit status {process.returncode}.")
        return self._read(printed)

    def _read(self, printed: bytes) -> str:
        try:
            text = printed[:_LONGEST].decode("ascii").strip()
        except UnicodeDecodeError:
            raise KeyUnavailable(f"{self._name} printed something that is not a key.") from None
        if not text:
            raise KeyUnavailable(f"{self._name} printed nothing.")
        if not fits_header(text) or " " in text:
            raise KeyUnavailable(f"{self._name} printed more than a key.")
        return text


def fits_header(value: str) -> bool:
    """Whether an HTTP header can carry `value`: printable ASCII on one line."""
    return value.isascii() and value.isprintable()
