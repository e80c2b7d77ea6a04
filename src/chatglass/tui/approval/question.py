"""What a question about a tool call or a pause shows, as lines of styled pieces."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from rich.cells import cell_len, chop_cells

from chatglass.chat.ports import PendingCall
from chatglass.values.text import one_line, storable, visible

if TYPE_CHECKING:
    from chatglass.chat.ports import Pause
    from chatglass.tools.rules.suggestions import Suggestion

    Asked = PendingCall | Pause

Tone = Literal["", "name", "label", "why", "added", "removed", "hunk", "chosen"]
_SHORT = 40
"""Characters of a detail that shares its line with others."""
_PROSE: frozenset[Tone] = frozenset({"why", "label"})
"""What is read as sentences; anything else may be code, which is shown cell by cell."""
_SHELL_DETAILS = ("command", "folder", "shell")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the panel; `indent` spaces stand before the text."""

    text: str
    tone: Tone = ""
    indent: int = 0


def heading(question: Asked) -> str:
    """What is asked about, in a few words."""
    if not isinstance(question, PendingCall):
        return "the turn pauses"
    server = f" of the server {question.spec.server}" if question.spec.server else ""
    return one_line(f"{question.spec.name}{server}", 80)


def question_lines(question: Asked, width: int, *, all_arguments: bool = False) -> list[Line]:
    """Everything there is to know before answering, each line at most `width` cells.

    Nothing is shown twice: an argument that a detail or the diff shows is left out, and
    `all_arguments` shows them as they are instead.
    """
    if not isinstance(question, PendingCall):
        lines = _pause_lines(question)
    elif all_arguments:
        lines = _labelled("arguments, in full", _pretty(question.arguments), always_below=True)
    else:
        lines = _call_lines(question)
    return fitted(lines, width)


def fitted(lines: Iterator[Line] | Sequence[Line], width: int) -> list[Line]:
    return [
        Line(part, line.tone, line.indent)
        for line in lines
        for part in _fitted(line.text, width - line.indent, words=line.tone in _PROSE)
    ]


def rule_lines(offered: Sequence[Suggestion], chosen: int, place: str, width: int) -> list[Line]:
    """The rules that may be saved, of which `chosen` is marked; `place` says where it goes."""

    def made() -> Iterator[Line]:
        yield Line("This rule would be saved; what it covers then runs unasked:", "why")
        for number, each in enumerate(offered):
            mark = "› " if number == chosen else "  "
            yield Line(mark + visible(str(each.rule)), "chosen" if number == chosen else "name")
            yield Line(each.means, "label", indent=4)
        yield Line(visible(place), "label")

    return fitted(made(), width)


def rule_at(offered: Sequence[Suggestion], row: int, width: int) -> int | None:
    """Which rule stands in line `row` of `rule_lines`."""
    head = Line("This rule would be saved; what it covers then runs unasked:", "why")
    ends = len(fitted([head], width))
    for number, each in enumerate(offered):
        start = ends
        ends += len(fitted([Line("  " + str(each.rule)), Line(each.means, "label", 4)], width))
        if start <= row < ends:
            return number
    return None


def grant_words(call: PendingCall) -> str:
    """What "this session" covers, without the arguments that are shown anyway."""
    if call.assessment.always_ask:
        return f"Only this once: {call.assessment.rule}."
    if call.spec.server:
        return "2 covers the same call with the same arguments, until the session ends."
    covered = {
        "run_command": "the same command, word for word",
        "fetch_url": f"every page of {call.assessment.details.get('origin') or 'this site'}",
        "write_file": "the same content to the same file",
    }
    what = covered.get(call.spec.name, "the same call with the same arguments")
    return f"2 covers {what}, until the session ends."


# -- a call


def _call_lines(call: PendingCall) -> Iterator[Line]:
    assessment = call.assessment
    if call.edited:
        yield Line("You edited the arguments; this is said of them now:", "label")
    yield from _text(assessment.why, "why", 0)
    if call.asked_by and call.asked_by != assessment.rule:
        yield from _text(f"It asks because of: {call.asked_by}", "label", 0)
    details = dict(assessment.details)
    diff = details.pop("diff", None)
    shown = set(details.values())
    if "command" in details:
        yield from _command(details)
        for label in _SHELL_DETAILS:
            details.pop(label, None)
    yield from _details(details)
    for name, value in call.arguments.items():
        if _is_shown(name, value, shown, diff):
            continue
        yield from _labelled(name, value if isinstance(value, str) else _pretty(value))
    yield Line(visible(grant_words(call)), "label")
    if diff is not None:
        yield from _diff(diff)


def _diff(diff: str) -> Iterator[Line]:
    """Without its head, which says only that it goes from now to after."""
    lines = visible(storable(diff)).removesuffix("\n").split("\n")
    for line in lines[2:] if diff.startswith("--- ") else lines:
        yield Line(line, _diff_tone(line))


def _command(details: Mapping[str, str]) -> Iterator[Line]:
    for number, line in enumerate(visible(storable(details["command"])).split("\n")):
        yield Line(("$ " if number == 0 else "  ") + line, "name")
    where = [details[label] for label in ("folder", "shell") if label in details]
    if where:
        yield Line(visible("in " + " · ".join(where)), "label")


def _details(details: Mapping[str, str]) -> Iterator[Line]:
    """Each on a line of its own, but short ones together."""
    short: list[str] = []
    details = dict(details)
    if "path" in details and "\n" not in details["path"]:
        exists = details.pop("exists", "")
        path = details.pop("path")
        yield Line(visible(storable(path)) + (f"   (exists: {exists})" if exists else ""), "name")
    for label, text in details.items():
        if "\n" not in text and len(label) + len(text) <= _SHORT:
            short.append(f"{label}: {text}")
        else:
            yield from _labelled(label, text)
    if short:
        yield Line(visible(storable(" · ".join(short))).replace("\n", " "))


def _is_shown(name: str, value: Any, shown: set[str], diff: str | None) -> bool:
    """Whether the details say it already. A path counts where it leads by its own name."""
    if name == "content" and diff is not None:
        return not diff.startswith("(")
    if not isinstance(value, str):
        return False
    return value in shown or (name == "path" and any(each.endswith(f"/{value}") for each in shown))


def _pretty(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2, default=str)


def _labelled(label: str, text: str, *, always_below: bool = False) -> Iterator[Line]:
    label = visible(label).replace("\n", " ")
    shown = visible(storable(text))
    if "\n" not in shown and not always_below:
        yield Line(f"{label}: {shown}")
        return
    yield Line(f"{label}:", "label")
    for line in shown.removesuffix("\n").split("\n"):
        yield Line(line, indent=2)


def _diff_tone(line: str) -> Tone:
    if line.startswith(("@@", "+++", "---")):
        return "hunk"
    if line.startswith("+"):
        return "added"
    return "removed" if line.startswith("-") else ""


def _text(text: str, tone: Tone, indent: int) -> Iterator[Line]:
    for line in visible(storable(text)).split("\n"):
        yield Line(line, tone, indent)


# -- a pause


def _pause_lines(pause: Pause) -> Iterator[Line]:
    yield from _text(pause.words, "why", 0)
    if pause.kind == "loop":
        yield from _labelled("arguments", _pretty(pause.arguments))
        yield Line("Each time it ran unasked. It waits, and nothing else of it runs.", "label")
    else:
        yield Line(
            "Nothing was sent since. turn.max_requests in the settings is the limit.", "label"
        )


def _fitted(text: str, width: int, *, words: bool) -> list[str]:
    """`text` cut into pieces of `width` cells, so that nothing of it is hidden to the right; `words`
    cuts between words, where there are any."""
    width = max(4, width)
    if words and cell_len(text) > width and " " in text:
        return _wrapped(text, width)
    if text.isascii() and "\t" not in text:
        if len(text) <= width:
            return [text]
        return [text[start : start + width] for start in range(0, len(text), width)]
    text = text.expandtabs(4)
    return [text] if cell_len(text) <= width else chop_cells(text, width)


def _wrapped(text: str, width: int) -> list[str]:
    lines = [""]
    for word in re.findall(r"\S* ?", text.expandtabs(4)):
        if lines[-1] and cell_len(lines[-1] + word.rstrip()) > width:
            lines.append("")
        *whole, rest = chop_cells(word, width) if cell_len(word) > width else [word]
        lines[-1:] = [lines[-1] + whole[0], *whole[1:], rest] if whole else [lines[-1] + rest]
    return [line if cell_len(line) <= width else line.rstrip() for line in lines]
