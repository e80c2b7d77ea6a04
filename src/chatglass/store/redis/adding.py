"""Adding a whole session: what is new of it, as steps of the writing script.

A new session is made hidden and shown by the last step, since a long one takes several writes; one
that was left hidden by a crash is made anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal

from chatglass.store.protocol import StoreError
from chatglass.store.records import Added, MessageRow, RequestRow, SessionRow, WholeSession
from chatglass.store.redis import reading, steps
from chatglass.store.redis.errors import missing_blob
from chatglass.store.redis.link import PREFIX, Link
from chatglass.store.redis.steps import OPEN_CALLS, PREVIEW_CHARS, Steps
from chatglass.store.sqlite.missing import message_gone
from chatglass.store.sqlite.requests import digests
from chatglass.values.text import storable

_MOST_BYTES = 2**20
"""Of steps in one write: some milliseconds in which the server does nothing else."""
_TABLES = {
    "m": "messages",
    "r": "requests",
    "c": "tool_calls",
    "x": "compactions",
    "q": "queued_prompts",
}


@dataclass(slots=True)
class Plan:
    """What to write, in order, and what was new."""

    added: Added = field(default_factory=Added)
    steps: Steps = field(default_factory=list)

    def writes(self) -> Iterator[Steps]:
        """The steps, several in one write."""
        batch: Steps = []
        size = 0
        for step, args in self.steps:
            if size > _MOST_BYTES:
                yield batch
                batch, size = [], 0
            batch.append((step, args))
            size += sum(len(each) for each in args if not isinstance(each, int))
        if batch:
            yield batch


async def plan(link: Link, whole: WholeSession, writer: str, token: str) -> Plan:
    """What adds `whole` as the server is now. Raises StoreError where it does not fit."""
    session_id = whole.session.id
    hidden: bytes | None = await link.command("HGET", f"{PREFIX}session:{session_id}", "hidden")
    there: WholeSession | None = None
    if hidden == b"0":
        there, _ = await reading.whole(link, session_id, writer, with_results=False)
    await _refuse_taken(link, whole, ours=hidden is not None)
    await _refuse_missing_blobs(link, whole)
    _refuse_orphans(whole, there)
    made = Plan()
    if there is None:
        if hidden is not None:
            made.steps += steps.delete(session_id, token)
        made.steps += steps.create(_without_totals(whole.session), hidden=True)
    before = len(made.steps)
    made.added = Added(
        is_new=there is None,
        messages=_messages(made.steps, whole, there),
        requests=_requests(made.steps, whole, there),
        tool_calls=_calls(made.steps, whole, there),
        others=_others(made.steps, whole, there),
    )
    if there is None:
        _show(made.steps, whole)
    elif len(made.steps) > before:
        made.steps.insert(0, ("not_held", (session_id, token)))
        _go_on(made.steps, whole, there)
    return made


def _without_totals(row: SessionRow) -> SessionRow:
    return replace(
        row,
        leaf_id=None,
        draft="",
        messages=0,
        requests=0,
        unpriced_requests=0,
        estimated_requests=0,
        tool_calls=0,
        total_tokens=0,
        cost=Decimal(0),
        last_status="complete",
        excerpt="",
    )


# -- what does not fit


async def _refuse_taken(link: Link, whole: WholeSession, *, ours: bool) -> None:
    session_id = whole.session.id
    named = [
        *(f"m{row.id}" for row in whole.messages),
        *(f"r{row.id}" for row in whole.requests),
        *(f"c{row.id}" for row in whole.tool_calls),
        *(f"x{row.id}" for row in whole.compactions),
        *(f"q{row.id}" for row in whole.queued),
    ]
    for name, owner in (await reading.owners(link, named)).items():
        if owner != session_id or not ours:
            raise StoreError(
                f"Session {session_id}: {name[1:]} of its {_TABLES[name[0]]} is in session {owner} "
                "already. Nothing of it was added; the file holds the same id twice, or was edited."
            )


async def _refuse_missing_blobs(link: Link, whole: WholeSession) -> None:
    for digest in dict.fromkeys(digest for row in whole.requests for digest in digests(row)):
        text = whole.blobs.get(digest)
        if text is None:
            if not await link.command("EXISTS", f"{PREFIX}blob:{digest}"):
                raise missing_blob(digest)
            continue
        actual = steps.digest_of(storable(text))
        if actual != digest:
            raise StoreError(
                f"Session {whole.session.id}: the blob {digest} has other bytes than its hash says "
                f"({actual}). The file was changed after it was exported; export it again."
            )


def _refuse_orphans(whole: WholeSession, there: WholeSession | None) -> None:
    known: set[str | None] = {None, *(row.id for row in there.messages)} if there else {None}
    for row in whole.messages:
        if row.id not in known and row.parent_id not in known:
            raise message_gone(row.parent_id or "", row.session_id)
        known.add(row.id)
    if whole.session.leaf_id not in known:
        raise message_gone(whole.session.leaf_id or "", whole.session.id)


# -- what is new. Each returns how many rows are.


def _messages(made: Steps, whole: WholeSession, there: WholeSession | None) -> int:
    known = {row.id: row for row in there.messages} if there else {}
    count = 0
    for row in whole.messages:
        stored = known.get(row.id)
        if stored is None:
            made += steps.append(row)
        elif row.status != "partial" and stored.status == "partial":
            made += steps.finish(row)
        else:
            continue
        known[row.id] = row
        count += 1
    return count


def _requests(made: Steps, whole: WholeSession, there: WholeSession | None) -> int:
    known = {row.id: row for row in there.requests} if there else {}
    count = 0
    for row in whole.requests:
        stored = known.get(row.id)
        if stored is not None and (row.status == "running" or stored.status != "running"):
            continue
        made += _blobs(whole, row)
        made += steps.add_request(row) if stored is None else steps.finish_request(row)
        known[row.id] = row
        count += 1
    return count


def _blobs(whole: WholeSession, row: RequestRow) -> Steps:
    named = dict.fromkeys(digest for digest in digests(row) if digest in whole.blobs)
    texts = ((digest, storable(whole.blobs[digest])) for digest in named)
    return steps.keep_blobs(row.session_id, texts)


def _calls(made: Steps, whole: WholeSession, there: WholeSession | None) -> int:
    known = {row.id: row.state for row in there.tool_calls} if there else {}
    count = 0
    for row in whole.tool_calls:
        state, result = known.get(row.id), whole.results.get(row.id)
        if state is None:
            made += steps.add_calls([row])
        else:
            # `unknown` is also what an import says of a call whose result was not yet in the file.
            is_open = state in OPEN_CALLS or (state == "unknown" and result is not None)
            if not is_open or row.state in OPEN_CALLS or row.state == state:
                continue
        if state is not None or result is not None:
            made += steps.change_call(
                row, result, preview_chars=PREVIEW_CHARS, other_words=state is not None
            )
        known[row.id] = row.state
        count += 1
    return count


def _others(made: Steps, whole: WholeSession, there: WholeSession | None) -> int:
    known = {row.id for row in there.compactions} if there else set[str]()
    compactions = [row for row in whole.compactions if row.id not in known]
    # What waits belongs to the moment of the export: a prompt that was sent since stays sent.
    queued = () if there else whole.queued
    for compaction in compactions:
        made += steps.add_compaction(compaction)
    for prompt in queued:
        made += steps.enqueue(prompt)
    return len(compactions) + len(queued)


# -- at the end


def _show(made: Steps, whole: WholeSession) -> None:
    row = whole.session
    made += steps.set_leaf(row.id, row.leaf_id)
    made += steps.change(row.id, draft=row.draft)
    made.append(("show", (row.id, row.updated_at)))


def _go_on(made: Steps, whole: WholeSession, there: WholeSession) -> None:
    """The leaf and the title of a session that was there and has grown."""
    before, leaf = there.session, whole.session.leaf_id
    on_path = set(_path(leaf, [*there.messages, *whole.messages]))
    goes_on = before.leaf_id is None or before.leaf_id in on_path
    is_all_of_it = {row.id for row in whole.messages} >= {row.id for row in there.messages}
    follows = leaf is not None and (goes_on or is_all_of_it)
    made += steps.set_leaf(before.id, leaf if follows else before.leaf_id)
    made.append(("touch", (before.id, whole.session.updated_at)))
    title = whole.session.title
    if title and not before.title_by_user and storable(title) != before.title:
        made += steps.rename(before.id, title, whole.session.title_by_user)


def _path(leaf: str | None, messages: Iterable[MessageRow]) -> Iterator[str]:
    parents = {row.id: row.parent_id for row in messages}
    while leaf is not None:
        yield leaf
        leaf = parents[leaf]
