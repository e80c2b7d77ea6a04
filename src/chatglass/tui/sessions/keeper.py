"""Keeper: renames, pins, tags, archives and deletes the session under the cursor, or the marked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial

from textual.widget import Widget

from chatglass.store.protocol import SessionStore
from chatglass.store.records import SessionRow
from chatglass.tui.sessions import session_words
from chatglass.tui.sessions.changes import Changes, RenameSession, common_tags, retagged
from chatglass.tui.sessions.prompt_line import PromptLine
from chatglass.tui.sessions.session_list import SessionList
from chatglass.values.figures import counted
from chatglass.values.text import one_line


class Keeper:
    """Asks and tells by the prompt line; `changed` is called after the listing took a change over,
    `run` runs what writes to the store, and shows its errors."""

    def __init__(
        self,
        store: SessionStore,
        rename: RenameSession,
        session_list: SessionList,
        prompt: PromptLine,
        *,
        run: Callable[[Callable[[], Awaitable[None]]], object],
        changed: Callable[[], None],
    ) -> None:
        self._changes = Changes(store, rename)
        self._list = session_list
        self._prompt = prompt
        self._run = run
        self._changed = changed
        self._asked_about: list[SessionRow] = []
        self._asked_from: Widget | None = None
        """What had the focus when a question was asked, to give it back."""

    @property
    def deleted(self) -> set[str]:
        return self._changes.deleted

    def take_deleted(self) -> list[str]:
        """What is to be deleted for good, now that nothing can be undone any more."""
        return self._changes.take_deleted()

    # -- asking

    def ask_title(self, focused: Widget | None) -> None:
        session = self._list.chosen
        if session is not None:
            now_called = one_line(session.title or session.excerpt, session_words.TITLE_LIMIT)
            self._ask(focused, [session], "Rename", now_called)

    def ask_tags(self, focused: Widget | None) -> None:
        rows = self._list.marked
        if rows:
            label = "Tags" if len(rows) == 1 else f"Tags that all {len(rows):,} have"
            self._ask(focused, rows, label, " ".join(common_tags(rows)))

    def _ask(self, focused: Widget | None, rows: list[SessionRow], label: str, text: str) -> None:
        self._asked_from, self._asked_about = focused, rows
        self._prompt.ask_text(label, text, "title" if label == "Rename" else "tags")

    def answered(self, subject: str, text: str) -> None:
        self.give_focus_back()
        rows = self._asked_about
        if subject == "tags":
            shared = common_tags(rows)
            self._make("tagged", rows, lambda row: retagged(row, shared, text))
        elif text.strip():
            renamed = one_line(text.strip(), session_words.TITLE_LIMIT)
            self._make("renamed", rows, lambda row: replace(row, title=renamed, title_by_user=True))

    def give_focus_back(self) -> None:
        (self._asked_from or self._list).focus()

    # -- at once

    def pin(self) -> None:
        """Pin all, or unpin them where all are pinned."""
        rows = self._list.marked
        pinned = not all(row.pinned for row in rows)
        label = "pinned" if pinned else "no longer pinned"
        self._make(label, rows, lambda row: replace(row, pinned=pinned))

    def archive(self) -> None:
        """Archive all, or take them out again where all are archived."""
        rows = self._list.marked
        archived = not all(row.archived for row in rows)
        label = "archived: is:archived lists them" if archived else "no longer archived"
        self._make(label, rows, lambda row: replace(row, archived=archived))

    def delete(self) -> None:
        rows = self._list.marked
        if any(row.id in self._list.running for row in rows):
            self._prompt.say("This session is at work. Open it and stop it with Esc first.")
        elif rows:
            self._changes.delete("deleted", rows)
            self._list.mark(())
            self._changed()
            self._prompt.say(f"{_named(rows)} deleted. z undoes, until this closes.")

    def undo(self) -> None:
        self._run(self._undo)

    async def _undo(self) -> None:
        done = await self._changes.undo(self._list.listing.session)
        if done is None:
            self._prompt.say("There is nothing to undo.")
            return
        step, rows = done
        self._list.listing.update(rows)
        self._changed()
        count = len(step.before) + len(step.hidden)
        sessions = counted(count, "session")
        self._prompt.say(f"Undone: {sessions} {step.label.partition(':')[0]}.")

    def _make(
        self, label: str, rows: Sequence[SessionRow], change: Callable[[SessionRow], SessionRow]
    ) -> None:
        if rows:
            self._run(partial(self._write, label, rows, change))

    async def _write(
        self, label: str, rows: Sequence[SessionRow], change: Callable[[SessionRow], SessionRow]
    ) -> None:
        changed = await self._changes.make(label, rows, change)
        self._list.listing.update(changed)
        self._list.mark(())
        self._changed()
        if changed:
            self._prompt.say(f"{_named(changed)} {label}. z undoes.")


def _named(rows: Sequence[SessionRow]) -> str:
    if len(rows) > 1:
        return f"{len(rows):,} sessions"
    return f"“{one_line(session_words.title(rows[0]), 36)}”"
