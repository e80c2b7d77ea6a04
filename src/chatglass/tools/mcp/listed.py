"""What the host lists of a server, as values (`host/listing.py` has the other end)."""

from __future__ import annotations

from typing import Any, cast

from chatglass.tools.mcp.values import (
    PromptArgument,
    ServerPrompt,
    ServerResource,
    ServerTool,
    ToolHints,
)
from chatglass.tools.tool import JsonObject


def tool_of(item: JsonObject) -> ServerTool:
    fields: dict[str, Any] = {**item, "hints": ToolHints(**item["hints"])}
    return ServerTool(**fields)


def resource_of(item: JsonObject) -> ServerResource:
    return ServerResource(**item)


def prompt_of(item: JsonObject) -> ServerPrompt:
    arguments = cast("list[JsonObject]", item["arguments"])
    fields: dict[str, Any] = {
        **item,
        "arguments": tuple(PromptArgument(**argument) for argument in arguments),
    }
    return ServerPrompt(**fields)
