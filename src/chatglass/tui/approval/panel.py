"""The approval panel: one question about a tool call at a time, below the transcript."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from rich.segment import Segment
from textual import events, on
from textual.actions import SkipAction
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Input

from chatglass.tui.actions.action import key_label
from chatglass.tui.actions.registry import ACTIONS, Actions
from chatglass.tui.approval.question import Line, question_lines, session_grant
from chatglass.tui.component_style import component_style
from chatglass.values.text import one_line

if TYPE_CHECKING:
    from chatglass.chat.ports import Decision, PendingCall

DEAF_SECONDS = 0.3
"""Keys that were meant for something else must not answer a question that just appeared."""

Answer = Literal["once", "session", "deny", "why"]

_ANSWERS: tuple[tuple[str, Answer, str], ...] = (
    ("approval.once", "once", "Once"),
    ("approval.session", "session", "This session: {grant}"),
    ("approval.deny", "deny", "Deny"),
    ("approval.deny_why", "why", "Deny and say why"),
)


def _by_user(verdict: Literal["allow", "deny"], reason: str = "") -> Decision:
    from chatglass.chat.ports import Decision

    return Decision(verdict=verdict, decided_by="user", reason=reason)


class _Question(ScrollView):
    """The lines of the question; scrolls, has no focus of its own."""

    can_focus = False
    COMPONENT_CLASSES = {f"question--{tone}" for tone in ("name", "label", "why")} | {
        "question--added",
        "question--removed",
        "question--hunk",
    }
    DEFAULT_CSS = """
    _Question { height: 3; scrollbar-size-vertical: 1; }
    _Question > .question--name { text-style: bold; }
    _Question > .question--label { color: $text-muted; }
    _Question > .question--why { color: $text-warning; }
    _Question > .question--added { color: $text-success; }
    _Question > .question--removed { color: $text-error; }
    _Question > .question--hunk { color: $text-muted; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[Line] = []

    def show(self, lines: list[Line]) -> None:
        self.lines = lines
        self.virtual_size = Size(0, len(lines))
        self.refresh()

    @property
    def hidden_below(self) -> int:
        """Lines that are not on screen yet."""
        return max(0, len(self.lines) - self.scroll_offset.y - self.size.height)

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        index = self.scroll_offset.y + y
        base = self.rich_style
        if index >= len(self.lines):
            return Strip.blank(width, base)
        line = self.lines[index]
        style = base
        if line.tone:
            style += component_style(self, f"question--{line.tone}")
        segments = [Segment(" " * line.indent, base), Segment(line.text, style)]
        return Strip(segments).adjust_cell_length(width, base)


class _Choices(Widget):
    """The answers with their keys; a click gives one."""

    DEFAULT_CSS = """
    _Choices { height: auto; }
    _Choices > .choices--key { color: $text-accent; text-style: bold; }
    """
    COMPONENT_CLASSES = {"choices--key"}

    @dataclass
    class Clicked(Message):
        index: int

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[tuple[str, str]] = []

    def show(self, rows: list[tuple[str, str]]) -> None:
        changed = len(rows) != len(self.rows)
        self.rows = rows
        self.refresh(layout=changed)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self.rows)

    def on_click(self, event: events.Click) -> None:
        event.stop()
        if event.y < len(self.rows):
            self.post_message(self.Clicked(event.y))

    def render_line(self, y: int) -> Strip:
        width, base = self.size.width, self.rich_style
        if y >= len(self.rows):
            return Strip.blank(width, base)
        key, label = self.rows[y]
        key_style = base + component_style(self, "choices--key")
        label = one_line(label, max(8, width - len(key) - 2))
        segments = [Segment(f"{key}  ", key_style), Segment(label, base)]
        return Strip(segments).adjust_cell_length(width, base)


class ApprovalPanel(Vertical, can_focus=True):
    """Asks about tool calls, one after the other; hidden while none waits.

    `grant_text` says in words what "this session" would cover. Esc is not bound here: it is the
    app's and stops the turn; it never answers.
    """

    ACTION_PLACE = "approval"
    BINDINGS = [
        *ACTIONS.bindings("approval"),
        Binding("up", "scroll_question(-1)", "Scroll up", show=False),
        Binding("down", "scroll_question(1)", "Scroll down", show=False),
        Binding("pageup", "page_question(-1)", "Page up", show=False),
        Binding("pagedown", "page_question(1)", "Page down", show=False),
        Binding("escape", "close_reason", show=False),
    ]
    DEFAULT_CSS = """
    ApprovalPanel { height: auto; max-height: 60vh; display: none; }
    ApprovalPanel > Input { display: none; height: 1; border: none; padding: 0; }
    ApprovalPanel > Input:focus { border: none; }
    """

    @dataclass
    class Decided(Message):
        """The answer to one call. `grant`: the same again in this session needs no question."""

        tool_call_id: str
        decision: Decision
        grant: bool
        pending: PendingCall

    def __init__(
        self,
        *,
        grant_text: Callable[[PendingCall], str] = session_grant,
        registry: Actions = ACTIONS,
        clock: Callable[[], float] = time.monotonic,
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self._grant_text = grant_text
        self._registry = registry
        self._clock = clock
        self._waiting: list[PendingCall] = []
        self._asked = 0
        self._shown: str | None = None
        self._shown_at = float("-inf")
        self._before: Widget | None = None
        self._question = _Question()
        self._choices = _Choices()
        self._reason = Input(
            placeholder="Why not? The model reads this. Enter denies, Esc goes back"
        )

    def compose(self) -> ComposeResult:
        yield self._question
        yield self._choices
        yield self._reason

    def on_mount(self) -> None:
        self.watch(self._question, "scroll_y", self._update_subtitle, init=False)

    # -- what the app does
    @property
    def waiting(self) -> tuple[PendingCall, ...]:
        """The calls that wait, the shown one first."""
        return tuple(self._waiting)

    def ask(self, pending: PendingCall, *, take_focus: bool = True) -> None:
        """Put a call to the user, after those that wait.

        `take_focus` only where nobody is typing: a `1` in a prompt must not approve anything.
        """
        if any(call.tool_call_id == pending.tool_call_id for call in self._waiting):
            return
        self._waiting.append(pending)
        self._asked += 1
        self._show_first()
        if take_focus:
            self.take_focus()

    def take_focus(self) -> None:
        """Put the focus here, until the last question is answered."""
        if self._waiting and not self.has_focus_within:
            self._before = self.screen.focused
            self.focus()

    def be_deaf(self) -> None:
        """Begin the pause anew: the question was out of sight until now."""
        self._shown_at = self._clock()

    def withdraw(self, tool_call_id: str) -> None:
        """Take a question back (its turn was stopped); nothing is decided."""
        self._remove(lambda call: call.tool_call_id == tool_call_id)

    def withdraw_all(self) -> None:
        self._remove(lambda call: True)

    def _remove(self, gone: Callable[[PendingCall], bool]) -> None:
        self._waiting = [call for call in self._waiting if not gone(call)]
        self._show_first()

    # -- showing
    def _show_first(self) -> None:
        self.display = bool(self._waiting)
        if not self._waiting:
            self._asked, self._shown = 0, None
            self._close_reason()
            self._give_focus_back()
            return
        first = self._waiting[0]
        place = self._asked - len(self._waiting) + 1
        self.border_title = (
            f"Approval · {place} of {self._asked}" if self._asked > 1 else "Approval"
        )
        if first.tool_call_id != self._shown:
            self._shown, self._shown_at = first.tool_call_id, self._clock()
            self._close_reason()
            self._question.scroll_to(y=0, animate=False)
        self._choices.show(self._rows(first))
        self._fill()

    def _rows(self, pending: PendingCall) -> list[tuple[str, str]]:
        grant = self._grant_text(pending)
        rows = [
            (self._key(action_id), label.replace("{grant}", grant))
            for action_id, _, label in _ANSWERS
        ]
        if len(self._waiting) > 1:
            rows.append((self._key("approval.deny_all"), f"Deny all {len(self._waiting)}"))
        return rows

    def _key(self, action_id: str) -> str:
        keys = self._registry[action_id].keys
        return key_label(keys[0]) if keys else "—"

    def _fill(self) -> None:
        if not self._waiting or not self.is_attached:
            return
        width = (self.size.width or self.app.size.width - 4) - 1
        lines = question_lines(self._waiting[0], max(20, width))
        most = max(3, self.app.size.height // 2 - len(self._choices.rows) - 2)
        self._question.styles.height = min(len(lines), most)
        self._question.show(lines)
        self.call_after_refresh(self._update_subtitle)

    def on_resize(self) -> None:
        self._fill()

    def _update_subtitle(self) -> None:
        hidden = self._question.hidden_below
        more = f"↓ {hidden:,} more line{'' if hidden == 1 else 's'}" if hidden else ""
        if self.border_subtitle != more:
            self.border_subtitle = more

    def _give_focus_back(self) -> None:
        before, self._before = self._before, None
        if not self.has_focus_within:
            return
        if before is not None and before.is_attached:
            before.focus()
        else:
            self.screen.focus_next()

    # -- answering
    def _is_deaf(self) -> bool:
        return not self._waiting or self._clock() - self._shown_at < DEAF_SECONDS

    def action_answer(self, answer: Answer) -> None:
        """Answer the call that is shown."""
        if self._is_deaf():
            return
        if answer == "why":
            self._reason.display = True
            self._reason.focus()
        elif answer == "deny":
            self._decide(_by_user("deny"))
        else:
            self._decide(_by_user("allow"), grant=answer == "session")

    def action_deny_all(self) -> None:
        """Deny every call that waits."""
        if self._is_deaf():
            return
        while self._waiting:
            self._decide(_by_user("deny"))

    def _decide(self, decision: Decision, *, grant: bool = False) -> None:
        pending = self._waiting.pop(0)
        self.post_message(self.Decided(pending.tool_call_id, decision, grant, pending))
        self._show_first()

    @on(Input.Submitted)
    def _reason_given(self, event: Input.Submitted) -> None:
        event.stop()
        if self._waiting:
            self._decide(_by_user("deny", event.value.strip()))

    @on(Input.Changed)
    def _reason_typed(self, event: Input.Changed) -> None:
        event.stop()

    def action_close_reason(self) -> None:
        """Esc goes back from the reason to the choices; else it is the app's."""
        if not self._reason.display:
            raise SkipAction
        self._close_reason()

    def _close_reason(self) -> None:
        had_focus = self._reason.has_focus
        self._reason.value = ""
        self._reason.display = False
        if had_focus and self._waiting:
            self.focus()

    @on(_Choices.Clicked)
    def _choice_clicked(self, event: _Choices.Clicked) -> None:
        event.stop()
        if event.index < len(_ANSWERS):
            self.action_answer(_ANSWERS[event.index][1])
        else:
            self.action_deny_all()

    # -- scrolling
    def action_scroll_question(self, by: int) -> None:
        self._question.scroll_relative(y=by, animate=False)

    def action_page_question(self, by: int) -> None:
        self._question.scroll_relative(y=by * max(1, self._question.size.height - 1), animate=False)
