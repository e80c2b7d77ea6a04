"""Changes: what is done to sessions in the browser, each step of which can be undone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from chatglass.store.protocol import SessionStore
from chatglass.store.records import SessionRow

RenameSession = Callable[[str, str, bool], Awaitable[None]]
"""(session id, new title, whether a user chose it). Raises StoreError."""

TAG_CHARS = 40


@dataclass(frozen=True, slots=True)
class Step:
    """What was done, in words, and how to go back: the rows before it, or what it hid."""

    label: str
    before: tuple[SessionRow, ...] = ()
    hidden: tuple[str, ...] = ()


class Changes:
    """Writes to the store at once, but for deletions, which wait: `deleted` is to be deleted when
    nothing can be undone any more."""

    def __init__(self, store: SessionStore, rename: RenameSession) -> None:
        self._store = store
        self._rename = rename
        self._steps: list[Step] = []
        self.deleted: set[str] = set()

    async def make(
        self, label: str, rows: Sequence[SessionRow], change: Callable[[SessionRow], SessionRow]
    ) -> list[SessionRow]:
        """Change title, pin, archive or tags of sessions. Returns them as they are now.

        Raises StoreError, after which those before the one that failed are changed.
        """
        pairs = [(row, changed) for row in rows if (changed := change(row)) != row]
        self._steps.append(Step(label, before=tuple(row for row, _ in pairs)))
        for row, changed in pairs:
            await self._write(row, changed)
        return [changed for _, changed in pairs]

    def delete(self, label: str, rows: Sequence[SessionRow]) -> None:
        ids = tuple(row.id for row in rows)
        self.deleted.update(ids)
        self._steps.append(Step(label, hidden=ids))

    async def undo(
        self, now: Callable[[str], SessionRow | None]
    ) -> tuple[Step, list[SessionRow]] | None:
        """Take the last step back; `now` gives a session as it is listed. Returns the step and
        the rows as they are again, or None where there is nothing to undo."""
        if not self._steps:
            return None
        step = self._steps.pop()
        self.deleted.difference_update(step.hidden)
        back: list[SessionRow] = []
        for before in step.before:
            row = now(before.id)
            if row is None:
                continue
            restored = replace(
                row,
                title=before.title,
                title_by_user=before.title_by_user,
                pinned=before.pinned,
                archived=before.archived,
                tags=before.tags,
            )
            await self._write(row, restored)
            back.append(restored)
        return step, back

    def take_deleted(self) -> list[str]:
        """What is to be deleted now; it can't be undone after that."""
        ids, self.deleted, self._steps = sorted(self.deleted), set(), []
        return ids

    async def _write(self, old: SessionRow, new: SessionRow) -> None:
        if new.title != old.title:
            await self._rename(new.id, new.title, new.title_by_user)
        if new.pinned != old.pinned:
            await self._store.set_pinned(new.id, new.pinned)
        if new.archived != old.archived:
            await self._store.set_archived(new.id, new.archived)
        if new.tags != old.tags:
            await self._store.set_tags(new.id, new.tags)


def common_tags(rows: Sequence[SessionRow]) -> tuple[str, ...]:
    """The tags that all of them have, in the order of the first."""
    if not rows:
        return ()
    return tuple(tag for tag in rows[0].tags if all(tag in row.tags for row in rows))


def retagged(row: SessionRow, shared: Sequence[str], text: str) -> SessionRow:
    """`row` after its shared tags were edited to `text`: blanks and commas part tags, `#` may
    stand before one. The tags that it has alone stay."""
    written = [word.lstrip("#")[:TAG_CHARS] for word in text.replace(",", " ").split()]
    own = [tag for tag in row.tags if tag not in shared]
    return replace(row, tags=tuple(dict.fromkeys([*own, *(word for word in written if word)])))
