"""Copying sessions from one store to another, whatever engines they are."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

from chatglass.store.protocol import SessionStore, StoreError
from chatglass.store.records import Added, SessionQuery

_PAGE = 1_000


@dataclass(frozen=True, slots=True)
class Copied:
    """What became of one session."""

    session_id: str
    added: Added | None = None
    """What was new of it; false where all of it was there. None: it was not copied, see `fault`."""
    fault: str = ""


async def copy_sessions(
    source: SessionStore, target: SessionStore, ids: Sequence[str] | None = None
) -> AsyncGenerator[Copied]:
    """Copy these sessions of `source`, or all of them, oldest first, each whole: every branch with
    its requests, blobs, tool calls and results, compactions and what waits. Both are open.

    Sessions keep their ids, so copying again adds only what is new. One that does not fit (see
    `SessionStore.add_whole_session`) is said to be so, and the others go on.
    Raises StoreError where a store itself fails before a session was begun.
    """
    for session_id in await _all_ids(source) if ids is None else ids:
        try:
            whole = await source.whole_session(session_id)
            yield Copied(session_id, await target.add_whole_session(whole))
        except StoreError as error:
            yield Copied(session_id, fault=str(error))


async def _all_ids(source: SessionStore) -> list[str]:
    """Oldest first, so that the order of the target's list is that of the source as it grows."""
    ids: list[str] = []
    while True:
        query = SessionQuery(include_archived=True, limit=_PAGE, offset=len(ids))
        page = await source.list_sessions(query)
        ids += (row.id for row in page)
        if len(page) < _PAGE:
            return list(dict.fromkeys(reversed(ids)))
