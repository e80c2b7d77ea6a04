"""What `-p` prints: the answer in the format asked for on stdout, everything else on stderr."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from typing import IO, Any

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
    to_json,
)
from chatglass.config.options import Options
from chatglass.store.records import ToolCallRow
from chatglass.values.text import visible
from chatglass.values.usage import UsageSum


class OutputFailed(Exception):
    """stdout took no more, as on a full disk."""


def say(text: str) -> None:
    """A line on stderr. Control characters in it are shown where a person reads it."""
    print(visible(text) if sys.stderr.isatty() else text, file=sys.stderr, flush=True)


@dataclass
class Printer:
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
                say(
                    f"Tool call {event.status}: {event.preview.splitlines()[0] if event.preview else ''}"
                )
            case Notice():
                self._break_line()
                say(f"{event.severity}: {event.cause} {event.advice}".rstrip())
            case Retrying():
                say(
                    f"{event.cause} Trying again in {event.seconds:.1f} s (attempt {event.attempt})."
                )
            case Compacting() if event.model:
                say(f"Compacting: {event.model} sums up the older messages …")
            case Compacted():
                say(
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
            raise OutputFailed(error.strerror or str(error)) from error
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
                total.add(row.usage, row.cost)
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
