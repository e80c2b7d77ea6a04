"""Finding text in the transcript: in what was written, not only in what is laid out."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from chatglass.tui.transcript.items import AnswerItem, FoldItem, Item, NoticeItem, PromptItem
from chatglass.tui.transcript.look import Look
from chatglass.tui.transcript.strips import Span
from chatglass.tui.transcript.view import View


@dataclass(frozen=True, slots=True)
class Match:
    item_id: str
    field: str
    """`text`, `reasoning`, `title`, `body`, or `card ` and its tool call id."""
    ordinal: int
    """Its place among the matches of that field, from 0."""


def searched_texts(item: Item) -> Iterator[tuple[str, str]]:
    """(field, text) of all that is searched of an item, in the order on screen."""
    match item:
        case PromptItem():
            yield "text", "\n".join([item.text, *item.attachments])
        case AnswerItem():
            yield "reasoning", item.reasoning
            yield "text", item.text
            for card in item.cards:
                yield f"card {card.tool_call_id}", f"{card.name}\n{card.arguments}"
        case NoticeItem():
            yield "text", f"{item.text}\n{item.advice}"
        case FoldItem():
            yield "title", item.title
            yield "body", item.body


def pattern_of(query: str) -> re.Pattern[str]:
    """Any white space between words matches any other, so that a wrapped line is found too.

    Without a capital letter in the query, case does not matter.
    """
    words = query.split()
    expression = r"\s+".join(map(re.escape, words)) if words else re.escape(query)
    return re.compile(expression, 0 if query != query.lower() else re.IGNORECASE)


class Finder:
    """The matches of a pattern, and which is the current one."""

    def __init__(self) -> None:
        self.matches: list[Match] = []
        self.position = -1
        """Index of the current match; -1 where there is none."""
        self._pattern: re.Pattern[str] | None = None
        self._generation = 0
        self._spans: dict[str, tuple[object, dict[int, tuple[Span, ...]]]] = {}

    @property
    def current(self) -> Match | None:
        return self.matches[self.position] if self.position >= 0 else None

    def search(self, pattern: re.Pattern[str], items: Sequence[Item], first: int) -> None:
        """Find all matches; the current one is the first at or after item number `first`."""
        self.clear()
        self._pattern = pattern
        position = -1
        for index, item in enumerate(items):
            found = self._matches_in(item)
            if found and position < 0 and index >= first:
                position = len(self.matches)
            self.matches.extend(found)
        if self.matches:
            self.position = max(0, position)

    def again(self, items: Sequence[Item]) -> None:
        """Search the changed items again, and stay at the current match."""
        current, pattern = self.current, self._pattern
        if pattern is None:
            return
        self.matches = [match for item in items for match in self._matches_in(item)]
        if current in self.matches:
            self.position = self.matches.index(current)
        else:
            self.position = min(max(0, self.position), len(self.matches) - 1)

    def step(self, step: int) -> Match | None:
        if self.matches:
            self.position = (self.position + step) % len(self.matches)
            self._generation += 1
        return self.current

    def clear(self) -> None:
        self._pattern = None
        self.matches = []
        self.position = -1
        self._generation += 1
        self._spans.clear()

    def spans(self, item_id: str, view: View, look: Look) -> dict[int, tuple[Span, ...]]:
        """The matches on each line of an item."""
        if self._pattern is None:
            return {}
        key = (view, view.version, look, self._generation)
        kept = self._spans.get(item_id)
        if kept is None or kept[0] != key:
            if len(self._spans) > 200:
                self._spans.clear()
            kept = self._spans[item_id] = (key, self._marked(item_id, view, look))
        return kept[1]

    def line_of_current(self, view: View) -> int:
        """The line of the current match in its item, which `view` is."""
        current = self.current
        assert current is not None
        for field, first, last in view.fields():
            if field == current.field:
                places = list(self._places(view, first, last))
                if places:
                    return places[min(current.ordinal, len(places) - 1)][0][0]
                return first
        return 0

    def _matches_in(self, item: Item) -> list[Match]:
        pattern = self._pattern
        assert pattern is not None
        found: list[Match] = []
        for field, text in searched_texts(item):
            count = sum(1 for _ in pattern.finditer(text)) if text else 0
            found.extend(Match(item.id, field, ordinal) for ordinal in range(count))
        return found

    def _marked(self, item_id: str, view: View, look: Look) -> dict[int, tuple[Span, ...]]:
        current = self.current
        lines: dict[int, list[Span]] = {}
        for field, first, last in view.fields():
            places = list(self._places(view, first, last))
            chosen = -1
            if current and current.item_id == item_id and current.field == field:
                chosen = min(current.ordinal, len(places) - 1)
                if not places:  # it is in a part that is cut off or not shown
                    text = view.line(first).text.rstrip()
                    lines.setdefault(first, []).append((0, len(text), look.found_current))
            for number, pieces in enumerate(places):
                style = look.found_current if number == chosen else look.found
                for line, start, end in pieces:
                    lines.setdefault(line, []).append((start, end, style))
        return {line: tuple(spans) for line, spans in lines.items()}

    def _places(self, view: View, first: int, last: int) -> Iterator[list[tuple[int, int, int]]]:
        """Each match in lines `first` to `last` as pieces (line, first character, one behind)."""
        pattern = self._pattern
        if pattern is None or first > last:
            return
        texts = [view.line(line).text for line in range(first, last + 1)]
        starts: list[int] = []
        length = 0
        for text in texts:
            starts.append(length)
            length += len(text) + 1
        for match in pattern.finditer("\n".join(texts)):
            pieces: list[tuple[int, int, int]] = []
            index = bisect_right(starts, match.start()) - 1
            while index < len(texts) and starts[index] < match.end():
                start = max(0, match.start() - starts[index])
                end = min(len(texts[index].rstrip()), match.end() - starts[index])
                if start < end:
                    pieces.append((first + index, start, end))
                index += 1
            if pieces:
                yield pieces
