"""Answering from tool results: each is quoted, and errors and denials are told as such."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, cast

from chatglass.values.figures import counted

Outcome = Literal["ok", "error", "denied", "cancelled"]

_SHOWN_LINES = 12
_SHOWN_CHARS = 1_200
_DENIED = re.compile(r"\b(?:den(?:ied|ies)|declined|refused|not allowed|rejected)\b", re.I)
_CANCELLED = re.compile(r"\b(?:cancell?ed|interrupted|stopped by the user)\b", re.I)
_ERROR = re.compile(r"\s*(?:\W{0,3}(?:tool )?error\b|\{\s*\"error\")|traceback|\btimed out\b", re.I)


def describe(since: Sequence[Mapping[str, Any]]) -> str:
    """An answer from the messages after the prompt: calls and their results, in order."""
    names: dict[str, tuple[str, str]] = {}
    blocks: list[str] = []
    outcomes: list[Outcome] = []
    for message in since:
        for call in cast("list[Any]", message.get("tool_calls") or []):
            function = call["function"]
            names[call["id"]] = (function["name"], function["arguments"])
        if message["role"] == "tool":
            name, arguments = names.get(message["tool_call_id"], ("a tool", "{}"))
            content = message.get("content")
            result = content if isinstance(content, str) else json.dumps(content)
            outcome = outcome_of(result)
            outcomes.append(outcome)
            blocks.append(_block(name, arguments, result, outcome))
    return "\n\n".join([*blocks, _closing(outcomes)])


def outcome_of(result: str) -> Outcome:
    """What a tool message says of its call, read from its first words as a model would."""
    start = result[:160]
    if _DENIED.search(start) and len(result) < 600:
        return "denied"
    if _CANCELLED.search(start) and len(result) < 600:
        return "cancelled"
    return "error" if _ERROR.match(start) else "ok"


def _block(name: str, arguments: str, result: str, outcome: Outcome) -> str:
    title = f"**{name}** {_short_arguments(arguments)}".rstrip()
    first = " ".join(result.split())[:200] or "no text"
    match outcome:
        case "denied":
            return f"{title}: you did not allow this, so I did not do it.\n\n> {first}"
        case "cancelled":
            return f"{title}: this was stopped before it ended.\n\n> {first}"
        case "error":
            return f"{title} failed:\n\n> {first}"
        case "ok":
            pass
    if not result.strip():
        return f"{title} gave an empty result."
    if "\n" not in result.strip() and len(result) < 120:
        return f"{title} gives `{result.strip().rstrip('.').replace('`', chr(39))}`."
    return f"{title}:\n\n{_fenced(result)}"


def _short_arguments(arguments: str) -> str:
    """The most telling argument as code."""
    try:
        values: Any = json.loads(arguments)
    except ValueError:
        return ""
    if not isinstance(values, dict):
        return ""
    for value in cast("dict[str, Any]", values).values():
        if isinstance(value, str) and value:
            return f"`{' '.join(value.split())[:60].replace('`', chr(39))}`"
    return ""


def _fenced(result: str) -> str:
    lines = result[:_SHOWN_CHARS].rstrip("\n").split("\n")
    shown = lines[:_SHOWN_LINES]
    fence = "`" * max(3, 1 + max(map(len, re.findall(r"`+", result)), default=0))
    all_lines = result.rstrip("\n").count("\n") + 1
    more = all_lines - len(shown)
    rest = f"\n\n… and {counted(more, 'more line')}." if more > 0 else ""
    if not rest and len(result) > _SHOWN_CHARS:
        rest = f"\n\n… and {len(result) - _SHOWN_CHARS:,} more characters."
    return f"{fence}text\n" + "\n".join(shown) + f"\n{fence}{rest}"


def _closing(outcomes: Sequence[Outcome]) -> str:
    good = outcomes.count("ok")
    if good == len(outcomes):
        how = {1: "The call is", 2: "Both calls are"}.get(good, f"All {good} calls are")
        return f"{how} in the transcript above, with arguments and results in full."
    if good == 0:
        return "So I have nothing to answer from. Ask again, or allow the call, and I'll go on."
    return f"{good} of {len(outcomes)} calls gave a result; I answered from those."
