"""An answer laid out: heading, reasoning, text, cards, what went wrong, footer."""

from __future__ import annotations

from rich.cells import cell_len
from textual.strip import Strip

from chatglass.tui.transcript.cards import card_line
from chatglass.tui.transcript.items import AnswerItem
from chatglass.tui.transcript.plain_views import branch_mark, time_of
from chatglass.tui.transcript.strips import (
    EMPTY,
    Piece,
    PlainText,
    cut,
    spread,
    strip_of,
    wrap_all,
)
from chatglass.tui.transcript.view import (
    COMPARE,
    Change,
    Document,
    Field,
    Part,
    Section,
    Setting,
    View,
)
from chatglass.values.figures import duration
from chatglass.values.text import one_line, visible

TAIL = 3
"""Lines of reasoning shown while it streams and no text has come yet."""

_SPINNER = "◐◓◑◒"
_HEAD, _REASONING, _GAP, _BODY, _TAIL = range(5)
"""The sections of an answer, in order."""


class AnswerView(View):
    """`document` holds the part of the text that was pushed; `push` feeds it without comparing."""

    def __init__(self, item: AnswerItem, setting: Setting) -> None:
        super().__init__(setting)
        self.item = item
        self._reasoning = PlainText()
        self._document: Document | None = None
        self._text = ""
        """What the document holds."""
        self._finished = False
        self._card_lines: list[tuple[str, int]] = []
        """(tool call id, line in the tail section)."""
        self._reasoning_part: tuple[int, int] | None = None

    @property
    def live(self) -> bool:
        item = self.item
        return any(card.state == "running" for card in item.cards) or (
            item.status == "streaming" and not item.text and not item.cards
        )

    def sections(self) -> list[Section]:
        head = self._head()
        reasoning = self._shown_reasoning(len(head))
        body = self._body()
        gap = [EMPTY] if body[0] and reasoning[0] else []
        width = self.setting.width
        return [
            ([line.crop(0, width) for line in head], COMPARE),
            reasoning,
            (gap, COMPARE),
            body,
            ([line.crop(0, width) for line in self._tail()], COMPARE),
        ]

    def colour(self) -> Change | None:
        return self._colour(self._document, _BODY)

    def parts(self) -> list[Part]:
        parts = super().parts()
        if self._reasoning_part:
            parts.append(Part("reasoning", "", *self._reasoning_part))
        start = self.section_start(_BODY)
        if self._document is not None and self.item.text:
            for number, block in enumerate(self._document.code_blocks()):
                first, last = start + block.first_line, start + block.last_line - 1
                parts.append(Part("code", str(number), first, last, block.text))
        start = self.section_start(_TAIL)
        parts.extend(
            Part("card", key, start + line, start + line) for key, line in self._card_lines
        )
        return parts

    def fields(self) -> list[Field]:
        fields: list[Field] = []
        for name, section in (("reasoning", _REASONING), ("text", _BODY)):
            first = self.section_start(section)
            last = self.section_start(section + 1) - 1
            if first <= last:
                fields.append((name, first, last))
        start = self.section_start(_TAIL)
        fields.extend((f"card {key}", start + line, start + line) for key, line in self._card_lines)
        return fields

    def _head(self) -> list[Strip]:
        item, look, width = self.item, self.setting.look, self.setting.width
        lines: list[Strip] = []
        if not item.continues:
            left: list[Piece] = [("Assistant", look.model)]
            if item.model:
                left.append((" · " + one_line(item.model, 80), look.muted))
            left.append((branch_mark(item.branch), look.muted))
            right = [(time_of(item.at, self.setting.now()), look.muted)]
            lines = [EMPTY, spread(left, right, width)]
        elif item.reasoning or item.text:
            lines = [EMPTY]
        self._reasoning_part = None
        if item.reasoning:
            self._reasoning_part = (len(lines), len(lines))
            lines.append(self._fold_line())
        return lines

    def _fold_line(self) -> Strip:
        item, look = self.item, self.setting.look
        if self._thinks:
            spent = item.reasoning_ms or max(0, self.setting.now() - item.at)
            text = f"thinking {_seconds(spent // 1000 * 1000)}"
            return strip_of([("▾ ", look.running), (text, look.thinking)])
        mark = "▾ " if item.reasoning_open else "▸ "
        spent = item.reasoning_ms
        text = f"thought for {_seconds(spent)}" if spent else "thought"
        return strip_of([(mark, look.muted), (text, look.thinking)])

    @property
    def _thinks(self) -> bool:
        item = self.item
        return item.status == "streaming" and not item.text and not item.cards

    def _shown_reasoning(self, above: int) -> Section:
        item, look = self.item, self.setting.look
        if not item.reasoning or not (item.reasoning_open or self._thinks):
            return [], COMPARE
        width = max(4, self.setting.width - 2)
        lines, first = self._reasoning.lines(item.reasoning.strip("\n"), width, look.thinking)
        if item.reasoning_open:
            shown: Section = (lines, first)
        else:
            shown = (lines[-TAIL:], COMPARE)
        if self._reasoning_part and shown[0]:
            self._reasoning_part = (above - 1, above - 1 + len(shown[0]))
        return shown

    def _body(self) -> Section:
        item = self.item
        if not item.text:
            return [], COMPARE
        complete = item.status != "streaming"
        document = self._document
        if document is not None and item.text is not self._text and item.text != self._text:
            if not self._finished and item.text.startswith(self._text):
                document.push(item.text[len(self._text) :])
            else:
                document = None
        if document is None:
            document = self.setting.documents(item.text, complete=complete)
            self._finished = complete
        if complete and not self._finished:
            document.finish()
            self._finished = True
        self._text = item.text
        self._document = document
        return document.lines(self.setting.width, self.setting.look.markdown)

    def _tail(self) -> list[Strip]:
        item, look, width = self.item, self.setting.look, self.setting.width
        now = self.setting.now()
        lines: list[Strip] = []
        self._card_lines = []
        if item.cards and item.text:
            lines.append(EMPTY)
        for card in item.cards:
            self._card_lines.append((card.tool_call_id, len(lines)))
            lines.append(card_line(card, width, look, now))
        if item.status == "streaming":
            lines.extend(self._working(now))
        if item.status == "interrupted":
            lines.append(strip_of([("⊘ interrupted", look.warned)]))
        if item.status == "error" or item.error:
            if lines or item.text:
                lines.append(EMPTY)
            lines.extend(self._error_block())
        if item.footer:
            footer = cut(one_line(item.footer, 400), width)
            lines.append(
                strip_of([(" " * (width - cell_len(footer)), look.text), (footer, look.muted)])
            )
        return lines

    def _working(self, now: int) -> list[Strip]:
        item, look, width = self.item, self.setting.look, self.setting.width
        if item.drafting:
            text = cut(one_line(item.drafting, 400), width - 2)
            return [strip_of([("○ ", look.running), (text, look.muted)])]
        if item.text or item.reasoning or item.cards:
            return []
        turn = _SPINNER[now // 250 % len(_SPINNER)]
        waited = max(0, now - item.at) // 1000
        words = f"waiting for the answer {waited} s" if waited else "waiting for the answer"
        return [strip_of([(turn + " ", look.running), (cut(words, width - 2), look.muted)])]

    def _error_block(self) -> list[Strip]:
        item, look, width = self.item, self.setting.look, self.setting.width
        room = max(4, width - 4)
        lines: list[Strip] = []
        cause = item.error or "The answer failed."
        for number, text in enumerate(wrap_all(visible(cause), room)):
            mark = " ✗ " if not number else "   "
            padding = " " * max(0, width - 3 - cell_len(text))
            lines.append(strip_of([(mark, look.error_block), (text + padding, look.error_block)]))
        for text in wrap_all(visible(item.advice), room) if item.advice else []:
            padding = " " * max(0, width - 3 - cell_len(text))
            lines.append(
                strip_of([("   ", look.error_advice), (text + padding, look.error_advice)])
            )
        return lines


def _seconds(ms: int) -> str:
    return f"{max(1, round(ms / 1000))} s" if ms < 60_000 else duration(ms)
