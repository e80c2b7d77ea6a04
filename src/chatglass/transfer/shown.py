"""The shown path of a session, and what branches off it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from chatglass.store.records import MessageRow, WholeSession


def shown_path(whole: WholeSession) -> list[MessageRow]:
    """The messages from the first to the session's leaf."""
    return Tree(whole.messages).path(whole.session.leaf_id)


@dataclass(frozen=True, slots=True)
class Branch:
    """A path that leaves another at a fork: `place` (from 1) of `of` siblings."""

    place: int
    of: int
    messages: Sequence[MessageRow]


class Tree:
    """The messages of a session by their parents."""

    def __init__(self, messages: Sequence[MessageRow]) -> None:
        self._rows = {row.id: row for row in messages}
        self.children: dict[str | None, list[MessageRow]] = defaultdict(list)
        for row in messages:
            self.children[row.parent_id].append(row)

    def path(self, leaf_id: str | None) -> list[MessageRow]:
        rows: list[MessageRow] = []
        row = self._rows.get(leaf_id) if leaf_id is not None else None
        while row is not None:
            rows.append(row)
            row = self._rows.get(row.parent_id) if row.parent_id is not None else None
        rows.reverse()
        return rows

    def siblings(self, row: MessageRow) -> list[MessageRow]:
        """The row and those with the same parent, oldest first."""
        return self.children[row.parent_id]

    def branches(self, shown: Sequence[MessageRow]) -> list[Branch]:
        """Every path that is not `shown`, each from its fork to the newest end below it."""
        taken = {row.id for row in shown}
        found: list[Branch] = []
        # In the order of writing, so that a branch comes before those that leave it.
        for row in self._rows.values():
            if row.id in taken:
                continue
            path = self._newest_from(row)
            taken.update(each.id for each in path)
            siblings = self.siblings(row)
            found.append(Branch(siblings.index(row) + 1, len(siblings), path))
        return found

    def _newest_from(self, row: MessageRow) -> list[MessageRow]:
        path = [row]
        while below := self.children.get(path[-1].id):
            path.append(below[-1])
        return path
