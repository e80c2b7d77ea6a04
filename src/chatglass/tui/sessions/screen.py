"""SessionsScreen: find, open and keep saved sessions."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.content import Content
from textual.widgets import Input, Static
from textual.worker import Worker, WorkerState

from chatglass.store.protocol import SessionStore, StoreError
from chatglass.store.records import SessionQuery, SessionRow
from chatglass.store.search_words import search_words
from chatglass.store.session_search import parse_search
from chatglass.tui.actions.footer import FooterLine, way_out
from chatglass.tui.actions.registry import ACTIONS
from chatglass.tui.lines.line_list import LineList
from chatglass.tui.screens.cover_screen import CoverScreen
from chatglass.tui.sessions import session_words
from chatglass.tui.sessions.changes import RenameSession
from chatglass.tui.sessions.finding import Finding
from chatglass.tui.sessions.keeper import Keeper
from chatglass.tui.sessions.list_head import ListHead
from chatglass.tui.sessions.listing import ORDERS, Found, Listing
from chatglass.tui.sessions.preview import Preview
from chatglass.tui.sessions.preview_panel import PreviewPanel
from chatglass.tui.sessions.prompt_line import PromptLine
from chatglass.tui.sessions.searcher import Searcher
from chatglass.tui.sessions.session_list import SessionList
from chatglass.tui.sessions.session_words import Order
from chatglass.values.clock import now_ms

DeleteSessions = Callable[[list[str]], None]
"""Starts to delete the sessions of these ids, and tells the user what could not be deleted."""

WIDE = 110
"""Columns from which the preview stands beside the list instead of below it."""
_FIRST = 200
"""Sessions that are read for the first frame; all others follow it."""
_ONLY_TITLES = (
    "So short a word is looked for in titles only; three letters (or 两字) search everything."
)


@dataclass(frozen=True, slots=True)
class SessionChoice:
    """The session to open, and the message to show in it; empty for its end."""

    session_id: str
    message_id: str = ""
    words: str = ""
    """What was searched for, where that is what the message was found by."""


class SessionsScreen(CoverScreen[SessionChoice | None]):
    """Ends with what to open, or None. Typing searches; up and down move through the list meanwhile.

    What was deleted is deleted when the screen goes; until then it can be undone.
    """

    ACTION_PLACE = "sessions"
    AUTO_FOCUS = "#sessions-filter"
    DEFAULT_CSS = """
    SessionsScreen {
        .sessions--panel, .sessions--preview {
            border: round $accent 40%;
            border-title-color: $text-muted;
            border-subtitle-color: $text-muted;
            padding: 0 1;
            &:focus-within { border: round $accent; border-title-color: $text-accent; }
        }
        .sessions--body { layout: horizontal; height: 1fr; }
        .sessions--panel { width: 3fr; height: 1fr; }
        .sessions--preview { width: 2fr; height: 1fr; }
        &.-narrow .sessions--body { layout: vertical; }
        &.-narrow .sessions--panel, &.-narrow .sessions--preview { width: 1fr; }
        #sessions-filter { height: 1; border: none; padding: 0; margin-bottom: 1; }
        .sessions--total { height: 1; width: 1fr; padding: 0 2; color: $foreground 80%; }
        PromptLine { padding: 0 2; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        *ACTIONS.bindings("sessions"),
        Binding("up", "list('cursor_by', -1)", "Up", show=False),
        Binding("down", "list('cursor_by', 1)", "Down", show=False),
        Binding("pageup", "list('cursor_page', -1)", "Page up", show=False),
        Binding("pagedown", "list('cursor_page', 1)", "Page down", show=False),
        Binding("ctrl+home", "list('cursor_to_end', 0)", "First", show=False),
        Binding("ctrl+end", "list('cursor_to_end', 1)", "Last", show=False),
    ]

    def __init__(
        self,
        store: SessionStore,
        *,
        rename: RenameSession,
        delete: DeleteSessions,
        root: str = "",
        current: str | None = None,
        now: Callable[[], int] = now_ms,
    ) -> None:
        super().__init__()
        self._store = store
        self._delete = delete
        self._root = root
        self._listing = Listing()
        self._filter = Input(
            placeholder="search titles, messages and tools; tool: model: tag: is: cost> before: …",
            compact=True,
            select_on_focus=False,
            id="sessions-filter",
        )
        self._head = ListHead()
        self._list = SessionList(
            self._listing, root=root, current=current, now=now, id="sessions-list"
        )
        self._searcher = Searcher(store, self._list, self._found)
        self._preview = PreviewPanel(store, self._list, root=root)
        self._total = Static(classes="sessions--total")
        self._prompt = PromptLine()
        self._panel = Vertical(classes="sessions--panel")
        self._loaded = 0
        """0: nothing yet, 1: the newest sessions, 2: all."""
        self._wants_preview: bool | None = None
        """What the user chose; None: beside the list where there is room."""
        self._index_size = ""
        self._keeper = Keeper(
            store, rename, self._list, self._prompt, run=self._run_write, changed=self.rearrange
        )

    def compose(self) -> ComposeResult:
        with Container(classes="sessions--body"):
            with self._panel:
                yield self._filter
                yield self._head
                yield self._list
            yield self._preview
        yield self._total
        yield self._prompt
        yield FooterLine(place="sessions", first=way_out("screen.next"), target=self)

    def on_mount(self) -> None:
        self._panel.border_title = Content("Sessions")
        self._tell_counts()
        self.reload()

    def on_resize(self, event: events.Resize) -> None:
        self._fold_preview(event.size.width)

    def on_unmount(self) -> None:
        if ids := self.take_deleted():
            self._delete(ids)

    # -- what the app calls

    @property
    def session_list(self) -> SessionList:
        return self._list

    @property
    def preview(self) -> Preview:
        return self._preview.view

    @property
    def listing(self) -> Listing:
        return self._listing

    def set_marks(self, running: set[str], asking: set[str]) -> None:
        """Which sessions work, and which of them wait for an answer."""
        self._list.set_marks(running, asking)

    def take_deleted(self) -> list[str]:
        """Ids of what is to be deleted for good, once."""
        return self._keeper.take_deleted()

    def reload(self) -> None:
        """Read the sessions again; search and cursor stay."""
        self.run_worker(self._load, group="sessions", exclusive=True, exit_on_error=False)

    async def _load(self) -> None:
        self._searcher.forget()
        if not self._loaded:
            query = SessionQuery(include_archived=True, limit=_FIRST)
            rows = await self._store.list_sessions(query)
            self._loaded = 2 if len(rows) < _FIRST else 1
            self._take(rows)
            # All others would take the interpreter from the first frame.
            painted = asyncio.Event()
            self.call_after_refresh(painted.set)
            await painted.wait()
        if self._loaded != 2 or self._listing.sessions:
            rows = await self._store.list_sessions(SessionQuery(include_archived=True))
            self._loaded = 2
            self._take(rows)
        size = await self._store.size()
        self._index_size = session_words.index_size(size)
        self._tell_counts()

    def _take(self, rows: list[SessionRow]) -> None:
        self._listing.replace_all(rows)
        # What comes above a cursor that nobody moved shall be seen.
        self.rearrange(to_top=self._list.cursor == 0)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """What the store refused is said; the list stays as it was."""
        if event.state is WorkerState.ERROR:
            error = event.worker.error
            self._prompt.say(str(error) if isinstance(error, StoreError) else repr(error))

    def rearrange(self, *, to_top: bool = False) -> None:
        """Show the listing after it has changed."""
        self._listing.hidden = self._keeper.deleted
        self._listing.arrange()
        self._list.listing_changed(to_top=to_top)
        self._tell_counts()
        self._preview.follow()

    def _found(self, to_top: bool) -> None:
        self.rearrange(to_top=to_top)

    def _tell_counts(self) -> None:
        totals, count = self._listing.totals, len(self._listing.sessions)
        facts: list[str] = []
        if not self._loaded:
            facts.append("reading …")
        elif not count:
            facts.append("no saved sessions yet")
        else:
            of = f" of {count:,}" if totals.sessions != count else ""
            facts.append(f"{totals.sessions:,}{of}")
        if not self._listing.found.complete:
            facts.append("searching …")
        if self._list.marks:
            facts.append(f"{self._list.marks:,} marked")
        if self._index_size:
            facts.append(self._index_size)
        self._panel.border_subtitle = Content(" · ".join(facts))
        self._total.update(Content(session_words.total(totals, self._listing.order)), layout=False)

    # -- search

    def on_input_changed(self, event: Input.Changed) -> None:
        if event.input is not self._filter:
            return
        search = parse_search(event.value, root=self._root)
        reach = search_words(search.words).reach
        hint = _ONLY_TITLES if reach == "titles" else ""
        self._prompt.hint(" ".join(search.problems) or hint)
        self.workers.cancel_group(self, "search")
        if Finding.needs_store(search):
            work = partial(self._searcher.find, search)
            self.run_worker(work, group="search", exit_on_error=False)
        else:
            self._searcher.show(search, Found(), {}, to_top=bool(event.value.strip()))

    @on(SessionList.LinesWanted)
    def _lines_wanted(self) -> None:
        self.run_worker(
            self._searcher.read_lines, group="lines", exclusive=True, exit_on_error=False
        )

    def action_search(self) -> None:
        self._filter.focus()

    def action_here(self) -> None:
        """Only sessions of this directory, or all again."""
        words = self._filter.value.split()
        here = "is:here"
        words = [word for word in words if word != here] if here in words else [*words, here]
        self._filter.value = " ".join(words)

    def action_sort(self) -> None:
        order = ORDERS[(ORDERS.index(self._listing.order) + 1) % len(ORDERS)]
        self._sort(order)

    @on(ListHead.OrderChosen)
    def _order_chosen(self, event: ListHead.OrderChosen) -> None:
        self._sort(event.order)

    def _sort(self, order: Order) -> None:
        self._listing.sort(order)
        self._head.show_order(order)
        self.rearrange(to_top=True)

    # -- preview

    @on(LineList.CursorMoved)
    def _cursor_moved(self) -> None:
        self._preview.follow()

    def action_preview(self) -> None:
        self._wants_preview = not self._preview.display
        self._fold_preview(self.size.width)

    def _fold_preview(self, width: int) -> None:
        self.set_class(width < WIDE, "-narrow")
        self._preview.display = (
            width >= WIDE if self._wants_preview is None else self._wants_preview
        )
        self._preview.follow()

    # -- changes

    def _run_write(self, work: Callable[[], Awaitable[None]]) -> None:
        self.run_worker(work, group="write", exit_on_error=False)

    def action_mark(self) -> None:
        self._list.toggle_mark()
        self._tell_counts()

    def action_mark_all(self) -> None:
        """All that are listed, or none where all are marked already."""
        self._list.toggle_all()
        self._tell_counts()

    def action_rename(self) -> None:
        self._keeper.ask_title(self.focused)

    def action_tag(self) -> None:
        self._keeper.ask_tags(self.focused)

    def action_pin(self) -> None:
        self._keeper.pin()

    def action_archive(self) -> None:
        self._keeper.archive()

    def action_delete(self) -> None:
        self._keeper.delete()

    def action_undo(self) -> None:
        self._keeper.undo()

    @on(PromptLine.Answered)
    def _answered(self, event: PromptLine.Answered) -> None:
        self._keeper.answered(event.subject, event.text)

    @on(PromptLine.Cancelled)
    def _cancelled(self) -> None:
        self._keeper.give_focus_back()

    # -- open and close

    def on_input_submitted(self, event: Input.Submitted) -> None:
        if event.input is self._filter:
            self.action_open()

    def on_line_list_row_chosen(self, event: LineList.RowChosen) -> None:
        event.stop()
        self.action_open()

    def action_open(self) -> None:
        if self._list.chosen is not None:
            self.run_worker(
                partial(self._open, self._list.chosen.id), group="open", exit_on_error=False
            )

    async def _open(self, session_id: str) -> None:
        message_id = await self._preview.message_at_cursor()
        words = self._listing.search.words if message_id else ""
        self.dismiss(SessionChoice(session_id, message_id, words))

    def action_list(self, action: str, argument: int) -> None:
        """Move in the list while the search has the focus."""
        if self._prompt.asking:
            return
        match action:
            case "cursor_by":
                self._list.action_cursor_by(argument)
            case "cursor_page":
                self._list.action_cursor_page(argument)
            case _:
                self._list.action_cursor_to_end(argument)

    def action_step(self, step: int) -> None:
        self._list.step_session(step)

    def action_close(self) -> None:
        """One thing after the other: the question, the marks, the search, the screen."""
        if self._prompt.asking:
            self._prompt.cancel()
        elif self._list.marks:
            self._list.mark(())
            self._tell_counts()
        elif self._filter.value:
            self._filter.value = ""
            self._filter.focus()
        else:
            self.dismiss(None)
