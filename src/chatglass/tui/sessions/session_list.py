"""SessionList: saved sessions one line each, with the lines that match under them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import ClassVar

from rich.cells import cell_len
from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip

from chatglass.store.records import SessionRow
from chatglass.store.search_records import SearchHit
from chatglass.store.search_words import search_words
from chatglass.tui.lines.cells import Cell, fit, row
from chatglass.tui.lines.line_list import LineList
from chatglass.tui.sessions import session_words
from chatglass.tui.sessions.listing import Listing
from chatglass.values.clock import now_ms
from chatglass.values.figures import age, date
from chatglass.values.text import one_line

_LEAST_EXCERPT = 12
"""Cells behind a title from which on the first prompt is shown there."""


class SessionList(LineList):
    """Paints a `Listing`; call `listing_changed` after it was arranged anew.

    Marks: `✓` is chosen; `?` asks for approval, `●` works, `▸` is on screen, `!` its last answer
    was interrupted or failed, `✎` holds a draft; `★` pinned, `⑂` forked, `▣` archived.
    """

    DEFAULT_CSS = """
    SessionList > .session-list--asking { color: $text-warning; text-style: bold; }
    SessionList > .session-list--running { color: $text-accent; text-style: bold; }
    SessionList > .session-list--broken { color: $text-error; }
    SessionList > .session-list--mark { color: $text-primary; }
    SessionList > .session-list--detail { color: $foreground 70%; }
    SessionList > .session-list--here { color: $text-success; }
    SessionList > .session-list--tag { color: $text-secondary; }
    SessionList > .session-list--found { color: $text-warning; text-style: bold underline; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"session-list--{part}"
        for part in ("asking", "running", "broken", "mark", "detail", "here", "tag", "found")
    }

    class LinesWanted(Message):
        """Matches came into view whose lines are not here yet; `take_wanted` names them."""

    def __init__(
        self,
        listing: Listing,
        *,
        root: str = "",
        current: str | None = None,
        now: Callable[[], int] = now_ms,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.listing = listing
        self._root = root
        self._current = current
        self._now = now
        self._working: frozenset[str] = frozenset()
        self._asking: frozenset[str] = frozenset()
        self._marked: set[str] = set()
        self._lines: dict[str, SearchHit] = {}
        self._wanted: list[str] = []
        self._words = ""
        self._pattern: re.Pattern[str] | None = None

    # -- what the screen calls

    @property
    def running(self) -> frozenset[str]:
        return self._working | self._asking

    @property
    def chosen(self) -> SessionRow | None:
        """The session under the cursor, or that the match under it is in."""
        return self.listing.session_at(self.cursor) if self.cursor_id is not None else None

    @property
    def match(self) -> str:
        """The ref of the match under the cursor, of a session its newest; empty for none."""
        if self.cursor_id is None:
            return ""
        ref = self.listing.rows[self.cursor].ref
        chosen = self.listing.session_at(self.cursor)
        return ref or next(iter(self.listing.found.refs.get(chosen.id, ())), "")

    @property
    def marked(self) -> list[SessionRow]:
        """The sessions that are marked and listed, else the one under the cursor."""
        listed = (self.listing.sessions[each.place] for each in self.listing.rows if not each.ref)
        found = [session for session in listed if session.id in self._marked]
        chosen = self.chosen
        return found or ([chosen] if chosen else [])

    @property
    def marks(self) -> int:
        return len(self._marked)

    def mark(self, session_ids: Iterable[str]) -> None:
        """Mark exactly these sessions."""
        self._marked = set(session_ids)
        self.refresh()

    def toggle_mark(self) -> None:
        """Mark or unmark the session under the cursor, and go on to the next."""
        if self.chosen is not None:
            self._marked ^= {self.chosen.id}
            self.refresh()
            self.move_cursor(self.listing.step_session(self.cursor, 1))

    def toggle_all(self) -> None:
        """Mark all that are listed, or none where all are."""
        listed = {self.listing.sessions[each.place].id for each in self.listing.rows}
        self.mark(() if listed <= self._marked else listed)

    def listing_changed(self, *, to_top: bool = False) -> None:
        """Show the listing as it is now; the cursor stays on its row, or goes to the first."""
        words = self.listing.search.words
        if words != self._words:
            self._words = words
            wanted = search_words(words)
            self._pattern = None if wanted.reach == "nothing" else wanted.pattern
            self._lines.clear()
        self._wanted.clear()
        self.rows_changed()
        if to_top:
            self.move_cursor(0)

    def add_lines(self, lines: Mapping[str, SearchHit]) -> None:
        """Lines of matches by ref, of the search that is shown."""
        self._lines.update(lines)
        self.refresh()

    def line(self, ref: str) -> SearchHit | None:
        return self._lines.get(ref)

    def take_wanted(self) -> list[str]:
        wanted, self._wanted = self._wanted, []
        return wanted

    def set_marks(self, running: set[str], asking: set[str]) -> None:
        """Which sessions work, and which of them wait for an answer."""
        marks = (frozenset(running), frozenset(asking))
        if marks != (self._working, self._asking):
            self._working, self._asking = marks
            self.refresh()

    def step_session(self, step: int) -> None:
        """To the next or previous session, past the matches."""
        self.move_cursor(self.listing.step_session(self.cursor, step))

    # -- LineList

    def row_count(self) -> int:
        return len(self.listing.rows)

    def row_id(self, index: int) -> str:
        return f"{self.listing.session_at(index).id} {self.listing.rows[index].ref}"

    def index_of(self, row_id: str) -> int | None:
        session_id, _, ref = row_id.partition(" ")
        return self.listing.index_of(session_id, ref)

    def on_click(self, event: events.Click) -> None:
        """One click moves the cursor, so that the preview follows; two open."""
        event.prevent_default()
        index = int(event.y) + round(self.scroll_y)
        if self._on_bar(event.x) or not 0 <= index < self.row_count():
            return
        self.move_cursor(index)
        if event.ctrl:
            self.toggle_mark()
        elif event.chain == 2:
            self.action_choose()

    def render_row(self, index: int, width: int, selected: bool) -> Strip:
        if self.listing.rows[index].ref:
            return self._match_row(index, width)
        session = self.listing.session_at(index)
        columns = session_words.columns(width)
        detail = self.part_style("session-list--detail")
        cells: list[Cell] = [self._mark(session)]
        cells += self._title(session, width - 2 - columns.taken)
        for text, cells_wide, align in columns.cells(session):
            cells.append((" " + fit(text, cells_wide, align), detail))
        if columns.place:
            where = session_words.place(session, self._root)
            look = self.part_style("session-list--here") if where == "here" else detail
            cells.append((" " + fit(where, columns.place), look))
        if columns.date:
            cells.append((" " + fit(date(session.updated_at), columns.date), detail))
        cells.append(
            (" " + fit(age(session.updated_at, self._now()), columns.age, "right"), detail)
        )
        if columns.cost:
            cells.append((" " + fit(session_words.cost(session), columns.cost, "right"), detail))
        return row(cells)

    def _mark(self, session: SessionRow) -> Cell:
        if session.id in self._marked:
            return "✓ ", self.part_style("session-list--mark")
        if session.id in self._asking:
            return "? ", self.part_style("session-list--asking")
        if session.id in self._working:
            return "● ", self.part_style("session-list--running")
        if session.id == self._current:
            return "▸ ", self.part_style("session-list--mark")
        if session.last_status != "complete":
            return "! ", self.part_style("session-list--broken")
        if session.draft:
            return "✎ ", self.part_style("session-list--mark")
        return "  ", None

    def _title(self, session: SessionRow, width: int) -> list[Cell]:
        """Flags, title and tags, and the first prompt where there is room left."""
        flags = session_words.flags(session)
        cells: list[Cell] = [(f"{flags} ", self.part_style("session-list--mark"))] if flags else []
        width -= cell_len(flags) + 1 if flags else 0
        tags = "".join(f" #{one_line(tag, 20)}" for tag in session.tags)
        tags = tags if cell_len(tags) <= width // 2 else ""
        text = session_words.title(session)
        room = width - cell_len(tags)
        if cell_len(text) >= room:
            text = fit(text, room)
        cells += self._marked_text(text, None)
        cells.append((tags, self.part_style("session-list--tag")))
        left = room - cell_len(text)
        excerpt = session_words.excerpt(session) if left >= _LEAST_EXCERPT else ""
        detail = self.part_style("session-list--detail")
        cells.append((fit(f"  {excerpt}", left) if excerpt else " " * left, detail))
        return cells

    def _match_row(self, index: int, width: int) -> Strip:
        ref = self.listing.rows[index].ref
        hit = self._lines.get(ref)
        detail = self.part_style("session-list--detail")
        if hit is None:
            if not self._wanted:
                self.post_message(self.LinesWanted())
            if ref not in self._wanted:
                self._wanted.append(ref)
            return row([(fit("    …", width), detail)])
        more = self.listing.more(index)
        tail = f" +{more:,} more" if more > 0 else ""
        label = "    ⚙ " if hit.kind == "tool" else "    │ "
        room = width - cell_len(label) - cell_len(tail)
        return row(
            [(label, detail), *self._marked_text(fit(hit.line, room), detail), (tail, detail)]
        )

    def _marked_text(self, text: str, base: Style | None) -> list[Cell]:
        """`text` with every match of the words marked in it."""
        if self._pattern is None:
            return [(text, base)]
        found = self.part_style("session-list--found")
        cells: list[Cell] = []
        end = 0
        for match in self._pattern.finditer(text):
            cells += [(text[end : match.start()], base), (match.group(), found)]
            end = match.end()
        return [*cells, (text[end:], base)]
