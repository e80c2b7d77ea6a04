"""What a server offers, page by page, in the form the app takes."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import mcp_types as types
from mcp.client import Client
from mcp.shared.exceptions import MCPError

from chatglass.tools.tool import JsonObject
from chatglass.values.text import storable

TOOLS, RESOURCES, PROMPTS = KINDS = ("tools", "resources", "prompts")
CHANGES: dict[type[Any], str] = {
    types.ToolListChangedNotification: TOOLS,
    types.ResourceListChangedNotification: RESOURCES,
    types.PromptListChangedNotification: PROMPTS,
}
_MOST_PAGES = 100
_MOST_ITEMS = 1_000
_LARGEST_SCHEMA = 64 * 1024
_LONGEST_TEXT = 16 * 1024


async def read(client: Client, what: str, note: Callable[[str], None]) -> list[JsonObject]:
    """All of one kind; nothing where the server does not offer that kind. Raises MCPError."""
    capabilities = client.server_capabilities
    if what == TOOLS and capabilities.tools:
        tools = await _pages(client.list_tools, lambda page: page.tools, note, what)
        return [item for tool in tools if (item := _tool(tool, note))]
    if what == PROMPTS and capabilities.prompts:
        prompts = await _pages(client.list_prompts, lambda page: page.prompts, note, what)
        return [_prompt(prompt) for prompt in prompts]
    if what == RESOURCES and capabilities.resources:
        found = await _pages(client.list_resources, lambda page: page.resources, note, what)
        items = [_resource(item) for item in found]
        return items + await _templates(client, note)
    return []


async def _templates(client: Client, note: Callable[[str], None]) -> list[JsonObject]:
    try:
        found = await _pages(
            client.list_resource_templates, lambda page: page.resource_templates, note, "templates"
        )
    except MCPError as error:
        # Many servers have resources and no templates, and answer this with an error.
        if error.code != types.METHOD_NOT_FOUND:
            note(f"It would not list its resource templates: {error}")
        return []
    return [_template(item) for item in found]


async def _pages(
    fetch: Callable[..., Awaitable[Any]],
    items: Callable[[Any], list[Any]],
    note: Callable[[str], None],
    what: str,
) -> list[Any]:
    found: list[Any] = []
    cursor: str | None = None
    for _ in range(_MOST_PAGES):
        page = await fetch(cursor=cursor)
        found += items(page)
        cursor = page.next_cursor
        if cursor is None or len(found) > _MOST_ITEMS:
            break
    if cursor is not None or len(found) > _MOST_ITEMS:
        note(f"It lists more than {_MOST_ITEMS:,} {what}; the rest is left out.")
    return found[:_MOST_ITEMS]


def _tool(tool: types.Tool, note: Callable[[str], None]) -> JsonObject | None:
    schema = dict(tool.input_schema)
    if len(json.dumps(schema)) > _LARGEST_SCHEMA:
        note(f"The schema of {tool.name} is larger than {_LARGEST_SCHEMA:,} bytes: left out.")
        return None
    output = dict(tool.output_schema) if tool.output_schema else None
    if tool.output_schema:
        # The SDK would hold results against this very object, and give an error instead of what
        # does not fit; patterns in it could hold up every server. Emptied, it lets all pass.
        tool.output_schema.clear()
    if output and len(json.dumps(output)) > _LARGEST_SCHEMA:
        output = None
    hints = tool.annotations or types.ToolAnnotations()
    return {
        "name": storable(tool.name),
        "title": _text(tool.title or hints.title),
        "description": _text(tool.description),
        "input_schema": schema,
        "output_schema": output,
        "hints": {
            "read_only": hints.read_only_hint,
            "destructive": hints.destructive_hint,
            "idempotent": hints.idempotent_hint,
            "open_world": hints.open_world_hint,
        },
    }


def _resource(item: types.Resource) -> JsonObject:
    return {
        "uri": _text(str(item.uri)),
        "name": _text(item.title or item.name),
        "description": _text(item.description),
        "mime_type": _text(item.mime_type),
        "size": item.size,
        "template": False,
    }


def _template(item: types.ResourceTemplate) -> JsonObject:
    return {
        "uri": _text(item.uri_template),
        "name": _text(item.title or item.name),
        "description": _text(item.description),
        "mime_type": _text(item.mime_type),
        "size": None,
        "template": True,
    }


def _prompt(item: types.Prompt) -> JsonObject:
    return {
        "name": storable(item.name),
        "description": _text(item.description or item.title),
        "arguments": [
            {
                "name": storable(argument.name),
                "description": _text(argument.description),
                "required": bool(argument.required),
            }
            for argument in item.arguments or []
        ],
    }


def _text(text: str | None) -> str:
    return storable(text or "")[:_LONGEST_TEXT]
