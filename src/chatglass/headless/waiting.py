"""Waiting: says what a turn waits for, where nothing else would tell that it is still at work."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from chatglass.chat.events import (
    Compacting,
    Event,
    Notice,
    ReasoningDelta,
    RequestFinished,
    RequestStarted,
    Retrying,
    TextDelta,
    ToolCallDecided,
    ToolCallDelta,
    ToolCallFinished,
    ToolCallProgress,
    ToolCallProposed,
    ToolCallStarted,
    UsageReported,
)
from chatglass.values import figures
from chatglass.values.text import one_line

FIRST_S = 5.0
"""Of silence before anything is said; what comes next has three times as long."""
LONGEST_S = 300.0


class Waiting:
    """`say` is told after 5, 20, 65, 200, 500, 800 … s of silence. `end()` it with the turn."""

    def __init__(
        self,
        say: Callable[[str], None],
        *,
        gives_up_s: float,
        way_out: str,
        first_s: float,
    ) -> None:
        """`say` gets what stands behind "Waiting"; `gives_up_s`: how long a server may take to begin
        its answer; `way_out` is a sentence."""
        self._say = say
        self._gives_up_s = gives_up_s
        self._way_out = way_out
        self._first_s = first_s
        self._what = ""
        self._bound = ""
        """A sentence on how long that may take."""
        self._model = ""
        self._tools: dict[str, str] = {}
        """Names of calls: all that were proposed, until they end."""
        self._running: dict[str, None] = {}
        self._since = self._next = self._step = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, what: str, bound: str = "", *, in_s: float = 0.0) -> None:
        """From now on, or in so many seconds, it waits for `what`. Cheap: every piece of an answer
        does it."""
        loop = asyncio.get_running_loop()
        self._what, self._bound = what, bound
        self._since = loop.time() + in_s
        self._step = self._first_s
        self._next = self._since + self._step
        if self._timer is not None and self._timer.when() > self._next:
            self._timer.cancel()
            self._timer = None
        if self._timer is None:
            self._timer = loop.call_at(self._next, self._look)

    def end(self) -> None:
        """It waits for nothing that needs words."""
        self._what = ""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = None
        if not self._what:
            return
        if loop.time() >= self._next:
            waited = figures.duration(round((loop.time() - self._since) * 1000))
            self._say(f"for {self._what}, {waited} so far.{self._bound} {self._way_out}")
            self._step = min(self._step * 3, LONGEST_S)
            self._next = loop.time() + self._step
        # Where something came meanwhile this only waits for the rest of the time.
        self._timer = loop.call_at(self._next, self._look)

    def take(self, event: Event) -> None:
        """What an event of the turn begins or ends."""
        match event:
            case RequestStarted():
                self._model = f"{one_line(event.model, 80)} on {event.endpoint}"
                self._await_answer(0.0)
            case Retrying():
                self._await_answer(event.seconds)
            case TextDelta() | ReasoningDelta() | ToolCallDelta():
                self.begin(f"more from {self._model}")
            case Compacting() if event.model:
                self.begin(f"{one_line(event.model, 80)} to sum up older messages")
            case RequestFinished():
                self.end()
            case ToolCallProposed():
                self._tools[event.tool_call_id] = one_line(event.name, 80)
            case ToolCallStarted():
                self._running[event.tool_call_id] = None
                self._await_tools()
            case ToolCallFinished():
                self._running.pop(event.tool_call_id, None)
                self._await_tools()
            case ToolCallDecided() | ToolCallProgress() | UsageReported() | Notice():
                pass
            case _:
                self.end()

    def _await_answer(self, in_s: float) -> None:
        bound = f" It has {self._gives_up_s:g} s to begin; --timeout changes that."
        self.begin(self._model, bound, in_s=in_s)

    def _await_tools(self) -> None:
        if self._running:
            names = [self._tools.get(call, "a tool") for call in self._running]
            self.begin(", ".join(dict.fromkeys(names)))
        else:
            self.end()
