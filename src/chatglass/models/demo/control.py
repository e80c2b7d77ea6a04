"""Steering a demo server that runs as a process of its own: `GET /control/state`,
`POST /control/script` (a list of replies), `POST /control/open` (a gate by name)."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any, cast

from chatglass.models.demo.script import ScriptError, reply_from_json
from chatglass.models.wire import JsonObject

if TYPE_CHECKING:
    from chatglass.models.demo.server import DemoServer


def control(demo: DemoServer, method: str, path: str, body: bytes) -> tuple[int, JsonObject]:
    """Status and JSON of one control request."""
    try:
        value: Any = json.loads(body) if body else None
    except ValueError as cause:
        return 400, {"error": f"The body is not JSON: {cause}."}
    match method, path, value:
        case "GET", "/control/state", _:
            return 200, _state(demo)
        case "POST", "/control/script", list():
            replies = cast("list[Any]", value)
            try:
                demo.script(*(reply_from_json(r, f"[{i}]") for i, r in enumerate(replies)))
            except ScriptError as cause:
                return 400, {"error": str(cause)}
            return 200, {"scripted": demo.scripted}
        case "POST", "/control/open", str():
            demo.gate(value).set()
            return 200, {"open": value}
        case _:
            return 404, {"error": f"There is no {method} {path} that takes this body."}


def _state(demo: DemoServer) -> JsonObject:
    return {
        "received": demo.received,
        "aborted": demo.aborted,
        "scripted": demo.scripted,
        "violations": demo.violations,
        "reported": dataclasses.asdict(demo.reported),
        "bodies": [request.body.decode("utf-8", "replace") for request in demo.requests],
    }
