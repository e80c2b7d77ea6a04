"""SessionsScreen: find, open, rename and delete saved sessions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Input
from textual.worker import Worker, WorkerState

from chatglass.store.protocol import StoreError
from chatglass.store.records import SessionRow
from chatglass.tui.lines.line_list import LineList
from chatglass.tui.sessions import session_words
from chatglass.tui.sessions.prompt_line import PromptLine
from chatglass.tui.sessions.session_list import SessionList
from chatglass.values.clock import now_ms
from chatglass.values.text import one_line

ListSessions = Callable[[], Awaitable[list[SessionRow]]]
"""All sessions, newest first."""
RenameSession = Callable[[str, str], Awaitable[None]]
"""(session id, new title). A StoreError is shown and changes nothing."""
DeleteSession = Callable[[str], Awaitable[None]]
"""(session id). A StoreError is shown and changes nothing."""


class SessionsScreen(ModalScreen[str | None]):
    """Ends with the id of the session to open, or None.

    Typing filters, up and down move through the list meanwhile. The list stands in a row of its
    own (`sessions--body`), beside which there is room for a preview.
    """

    AUTO_FOCUS = "#sessions-filter"
    DEFAULT_CSS = """
    SessionsScreen {
        align: center middle;
        & > .sessions--panel {
            width: 100%; max-width: 140; height: 100%; max-height: 48;
            border: round $accent;
            padding: 0 1;
        }
        #sessions-filter { height: 1; border: none; padding: 0; }
        .sessions--body { height: 1fr; margin-top: 1; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+s", "close", "Close"),
        Binding("f2", "rename", "Rename", tooltip="Give it another title", id="sessions.rename"),
        Binding("up", "list('cursor_by', -1)", "Up", show=False),
        Binding("down", "list('cursor_by', 1)", "Down", show=False),
        Binding("pageup", "list('cursor_page', -1)", "Page up", show=False),
        Binding("pagedown", "list('cursor_page', 1)", "Page down", show=False),
        Binding("ctrl+home", "list('cursor_to_end', 0)", "Newest", show=False),
        Binding("ctrl+end", "list('cursor_to_end', 1)", "Oldest", show=False),
    ]

    def __init__(
        self,
        list_sessions: ListSessions,
        *,
        rename: RenameSession,
        delete: DeleteSession,
        root: str = "",
        current: str | None = None,
        now: Callable[[], int] = now_ms,
    ) -> None:
        super().__init__()
        self._list_sessions = list_sessions
        self._rename = rename
        self._delete = delete
        self._filter = Input(
            placeholder="type to filter by title",
            compact=True,
            select_on_focus=False,
            id="sessions-filter",
        )
        self._list = SessionList(root=root, current=current, now=now, id="sessions-list")
        self._prompt = PromptLine()
        self._panel = Vertical(classes="sessions--panel")
        self._loaded = False
        self._asked_from: Widget | None = None
        """What had the focus when a question was asked, to give it back."""

    def compose(self) -> ComposeResult:
        with self._panel:
            yield self._filter
            with Horizontal(classes="sessions--body"):
                yield self._list
            yield self._prompt

    def on_mount(self) -> None:
        self._panel.border_title = Content("Sessions")
        self._tell_counts()
        self.reload()

    # -- what the app calls

    @property
    def session_list(self) -> SessionList:
        return self._list

    def set_marks(self, running: set[str], asking: set[str]) -> None:
        """Which sessions work, and which of them wait for an answer."""
        self._list.set_marks(running, asking)

    def reload(self) -> None:
        """Read the sessions again; filter and cursor stay."""
        self.run_worker(self._load(), group="sessions", exclusive=True, exit_on_error=False)

    async def _load(self) -> None:
        rows = await self._list_sessions()
        self._loaded = True
        self._list.show(rows)
        self._tell_counts()

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """What a callback raised is said; the list stays as it was."""
        if event.state is WorkerState.ERROR:
            error = event.worker.error
            self._prompt.say(str(error) if isinstance(error, StoreError) else repr(error))

    def _tell_counts(self) -> None:
        shown, total = self._list.shown, self._list.total
        if not self._loaded:
            facts = "reading …"
        elif not total:
            facts = "no saved sessions yet"
        else:
            facts = f"{total:,}" if shown == total else f"{shown:,} of {total:,}"
        self._panel.border_subtitle = Content(facts)

    # -- filter and open

    def on_input_changed(self, event: Input.Changed) -> None:
        if event.input is self._filter:
            self._list.filter(event.value)
            self._tell_counts()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        if event.input is self._filter:
            self._list.action_choose()

    def on_line_list_row_chosen(self, event: LineList.RowChosen) -> None:
        self.dismiss(event.row_id)

    def action_list(self, action: str, argument: int) -> None:
        """Move in the list while the filter has the focus."""
        if self._prompt.asking:
            return
        match action:
            case "cursor_by":
                self._list.action_cursor_by(argument)
            case "cursor_page":
                self._list.action_cursor_page(argument)
            case _:
                self._list.action_cursor_to_end(argument)

    def action_close(self) -> None:
        if self._prompt.asking:
            self._prompt.cancel()
        elif self._filter.value:
            self._filter.value = ""
            self._filter.focus()
        else:
            self.dismiss(None)

    # -- rename and delete

    def action_filter(self) -> None:
        self._filter.focus()

    def action_rename(self) -> None:
        session = self._list.chosen
        if session is not None:
            self._asked_from = self.focused
            now_called = one_line(session.title or session.excerpt, session_words.TITLE_LIMIT)
            self._prompt.ask_text("Rename", now_called, session.id)

    def action_delete(self) -> None:
        session = self._list.chosen
        if session is None:
            return
        if session.id in self._list.running:
            self._prompt.say("This session is at work. Open it and stop it with Esc first.")
            return
        self._asked_from = self.focused
        name = one_line(session_words.title(session), 40)
        self._prompt.ask_yes(
            f"Delete “{name}” with its {session.messages:,} messages for good?", session.id
        )

    def on_prompt_line_answered(self, event: PromptLine.Answered) -> None:
        event.stop()
        (self._asked_from or self._list).focus()
        if event.text is None:
            self.run_worker(self._delete_now(event.subject), group="write", exit_on_error=False)
        elif new_title := event.text.strip():
            self.run_worker(
                self._rename_now(event.subject, new_title), group="write", exit_on_error=False
            )

    def on_prompt_line_cancelled(self, event: PromptLine.Cancelled) -> None:
        event.stop()
        (self._asked_from or self._list).focus()

    async def _rename_now(self, session_id: str, new_title: str) -> None:
        await self._rename(session_id, new_title)
        self._list.retitle(session_id, new_title)
        self._tell_counts()

    async def _delete_now(self, session_id: str) -> None:
        await self._delete(session_id)
        self._list.drop(session_id)
        self._tell_counts()
