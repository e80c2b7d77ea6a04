"""What a question about a tool call shows, as lines of styled pieces."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from rich.cells import cell_len, chop_cells

from chatglass.values.text import storable, visible

if TYPE_CHECKING:
    from chatglass.chat.ports import PendingCall

LONGEST_SUBJECT = 60
"""Characters of arguments that "this session" repeats; more would be cut, and so say less."""

Tone = Literal["", "name", "label", "why", "added", "removed", "hunk"]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the panel; `indent` spaces stand before the text."""

    text: str
    tone: Tone = ""
    indent: int = 0


def question_lines(pending: PendingCall, width: int) -> list[Line]:
    """Everything there is to know before answering, each line at most `width` cells."""
    return [
        Line(part, line.tone, line.indent)
        for line in _lines(pending)
        for part in _fitted(line.text, width - line.indent)
    ]


def _lines(pending: PendingCall) -> Iterator[Line]:
    server = f" of the server {pending.spec.server}" if pending.spec.server else ""
    yield Line(visible(f"{pending.spec.name}{server}").replace("\n", " "), "name")
    yield from _text(pending.assessment.why, "why", 0)
    for label, text in pending.assessment.details.items():
        yield from _labelled(label, text, is_diff="diff" in label.lower())
    if pending.arguments:
        yield Line("arguments", "label")
    for name, value in pending.arguments.items():
        yield from _labelled(name, _pretty(value), indent=2)


def _pretty(value: Any) -> str:
    """Strings as they are, everything else as indented JSON."""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, indent=2, default=str)


def _labelled(label: str, text: str, *, indent: int = 0, is_diff: bool = False) -> Iterator[Line]:
    label = visible(label).replace("\n", " ")
    shown = visible(storable(text))
    if "\n" not in shown and not is_diff:
        yield Line(f"{label}: {shown}", "", indent)
        return
    yield Line(f"{label}:", "label", indent)
    for line in shown.removesuffix("\n").split("\n"):
        yield Line(line, _diff_tone(line) if is_diff else "", indent + 2)


def _diff_tone(line: str) -> Tone:
    if line.startswith(("@@", "+++", "---")):
        return "hunk"
    if line.startswith("+"):
        return "added"
    return "removed" if line.startswith("-") else ""


def _text(text: str, tone: Tone, indent: int) -> Iterator[Line]:
    for line in visible(storable(text)).split("\n"):
        yield Line(line, tone, indent)


def _fitted(text: str, width: int) -> list[str]:
    """`text` cut into pieces of `width` cells, so that nothing of it is hidden to the right."""
    width = max(4, width)
    if text.isascii() and "\t" not in text:
        if len(text) <= width:
            return [text]
        return [text[start : start + width] for start in range(0, len(text), width)]
    text = text.expandtabs(4)
    return [text] if cell_len(text) <= width else chop_cells(text, width)


def session_grant(pending: PendingCall) -> str:
    """In words, what "this session" covers: the same tool with the same arguments."""
    subject = ", ".join(
        f"{name}={json.dumps(value, ensure_ascii=False, default=str)}"
        for name, value in pending.arguments.items()
    )
    if len(subject) > LONGEST_SUBJECT:
        subject = "the arguments above"
    return f"{pending.spec.name} with exactly {subject or 'no arguments'}"
