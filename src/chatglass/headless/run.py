"""`chatglass -p`: one turn without a screen. The answer goes to stdout, everything else to stderr."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import sys
import threading
from collections.abc import Sequence
from contextlib import aclosing

from chatglass.chat.approvals import NobodyToAsk
from chatglass.chat.attached_files import AttachError, read_file
from chatglass.chat.attachments import Attachment
from chatglass.chat.engine import Engine
from chatglass.chat.events import TurnStarted
from chatglass.chat.ledger import LedgerUnavailable
from chatglass.chat.mentions import find_mentions, may_mention
from chatglass.chat.workspace import Workspace
from chatglass.config.errors import ConfigError
from chatglass.config.options import Options
from chatglass.headless.ledger_watch import LedgerWatch
from chatglass.headless.printer import OutputFailed, Printer, say
from chatglass.headless.tool_start import start_tools
from chatglass.headless.waiting import FIRST_S, Waiting
from chatglass.store.protocol import StoreError
from chatglass.store.status import watch_store
from chatglass.telemetry.configured import start_telemetry
from chatglass.values.exit_codes import DONE, FAILED, INTERRUPTED, LIMIT
from chatglass.values.ways import Way

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_EXIT = {"complete": DONE, "error": FAILED, "limit": LIMIT, "interrupted": INTERRUPTED}


def run_print(options: Options) -> int:
    prompt = joined_prompt(options)
    _write_anything()
    try:
        return asyncio.run(print_answer(options, prompt))
    except (KeyboardInterrupt, asyncio.CancelledError):
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read stdout has left, as `head` does. What is still buffered would raise again
        # when Python closes it.
        _discard_output()
        return FAILED
    except OutputFailed as error:
        _discard_output()
        say(f"chatglass: the output: {error}.")
        return FAILED
    except (StoreError, LedgerUnavailable) as error:
        say(str(error))
        return FAILED


def _discard_output() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def joined_prompt(options: Options) -> str:
    """The text of `-p`, and what is piped in behind it. Raises ConfigError where there is neither."""
    if options.resume == "":
        raise ConfigError(
            "-p with --resume needs the id of a session: there is no list to choose in."
        )
    text = options.prompt or ""
    if sys.stdin is not None and not sys.stdin.isatty():
        piped = _read_to_its_end()
        text = "\n\n".join(part for part in (text, piped) if part.strip())
    if not text.strip():
        raise ConfigError("-p needs a prompt, as its text or on stdin.")
    return text


def _read_to_its_end() -> str:
    """What is piped in. A pipe that nobody closes is said: it would be waited for in silence."""
    told = "Reading standard input, which has not ended yet; `</dev/null` gives none."
    timer = threading.Timer(FIRST_S, say, [told])
    timer.daemon = True
    timer.start()
    try:
        return sys.stdin.buffer.read().decode("utf-8", "replace")
    finally:
        timer.cancel()


def _write_anything() -> None:
    """Where the locale's encoding lacks a character, an answer must not end in an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _flag_for(way: Way) -> str:
    flags: dict[Way, str] = {"model": "--model", "budget": "--max-cost"}
    return flags.get(way, "")


async def print_answer(options: Options, prompt: str) -> int:
    """Run one turn and print it. Returns the exit code; is cancelled by SIGINT and SIGTERM before the
    turn. Raises ConfigError, StoreError, LedgerUnavailable."""
    workspace = Workspace(options, may_demo=False)
    workspace.name_way = _flag_for
    own = workspace.make_own_tools()
    waiting = Waiting(
        lambda text: say(f"Waiting {text}"),
        gives_up_s=workspace.timeouts.first_byte,
        way_out="Ctrl+C ends it.",
        first_s=FIRST_S,
    )
    with _Stopping() as stopping:
        await workspace.open()
        try:
            await start_telemetry(workspace)
            watch_store(
                workspace.store,
                lambda text, is_trouble: say(f"warning: {text}" if is_trouble else text),
            )
            waiting.begin("tools and MCP servers to start")
            await start_tools(workspace, own, say)
            waiting.begin("the endpoint to list its models")
            session = await workspace.session_to_open()
            waiting.end()
            policy = workspace.session_policy(session.root)
            engine = await workspace.engine(
                session, decide_tool=NobodyToAsk(say).decide, judge=policy.judge
            )
            try:
                await engine.start()
                if engine.holder is not None:
                    say(
                        f"Session {engine.session_id} is open in another chatglass "
                        f"(pid {engine.holder.pid}). Close it there, or start a new session."
                    )
                    return FAILED
                attached = await _attached(workspace, engine, options.prompt or "")
                printer = Printer(options, engine)
                return await _answer(engine, prompt, attached, printer, stopping, waiting)
            finally:
                await engine.close()
        finally:
            waiting.end()
            await workspace.close()


class _Stopping:
    """The first SIGINT or SIGTERM stops the turn and keeps what there is, or ends what comes before
    it; the next one ends the program."""

    def __init__(self) -> None:
        self.engine: Engine | None = None
        """Whose turn runs."""
        self._task: asyncio.Task[object] | None = None

    def __enter__(self) -> _Stopping:
        self._task = asyncio.current_task()
        for number in _SIGNALS:
            asyncio.get_running_loop().add_signal_handler(number, self._stop)
        return self

    def __exit__(self, *_: object) -> None:
        for number in _SIGNALS:
            asyncio.get_running_loop().remove_signal_handler(number)

    def _stop(self) -> None:
        self.__exit__()
        if self.engine is not None:
            self.engine.stop()
        elif self._task is not None:
            self._task.cancel()


async def _answer(
    engine: Engine,
    prompt: str,
    attached: Sequence[Attachment],
    printer: Printer,
    stopping: _Stopping,
    waiting: Waiting,
) -> int:
    async with aclosing(engine.answer(prompt, attached)) as events:
        async for event in events:
            if isinstance(event, TurnStarted):
                stopping.engine = engine
            waiting.take(event)
            printer.take(event)
    if trouble := LedgerWatch(engine).news():
        say(f"warning: {trouble}")
    if not engine.conversation.prompt_stored:
        await _keep_as_draft(engine, prompt)
    await printer.finish()
    return _EXIT[printer.status]


async def _attached(workspace: Workspace, engine: Engine, text: str) -> list[Attachment]:
    """The files that `text` names as `@path`. What is piped in attaches nothing: it may be anyone's.
    Raises ConfigError for one that can't be attached, or not without a question."""
    if not may_mention(text):
        return []
    root = engine.context.root
    attached: list[Attachment] = []
    for mention in await asyncio.to_thread(find_mentions, text, root, lambda _: False):
        if mention.path is None:
            if mention.certain:
                raise ConfigError(mention.problem)
            say(f"{mention.problem} {mention.written} is sent as text.")
            continue
        reason = await asyncio.to_thread(workspace.objection_to_reading, mention.path, root)
        if reason is not None:
            raise ConfigError(
                f"{mention.written} is not attached: {reason} Nobody can be asked here; pipe it in."
            )
        try:
            file = await asyncio.to_thread(read_file, mention.path, mention.written[1:])
        except AttachError as error:
            raise ConfigError(str(error)) from error
        attached.append(file.content())
    return attached


async def _keep_as_draft(engine: Engine, prompt: str) -> None:
    """A prompt that was refused must not be sent by whoever opens the session next."""
    await engine.unqueue(engine.queue[0].id)
    await engine.save_draft(prompt)
