"""A list of choices drawn as lines: groups, details, a filter; any length at the same cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual import events
from textual.binding import Binding
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from chatglass.tui.component_style import component_style
from chatglass.tui.transcript.strips import wrap
from chatglass.values.text import one_line

_MARK, _NO_MARK = "› ", "  "


@dataclass(frozen=True, slots=True)
class Choice:
    """`value` is what the program gets; `label` and `detail` are shown as they are, never parsed.

    Neighbours of one `group` stand under its heading.
    """

    value: str
    label: str
    detail: str = ""
    group: str = ""

    def fits(self, words: Sequence[str]) -> bool:
        """Whether every one of the (lower-case) words is in it."""
        shown = f"{self.group} {self.label} {self.detail} {self.value}".lower()
        return all(word in shown for word in words)


@dataclass(frozen=True, slots=True)
class _Rest:
    """A further line of the choice on line `of`."""

    label: str
    detail: str
    of: int


class ChoiceList(ScrollView, can_focus=True):
    """Choices of which one is current."""

    BINDINGS = [
        Binding("up", "move(-1)", "Up", show=False),
        Binding("down", "move(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home", "edge(0)", "First", show=False),
        Binding("end", "edge(-1)", "Last", show=False),
        Binding("enter", "choose", "Choose", show=False),
    ]
    DEFAULT_CSS = """
    ChoiceList { height: 1fr; scrollbar-size-vertical: 1; }
    ChoiceList > .choice-list--cursor { background: $accent 35%; text-style: bold; }
    ChoiceList > .choice-list--detail { color: $text-muted; }
    ChoiceList > .choice-list--group { color: $text-accent; text-style: bold; }
    """
    COMPONENT_CLASSES = {"choice-list--cursor", "choice-list--detail", "choice-list--group"}

    @dataclass
    class Highlighted(Message):
        """Another choice is current; None where none is left."""

        choice: Choice | None

    @dataclass
    class Chosen(Message):
        choice: Choice

    def __init__(
        self, choices: Sequence[Choice] = (), *, empty: str = "Nothing here", wraps: bool = False
    ) -> None:
        """With `wraps` a choice takes as many lines as it needs; else it is cut."""
        super().__init__()
        if wraps:
            self.styles.scrollbar_gutter = "stable"  # else lines are broken for another width
        self._empty = empty
        self._wraps = wraps
        self._choices: list[Choice] = list(choices)
        self._words: list[str] = []
        self._lines: list[Choice | str | _Rest] = []
        self._at = -1
        self._column = 0
        self._arrange(None)

    # -- what is shown
    @property
    def current(self) -> Choice | None:
        line = self._lines[self._at] if 0 <= self._at < len(self._lines) else None
        return line if isinstance(line, Choice) else None

    @property
    def shown(self) -> list[Choice]:
        return [line for line in self._lines if isinstance(line, Choice)]

    def set_choices(self, choices: Sequence[Choice]) -> None:
        """Other choices; the current one stays current where it is still there."""
        self._choices = list(choices)
        self._arrange(self.current)

    def filter(self, text: str) -> None:
        """Show only what holds every word of `text`."""
        words = text.lower().split()
        if words != self._words:
            self._words = words
            self._arrange(self.current)

    def select(self, value: str) -> None:
        """Make the choice of that value current."""
        for index, line in enumerate(self._lines):
            if isinstance(line, Choice) and line.value == value:
                self._go(index)
                return

    def prefer(self, text: str) -> None:
        """Make the choice current that is called `text`, else the first whose name begins so."""
        wanted = text.strip().lower()
        for fits in (str.__eq__, str.startswith) if wanted else ():
            for index, line in enumerate(self._lines):
                if isinstance(line, Choice) and fits(line.label.lower(), wanted):
                    self._go(index)
                    return

    def _arrange(self, keep: Choice | None) -> None:
        group = ""
        self._lines = []
        fitting = [choice for choice in self._choices if choice.fits(self._words)]
        self._column = 2 + max((min(40, cell_len(each.label)) for each in fitting), default=0)
        for choice in fitting:
            if choice.group and choice.group != group:
                self._lines.append(choice.group)
            group = choice.group
            at = len(self._lines)
            self._lines.append(choice)
            self._lines += [_Rest(*pair, at) for pair in self._pairs(choice)[1:]]
        self._at = -1
        places = [index for index, line in enumerate(self._lines) if isinstance(line, Choice)]
        kept = next((index for index in places if keep and self._is(index, keep)), None)
        self.virtual_size = Size(0, len(self._lines))
        if kept is not None:
            self._at = kept
            self._show_current()
        elif places:
            self._go(places[0])
        elif self.is_attached:
            self.post_message(self.Highlighted(None))
        self.refresh()

    def _pairs(self, choice: Choice) -> list[tuple[str, str]]:
        """Label and detail of each line that a choice takes."""
        label, detail = one_line(choice.label, 300), one_line(choice.detail, 300)
        label_room, detail_room = self._label_room - 1, self._detail_room
        if not self._wraps or not detail or label_room < 1 or detail_room < 1:
            return [(label, detail)]
        labels, details = wrap(label, label_room), wrap(detail, detail_room)
        return list(zip_longest(labels, details, fillvalue=""))

    @property
    def _width(self) -> int:
        """Cells of a line, beside the scroll bar."""
        return self.scrollable_content_region.width

    @property
    def _detail_room(self) -> int:
        """Cells beside the labels."""
        return self._width - self._label_room - len(_MARK)

    @property
    def _label_room(self) -> int:
        share = 0.36 if self._wraps else 0.5
        return min(self._column, max(10, int(self._width * share)))

    def _is(self, index: int, choice: Choice) -> bool:
        line = self._lines[index]
        return line == choice or (
            isinstance(line, Choice) and bool(line.value) and line.value == choice.value
        )

    # -- moving
    def _go(self, index: int) -> None:
        if index == self._at:
            return
        self._at = index
        self._show_current()
        self.refresh()
        if self.is_attached:
            self.post_message(self.Highlighted(self.current))

    def _show_current(self) -> None:
        if not self.is_attached or not self.size.height:
            return
        top, height = self.scroll_offset.y, self.size.height
        # The heading above the first choice of a group is shown with it.
        first = (
            self._at - 1
            if self._at > 0 and isinstance(self._lines[self._at - 1], str)
            else self._at
        )
        if first < top:
            self.scroll_to(y=first, animate=False, force=True)
        else:
            last = self._at
            while last + 1 < len(self._lines) and isinstance(self._lines[last + 1], _Rest):
                last += 1
            if last >= top + height:
                self.scroll_to(y=min(first, last - height + 1), animate=False, force=True)

    def on_resize(self) -> None:
        if self._wraps:
            self._arrange(self.current)
        self._show_current()

    def action_move(self, by: int) -> None:
        index = self._at + by
        while 0 <= index < len(self._lines):
            if isinstance(self._lines[index], Choice):
                self._go(index)
                return
            index += by
        if by < 0:
            self.scroll_to(y=0, animate=False)

    def action_page(self, by: int) -> None:
        target = self._at + by * max(1, self.size.height - 1)
        self._go_near(max(0, min(len(self._lines) - 1, target)), by)

    def action_edge(self, index: int) -> None:
        self._go_near(0 if index == 0 else len(self._lines) - 1, 1 if index == 0 else -1)

    def _go_near(self, index: int, by: int) -> None:
        for step in (by, -by):
            place = index
            while 0 <= place < len(self._lines):
                if isinstance(self._lines[place], Choice):
                    self._go(place)
                    return
                place += step

    def action_choose(self) -> None:
        if self.current is not None:
            self.post_message(self.Chosen(self.current))

    def on_click(self, event: events.Click) -> None:
        index = self.scroll_offset.y + event.y
        line = self._lines[index] if 0 <= index < len(self._lines) else None
        if isinstance(line, _Rest):
            index = line.of
        if isinstance(line, (Choice, _Rest)):
            event.stop()
            if index == self._at:
                self.action_choose()
            else:
                self._go(index)

    # -- drawing
    def render_line(self, y: int) -> Strip:
        width, base = self._width, self.rich_style
        index = self.scroll_offset.y + y
        if index >= len(self._lines):
            text = self._empty if not self._lines and y == 0 else ""
            muted = base + component_style(self, "choice-list--detail")
            return Strip([Segment(text, muted)]).adjust_cell_length(width, base)
        line = self._lines[index]
        if isinstance(line, str):
            style = base + component_style(self, "choice-list--group")
            return Strip([Segment(one_line(line, 200), style)]).adjust_cell_length(width, base)
        style = detail_style = base
        is_current = self._at == (line.of if isinstance(line, _Rest) else index)
        if is_current:
            style += component_style(self, "choice-list--cursor")
            detail_style = style
        else:
            detail_style += component_style(self, "choice-list--detail")
        column = self._label_room
        if isinstance(line, _Rest):
            label, detail, mark = line.label, line.detail, _NO_MARK
        else:
            label, detail = self._pairs(line)[0]
            mark = _MARK if is_current else _NO_MARK
            if not detail:
                column = width
            elif cell_len(label) > column - 1:
                label = set_cell_size(label, column - 2) + "…"
        segments = [
            Segment(mark, style),
            Segment(set_cell_size(label, column), style),
            Segment(_cut(detail, width - column - len(mark)), detail_style),
        ]
        return Strip(segments).adjust_cell_length(width, style)


def _cut(text: str, cells: int) -> str:
    if cell_len(text) <= cells:
        return text
    return f"{set_cell_size(text, max(0, cells - 1))}…"
