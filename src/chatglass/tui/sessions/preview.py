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
    """Lines in one width of the pieces `start` to `end` (exclusive): the facts are piece 0, the
    excerpts those after it."""

    width: int
    look: MarkdownLook
    start: int
    end: int
    lines: list[Strip] = field(default_factory=list[Strip])


class Preview(LineView):
    """Lays out what is on screen of a dozen excerpts, and more as it is scrolled."""

    DEFAULT_CSS = """
    Preview > .preview--fact { color: $foreground 70%; }
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
        self._pattern: re.Pattern[str] | None = None
        self._laid: _Laid | None = None
        self._markdown = ExcerptMarkdown()

    @property
    def text(self) -> PreviewText:
        return self._text

    def show(self, text: PreviewText) -> None:
        self._text = text
        words = search_words(text.words)
        self._pattern = None if words.reach == "nothing" else words.pattern
        self._markdown.clear()
        self._lay_out()

    @property
    def lines(self) -> list[Strip]:
        """What is laid out so far."""
        return self._laid.lines if self._laid else []

    def on_resize(self) -> None:
        self._lay_out()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        laid = self._laid
        if self.is_mounted and laid is not None:
            # The same lines in other colours.
            self._laid = again = _Laid(laid.width, self._markdown_look(), laid.start, laid.start)
            while again.end < laid.end:
                self._add_below()
            self.lines_changed()

    def line_count(self) -> int:
        return len(self.lines)

    def paint_line(self, y: int, width: int) -> Strip:
        return self.lines[y].adjust_cell_length(width)

    # -- as much as is on screen

    def _lay_out(self) -> None:
        """From the line that is to be on screen: the first match in the message meant, else the
        start of that; without one the end."""
        if self.size.width < 2:
            return
        excerpts = self._text.excerpts
        meant = next((n for n, each in enumerate(excerpts, 1) if each.id == self._text.at), None)
        start = len(excerpts) if meant is None else meant
        self._laid = _Laid(self.text_width, self._markdown_look(), start, start)
        self._add_below()
        line = len(self._laid.lines) if excerpts else 0
        if meant is not None:
            line = max(0, self._line_found() - _ABOVE)
        line += self._fill_above(line)
        self._fill_below(line)
        self.lines_changed()
        self.jump_to(y=line)

    def _line_found(self) -> int:
        """Of a call it may be its result, the message after it, that matches."""
        assert self._laid is not None
        looked = 1  # not at the blank line before it
        for _ in range(2):
            for at in range(looked, len(self._laid.lines)):
                if self._pattern is not None and self._pattern.search(self._laid.lines[at].text):
                    return at
            looked = len(self._laid.lines)
            self._add_below()
        return 1

    def _fill_above(self, line: int) -> int:
        """Lay out a page above `line`, if there is so much; how many lines were added before it."""
        added = 0
        while line + added < 2 * self.page_height and (more := self._add_above()):
            added += more
        return added

    def _fill_below(self, line: int) -> None:
        """Lay out a page below the screen whose top is `line`, if there is so much."""
        while len(self.lines) < line + 2 * self.page_height and self._add_below():
            pass

    def _add_above(self) -> int:
        """One piece more; its lines, 0 where there is none."""
        laid = self._laid
        if laid is None or not laid.start:
            return 0
        laid.start -= 1
        more = self._piece(laid.start)
        laid.lines[:0] = more
        return len(more)

    def _add_below(self) -> bool:
        laid = self._laid
        if laid is None or laid.end > len(self._text.excerpts):
            return False
        laid.end += 1
        laid.lines += self._piece(laid.end - 1)
        return True

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        before = len(self.lines)
        added = self._fill_above(round(new_value)) if new_value < self.page_height else 0
        self._fill_below(round(new_value) + added)
        if len(self.lines) != before:
            self.lines_changed()
        if added:
            self.jump_to(y=new_value + added)

    def action_scroll_home(self) -> None:
        while self._add_above():
            pass
        self.lines_changed()
        super().action_scroll_home()

    def action_scroll_end(self) -> None:
        while self._add_below():
            pass
        self.lines_changed()
        super().action_scroll_end()

    # -- pieces

    def _piece(self, number: int) -> list[Strip]:
        if not number:
            return [
                line for fact in self._text.facts for line in self._wrapped(visible(fact), "fact")
            ]
        return self._message(self._text.excerpts[number - 1])

    def _message(self, each: MessageExcerpt) -> list[Strip]:
        name = _NAMES.get(each.role) or f"result of {one_line(each.tool_name or 'a tool', 40)}"
        look: Look = "prompt" if each.role == "user" else "answer"
        head = self._look("tool" if each.role == "tool" else look)
        facts = f"  {date(each.created_at)}{_STATES.get(each.status, '')}"
        lines = [*self._wrap([]), *self._wrap([(name, head), (facts, self._look("fact"))])]
        text = visible(each.text).strip()
        if text:
            ends = ("" if each.begins else "… ", "" if each.ends else " …")
            text = ends[0] + text + ends[1]
            is_answer = each.role == "assistant"
            lines += self._markdown_lines(text) if is_answer else self._wrapped(text, "text")
        for tool, arguments in each.calls:
            lines += self._wrapped(f"⚙ {one_line(tool, 40)} {one_line(arguments, 200)}", "tool")
        return lines

    def _markdown_lines(self, text: str) -> list[Strip]:
        assert self._laid is not None
        lines = self._markdown.lines(text, self._laid.width, self._laid.look)
        if self._pattern is None:
            return lines
        return marked(lines, self._pattern, self._look("found"))

    def _markdown_look(self) -> MarkdownLook:
        app = self.app
        dark = app.current_theme.dark
        return MarkdownLook.from_theme_variables(app.theme_variables, dark, app.no_color)

    def _wrapped(self, text: str, look: Look) -> list[Strip]:
        base = self._look(look)
        if self._pattern is None or look == "fact":
            return self._wrap([(text, base)])
        found = base + self._look("found")
        runs: list[Run] = []
        end = 0
        for match in self._pattern.finditer(text):
            runs += [(text[end : match.start()], base), (match.group(), found)]
            end = match.end()
        runs.append((text[end:], base))
        return self._wrap([run for run in runs if run[0]])

    def _wrap(self, runs: list[Run]) -> list[Strip]:
        assert self._laid is not None
        rows, _ = wrap(runs, self._laid.width)
        return [Strip(segments, cells) for segments, cells in rows]

    def _look(self, look: Look) -> Style:
        return self.part_style(f"preview--{look}")
