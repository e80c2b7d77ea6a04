"""Listing: which sessions are listed, in which order, and the matches under them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from chatglass.store.records import SessionRow
from chatglass.store.search_records import Matches
from chatglass.store.search_words import search_words
from chatglass.store.session_search import SessionSearch, Uses, parse_search
from chatglass.tui.sessions.session_words import Order, Totals, title

ORDERS: tuple[Order, ...] = ("time", "cost", "length")

SHOWN = 3
"""Matches shown under a session, at most."""


class ListedRow(NamedTuple):
    """A line of the list: a session (`ref` empty) or a match in it."""

    place: int
    ref: str = ""


@dataclass(slots=True)
class Found:
    """What was found so far, by session id: how many matches, and the newest of them."""

    counts: dict[str, int] = field(default_factory=dict[str, int])
    refs: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    complete: bool = True

    def add(self, page: Matches) -> None:
        """Take in a page; pages come newest first."""
        for each in page.sessions:
            self.counts[each.session_id] = self.counts.get(each.session_id, 0) + each.count
            there = self.refs.get(each.session_id, ())
            if len(there) < SHOWN:
                self.refs[each.session_id] = (*there, *each.refs)[:SHOWN]
        self.complete = page.after is None


class Listing:
    """10,000 sessions pass through here with each key, so it keeps what it can in plain lists."""

    def __init__(self) -> None:
        self.sessions: list[SessionRow] = []
        self.rows: list[ListedRow] = []
        self.totals = Totals()
        self.order: Order = "time"
        self.search: SessionSearch = parse_search("")
        self.found = Found()
        self.hidden: set[str] = set()
        """Ids of sessions that are as good as deleted."""
        self._uses: Uses = {}
        self._place: dict[str, int] = {}
        self._titles: list[str] = []
        self._rows: list[ListedRow] = []
        """The row of each session, by place: made once, since making 10,000 takes longer than all
        else that a key costs."""
        self._sorted: list[int] = []
        self._titled: set[int] | None = set()
        """Places whose titles hold all the words; None: there are no words."""
        self._index: dict[tuple[int, str], int] = {}

    # -- changes; each is followed by `arrange`

    def replace_all(self, sessions: Iterable[SessionRow]) -> None:
        self.sessions = list(sessions)
        self._place = {session.id: place for place, session in enumerate(self.sessions)}
        self._titles = [title(session).casefold() for session in self.sessions]
        self._rows = [ListedRow(place) for place in range(len(self.sessions))]
        self._match_titles()
        self._sort()

    def update(self, sessions: Iterable[SessionRow]) -> None:
        """Take other versions of sessions that are here."""
        for session in sessions:
            place = self._place.get(session.id)
            if place is not None:
                self.sessions[place] = session
                self._titles[place] = title(session).casefold()
        self._match_titles()
        self._sort()

    def sort(self, order: Order) -> None:
        self.order = order
        self._sort()

    def look_for(self, search: SessionSearch, found: Found, uses: Uses) -> None:
        """Show what `search` accepts and what has its words in the title or in `found`."""
        words_changed = search.words != self.search.words
        self.search, self.found, self._uses = search, found, uses
        if words_changed:
            self._match_titles()

    def arrange(self) -> None:
        """Work out the rows anew."""
        sessions, found, hidden = self.sessions, self.found.refs, self.hidden
        search, uses = self.search, self._uses
        # Without a facet there is no need to ask it 10,000 times.
        plain = not search.checks
        rows: list[ListedRow] = []
        tokens = unpriced = estimated = count = 0
        cost = Decimal(0)
        for place in self._candidates():
            session = sessions[place]
            if session.archived if plain else not search.accepts(session, uses):
                continue
            if hidden and session.id in hidden:
                continue
            count += 1
            tokens += session.total_tokens
            unpriced += session.unpriced_requests
            estimated += session.estimated_requests
            cost += session.cost
            rows.append(self._rows[place])
            if found and session.id in found:
                rows += [ListedRow(place, ref) for ref in found[session.id]]
        self.rows = rows
        self.totals = Totals(count, tokens, cost, unpriced, estimated)
        self._index = {}

    def _candidates(self) -> Sequence[int]:
        """The places that have the words, in order."""
        titled = self._titled
        if titled is None:
            return self._sorted
        found = {self._place[id_] for id_ in self.found.refs if id_ in self._place}
        wanted = titled | found
        return [place for place in self._sorted if place in wanted]

    def _match_titles(self) -> None:
        words = [word.casefold() for word in search_words(self.search.words).all]
        if not words:
            self._titled = None
            return
        within: Sequence[int] = range(len(self._titles))
        for word in words:
            within = [place for place in within if word in self._titles[place]]
        self._titled = set(within)

    def _sort(self) -> None:
        sessions = self.sessions
        match self.order:
            case "time":
                # As the store gives them, newest first, what is pinned on top.
                pinned = [place for place, each in enumerate(sessions) if each.pinned]
                others = [place for place, each in enumerate(sessions) if not each.pinned]
                self._sorted = pinned + others
            case "cost":
                costs = [session.cost for session in sessions]
                self._sorted = sorted(range(len(sessions)), key=lambda at: -costs[at])
            case "length":
                lengths = [session.messages for session in sessions]
                self._sorted = sorted(range(len(sessions)), key=lambda at: -lengths[at])

    # -- questions

    def session(self, session_id: str) -> SessionRow | None:
        place = self._place.get(session_id)
        return None if place is None else self.sessions[place]

    def session_at(self, index: int) -> SessionRow:
        """The session of a row, or that a match is in."""
        return self.sessions[self.rows[index].place]

    def index_of(self, session_id: str, ref: str) -> int | None:
        """Where that row stands; of a match that is no more shown, its session."""
        place = self._place.get(session_id)
        if place is None:
            return None
        if not self._index:
            self._index = {row: index for index, row in enumerate(self.rows)}
        return self._index.get((place, ref), self._index.get((place, "")))

    def more(self, index: int) -> int:
        """Behind the last match of a session: how many there are beside those shown."""
        row = self.rows[index]
        if index + 1 < len(self.rows) and self.rows[index + 1].place == row.place:
            return 0
        session_id = self.sessions[row.place].id
        return self.found.counts.get(session_id, 0) - len(self.found.refs.get(session_id, ()))

    def step_session(self, index: int, step: int) -> int:
        """The next row that is a session (`step` 1 or -1), else `index`."""
        at = index + step
        while 0 <= at < len(self.rows):
            if not self.rows[at].ref:
                return at
            at += step
        return index
