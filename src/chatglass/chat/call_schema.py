"""What a tool takes: as the model was told when it made a call, as it is declared now, and what of
the call did not fit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from chatglass.models.deltas import as_list, as_object, as_text
from chatglass.store.protocol import SessionStore
from chatglass.store.records import RequestRow, ToolCallRow
from chatglass.tools.mcp.schemas import Misfit, misfits_of
from chatglass.tools.mcp.values import ServerTool
from chatglass.tools.tool import Tool, ToolSpec, UnknownTool
from chatglass.tools.tool_manager import ToolManager


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSchema:
    """`sent` is the entry of the request's `tools` as it went out; None where that is not kept."""

    sent: Mapping[str, Any] | None
    spec: ToolSpec | None
    """As the tool is now; None where there is no such tool any more."""
    own_name: str = ""
    """What its server calls it."""
    declared: Mapping[str, Any] | None = None
    """The server's own schema, where it differs from what endpoints are told."""
    hints: str = ""
    misfits: tuple[Misfit, ...] = ()
    unreadable: str = ""
    """Why the arguments are no JSON object; empty where they are one."""

    @property
    def description(self) -> str:
        if self.sent is not None:
            return as_text(self.sent.get("description"))
        return self.spec.description if self.spec else ""

    @property
    def parameters(self) -> Mapping[str, Any] | None:
        if self.sent is not None:
            return as_object(self.sent.get("parameters"))
        return self.spec.parameters if self.spec else None


async def call_schema(
    store: SessionStore, tools: ToolManager, call: ToolCallRow, request: RequestRow | None
) -> CallSchema:
    """`request` made the call. Raises StoreError."""
    sent: Mapping[str, Any] | None = None
    if request is not None and request.tools_hash is not None:
        told: object = json.loads(await store.get_blob(request.tools_hash))
        functions = [as_object(as_object(each).get("function")) for each in as_list(told)]
        sent = next((each for each in functions if each.get("name") == call.name), None)
    tool = _known(tools, call.name)
    spec = tool.spec if tool else None
    described = getattr(tool, "described", None)
    own = described if isinstance(described, ServerTool) else None
    arguments, unreadable = _arguments(call.arguments)
    schema = CallSchema(sent=sent, spec=spec, unreadable=unreadable)
    found = [] if arguments is None else misfits_of(schema.parameters or {}, arguments)
    return CallSchema(
        sent=sent,
        spec=spec,
        own_name=own.name if own else "",
        declared=own.input_schema if own else None,
        hints=own.hints.words() if own else "",
        misfits=tuple(found),
        unreadable=unreadable,
    )


def _known(tools: ToolManager, name: str) -> Tool | None:
    try:
        return tools.get(name)
    except UnknownTool:
        return None


def _arguments(text: str) -> tuple[dict[str, Any] | None, str]:
    try:
        value: object = json.loads(text or "{}")
    except (ValueError, RecursionError) as error:
        return None, f"The arguments are not valid JSON: {error}"
    if not isinstance(value, dict):
        return None, f"The arguments must be a JSON object, not {type(value).__name__}."
    return cast("dict[str, Any]", value), ""
