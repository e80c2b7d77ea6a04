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


def spent(origin: str, requests: Iterable[RequestRow]) -> Effort:
    """Of the compaction whose first version has this id."""
    effort = Effort()
    for row in requests:
        if row.purpose == "compaction" and row.compaction_id == origin:
            effort.model = row.model
            effort.milliseconds += (row.finished_at or row.started_at) - row.started_at
            if row.usage is not None:
                effort.total.add(row.usage, row.cost, row.price_source)
    return effort


def place_of_fold(row: CompactionRow, path: Sequence[MessageRow], places: Places) -> str:
    """The id of the message before which a compaction is shown: what stands above is not sent as it
    is. Where only results are left out, that is behind the last of them; empty: at the end.

    `places`: of the messages on the path, by id."""
    first = places(row.first_kept_id) or 0
    through = places(row.elided_through) if row.elided_through else None
    if through is None or through < first:
        return row.first_kept_id
    behind = (path[at].id for at in range(through + 1, len(path)) if path[at].role != "tool")
    return next(behind, "")
