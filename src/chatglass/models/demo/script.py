"""The scripting interface: what the server sends for one request, good or bad.

Events of a stream are numbered from 0: the chunk with the role, then one chunk for each piece of
reasoning, text and tool calls, then the finish chunk, the usage chunk and `[DONE]`.
"""

from __future__ import annotations

import asyncio
import dataclasses
import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from chatglass.models.wire import JsonObject

UsagePlace = Literal["own chunk", "finish chunk", "beside choices", "none"]
"""Where a stream reports usage: OpenAI's own chunk with empty `choices`; on the chunk with the
finish reason; in its own chunk with non-empty `choices`; nowhere. Only `own chunk` waits for
`stream_options.include_usage`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A tool call. `arguments` is sent as it is, valid JSON or not.

    `pieces`, where given, are sent one a delta instead of `arguments`; `id` None gets one made.
    """

    name: str
    arguments: str = "{}"
    id: str | None = None
    pieces: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One response. The defaults are a well-behaved server's."""

    text: str = ""
    reasoning: str = ""
    calls: tuple[Call, ...] = ()
    finish_reason: str | None = None
    """None: `tool_calls` where there are calls, else `stop`. Empty: no finish chunk at all."""

    # -- instead of an answer
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: str | None = None
    """Sent as the whole response, whatever `status` is."""
    content_type: str = "application/json"
    """Of `body`."""

    # -- usage
    usage: JsonObject | None = None
    """OpenAI's object, any numbers; None: what the server counted."""
    usage_place: UsagePlace = "own chunk"

    # -- how it is cut up
    split: int | tuple[int, ...] | None = None
    """Text and reasoning in pieces of so many characters, or cut at these; None: by tokens."""
    argument_split: int = 8
    """Characters of arguments in a delta."""
    whole_calls: bool = False
    """Each call in one delta."""
    indexed: bool = True
    """False: tool deltas carry no `index`."""
    repeat_ids: bool = False
    """Every tool delta carries id, type and name again."""
    reasoning_field: Literal["reasoning_content", "reasoning"] = "reasoning_content"
    byte_by_byte: bool = False
    """The body goes out one byte a write."""

    # -- how it goes wrong
    cut_before: int | None = None
    """Drop the connection instead of sending this event."""
    inject: Mapping[int, str] = field(default_factory=dict[int, str])
    """Raw text that goes out before the event of that number, such as `data: {oops\\n\\n`."""
    done: bool = True
    """Whether `data: [DONE]` ends the stream."""

    # -- pace
    rate: float | None = None
    """Events a second; 0: as fast as possible; None: the model's."""
    first_byte_delay: float = 0.0
    """Seconds before the status line."""
    gates: Mapping[int, asyncio.Event | str] = field(
        default_factory=dict[int, "asyncio.Event | str"]
    )
    """Wait for this before the event of that number (-1: before the status line). A name stands
    for `DemoServer.gate(name)`."""


def error(
    status: int,
    message: str,
    *,
    kind: str = "invalid_request_error",
    code: str | None = None,
    param: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """An HTTP error in OpenAI's form."""
    body = {"error": {"message": message, "type": kind, "param": param, "code": code}}
    return Reply(status=status, headers=dict(headers or {}), body=json.dumps(body))


def rate_limited(retry_after: str = "1") -> Reply:
    return error(
        429,
        "Rate limit reached for requests.",
        kind="requests",
        code="rate_limit_exceeded",
        headers={"retry-after": retry_after},
    )


def unauthorized() -> Reply:
    return error(401, "Incorrect API key provided.", code="invalid_api_key")


def no_such_model(model: str) -> Reply:
    return error(404, f"The model `{model}` does not exist.", code="model_not_found", param="model")


def context_overflow(window: int = 8_192, prompt: int = 9_000) -> Reply:
    return error(
        400,
        f"This model's maximum context length is {window} tokens. However, your messages resulted "
        f"in {prompt} tokens. Please reduce the length of the messages.",
        code="context_length_exceeded",
        param="messages",
    )


def refused(name: str) -> Reply:
    """The request holds a field that this server does not take."""
    return error(400, f"Unsupported parameter: '{name}'.", code="unsupported_parameter", param=name)


def server_error() -> Reply:
    return error(500, "The server had an error while processing your request.", kind="server_error")


def html() -> Reply:
    """A proxy's page with status 200."""
    return Reply(
        body="<!doctype html><html><body>Please log in</body></html>", content_type="text/html"
    )


class ScriptError(ValueError):
    """A script that can't be used. `str()` names the place, the cause and the way on."""


def reply_from_json(value: object, place: str = "reply") -> Reply:
    """A `Reply` from JSON: a text, or an object with the fields of `Reply`. Raises ScriptError."""
    if isinstance(value, str):
        return Reply(text=value)
    fields = _fields(value, Reply, place)
    if "calls" in fields:
        fields["calls"] = tuple(
            Call(**_tuples(_fields(call, Call, f"{place}.calls[{i}]"), "pieces"))
            for i, call in enumerate(cast("list[Any]", fields["calls"]))
        )
    for name in ("inject", "gates"):
        if name in fields:
            fields[name] = {int(key): item for key, item in fields[name].items()}
    return Reply(**_tuples(fields, "split"))


def _fields(value: object, of: type[Any], place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ScriptError(f"{place}: {value!r} is neither a text nor an object.")
    given = cast("dict[str, Any]", value)
    known = [item.name for item in dataclasses.fields(of)]
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            raise ScriptError(
                f"{place}: there is no field {name!r}; "
                + (f"is {near[0]!r} meant?" if near else f"there are {', '.join(known)}.")
            )
    return dict(given)


def _tuples(fields: dict[str, Any], name: str) -> dict[str, Any]:
    if isinstance(fields.get(name), list):
        fields[name] = tuple(fields[name])
    return fields
