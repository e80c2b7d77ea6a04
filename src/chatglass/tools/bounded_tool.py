"""What holds for every tool, wherever it comes from: time, size, storable text, no keys."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

from chatglass.tools.limits import PRODUCED_LIMIT, head_and_tail
from chatglass.tools.redaction import Redactor
from chatglass.tools.threads import check, in_thread
from chatglass.tools.tool import (
    Assessment,
    JsonObject,
    Progress,
    ReportProgress,
    Tool,
    ToolOutput,
    ToolSpec,
)
from chatglass.values.text import storable

_PIECE = 1024 * 1024
_AT_ONCE = 100_000
"""Characters that are cleaned without a thread: under a millisecond."""


class BoundedTool:
    """`tool`, ended at its timeout; its texts are storable, bounded and free of known keys."""

    def __init__(self, tool: Tool, redactor: Callable[[], Redactor]) -> None:
        self._tool = tool
        self._redactor = redactor

    @property
    def spec(self) -> ToolSpec:
        return self._tool.spec

    @property
    def described(self) -> object:
        """What the tool's server says of it; None for a tool of no server."""
        return getattr(self._tool, "described", None)

    def validate(self, arguments: JsonObject) -> JsonObject:
        return self._tool.validate(arguments)

    def assess(self, arguments: JsonObject, root: Path) -> Assessment:
        return self._tool.assess(arguments, root)

    async def run(self, arguments: JsonObject, root: Path, report: ReportProgress) -> ToolOutput:
        redactor = self._redactor()

        def clean_report(progress: Progress) -> None:
            message = redactor.redact(storable(progress.message))
            report(Progress(message, progress.fraction))

        spec = self.spec
        limit = asyncio.timeout(spec.timeout_s)
        try:
            async with limit:
                output = await self._tool.run(arguments, root, clean_report)
        except TimeoutError:
            if not limit.expired():
                raise
            return ToolOutput.error(
                f"{spec.name} was ended after {spec.timeout_s:g} s, its time limit."
            )
        if len(output.produced) + len(output.seen) <= _AT_ONCE:
            return _clean(output, spec, redactor, threading.Event())
        return await in_thread(lambda stop: _clean(output, spec, redactor, stop))


def _clean(
    output: ToolOutput, spec: ToolSpec, redactor: Redactor, stop: threading.Event
) -> ToolOutput:
    produced = _clean_text(output.produced[:PRODUCED_LIMIT], redactor, stop)
    same = output.seen is output.produced
    seen = produced if same else _clean_text(output.seen, redactor, stop)
    return ToolOutput(output.status, produced, head_and_tail(seen, spec.output_limit))


def _clean_text(text: str, redactor: Redactor, stop: threading.Event) -> str:
    """In pieces: one call over 64 MB would hold the interpreter, and with it the screen."""
    if len(text) <= _PIECE:
        return redactor.redact(storable(text))
    redacting = redactor.stream()
    parts: list[str] = []
    for start in range(0, len(text), _PIECE):
        check(stop)
        parts.append(redacting.feed(storable(text[start : start + _PIECE])))
    parts.append(redacting.finish())
    return "".join(parts)
