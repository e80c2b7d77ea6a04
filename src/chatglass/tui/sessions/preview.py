"""Preview: what is known of a session, and a few of its messages, beside the list."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from rich.style import Style
from textual.strip import Strip

from chatglass.store.search_records import MessageExcerpt
from chatglass.store.search_words import search_words
from chatglass.tui.lines.line_view import LineView
from chatglass.tui.markdown.look import MarkdownLook
from chatglass.tui.markdown.wrap import Run, wrap
from chatglass.tui.sessions.excerpt_markdown import ExcerptMarkdown, marked
from chatglass.values.figures import date
from chatglass.values.text import one_line, visible

Look = Literal["fact", "prompt", "answer", "tool", "text", "found"]
_NAMES = {"user": "You", "assistant": "Assistant", "system": "System"}
_STATES = {"interrupted": " · interrupted", "error": " · failed", "partial": " · not finished"}
_ABOVE = 4
"""Lines above the match that stay on screen."""


@dataclass(frozen=True, slots=True)
class PreviewText:
    """What is previewed: facts in lines, excerpts, and the words to mark in them.

    `at` is the id of the message to have on screen; without one it is the end.
    """

    facts: Sequence[str] = ()
    excerpts: Sequence[MessageExcerpt] = ()
    words: str = ""
    at: str = ""


@dataclass(slots=True)
class _Laid:
    """The lines in one width."""

    width: int = -1
    lines: list[Strip] = field(default_factory=list[Strip])
    first: int | None = None
    """The line to have on screen: the first match in the message meant, else its first line."""


class Preview(LineView):
    """Wraps at most a dozen excerpts when it is painted, never a whole transcript."""

    DEFAULT_CSS = """
    Preview > .preview--fact { color: $foreground 60%; }
    Preview > .preview--prompt { color: $text-primary; text-style: bold; }
    Preview > .preview--answer { color: $text-success; text-style: bold; }
    Preview > .preview--tool { color: $text-secondary; }
    Preview > .preview--text { color: $foreground; }
    Preview > .preview--found { color: $text-warning; text-style: bold underline; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"preview--{look}" for look in ("fact", "prompt", "answer", "tool", "text", "found")
    }

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._text = PreviewText()
        self._laid = _Laid()
        self._markdown = ExcerptMarkdown()
        self._placed = False

    @property
    def text(self) -> PreviewText:
        return self._text

    def show(self, text: PreviewText) -> None:
        self._text = text
        self._markdown.clear()
        self._placed = False
        self._lay_out()

    def on_resize(self) -> None:
        self._placed = False
        self._lay_out()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        if self.is_mounted:
            self._lay_out()

    def line_count(self) -> int:
        return len(self._laid.lines)

    def paint_line(self, y: int, width: int) -> Strip:
        return self._laid.lines[y].adjust_cell_length(width)

    def _lay_out(self) -> None:
        if self.size.width < 2:
            return
        self._laid = _Laid(self.text_width)
        words = search_words(self._text.words)
        pattern = None if words.reach == "nothing" else words.pattern
        for fact in self._text.facts:
            self._add([(visible(fact), self._look("fact"))])
        for each in self._text.excerpts:
            self._add([("", self._look("text"))])
            self._add_message(each, pattern)
        if self._laid.first is not None and pattern is not None:
            self._find_line(self._laid.first, pattern)
        self.lines_changed()
        if not self._placed:
            self._placed = True
            laid = self._laid
            end = len(laid.lines) if self._text.excerpts else 0
            self.jump_to(y=end if laid.first is None else laid.first - _ABOVE)

    def _add_message(self, each: MessageExcerpt, pattern: re.Pattern[str] | None) -> None:
        if each.id == self._text.at:
            self._laid.first = len(self._laid.lines)
        name = _NAMES.get(each.role) or f"result of {one_line(each.tool_name or 'a tool', 40)}"
        look: Look = "prompt" if each.role == "user" else "answer"
        head = self._look("tool" if each.role == "tool" else look)
        facts = f"  {date(each.created_at)}{_STATES.get(each.status, '')}"
        self._add([(name, head), (facts, self._look("fact"))])
        text = visible(each.text).strip()
        if text:
            ends = ("" if each.begins else "… ", "" if each.ends else " …")
            text = ends[0] + text + ends[1]
            if each.role == "assistant":
                self._add_markdown(text, pattern)
            else:
                self._add(self._runs(text, "text", pattern))
        for tool, arguments in each.calls:
            shown = f"⚙ {one_line(tool, 40)} {one_line(arguments, 200)}"
            self._add(self._runs(shown, "tool", pattern))

    def _add_markdown(self, text: str, pattern: re.Pattern[str] | None) -> None:
        lines = self._markdown.lines(text, self._laid.width, self._markdown_look())
        if pattern is not None:
            lines = marked(lines, pattern, self._look("found"))
        self._laid.lines += lines

    def _markdown_look(self) -> MarkdownLook:
        app = self.app
        dark = app.current_theme.dark
        return MarkdownLook.from_theme_variables(app.theme_variables, dark, app.no_color)

    def _find_line(self, start: int, pattern: re.Pattern[str]) -> None:
        """Of a call it may be its result, the message after it, that matches."""
        for at in range(start, len(self._laid.lines)):
            if pattern.search(self._laid.lines[at].text):
                self._laid.first = at
                return

    def _runs(self, text: str, look: Look, pattern: re.Pattern[str] | None) -> list[Run]:
        base = self._look(look)
        if pattern is None:
            return [(text, base)]
        found = base + self._look("found")
        runs: list[Run] = []
        end = 0
        for match in pattern.finditer(text):
            runs += [(text[end : match.start()], base), (match.group(), found)]
            end = match.end()
        runs.append((text[end:], base))
        return [run for run in runs if run[0]]

    def _add(self, runs: list[Run]) -> None:
        rows, _ = wrap(runs, self._laid.width)
        self._laid.lines += [Strip(segments, cells) for segments, cells in rows]

    def _look(self, look: Look) -> Style:
        return self.part_style(f"preview--{look}")
