"""`chatglass -p`: one turn without a screen. The answer goes to stdout, everything else to stderr."""

from __future__ import annotations

import asyncio
import difflib
import io
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

from chatglass.chat.approvals import NobodyToAsk
from chatglass.chat.attached_files import AttachError, read_file
from chatglass.chat.attachments import Attachment
from chatglass.chat.engine import Engine
from chatglass.chat.events import (
    Compacted,
    Compacting,
    Event,
    Notice,
    RequestStarted,
    Retrying,
    TextDelta,
    ToolCallFinished,
    ToolCallStarted,
    TurnFinished,
    TurnStarted,
    to_json,
)
from chatglass.chat.ledger import LedgerUnavailable
from chatglass.chat.mentions import find_mentions, may_mention
from chatglass.chat.workspace import Workspace
from chatglass.config.errors import ConfigError
from chatglass.config.options import Options
from chatglass.store.protocol import StoreError
from chatglass.store.records import ToolCallRow
from chatglass.telemetry.configured import start_telemetry
from chatglass.values.text import visible
from chatglass.values.usage import UsageSum

if TYPE_CHECKING:
    from chatglass.tools.own.own_tools import OwnTools

ANSWERED, FAILED, USAGE, LIMIT, INTERRUPTED = 0, 1, 2, 3, 130
_SERVERS_WITHIN_S = 10.0
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_EXIT = {"complete": ANSWERED, "error": FAILED, "limit": LIMIT, "interrupted": INTERRUPTED}


def run_print(options: Options) -> int:
    prompt = joined_prompt(options)
    _write_anything()
    try:
        return asyncio.run(print_answer(options, prompt))
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read stdout has left, as `head` does. What is still buffered would raise again
        # when Python closes it.
        _discard_output()
        return FAILED
    except _OutputFailed as error:
        _discard_output()
        _say(f"chatglass: the output: {error}.")
        return FAILED
    except (StoreError, LedgerUnavailable) as error:
        _say(str(error))
        return FAILED


class _OutputFailed(Exception):
    """stdout took no more, as on a full disk."""


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
        piped = sys.stdin.buffer.read().decode("utf-8", "replace")
        text = "\n\n".join(part for part in (text, piped) if part.strip())
    if not text.strip():
        raise ConfigError("-p needs a prompt, as its text or on stdin.")
    return text


def _write_anything() -> None:
    """Where the locale's encoding lacks a character, an answer must not end in an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


async def print_answer(options: Options, prompt: str) -> int:
    """Run one turn and print it. Returns the exit code. Raises ConfigError, StoreError,
    LedgerUnavailable."""
    workspace = Workspace(options, may_demo=False)
    own = workspace.make_own_tools()
    if not workspace.has_servers and own is None:
        _check_tool_names(options, workspace)
    await workspace.open()
    try:
        await start_telemetry(workspace)
        await start_tools(workspace, own, _say)
        if workspace.has_servers or own is not None:
            _check_tool_names(options, workspace)
        session = await workspace.session_to_open()
        policy = workspace.session_policy(session.root)
        engine = await workspace.engine(
            session, decide_tool=NobodyToAsk(_say).decide, judge=policy.judge
        )
        try:
            await engine.start()
            if engine.holder is not None:
                _say(
                    f"Session {engine.session_id} is open in another chatglass "
                    f"(pid {engine.holder.pid}). Close it there, or start a new session."
                )
                return FAILED
            attached = await _attached(workspace, engine, options.prompt or "")
            return await _answer(engine, prompt, attached, _Printer(options, engine))
        finally:
            await engine.close()
    finally:
        await workspace.close()


async def start_tools(
    workspace: Workspace, own: OwnTools | None, say: Callable[[str], None]
) -> None:
    """Start what has tools beside the built-in ones, and wait a little: the first request needs
    them. `say` is told what keeps one from starting."""
    if own is not None:
        own.on_problem = lambda problem: say(str(problem))
        own.start()
    if workspace.has_servers:
        await _start_servers(workspace, say)
    if own is not None:
        await own.settled(_SERVERS_WITHIN_S)
        for label in own.loading:
            say(f"{label}: still being imported; the turn begins without its tools.")


async def _start_servers(workspace: Workspace, say: Callable[[str], None]) -> None:
    from chatglass.tools.mcp.events import ConfigFaulty, McpEvent, ProjectIgnored

    def tell(event: McpEvent) -> None:
        match event:
            case ConfigFaulty(problems):
                for problem in problems:
                    say(str(problem))
            case ProjectIgnored(file=file, reason=reason):
                say(f"{file}: its servers are not started: {reason}.")
            case _:
                pass

    servers = workspace.make_servers()
    servers.subscribe(tell)
    servers.start()
    await servers.settled(_SERVERS_WITHIN_S)
    for server in servers.snapshots():
        if server.state == "starting":
            say(f"{server.name}: still starting; the turn begins without its tools.")
        elif server.state in ("failed", "restarting"):
            say(f"{server.name}: {server.state}. {server.error}")


def _check_tool_names(options: Options, workspace: Workspace) -> None:
    known = [spec.name for spec in workspace.tools.specs()]
    for name in options.allow_tools:
        loading = workspace.own_tools.loading if workspace.own_tools else []
        if known and name not in known and not loading and not _of_absent_server(name, workspace):
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
            hint = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(known)}."
            raise ConfigError(f"--allow-tool {name}: there is no such tool. {hint}")


def _of_absent_server(name: str, workspace: Workspace) -> bool:
    """Whether a server that is not ready (which was said) may have a tool of that name."""
    snapshots = workspace.servers.snapshots() if workspace.servers else ()
    return any(
        name.startswith(f"{server.slug}__") for server in snapshots if server.state != "ready"
    )


async def _answer(
    engine: Engine, prompt: str, attached: Sequence[Attachment], printer: _Printer
) -> int:
    loop = asyncio.get_running_loop()

    def stop() -> None:
        # The first signal ends the turn and keeps what there is; the next one ends the program.
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
        engine.stop()

    async with aclosing(engine.answer(prompt, attached)) as events:
        async for event in events:
            if isinstance(event, TurnStarted):
                for number in _SIGNALS:
                    loop.add_signal_handler(number, stop)
            printer.take(event)
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
            _say(f"{mention.problem} {mention.written} is sent as text.")
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


def _say(text: str) -> None:
    """A line on stderr. Control characters in it are shown where a person reads it."""
    print(visible(text) if sys.stderr.isatty() else text, file=sys.stderr, flush=True)


@dataclass
class _Printer:
    """Prints what one turn tells, in the format asked for."""

    options: Options
    engine: Engine
    out: IO[str] = field(default_factory=lambda: sys.stdout)
    status: str = "error"
    text: str = ""
    duration_ms: int = 0
    requests: int = 0
    turn_id: str = ""
    _ends_line: bool = True
    _separator: str = ""
    """Stands between the texts of two requests of the turn."""

    def take(self, event: Event) -> None:
        if self.options.output_format == "stream-json":
            self._write(to_json(event) + "\n")
        self.turn_id = event.turn_id
        match event:
            case RequestStarted() if self.text:
                self._separator = "\n\n"
            case TextDelta():
                delta, self._separator = self._separator + event.text, ""
                self.text += delta
                if self.options.output_format == "text":
                    self._write(delta)
            case ToolCallStarted():
                self._break_line()
            case ToolCallFinished() if event.status != "ok":
                _say(
                    f"Tool call {event.status}: {event.preview.splitlines()[0] if event.preview else ''}"
                )
            case Notice():
                self._break_line()
                _say(f"{event.severity}: {event.cause} {event.advice}".rstrip())
            case Retrying():
                _say(
                    f"{event.cause} Trying again in {event.seconds:.1f} s (attempt {event.attempt})."
                )
            case Compacting() if event.model:
                _say(f"Compacting: {event.model} sums up the older messages …")
            case Compacted():
                _say(
                    f"Compacted ({event.strategy}): {event.tokens_before:,} → "
                    f"{event.tokens_after:,} tokens."
                )
            case TurnFinished():
                self.status, self.duration_ms = event.status, event.duration_ms
                self.requests = event.requests
            case _:
                pass

    async def finish(self) -> None:
        if self.options.output_format == "json":
            self._write(json.dumps(await self._summary(), ensure_ascii=False) + "\n")
        elif self.options.output_format == "text" and not self._ends_line:
            self._write("\n")

    def _write(self, text: str) -> None:
        if self.out.isatty():
            text = visible(text)
        try:
            self.out.write(text)
            self.out.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise _OutputFailed(error.strerror or str(error)) from error
        self._ends_line = text.endswith("\n") if text else self._ends_line

    def _break_line(self) -> None:
        """So that a line on stderr begins a line, where both are the same terminal."""
        if self.out.isatty() and self.options.output_format == "text" and not self._ends_line:
            self._write("\n")

    async def _summary(self) -> dict[str, Any]:
        context = self.engine.context
        rows = [
            row
            for row in await context.store.requests(context.session.id)
            if row.turn_id == self.turn_id
        ]
        total = UsageSum()
        for row in rows:
            if row.usage is not None:
                total.add(row.usage, row.cost, row.price_source)
        usage, cost = total.usage, total.whole_cost
        calls = [
            row
            for row in await context.store.tool_calls(context.session.id)
            if row.turn_id == self.turn_id
        ]
        return {
            "session_id": context.session.id,
            "model": context.session.model,
            "status": self.status,
            "text": self.text,
            "tool_calls": [await self._call(row) for row in calls],
            "requests": self.requests,
            "usage": {
                "prompt_tokens": usage.prompt_tokens,
                "completion_tokens": usage.completion_tokens,
                "cached_tokens": usage.cached_tokens,
                "reasoning_tokens": usage.reasoning_tokens,
                "total_tokens": usage.total_tokens,
                "source": usage.source,
            },
            "cost_usd": None if cost is None else float(cost),
            "duration_ms": self.duration_ms,
        }

    async def _call(self, row: ToolCallRow) -> dict[str, Any]:
        result = await self.engine.context.store.tool_result(row.id)
        return {
            "id": row.call_id,
            "name": row.name,
            "arguments": row.edited_arguments or row.arguments,
            "status": row.state,
            "duration_ms": row.duration_ms,
            "result": result.seen if result else None,
        }
