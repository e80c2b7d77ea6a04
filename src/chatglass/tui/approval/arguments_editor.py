"""ArgumentsEditor: where the user edits a call's arguments, its main one as it is or all as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from textual.widgets import TextArea

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


def text_to_edit(arguments: dict[str, Any], main: str) -> str:
    if main:
        return arguments[main]
    text = json.dumps(arguments, ensure_ascii=False, indent=2, default=str)
    if visible(text) != text:
        text = json.dumps(arguments, indent=2, default=str)
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


class ArgumentsEditor(TextArea):
    """Is there only while arguments are edited."""

    DEFAULT_CSS = """
    ArgumentsEditor {
        height: 8; max-height: 40vh; border: none; padding: 0; background: $panel;
        &:focus { border: none; }
    }
    """

    def __init__(self, call: PendingCall) -> None:
        super().__init__(soft_wrap=True, tab_behavior="focus")
        self._call = call
        self._main = main_argument(call)
        self._show(call.arguments)

    @property
    def may_edit_all(self) -> bool:
        """One argument is edited, and the others may be."""
        return bool(self._main)

    @property
    def arguments(self) -> dict[str, Any]:
        """What is written. Raises ValueError, which says what is wrong with it."""
        return edited_arguments(self._call, self._main, self.text)

    def edit_all(self) -> None:
        """Edit all arguments as JSON, with what was edited so far."""
        arguments = self.arguments
        self._main = ""
        self._show(arguments)

    def _show(self, arguments: dict[str, Any]) -> None:
        self.load_text(text_to_edit(arguments, self._main))
        self.move_cursor(self.document.end)
