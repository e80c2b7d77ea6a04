"""What is sent, adapted to what an endpoint and model takes.

Servers refuse what they don't know: tools, `stream_options`, one of the two names of the output
limit, a temperature, a field of a message. `refused` reads from an error which of the fields sent
was meant; `adapt` makes the body without it. The stored messages stay whole.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from chatglass.models.deltas import as_list, as_object, as_text
from chatglass.models.server_words import words_of_body
from chatglass.models.wire import JsonObject, ModelRequest

_OUTPUT_LIMITS = ("max_tokens", "max_completion_tokens")

# How servers say that a field is not for them (OpenAI, Azure, Mistral, FastAPI's pydantic, vLLM,
# llama.cpp, Ollama, Groq, Google). Without such words an error that names a field is about its
# value, and the user has to know.
_REFUSAL = re.compile(
    r"not support|unsupported|doesn'?t support|not (permitted|allowed|available|implemented|enabled)"
    r"|unrecognized|unrecognised|unknown|unexpected|extra[ _](inputs|fields|forbidden)|extra_forbidden"
    r"|no endpoints found|requires? (the )?--|cannot (use|be used)|can'?t (use|be used)"
    r"|not (a )?valid (parameter|argument|field)|invalid (parameter|argument|field|json payload)"
    r"|is disabled|too large",
    re.IGNORECASE,
)
_TOOLS = re.compile(
    r"support(s|ed)?( for)? (the )?(tools?|function)\b|support tool (use|calling)|tools? (is|are) not"
    r"|(tools?|function|functions|function calling|tool use|tool choice|tool_choice|tools param)"
    r"\b.{0,40}(not support|unsupported|requires? --|is disabled|not enabled)"
    r"|unknown field.{0,4}tools",
    re.IGNORECASE | re.DOTALL,
)
_TOOLS_WITH_STREAM = re.compile(
    r"tools?\b.{0,30}\bwith\b.{0,10}\bstream|stream(ing)?\b.{0,30}\bwith\b.{0,10}\btools?",
    re.IGNORECASE,
)
_SYSTEM_ROLE = re.compile(
    r"system (role|message|prompt|instruction)s?\b.{0,30}not support"
    r"|does not support ['\"`]?system|role.{0,20}['\"]system['\"].{0,30}not"
    r"|developer instruction is not enabled|conversation roles must alternate user",
    re.IGNORECASE,
)
_CALL_ID = re.compile(r"tool call id\b.{0,80}\blength of 9", re.IGNORECASE | re.DOTALL)
# vLLM, llama.cpp, Ollama, LM Studio, OpenAI, OpenRouter, Mistral, DeepSeek, Groq.
_IMAGES = re.compile(
    r"image(s|_url)?( input)?s?\b.{0,60}(not (be )?(support|enabled|allowed)|unsupported|only supported)"
    r"|support(s|ed)?( for)? (images?|vision|image[ _](input|url))|not a multimodal|multimodal.{0,20}not"
    r"|unknown variant.{0,4}image_url|at most 0 image|required for image|mmproj"
    r"|content must be a string",
    re.IGNORECASE | re.DOTALL,
)
_LEFT_OUT = "[an image stood here; it was left out, since this model takes no images]"
# What the API itself knows in a message; any other field may be refused by strict servers.
_SPECIAL = (400, 404, 415, 422, 500, 501)
_MESSAGE_FIELDS = {"role", "content", "name", "tool_calls", "tool_call_id"}


@dataclass(frozen=True, slots=True)
class Adaptation:
    """What has been learned of one endpoint and model."""

    dropped: frozenset[str] = frozenset()
    """Fields of the body, or `messages.FIELD`, `system`, `stream`, `tool_call_id`, `images`."""
    output_limit: str = ""
    """The name of the output limit that it takes, where the first one was refused."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A field that a server refused; `adaptation` holds from now on, `note` is for the screen."""

    field: str
    note: str
    adaptation: Adaptation


def adapt(request: ModelRequest, known: Adaptation, *, is_openai: bool = False) -> JsonObject:
    """The body of `request`, its keys in the order in which they are sent.

    `is_openai`: OpenAI itself takes the output limit as `max_completion_tokens`; most others
    only know `max_tokens`.
    """
    tools = [] if "tools" in known.dropped else list(request.tools)
    messages = _messages(request.messages, known, with_tools="tools" not in known.dropped)
    if request.leaves_out_images or "images" in known.dropped:
        messages = [without_images(message) for message in messages]
    body: JsonObject = {"model": request.model, "messages": messages}
    if tools:
        body["tools"] = tools
    if request.temperature is not None:
        body["temperature"] = request.temperature
    if request.max_output_tokens is not None:
        name = known.output_limit or _OUTPUT_LIMITS[1 if is_openai else 0]
        body[name] = request.max_output_tokens
    if request.reasoning_effort is not None:
        body["reasoning_effort"] = request.reasoning_effort
    if "stream" not in known.dropped:
        body["stream"] = True
        body["stream_options"] = {"include_usage": True}
    return {name: value for name, value in body.items() if name not in known.dropped}


def has_images(message: Mapping[str, Any]) -> bool:
    """Whether a message of the request holds an image."""
    parts = map(as_object, as_list(message.get("content")))
    return any(part.get("type") == "image_url" for part in parts)


def without_images(message: JsonObject) -> JsonObject:
    """The message with words in the place of its images."""
    if not has_images(message):
        return message
    parts = [
        {"type": "text", "text": _LEFT_OUT} if as_object(part).get("type") == "image_url" else part
        for part in as_list(message["content"])
    ]
    return {**message, "content": parts}


def refused(status: int, error: str, body: Mapping[str, Any], known: Adaptation) -> Refusal | None:
    """The field of `body` that a server refused with `error` (the body of its answer), or None
    where the error is about something else."""
    words = f"{words_of_body(error).text} {_code(error)}"[:8000]
    special = _special(words, body, known) if status in _SPECIAL else None
    if special is not None:
        return special
    if status not in (400, 422):
        return None
    for name in _named(error, words, body):
        if name in _OUTPUT_LIMITS:
            return _other_limit(name, known)
        if name == "stream":
            continue
        what = f"does not take {name}; it was left out"
        return _refusal(name, what, known)
    return None


def _special(words: str, body: Mapping[str, Any], known: Adaptation) -> Refusal | None:
    """What servers refuse in words of their own."""
    if "tools" in body and "stream" in body and _TOOLS_WITH_STREAM.search(words):
        return _refusal("stream", "does not stream answers with tools; they come whole", known)
    if "tools" in body and _TOOLS.search(words):
        return _refusal(
            "tools", "does not take tools; they were left out, and it can't call any", known
        )
    messages = [as_object(message) for message in as_list(body.get("messages"))]
    if _SYSTEM_ROLE.search(words) and any(m.get("role") == "system" for m in messages):
        what = "takes no system prompt; it goes in front of the first prompt"
        return _refusal("system", what, known)
    if _IMAGES.search(words) and any(map(has_images, messages)):
        return _refusal("images", "takes no images; they were left out", known)
    if _CALL_ID.search(words) and "tool_call_id" not in known.dropped:
        what = "takes only its own form of tool call ids; they were renamed"
        return _refusal("tool_call_id", what, known)
    return None


def _named(error: str, words: str, body: Mapping[str, Any]) -> list[str]:
    """The optional fields sent that a refusal names, the most exactly named first."""
    if not _REFUSAL.search(words):
        return []
    sent = [name for name in body if name not in ("model", "messages")]
    extras = {
        name
        for message in as_list(body.get("messages"))
        for name in as_object(message)
        if name not in _MESSAGE_FIELDS
    }
    found: list[str] = []
    for place in _places(error):
        top = place[0] if place else ""
        if top in sent and (len(place) == 1 or top == "stream_options"):
            found.append(top)
        elif place and place[-1] in extras:
            found.append(f"messages.{place[-1]}")
    # Two names in one message ("'max_tokens' is not supported, use 'max_completion_tokens'"):
    # only what was sent can be what was refused.
    quoted = [
        n for n in sent if n != "stream" and re.search(rf"\b{re.escape(n)}\b(?![.\[])", words)
    ]
    found += sorted((n for n in quoted if n != "tools"), key=words.find)
    found += [f"messages.{n}" for n in sorted(extras) if re.search(rf"\b{re.escape(n)}\b", words)]
    return found


def _places(error: str) -> list[list[str]]:
    """The paths that an error names: OpenAI's `param`, pydantic's `loc`, outermost step first."""
    try:
        root: object = json.loads(error)
    except (ValueError, RecursionError):
        return []
    places: list[list[str]] = []
    queue: list[object] = [root]
    while queue and len(places) < 20:
        value = queue.pop(0)
        table = as_object(value)
        if param := as_text(table.get("param")):
            places.append([step for step in re.split(r"[.\[\]]+", param) if step])
        if loc := as_list(table.get("loc")):
            steps = [str(step) for step in loc if step != "body"]
            if steps:
                places.append(steps)
        queue.extend(table[k] for k in ("error", "detail", "message", "errors") if k in table)
        queue.extend(as_list(value)[:20])
    return places


def _code(error: str) -> str:
    """`code` and `type` of an error, which say `unsupported_parameter` where the words do not."""
    try:
        root: object = json.loads(error)
    except (ValueError, RecursionError):
        return ""
    inner = as_object(as_object(root).get("error")) or as_object(root)
    codes = (as_text(inner.get("code")), as_text(inner.get("type")))
    return " ".join(code.replace("_", " ") for code in codes if code)


def _refusal(name: str, what: str, known: Adaptation) -> Refusal | None:
    if name in known.dropped:
        return None
    return Refusal(name, what, replace(known, dropped=known.dropped | {name}))


def _other_limit(name: str, known: Adaptation) -> Refusal | None:
    """Try the other name of the output limit once, then none."""
    if not known.output_limit:
        other = _OUTPUT_LIMITS[1 - _OUTPUT_LIMITS.index(name)]
        what = f"does not take {name}; {other} is sent instead"
        return Refusal(name, what, replace(known, output_limit=other))
    return _refusal(name, f"does not take {name} either; it was left out", known)


def _messages(
    messages: Sequence[JsonObject], known: Adaptation, *, with_tools: bool
) -> list[JsonObject]:
    extras = {n.removeprefix("messages.") for n in known.dropped if n.startswith("messages.")}
    out = list(messages)
    if extras:
        out = [{k: v for k, v in message.items() if k not in extras} for message in out]
    if not with_tools:
        out = _without_tools(out)
    elif "tool_call_id" in known.dropped:
        out = [_with_short_ids(message) for message in out]
    if "system" in known.dropped:
        out = _without_system(out)
    return out


def _without_tools(messages: Sequence[JsonObject]) -> list[JsonObject]:
    """Calls and results as plain text, for models whose API knows neither."""
    out: list[JsonObject] = []
    names: dict[str, str] = {}
    for message in messages:
        if message.get("role") == "tool":
            name = names.get(as_text(message.get("tool_call_id")), "tool")
            text = f"[result of {name}]\n{as_text(message.get('content'))}"
            # Two results in a row are one message: some templates want roles to alternate.
            if out and out[-1].get("role") == "user" and out[-2:-1] and names:
                last = as_text(out[-1].get("content"))
                if last.startswith("[result of "):
                    out[-1] = {"role": "user", "content": f"{last}\n\n{text}"}
                    continue
            out.append({"role": "user", "content": text})
            continue
        if not message.get("tool_calls"):
            out.append(message)
            continue
        lines = [as_text(message.get("content"))]
        for call in as_list(message["tool_calls"]):
            function = as_object(as_object(call).get("function"))
            name = as_text(function.get("name"))
            names[as_text(as_object(call).get("id"))] = name
            lines.append(f"[called {name}({as_text(function.get('arguments'))})]")
        rest = {k: v for k, v in message.items() if k not in ("tool_calls", "content")}
        out.append({**rest, "content": "\n".join(line for line in lines if line)})
    return out


def _without_system(messages: Sequence[JsonObject]) -> list[JsonObject]:
    """The system prompt in front of the first user message."""
    system = [as_text(m.get("content")) for m in messages if m.get("role") == "system"]
    out = [m for m in messages if m.get("role") != "system"]
    text = "\n\n".join(part for part in system if part)
    if not text:
        return out
    for place, message in enumerate(out):
        if message.get("role") == "user":
            content = message.get("content")
            joined: object = (
                f"{text}\n\n{content}"
                if isinstance(content, str)
                else [{"type": "text", "text": text}, *as_list(content)]
            )
            out[place] = {**message, "content": joined}
            return out
    return [{"role": "user", "content": text}, *out]


def _with_short_ids(message: JsonObject) -> JsonObject:
    """Tool call ids in Mistral's form: nine letters and digits."""
    if (id_ := message.get("tool_call_id")) is not None:
        return {**message, "tool_call_id": short_id(as_text(id_))}
    if not message.get("tool_calls"):
        return message
    calls = [
        {**as_object(call), "id": short_id(as_text(as_object(call).get("id")))}
        for call in as_list(message["tool_calls"])
    ]
    return {**message, "tool_calls": calls}


def short_id(id_: str) -> str:
    """Nine letters and digits that stand for `id_`, always the same."""
    if re.fullmatch(r"[a-zA-Z0-9]{9}", id_):
        return id_
    return hashlib.sha256(id_.encode()).hexdigest()[:9]
