"""A stdio server of the SDK, which speaks today's protocol."""

from __future__ import annotations

import asyncio
from pathlib import Path

from mcp.server.mcpserver import Context, MCPServer
from mcp_types import (
    Completion,
    CompletionArgument,
    CompletionContext,
    ElicitRequest,
    ElicitRequestFormParams,
    ElicitResult,
    InputRequiredResult,
)

mcp = MCPServer("sdk")


@mcp.tool()
async def ask(context: Context) -> str | InputRequiredResult:
    """Asks the user."""
    if not context.input_responses:
        form = ElicitRequestFormParams(
            message="Who are you?",
            requested_schema={"type": "object", "properties": {"name": {"type": "string"}}},
        )
        return InputRequiredResult(input_requests={"who": ElicitRequest(params=form)})
    answer = context.input_responses["who"]
    assert isinstance(answer, ElicitResult)
    assert answer.content
    return f"Hello, {answer.content['name']}."


@mcp.tool()
async def grow(context: Context) -> str:
    """Adds a tool."""

    def grown() -> str:
        return "x"

    mcp.add_tool(grown)
    await context.notify_tools_changed()
    return "grown"


@mcp.tool()
async def wait(file: str, context: Context) -> str:
    """Waits to be cancelled."""
    await context.report_progress(1, 2)
    try:
        await asyncio.Event().wait()
    finally:
        Path(file).write_text("cancelled")  # noqa: ASYNC240
    return ""


@mcp.resource("note://{topic}/{page}")
def note(topic: str, page: str) -> str:
    """A note."""
    return f"page {page} of {topic}"


@mcp.completion()
async def complete(
    reference: object, argument: CompletionArgument, context: CompletionContext | None
) -> Completion:
    """Topics that begin so; pages of the topic."""
    if argument.name == "topic":
        return Completion(values=[t for t in ("alpha", "alps", "beta") if t.startswith(argument.value)])  # fmt: skip
    topic = (context.arguments or {}).get("topic", "none") if context else "none"
    return Completion(values=[f"{topic}-1"])


mcp.run("stdio")
