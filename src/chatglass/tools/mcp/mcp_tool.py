"""A tool of an MCP server, as the engine runs tools."""

from __future__ import annotations

from pathlib import Path

from chatglass.tools.json_values import storable_json
from chatglass.tools.mcp.errors import ServerError
from chatglass.tools.mcp.schemas import adapt_schema, misfits
from chatglass.tools.mcp.server import Server
from chatglass.tools.mcp.values import ServerTool
from chatglass.tools.tool import (
    Assessment,
    InvalidArguments,
    JsonObject,
    Progress,
    ReportProgress,
    ToolOutput,
    ToolSpec,
)
from chatglass.values.text import one_line

CALL_TIMEOUT_S = 300.0
_RESTART_WAIT_S = 20.0
_LONGEST_DESCRIPTION = 1_024
"""OpenAI refuses longer ones."""
_ADVICE_LINES = 20


class McpTool:
    """`tool` of `server`, called `name` by the model. Always asks: its hints are only its word."""

    def __init__(self, name: str, tool: ServerTool, server: Server) -> None:
        self._tool = tool
        self._server = server
        self._adapted = adapt_schema(tool.input_schema)
        self._spec = ToolSpec(
            name=name,
            description=_description(tool),
            parameters=self._adapted.parameters,
            server=server.name,
            timeout_s=server.configured.timeout_s or CALL_TIMEOUT_S,
        )

    @property
    def spec(self) -> ToolSpec:
        return self._spec

    @property
    def described(self) -> ServerTool:
        """As the server describes it, its own schema and hints included."""
        return self._tool

    def validate(self, arguments: JsonObject) -> JsonObject:
        lines = misfits(self._tool.input_schema, self._adapted.restore(arguments))
        if lines:
            shown = "\n".join(f"- {line}" for line in lines[:_ADVICE_LINES])
            raise InvalidArguments(f"The arguments do not fit {self._spec.name}:\n{shown}")
        return arguments

    def assess(self, arguments: JsonObject, root: Path) -> Assessment:
        details = {"server": self._server.name, "tool": self._tool.name}
        if hints := self._tool.hints.words():
            details["the server says"] = hints
        return Assessment(
            verdict="ask",
            why=f"It would call {self._tool.name} of the MCP server {self._server.name}.",
            rule="tools of MCP servers ask",
            details=details,
        )

    async def run(self, arguments: JsonObject, root: Path, report: ReportProgress) -> ToolOutput:
        def progressed(text: str, fraction: float | None) -> None:
            report(Progress(text, fraction))

        try:
            await self._server.ready(_RESTART_WAIT_S)
            given = await self._server.call(
                self._tool.name,
                storable_json(self._adapted.restore(arguments)),
                self._spec.output_limit,
                progressed,
            )
        except ServerError as error:
            return ToolOutput.error(str(error))
        return ToolOutput("error" if given.is_error else "ok", given.produced, given.seen)


def _description(tool: ServerTool) -> str:
    text = tool.description or tool.title or tool.name
    if len(text) <= _LONGEST_DESCRIPTION:
        return text
    return text[: _LONGEST_DESCRIPTION - 1] + "…"


def short_description(tool: ServerTool) -> str:
    """One line for lists."""
    return one_line(tool.title or tool.description or tool.name, 120)
