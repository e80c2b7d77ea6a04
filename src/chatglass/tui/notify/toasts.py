"""Toasts: short notices at the edge of the screen, few at a time and one for each subject."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.css.query import NoMatches
from textual.notifications import Notification
from textual.widgets._toast import Toast, ToastRack

if TYPE_CHECKING:
    from textual.app import App

MOST_TOASTS = 3
"""More would cover what they tell about."""
SUBJECT: ContextVar[str] = ContextVar("SUBJECT", default="")
"""What a notice is about that does not say so: what commands say is about one thing."""
_ANSWERS = frozenset({"command", "mode", "copied", "branch"})
LONG_SECONDS = 20.0
"""For what asks something of the user, and is withdrawn once that is answered."""


@dataclass
class Notice(Notification):
    """`subject`: what it is about. A newer notice about the same takes its place, and it can be
    withdrawn when it is no longer true; empty: only one that says the same takes its place."""

    subject: str = ""


class Toasts:
    """For the app, of whose notifications they are."""

    def __init__(self, app: App[None]) -> None:
        self._app = app

    def show(self, notice: Notice) -> None:
        """In the place of those about the same; what is too many goes, the oldest first."""
        shown = list(self._app._notifications)
        same = [one for one in shown if _is_replaced(one, notice)]
        others = [one for one in shown if one not in same]
        self._remove([*same, *others[: max(0, len(others) - MOST_TOASTS + 1)]])
        self._app._notifications.add(notice)
        self._app._refresh_notifications()

    def withdraw(self, subject: str) -> None:
        """What was said about it is no longer true, or was heard."""
        shown = self._app._notifications
        self._remove(
            one for one in shown if isinstance(one, Notice) and one.subject == subject != ""
        )

    def leave(self) -> None:
        """Another screen comes over the chat: what only answered a key there was seen."""
        self._remove(
            one
            for one in self._app._notifications
            if isinstance(one, Notice) and one.subject in _ANSWERS and one.severity != "error"
        )

    def _remove(self, gone: Iterable[Notification]) -> None:
        gone = list(gone)
        for one in gone:
            self._app._unnotify(one, refresh=False)
        for toast in self._mounted():
            if toast._notification in gone:
                toast._expire()  # takes its holder with it, which Textual's own way leaves

    def _mounted(self) -> list[Toast]:
        """Those of the screens below the one on top, too."""
        found: list[Toast] = []
        for screen in self._app.screen_stack:
            with suppress(NoMatches):
                found += screen.get_child_by_type(ToastRack).query(Toast)
        return found


def _is_replaced(one: Notification, by: Notice) -> bool:
    if by.subject and isinstance(one, Notice) and one.subject == by.subject:
        return True
    return (one.title, one.message) == (by.title, by.message)
