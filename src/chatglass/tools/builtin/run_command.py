"""run_command: a shell command under the supervisor."""

from __future__ import annotations

import asyncio
import codecs
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import Field

from chatglass.tools import policy
from chatglass.tools.function_tool import CallContext, FunctionTool
from chatglass.tools.limits import PRODUCED_LIMIT, head_and_tail
from chatglass.tools.process import GRACE_S, ProcessEnd, run_process
from chatglass.tools.redaction import Redactor
from chatglass.tools.threads import check, in_thread
from chatglass.tools.tool import Assessment, JsonObject, Progress, ToolOutput
from chatglass.values.text import one_line

_OUTPUT_LIMIT = 30_000
_LONGEST_S = 3600
_PROGRESS_S = 0.2
_ADVICE = (
    "To see it, run the command with its output filtered (grep, head, tail) or written to a file."
)


def run_command_tool(
    environment: Callable[[], Mapping[str, str]], redactor: Callable[[], Redactor]
) -> FunctionTool:
    def assess(arguments: JsonObject, root: Path) -> Assessment:
        return policy.run_in_shell(arguments["command"], root)

    async def run_command(
        context: CallContext,
        command: Annotated[str, Field(min_length=1, description="The command line.")],
        timeout_s: Annotated[
            int, Field(ge=1, le=_LONGEST_S, description="Seconds after which it is ended.")
        ] = 120,
    ) -> ToolOutput:
        """Run a shell command in the working directory. It gets no input and no terminal; stdout and stderr come together, then the exit code. It has to end by itself: what it leaves running in the background is ended with it."""
        if "\0" in command:
            return ToolOutput.error(
                "The command holds a NUL character, which no program can be given."
            )
        progress = _LastLine(context, redactor())
        try:
            ended = await run_process(
                [policy.shell(), "-c", command.encode("utf-8", "replace").decode()],
                cwd=context.root,
                environment=environment(),
                timeout_s=timeout_s,
                on_output=progress.feed,
            )
        except OSError as error:
            return ToolOutput.error(
                f"The command could not be started in {context.root}: {error.strerror or error}."
            )
        finally:
            progress.stop()
        return await in_thread(lambda stop: _result(ended, timeout_s, redactor(), stop))

    return FunctionTool(
        run_command,
        assess,
        parallel=False,
        # The argument decides; this only bounds it, with the time that ending the tree may take.
        timeout_s=_LONGEST_S + GRACE_S + 10,
        output_limit=_OUTPUT_LIMIT,
    )


class _LastLine:
    """Reports the last line that is not empty, a few times a second."""

    def __init__(self, context: CallContext, redactor: Redactor) -> None:
        self._context = context
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._redacting = redactor.stream()
        self._tail = ""
        self._next = 0.0
        self._loop = asyncio.get_running_loop()
        self._later: asyncio.TimerHandle | None = None

    def feed(self, piece: bytes) -> None:
        self._tail = (self._tail + self._redacting.feed(self._decoder.decode(piece)))[-2_000:]
        if self._later is not None:
            return
        if self._loop.time() >= self._next:
            self._report()
        else:
            self._later = self._loop.call_at(self._next, self._report)

    def stop(self) -> None:
        if self._later is not None:
            self._later.cancel()

    def _report(self) -> None:
        self._later = None
        # A progress bar writes its line again and again after a carriage return.
        lines = [line for line in self._tail.replace("\r", "\n").split("\n") if line.strip()]
        if lines:
            self._next = self._loop.time() + _PROGRESS_S
            self._context.report(Progress(one_line(lines[-1], 200)))


def _result(
    ended: ProcessEnd, timeout_s: float, redactor: Redactor, stop: threading.Event
) -> ToolOutput:
    text = _decoded(ended.pieces, redactor, stop)
    body = "(no output)" if not text or text.isspace() else text
    end = "".join(f"\n[{note}]" for note in _notes(ended, timeout_s))
    good = ended.exit_code == 0 and not (ended.timed_out or ended.flooded)
    seen = head_and_tail(body, _OUTPUT_LIMIT - len(end), _ADVICE)
    return ToolOutput("ok" if good else "error", _joined(body, end), _joined(seen, end))


def _joined(body: str, end: str) -> str:
    """One copy of what may be 64 MB; `end` begins with the line end that `body` may have."""
    return body + (end[1:] if body.endswith("\n") else end)


def _notes(ended: ProcessEnd, timeout_s: float) -> list[str]:
    notes: list[str] = []
    if ended.error:
        notes.append(f"The command did not run to its end: {ended.error}")
    elif ended.timed_out:
        notes.append(f"Ended after {timeout_s:g} s, its time limit; timeout_s sets another")
    elif ended.flooded:
        notes.append(f"Ended since it printed more than {PRODUCED_LIMIT // 1024 // 1024} MB")
    elif ended.signal is not None:
        notes.append(f"Ended by signal {_signal_name(ended.signal)}")
    else:
        notes.append(f"exit code {ended.exit_code}")
    if ended.left_running:
        notes.append(f"{ended.left_running} processes it had left running were ended")
    return notes


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)


def _decoded(pieces: Sequence[bytes], redactor: Redactor, stop: threading.Event) -> str:
    """Piece by piece: one call over 64 MB would hold the interpreter, and with it the screen."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    redacting = redactor.stream()
    parts: list[str] = []
    for piece in pieces:
        check(stop)
        parts.append(redacting.feed(decoder.decode(piece)))
    parts.append(redacting.feed(decoder.decode(b"", final=True)) + redacting.finish())
    return "".join(parts)
