"""Prompts, notices and folds laid out."""

from __future__ import annotations

import time

from rich.cells import cell_len
from textual.strip import Strip

from chatglass.tui.transcript.items import FoldItem, NoticeItem, PromptItem
from chatglass.tui.transcript.strips import (
    EMPTY,
    Piece,
    PlainText,
    cut,
    spread,
    strip_of,
    wrap_all,
)
from chatglass.tui.transcript.view import COMPARE, Change, Document, Field, Section, Setting, View
from chatglass.values.text import one_line, visible

STATES = {"queued": "queued", "waiting": "waits for the engine"}
NOTICE_MARKS = {"information": "i", "warning": "!", "error": "✗"}


def time_of(at: int, now: int) -> str:
    """Local time of day, with the date where it is another day."""
    then, today = time.localtime(at / 1000), time.localtime(now / 1000)
    if then[:3] == today[:3]:
        return time.strftime("%H:%M", then)
    return time.strftime("%d %b %H:%M" if then[0] == today[0] else "%Y-%m-%d %H:%M", then)


def branch_mark(branch: tuple[int, int] | None) -> str:
    return f" ‹{branch[0]}/{branch[1]}›" if branch else ""


class PromptView(View):
    def __init__(self, item: PromptItem, setting: Setting) -> None:
        super().__init__(setting)
        self.item = item
        self._text = PlainText()

    def barred(self, line: int) -> bool:
        return line > 0

    def fields(self) -> list[Field]:
        return [("text", 2, self.height - 1)]

    def sections(self) -> list[Section]:
        item, look, width = self.item, self.setting.look, self.setting.width
        left: list[Piece] = [("You", look.you), (branch_mark(item.branch), look.muted)]
        if item.state != "sent":
            left.append((f" ○ {STATES[item.state]}", look.warned))
        right = [(time_of(item.at, self.setting.now()), look.muted)]
        lines, first = self._text.lines(item.text, width, look.text)
        attachments: list[Strip] = []
        for number, name in enumerate(item.attachments):
            words = cut(one_line(name, 300), width - 2)
            attachments.append(strip_of([("+ ", look.running), (words, look.muted)]))
            attachments += self._picture(number)
        return [
            ([EMPTY, spread(left, right, width)], COMPARE),
            (lines, first),
            (attachments, COMPARE),
        ]

    def _picture(self, attachment: int) -> list[Strip]:
        previews, width = self.setting.previews, self.setting.width
        if previews is None:
            return []
        images = [image for image in self.item.images if image.label == attachment]
        return [line for image in images for line in previews.lines(image, width)]


class NoticeView(View):
    def __init__(self, item: NoticeItem, setting: Setting) -> None:
        super().__init__(setting)
        self.item = item

    def sections(self) -> list[Section]:
        item, look, width = self.item, self.setting.look, self.setting.width
        style = {"information": look.running, "warning": look.warned, "error": look.failed}[
            item.severity
        ]
        lines = [EMPTY]
        for number, text in enumerate(wrap_all(visible(item.text), max(4, width - 2))):
            sign = "⑂" if item.leads_to else NOTICE_MARKS[item.severity]
            mark = sign if not number else " "
            lines.append(strip_of([(mark + " ", style), (text, style)]))
        if item.advice:
            for text in wrap_all(visible(item.advice), max(4, width - 2)):
                lines.append(strip_of([("  ", look.muted), (text, look.muted)]))
        return [(lines, COMPARE)]


class FoldView(View):
    def __init__(self, item: FoldItem, setting: Setting) -> None:
        super().__init__(setting)
        self.item = item
        self._body: tuple[str, Document] | None = None

    def sections(self) -> list[Section]:
        item, look, width = self.item, self.setting.look, self.setting.width
        mark = ("▾ " if item.open else "▸ ") if item.body else "· "
        head: list[Strip] = [EMPTY]
        for number, title in enumerate(self._title_lines()):
            begin = (
                [("── ", look.rule), (mark, look.muted)] if not number else [("     ", look.muted)]
            )
            rule = "─" * max(0, width - cell_len(title) - 6)
            line = strip_of([*begin, (title, look.muted), (" " + rule, look.rule)])
            head.append(line.crop(0, width))
        return [(head, COMPARE), self._shown_body(), self._shown_hint()]

    def _title_lines(self) -> list[str]:
        return list(wrap_all(one_line(self.item.title, 400), max(4, self.setting.width - 5)))

    def colour(self) -> Change | None:
        return self._colour(self._body[1] if self._body and self.item.open else None, 1)

    def fields(self) -> list[Field]:
        last = len(self._title_lines())
        title: Field = ("title", 1, last)
        return [title, ("body", last + 1, self.height - 1)] if self.height > last + 1 else [title]

    def _shown_hint(self) -> Section:
        item, look, width = self.item, self.setting.look, self.setting.width
        if not item.open or not item.hint:
            return [], COMPARE
        lines = [strip_of([(text, look.muted)]) for text in wrap_all(item.hint, max(4, width))]
        return lines, COMPARE

    def _shown_body(self) -> Section:
        item = self.item
        if not item.open or not item.body:
            return [], COMPARE
        if self._body is None or self._body[0] != item.body:
            self._body = (item.body, self.setting.documents(item.body))
        return self._body[1].lines(self.setting.width, self.setting.look.markdown)
