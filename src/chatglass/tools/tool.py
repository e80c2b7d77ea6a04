"""What a tool is: the values and protocols between `chat`, the built-in tools and servers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

JsonObject = dict[str, Any]

Verdict = Literal["allow", "ask", "deny"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolSpec:
    """What the model is told of a tool, and how it is run."""

    name: str
    """As the model calls it: `[a-zA-Z0-9_-]{1,64}`."""
    description: str
    parameters: Mapping[str, Any]
    """JSON Schema of the arguments object."""
    server: str = ""
    """The MCP server it comes from; empty for built-in tools and the user's own."""
    own: str = ""
    """Of one of the user's own tools: the file or package it comes from."""
    read_only: bool = False
    parallel: bool = True
    """Whether it may run beside other calls of the same answer."""
    timeout_s: float = 60.0
    output_limit: int = 30_000
    """The most characters of a result that the model sees."""

    def wire(self) -> JsonObject:
        """The entry of OpenAI's `tools` array."""
        return {
            "type": "function",
            "function": {
                "name": self.name,
                "description": self.description,
                "parameters": dict(self.parameters),
            },
        }


@dataclass(frozen=True, slots=True)
class ToolOutput:
    """What a call gave. `produced` is all of it, `seen` what the model gets."""

    status: Literal["ok", "error"]
    produced: str
    seen: str

    @classmethod
    def error(cls, text: str) -> ToolOutput:
        return cls("error", text, text)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a running call is: `fraction` from 0 to 1, or None where unknown."""

    message: str
    fraction: float | None = None


ReportProgress = Callable[[Progress], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """What the policy says of one call before anyone is asked.

    `why` is a sentence for the screen; `rule` the rule or default that spoke, kept with the
    call; `details` what the question must show beside the arguments (resolved path, address,
    diff), label to text.
    """

    verdict: Verdict
    why: str
    rule: str
    details: Mapping[str, str] = field(default_factory=dict[str, str])
    always_ask: bool = False
    """Only a person may answer: no rule, no session grant, no `--allow-tool`, no `--yolo` covers it."""
    private: bool = False
    """It reaches what may hold secrets: of the rules that allow only one that names it covers it."""


class InvalidArguments(Exception):
    """The arguments do not fit the schema. `str()` tells the model what to mend."""


class UnknownTool(Exception):
    """There is no such tool. `str()` names the nearest ones."""


class Tool(Protocol):
    """One tool."""

    @property
    def spec(self) -> ToolSpec: ...

    def validate(self, arguments: JsonObject) -> JsonObject:
        """The arguments as they will run. Raises InvalidArguments."""
        ...

    def assess(self, arguments: JsonObject, root: Path) -> Assessment:
        """Whether this call may run unasked, inside the session's working directory `root`.

        Called before every run, also of edited arguments, with what `validate` gave. It may read
        files and resolve names: call it in a thread (`asyncio.to_thread`). A run that finds
        another file or address than the last assessment named refuses.
        """
        ...

    def run(
        self, arguments: JsonObject, root: Path, report: ReportProgress
    ) -> Awaitable[ToolOutput]:
        """Run with validated arguments. Cancelling the task ends everything it started."""
        ...
