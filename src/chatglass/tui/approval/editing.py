"""The text in which the user edits a call's arguments: its main one as it is, or all as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from chatglass.values.text import visible

if TYPE_CHECKING:
    from chatglass.chat.ports import PendingCall

_MAIN = {"run_command": "command", "write_file": "content", "fetch_url": "url"}


def main_argument(call: PendingCall) -> str:
    """The argument that is edited as plain text; empty where all are edited as JSON."""
    name = "" if call.spec.server else _MAIN.get(call.spec.name, "")
    value = call.arguments.get(name)
    # What a text field would change, or send to the terminal, is edited in JSON's escapes.
    is_plain = isinstance(value, str) and visible(value) == value and "\r" not in value
    return name if is_plain else ""


def text_to_edit(call: PendingCall, main: str) -> str:
    if main:
        return call.arguments[main]
    text = json.dumps(call.arguments, ensure_ascii=False, indent=2, default=str)
    if visible(text) != text:
        text = json.dumps(call.arguments, indent=2, default=str)
    return text


def edited_arguments(call: PendingCall, main: str, text: str) -> dict[str, Any]:
    """The arguments that `text` means. Raises ValueError, which says what is wrong."""
    if main:
        return {**call.arguments, main: text}
    try:
        found: Any = json.loads(text)
    except ValueError as error:
        raise ValueError(f"This is not JSON: {error}.") from None
    if not isinstance(found, dict):
        raise ValueError("The arguments are a JSON object: { … }.")
    return found
