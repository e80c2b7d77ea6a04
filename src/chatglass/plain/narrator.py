"""Narrator: what the engine tells, as labelled lines."""

from __future__ import annotations

from chatglass.chat.engine import Engine
from chatglass.chat.events import (
    Compacted,
    Compacting,
    Event,
    Notice,
    ReasoningDelta,
    RequestStarted,
    Retrying,
    TextDelta,
    ToolCallDecided,
    ToolCallFinished,
    ToolCallProgress,
    ToolCallProposed,
    TurnFinished,
    TurnStarted,
    UsageReported,
)
from chatglass.plain.sentences import Sentences
from chatglass.plain.voice import Voice
from chatglass.values import figures
from chatglass.values.figures import counted
from chatglass.values.text import one_line
from chatglass.values.usage import UsageSum

_NOTICES = {"information": "Notice", "warning": "Warning", "error": "Error"}
_ENDS = {
    "interrupted": "The turn was stopped. What was answered is kept.",
    "error": "The turn ended with an error. /retry tries again.",
    "limit": "The turn ended at a limit.",
}


class Narrator:
    """Says one session's turns. Calls are numbered in the order in which the session made them."""

    def __init__(self, voice: Voice, engine: Engine, calls: int) -> None:
        """`calls`: how many tool calls the session has had already."""
        self._voice = voice
        self._engine = engine
        self._calls = calls
        self._numbers: dict[str, tuple[int, str]] = {}
        self._sentences = Sentences()
        self._answering = False
        self._thinks = False
        self._quarter: dict[str, int] = {}
        self._turn = UsageSum()
        self.status = "complete"
        """How the newest turn ended."""

    def number(self, tool_call_id: str) -> int:
        """The number under which a call was announced; 0 where it was not."""
        return self._numbers.get(tool_call_id, (0, ""))[0]

    def take(self, event: Event) -> None:
        match event:
            case TextDelta():
                self._say_text(event.text)
            case ReasoningDelta():
                if not self._thinks:
                    self._thinks = True
                    self._voice.line("Thinking")
            case _:
                self._end_text()
                self._tell(event)

    def _tell(self, event: Event) -> None:
        say = self._voice.line
        match event:
            case TurnStarted():
                self._turn = UsageSum()
            case RequestStarted():
                self._thinks = False
            case ToolCallProposed():
                self._propose(event)
            case ToolCallDecided(decision="deny"):
                why = f": {event.reason}" if event.reason else ""
                say("Denied", f"{self._name_of(event.tool_call_id)}{why}")
            case ToolCallProgress():
                self._progress(event)
            case ToolCallFinished() if event.status != "denied":
                self._result(event)
            case Notice():
                say(_NOTICES[event.severity], f"{event.cause} {event.advice}".rstrip())
            case Retrying():
                say(
                    "Waiting",
                    f"{event.cause} Trying again in {event.seconds:.0f} s, attempt {event.attempt}.",
                )
            case Compacting() if event.model:
                say("Compacting", f"{event.model} sums up the older messages.")
            case Compacted():
                say(
                    "Compacted",
                    f"old messages are left out: {event.tokens_before:,} tokens became "
                    f"{event.tokens_after:,}.",
                )
            case UsageReported():
                self._turn.add(event.usage, event.cost_usd)
            case TurnFinished():
                self._finish(event)
            case _:
                pass

    def say_waiting(self, text: str) -> None:
        """What the turn waits for; what is said of the answer after it has its label again."""
        for piece in self._sentences.flush():
            self._say_piece(piece)
        self._answering = False
        self._voice.line("Waiting", text)

    # -- the answer

    def _say_text(self, text: str) -> None:
        for piece in self._sentences.push(text):
            self._say_piece(piece)

    def _say_piece(self, piece: str) -> None:
        if not self._answering:
            if not piece.strip():
                return
            self._answering = True
            self._voice.ask("Assistant")
        self._voice.piece(piece)

    def _end_text(self) -> None:
        for piece in self._sentences.flush():
            self._say_piece(piece)
        self._voice.close_line()
        self._sentences = Sentences()
        self._answering = False

    # -- tool calls

    def _propose(self, event: ToolCallProposed) -> None:
        self._calls += 1
        self._numbers[event.tool_call_id] = (self._calls, event.name)
        self._voice.line(
            f"Tool {one_line(event.name, 80)}, call {self._calls}",
            one_line(event.arguments, 300) or "no arguments",
        )

    def _name_of(self, tool_call_id: str) -> str:
        number, name = self._numbers.get(tool_call_id, (0, "a tool"))
        return f"{one_line(name, 80)}, call {number}"

    def _progress(self, event: ToolCallProgress) -> None:
        """Every quarter once: each message would drown the rest."""
        quarter = int((event.fraction or 0) * 4)
        if event.fraction is None or quarter <= self._quarter.get(event.tool_call_id, 0):
            return
        self._quarter[event.tool_call_id] = quarter
        told = f"{event.fraction:.0%} {one_line(event.message, 120)}".rstrip()
        self._voice.line(f"Progress of {self._name_of(event.tool_call_id)}", told)

    def _result(self, event: ToolCallFinished) -> None:
        number, _ = self._numbers.get(event.tool_call_id, (0, ""))
        facts = f"{event.status}, {figures.duration(event.duration_ms)}, {figures.size(event.result_bytes)}"
        start = one_line(event.preview, 160)
        said = f"{facts}. {start}" if start else f"{facts}."
        self._voice.line(f"Result of call {number}", f"{said} (/call {number} reads all of it)")

    # -- the end of a turn

    def _finish(self, event: TurnFinished) -> None:
        self.status = event.status
        if event.status in _ENDS:
            self._voice.line("End", _ENDS[event.status])
        if not self._turn.used:
            return
        usage, about = self._turn.usage, self._turn.estimated
        spent = figures.cost(self._turn.known_cost, about=about, unpriced=self._turn.unpriced)
        mark = "about " if about else ""
        requests = counted(event.requests, "request")
        self._voice.line(
            "Cost",
            f"{spent}, {mark}{usage.total_tokens:,} tokens, {requests}, "
            f"{figures.duration(event.duration_ms)}.",
        )
