"""A tool made of a typed Python function."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Concatenate

from chatglass.tools.schema import ArgumentSchema
from chatglass.tools.tool import Assessment, JsonObject, ReportProgress, ToolOutput, ToolSpec

Assess = Callable[[JsonObject, Path], Assessment]


@dataclass(frozen=True, slots=True)
class CallContext:
    """What a running call knows beside its arguments.

    `arguments` are the validated ones that were assessed, `root` the session's working directory.
    """

    arguments: JsonObject
    root: Path
    report: ReportProgress


class FunctionTool:
    """A coroutine function whose first parameter is a CallContext, and what judges its calls.

    Name, description and parameters of the spec are the function's own.
    """

    def __init__(
        self,
        function: Callable[Concatenate[CallContext, ...], Awaitable[ToolOutput]],
        assess: Assess,
        *,
        read_only: bool = False,
        parallel: bool = True,
        timeout_s: float = 60.0,
        output_limit: int = 30_000,
    ) -> None:
        self._function: Callable[..., Awaitable[ToolOutput]] = function
        self._assess = assess
        self._schema = ArgumentSchema(function, skip=1)
        self._spec = ToolSpec(
            name=self._schema.name,
            description=self._schema.description,
            parameters=self._schema.parameters,
            read_only=read_only,
            parallel=parallel,
            timeout_s=timeout_s,
            output_limit=output_limit,
        )

    @property
    def spec(self) -> ToolSpec:
        return self._spec

    def validate(self, arguments: JsonObject) -> JsonObject:
        return self._schema.validate(arguments)

    def assess(self, arguments: JsonObject, root: Path) -> Assessment:
        return self._assess(arguments, root)

    async def run(self, arguments: JsonObject, root: Path, report: ReportProgress) -> ToolOutput:
        bound: dict[str, Any] = self._schema.bind(arguments)
        return await self._function(CallContext(arguments, root, report), **bound)
