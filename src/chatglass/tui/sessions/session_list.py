"""SessionList: saved sessions, newest first, one line each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.strip import Strip

from chatglass.store.records import SessionRow
from chatglass.tui.lines.cells import Cell, fit, row
from chatglass.tui.lines.line_list import LineList
from chatglass.tui.sessions import session_words
from chatglass.tui.sessions.session_filter import SessionFilter
from chatglass.values.clock import now_ms
from chatglass.values.figures import age, date
from chatglass.values.text import one_line


class SessionList(LineList):
    """Rows with live marks, filtered by title.

    Marks: `?` asks for approval, `●` works, `▸` is on screen, `!` its last answer was interrupted
    or failed, `✎` holds a draft.
    """

    DEFAULT_CSS = """
    SessionList > .session-list--asking { color: $text-warning; text-style: bold; }
    SessionList > .session-list--running { color: $text-accent; text-style: bold; }
    SessionList > .session-list--broken { color: $text-error; }
    SessionList > .session-list--mark { color: $text-primary; }
    SessionList > .session-list--detail { color: $foreground 60%; }
    SessionList > .session-list--here { color: $text-success; }
    SessionList > .session-list--found { text-style: bold underline; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "screen.rename", "Rename", tooltip="Give it another title"),
        Binding(
            "delete",
            "screen.delete",
            "Delete",
            tooltip="Delete it for good, after a question",
            id="sessions.delete",
        ),
        Binding(
            "slash", "screen.filter", "Filter", key_display="/", show=False, id="sessions.filter"
        ),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"session-list--{part}"
        for part in ("asking", "running", "broken", "mark", "detail", "here", "found")
    }

    def __init__(
        self,
        *,
        root: str = "",
        current: str | None = None,
        now: Callable[[], int] = now_ms,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._root = root
        self._current = current
        self._now = now
        self._sessions: list[SessionRow] = []
        self._place: dict[str, int] = {}
        self._filter = SessionFilter()
        self._shown: list[int] = []
        self._text = ""
        self._working: frozenset[str] = frozenset()
        self._asking: frozenset[str] = frozenset()

    # -- what the screen calls

    @property
    def total(self) -> int:
        return len(self._sessions)

    @property
    def shown(self) -> int:
        """How many pass the filter."""
        return len(self._shown)

    @property
    def running(self) -> frozenset[str]:
        return self._working | self._asking

    def session(self, session_id: str) -> SessionRow | None:
        place = self._place.get(session_id)
        return None if place is None else self._sessions[place]

    @property
    def chosen(self) -> SessionRow | None:
        """The session under the cursor."""
        return self.session(self.cursor_id) if self.cursor_id is not None else None

    def show(self, sessions: Sequence[SessionRow]) -> None:
        """Replace all sessions, given newest first."""
        self._sessions = list(sessions)
        self._place = {session.id: index for index, session in enumerate(self._sessions)}
        self._filter = SessionFilter(self._sessions)
        self._shown = self._filter.matching(self._text)
        self.rows_changed()

    def filter(self, text: str) -> None:
        """Show only titles that hold every word of `text`, and put the cursor on the newest."""
        self._text = text
        self._shown = self._filter.matching(text)
        self.rows_changed()
        self.move_cursor(0)
        self.refresh()

    def set_marks(self, running: set[str], asking: set[str]) -> None:
        """Which sessions work, and which of them wait for an answer."""
        marks = (frozenset(running), frozenset(asking))
        if marks != (self._working, self._asking):
            self._working, self._asking = marks
            self.refresh()

    def retitle(self, session_id: str, new_title: str) -> None:
        place = self._place.get(session_id)
        if place is not None:
            self._sessions[place] = replace(
                self._sessions[place], title=new_title, title_by_user=True
            )
            self._filter.retitle(place, self._sessions[place])
            self._shown = self._filter.matching(self._text)
            self.rows_changed()

    def drop(self, session_id: str) -> None:
        if session_id in self._place:
            self.show([session for session in self._sessions if session.id != session_id])

    # -- LineList

    def row_count(self) -> int:
        return len(self._shown)

    def row_id(self, index: int) -> str:
        return self._sessions[self._shown[index]].id

    def index_of(self, row_id: str) -> int | None:
        place = self._place.get(row_id)
        if place is None:
            return None
        try:
            return self._shown.index(place)
        except ValueError:
            return None

    def render_row(self, index: int, width: int, selected: bool) -> Strip:
        session = self._sessions[self._shown[index]]
        columns = session_words.columns(width)
        detail = self.part_style("session-list--detail")
        cells: list[Cell] = [self._mark(session)]
        cells += self._title(session_words.title(session), width - 2 - columns.taken)
        if columns.model:
            cells.append((" " + fit(one_line(session.model, 60), columns.model), detail))
        if columns.messages:
            count = f"{session.messages:,} msg"
            cells.append((" " + fit(count, columns.messages, "right"), detail))
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

    def _title(self, text: str, width: int) -> list[Cell]:
        """The title with the first word that was typed marked in it."""
        fitted = fit(text, width)
        word = next(iter(self._text.lower().split()), "")
        start = fitted.lower().find(word) if word else -1
        if start < 0:
            return [(fitted, None)]
        end = start + len(word)
        found = self.part_style("session-list--found")
        return [(fitted[:start], None), (fitted[start:end], found), (fitted[end:], None)]
