"""Tab: the chatglass behind one page, a process of its own under the supervisor.

It ends when its page closes, when the server ends, and when the server is killed: the supervisor
watches a pipe whose other end only the server holds.
"""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from textual_serve.app_service import AppService
from textual_serve.download_manager import DownloadManager

from chatglass.tools import supervisor

_GRACE_S = 4.0
"""Between SIGTERM, at which chatglass stores what is unsaved and leaves, and SIGKILL."""
_END_S = _GRACE_S + 6.0


class Tab(AppService):
    """`command` is the program and its arguments."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        write_bytes: Callable[[bytes], Awaitable[None]],
        write_str: Callable[[str], Awaitable[None]],
        close: Callable[[], Awaitable[object]],
    ) -> None:
        async def closed() -> None:
            await close()

        super().__init__(
            "chatglass",
            write_bytes=write_bytes,
            write_str=write_str,
            close=closed,
            download_manager=DownloadManager(),
        )
        self._argv = list(command)
        self._life = -1
        self._reading: asyncio.Task[None] | None = None

    async def start(self, width: int, height: int) -> None:
        """Raises OSError."""
        await self._open_app_process(width, height)
        self._reading = asyncio.create_task(self.run())

    async def ended(self) -> None:
        """Until the program has ended, by itself or otherwise."""
        if self._reading is not None:
            await asyncio.wait([self._reading])

    async def stop(self) -> None:
        """End it, and wait until it is gone."""
        self._close_life()
        if self._reading is None or self._process is None:
            return
        await asyncio.wait([self._reading], timeout=_END_S)
        self._reading.cancel()
        if self._process.returncode is None:
            async with asyncio.timeout(_END_S):
                await self._process.wait()

    async def _open_app_process(self, width: int = 80, height: int = 24) -> Process:
        life_read, self._life = os.pipe()
        status = os.open(os.devnull, os.O_WRONLY)
        try:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", str(Path(supervisor.__file__))),
                *(str(life_read), str(status), str(_GRACE_S), *self._argv),
                stdin=PIPE,
                stdout=PIPE,
                stderr=PIPE,
                env=self._build_environment(width, height),
                pass_fds=(life_read, status),
                # A ^C at the server is for the server: it ends its tabs.
                start_new_session=True,
            )
        except BaseException:
            self._close_life()
            raise
        finally:
            os.close(life_read)
            os.close(status)
        self._stdin = self._process.stdin
        return self._process

    def _close_life(self) -> None:
        if self._life != -1:
            os.close(self._life)
            self._life = -1
