"""`chatglass --plain`: a chat in lines, for screen readers, dumb terminals and pipes."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import sys
import time
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING

from chatglass.chat.ledger import LedgerUnavailable
from chatglass.chat.workspace import Workspace
from chatglass.config.options import Options
from chatglass.headless.tool_start import start_tools
from chatglass.headless.waiting import FIRST_S, Waiting
from chatglass.plain.commands import name_way
from chatglass.plain.line_reader import LineReader
from chatglass.plain.questions import Questions
from chatglass.plain.talk import Talk
from chatglass.plain.voice import Voice
from chatglass.store.protocol import StoreError
from chatglass.store.status import watch_store
from chatglass.telemetry.configured import start_telemetry
from chatglass.values.exit_codes import DONE, FAILED, INTERRUPTED

if TYPE_CHECKING:
    from chatglass.store.records import SessionRow
    from chatglass.tools.own.own_tools import OwnTools

TWICE_SECONDS = 2.0
"""Two Ctrl+C within this time leave the program."""
_STOPS = (signal.SIGTERM, signal.SIGHUP)


def run_plain(options: Options) -> int:
    """Talk until the user leaves or the input ends. Returns the exit code. Raises ConfigError."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Where the locale's encoding lacks a character, an answer must not end in an error.
            stream.reconfigure(errors="replace")
    try:
        return asyncio.run(talk_in_lines(options, Voice()))
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read it has left. What is still buffered would raise again at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except (StoreError, LedgerUnavailable) as error:
        Voice().line("Error", str(error))
        return FAILED


async def talk_in_lines(options: Options, voice: Voice, descriptor: int = 0) -> int:
    """Read prompts from `descriptor` to its end. Returns the exit code. Raises ConfigError,
    StoreError, LedgerUnavailable."""
    voice.line("chatglass, plain mode", "/help lists the commands, /quit leaves.")
    workspace = Workspace(options)
    workspace.name_way = name_way
    own = await asyncio.to_thread(workspace.make_own_tools)
    await workspace.open()
    try:
        await start_telemetry(workspace)
        watch_store(
            workspace.store,
            lambda text, is_trouble: voice.line("Warning" if is_trouble else "Notice", text),
        )
        row = await _prepared(workspace, own, voice)
        reader = LineReader(descriptor)
        talk = Talk(workspace, voice, reader, Questions(voice, reader))
        with _Signals(talk, voice) as signals:
            await talk.open(row)
            if options.resume == "":
                await talk.command("sessions", "")
            if options.text:
                talk.questions.kept.append(options.text)
            await signals.until_left(talk.run())
        await talk.close()
        return DONE
    finally:
        await workspace.close()


async def _prepared(workspace: Workspace, own: OwnTools | None, voice: Voice) -> SessionRow:
    """Start the tools, and find the session to begin with."""
    waiting = Waiting(
        lambda text: voice.line("Waiting", text),
        gives_up_s=workspace.timeouts.first_byte,
        way_out="Ctrl+C leaves.",
        first_s=FIRST_S,
    )
    try:
        waiting.begin("tools and MCP servers to start")
        await start_tools(workspace, own, lambda text: voice.line("Notice", text))
        waiting.begin("the endpoint to list its models")
        return await workspace.session_to_open()
    finally:
        waiting.end()


class _Signals:
    """Ctrl+C stops the turn; twice, or where nothing runs, it leaves. SIGTERM and SIGHUP leave."""

    def __init__(
        self, talk: Talk, voice: Voice, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._talk = talk
        self._voice = voice
        self._clock = clock
        self._last = float("-inf")
        self._running: asyncio.Task[None] | None = None

    def __enter__(self) -> _Signals:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, self._interrupt)
        for number in _STOPS:
            loop.add_signal_handler(number, self._leave)
        return self

    def __exit__(self, *_: object) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, *_STOPS):
            loop.remove_signal_handler(number)

    async def until_left(self, talking: Coroutine[None, None, None]) -> None:
        """Wait for the end of the talk, by itself or by a signal."""
        self._running = asyncio.ensure_future(talking)
        await asyncio.wait([self._running])
        if not self._running.cancelled():
            self._running.result()

    def _interrupt(self) -> None:
        now, before = self._clock(), self._last
        self._last = now
        if now - before < TWICE_SECONDS:
            self._leave()
        elif self._talk.working:
            self._talk.stop()
        else:
            self._talk.drop_line()
            self._voice.line("Notice", "Press Ctrl+C again, or write /quit, to leave.")

    def _leave(self) -> None:
        if self._running is not None:
            self._running.cancel()
