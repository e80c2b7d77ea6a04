"""One of the user's own tools, as the engine runs tools."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

from chatglass.tools.mcp.schemas import misfits
from chatglass.tools.own.worker_process import WorkerFailed
from chatglass.tools.schema import without_idle_nulls
from chatglass.tools.tool import (
    Assessment,
    InvalidArguments,
    JsonObject,
    ReportProgress,
    ToolOutput,
    ToolSpec,
)

_ADVICE_LINES = 20

CallWorker = Callable[[str, JsonObject, Path, ReportProgress], Awaitable[tuple[bool, str]]]
"""Runs a tool in the worker of a folder: whether it failed, and what it gave. Raises WorkerFailed."""


class OwnTool:
    """Made of the worker's description. Always asks: what its author says of it lowers no guard."""

    def __init__(self, described: JsonObject, source: str, call: CallWorker) -> None:
        self._call = call
        self._says = "only reads" if described["read_only"] else ""
        self._spec = ToolSpec(
            name=described["name"],
            description=described["description"],
            parameters=described["parameters"],
            own=source,
            read_only=False,
            parallel=described["parallel"],
            timeout_s=described["timeout_s"],
        )

    @property
    def spec(self) -> ToolSpec:
        return self._spec

    def validate(self, arguments: JsonObject) -> JsonObject:
        given = without_idle_nulls(self._spec.parameters, arguments)
        lines = misfits(self._spec.parameters, given)
        if lines:
            shown = "\n".join(f"- {line}" for line in lines[:_ADVICE_LINES])
            raise InvalidArguments(f"The arguments do not fit {self._spec.name}:\n{shown}")
        properties = cast("dict[str, dict[str, Any]]", self._spec.parameters["properties"])
        left_out = {
            name: schema["default"]
            for name, schema in properties.items()
            if "default" in schema and name not in given
        }
        return {**given, **left_out}

    def assess(self, arguments: JsonObject, root: Path) -> Assessment:
        details = {"from": self._spec.own}
        if self._says:
            details["its author says"] = self._says
        return Assessment(
            verdict="ask",
            why=f"It would run {self._spec.name}, one of your own tools.",
            rule="own tools ask",
            details=details,
        )

    async def run(self, arguments: JsonObject, root: Path, report: ReportProgress) -> ToolOutput:
        try:
            failed, text = await self._call(self._spec.name, arguments, root, report)
        except WorkerFailed as error:
            return ToolOutput.error(
                f"{self._spec.name} gave no result, and may have taken effect: {error}"
            )
        return ToolOutput("error" if failed else "ok", text, text)
