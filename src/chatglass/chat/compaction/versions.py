"""Which compactions hold: rows are only ever added, so the newest version of each counts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from chatglass.store.records import CompactionRow, MessageRow, RequestRow
from chatglass.values.usage import UsageSum

Places = Callable[[str], int | None]


def holding(
    rows: Sequence[CompactionRow], is_on_path: Callable[[str], bool]
) -> Iterator[CompactionRow]:
    """Those that hold on a path, newest first; the first one is in force. An edit or its undoing
    counts where the row it replaces would."""
    replaced: set[str] = set()
    for row in reversed(rows):
        if not (is_on_path(row.anchor_id) and is_on_path(row.first_kept_id)):
            continue
        if row.replaces is not None:
            replaced.add(row.replaces)
        if row.id not in replaced and not row.undone:
            yield row


def origin_of(row: CompactionRow, rows: Iterable[CompactionRow]) -> str:
    """The id of the first version of a compaction, which its requests carry."""
    by_id = {each.id: each for each in rows}
    while row.replaces is not None and row.replaces in by_id:
        row = by_id[row.replaces]
    return row.id


def made(rows: Iterable[CompactionRow]) -> int:
    """How many compactions there were, edits and undoings aside."""
    return sum(row.replaces is None for row in rows)


@dataclass(slots=True)
class Effort:
    """What the requests of a compaction took."""

    model: str = ""
    total: UsageSum = field(default_factory=UsageSum)
    milliseconds: int = 0


class Efforts:
    """What each compaction took, by the id of its first version."""

    def __init__(self, requests: Iterable[RequestRow] = ()) -> None:
        self._by_origin: dict[str, Effort] = {}
        for row in requests:
            self.add(row)

    def add(self, row: RequestRow) -> None:
        """Count a request that is over, if it was made for a compaction."""
        if row.purpose != "compaction" or row.compaction_id is None:
            return
        effort = self._by_origin.setdefault(row.compaction_id, Effort())
        effort.model = row.model
        effort.milliseconds += (row.finished_at or row.started_at) - row.started_at
        if row.usage is not None:
            effort.total.add(row.usage, row.cost)

    def of(self, origin: str) -> Effort:
        return self._by_origin.get(origin) or Effort()


def place_of_fold(row: CompactionRow, path: Sequence[MessageRow], places: Places) -> str:
    """The id of the message before which a compaction is shown: what stands above is not sent as it
    is. Where only results are left out, that is behind the last of them; empty: at the end.

    `path` is all of it, or as much of its end as is sent; `places` are those in it, by id."""
    first = places(row.first_kept_id) or 0
    through = places(row.elided_through) if row.elided_through else None
    if through is None or through < first:
        return row.first_kept_id
    behind = (path[at].id for at in range(through + 1, len(path)) if path[at].role != "tool")
    return next(behind, "")
