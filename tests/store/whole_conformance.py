"""Reading and adding a session as a whole: what every engine of the store must do there."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from chatglass.store.protocol import SessionGone, SessionStore, StoreError
from chatglass.store.records import Added, CompactionRow, ToolResult, WholeSession
from chatglass.values.ids import new_id
from store.builders import (
    answer,
    finished,
    message,
    new_session,
    queued,
    request,
    session,
    tool_call,
    whole_session,
)

NOTHING = Added()


async def full_session(store: SessionStore) -> WholeSession:
    """A session with branches and a row of every kind, as it is read back."""
    row = await new_session(store, title="Ünïcode ✓", draft="half a", tags=("a",), pinned=True)
    first = message(row.id, content="Why?\0 Really")
    second = answer(row.id, first.id, tool_calls='[{"id":"call_1"}]', reasoning="since")
    other = answer(row.id, first.id, content="another", status="interrupted")
    for each in (first, second, other):
        await store.append_message(each)
    blob = await store.put_blob("the tool schemas")
    sent = request(
        row.id, message_id=second.id, tools_hash=blob, parts=(("path", f"{first.id} {first.id}"),)
    )
    await store.add_request(sent)
    await store.finish_request(replace(sent, **finished(sent)))
    call = tool_call(row.id, request_id=sent.id, message_id=second.id)
    await store.add_tool_calls([call])
    await store.update_tool_call(replace(call, state="ok"), ToolResult("produced", "seen"))
    await store.add_compaction(
        CompactionRow(
            id=new_id(), session_id=row.id, anchor_id=second.id, first_kept_id=second.id,
            strategy="trim", created_at=9_000, summary="before",
        )
    )  # fmt: skip
    await store.enqueue_prompt(queued(row.id))
    await store.set_leaf(row.id, second.id)
    return await store.whole_session(row.id)


def elsewhere(whole: WholeSession, session_id: str) -> WholeSession:
    """The same rows under the id of another session."""
    return replace(
        whole,
        session=replace(whole.session, id=session_id),
        messages=tuple(replace(row, session_id=session_id) for row in whole.messages),
        requests=(),
        tool_calls=(),
        compactions=(),
        queued=(),
    )


class WholeSessionConformance:
    async def test_a_whole_session_has_all_that_is_its_own(self, store: SessionStore) -> None:
        whole = await full_session(store)
        await whole_session(store)
        assert len(whole.messages) == 3
        assert whole.messages[0].content == "Why?\0 Really"
        (sent,) = whole.requests
        assert sent.parts == (("path", f"{whole.messages[0].id} {whole.messages[0].id}"),)
        assert list(whole.blobs.values()) == ["the tool schemas"]
        assert whole.results == {whole.tool_calls[0].id: ToolResult("produced", "seen")}
        assert len(whole.compactions) == len(whole.queued) == 1
        with pytest.raises(SessionGone):
            await store.whole_session(new_id())

    async def test_it_comes_back_whole_where_it_was_deleted(self, store: SessionStore) -> None:
        whole = await full_session(store)
        await store.delete_session(whole.session.id)
        assert await store.add_whole_session(whole) == Added(
            is_new=True, messages=3, requests=1, tool_calls=1, others=2
        )
        assert await store.whole_session(whole.session.id) == whole
        assert (await store.get_session(whole.session.id)).cost == Decimal("0.0041")
        kinds = {hit.kind for word in ("Ünïcode", "another", "produced")
                 for hit in await store.search(word)}  # fmt: skip
        assert kinds == {"title", "message", "tool"}

    async def test_once_more_adds_nothing(self, store: SessionStore) -> None:
        whole = await full_session(store)
        assert await store.add_whole_session(whole) == NOTHING
        assert await store.whole_session(whole.session.id) == whole
        assert not NOTHING

    async def test_what_was_sent_since_does_not_wait_again(self, store: SessionStore) -> None:
        whole = await full_session(store)
        await store.remove_queued_prompt(whole.queued[0].id)
        await store.set_draft(whole.session.id, "")
        assert not await store.add_whole_session(whole)
        assert not await store.queued_prompts(whole.session.id)
        assert (await store.get_session(whole.session.id)).draft == ""

    async def test_a_session_that_grew_goes_on(self, store: SessionStore) -> None:
        whole = await full_session(store)
        leaf = whole.session.leaf_id
        more = message(whole.session.id, leaf, content="more", created_at=50_000)
        grown = replace(
            whole,
            session=replace(whole.session, leaf_id=more.id, title="Later title"),
            messages=(*whole.messages, more),
        )
        assert await store.add_whole_session(grown) == Added(messages=1)
        row = await store.get_session(whole.session.id)
        assert (row.leaf_id, row.title, row.messages) == (more.id, "Later title", 4)
        assert row.updated_at == 50_000

    async def test_a_branch_that_was_made_elsewhere_is_shown(self, store: SessionStore) -> None:
        whole = await full_session(store)
        other = message(whole.session.id, whole.messages[0].id, content="elsewhere")
        grown = replace(
            whole,
            session=replace(whole.session, leaf_id=other.id),
            messages=(*whole.messages, other),
        )
        await store.add_whole_session(grown)
        assert (await store.get_session(whole.session.id)).leaf_id == other.id

    async def test_what_was_done_here_meanwhile_stays_shown(self, store: SessionStore) -> None:
        whole = await full_session(store)
        here = message(whole.session.id, whole.session.leaf_id, content="said here")
        await store.append_message(here)
        await store.rename_session(whole.session.id, "My title", by_user=True)
        more = message(whole.session.id, whole.session.leaf_id, content="said there")
        grown = replace(
            whole,
            session=replace(whole.session, leaf_id=more.id, title="Later title"),
            messages=(*whole.messages, more),
        )
        assert await store.add_whole_session(grown) == Added(messages=1)
        row = await store.get_session(whole.session.id)
        assert (row.leaf_id, row.title) == (here.id, "My title")
        assert await store.siblings(here.id) == [here.id, more.id]

    async def test_what_was_unfinished_is_finished(self, store: SessionStore) -> None:
        row = await new_session(store, draft="d")
        partial = answer(row.id, None, content="Si", status="partial")
        await store.append_message(partial)
        sent = request(row.id, message_id=partial.id)
        await store.add_request(sent)
        call = tool_call(row.id, message_id=partial.id, state="unknown")
        await store.add_tool_calls([call])
        before = await store.whole_session(row.id)
        after = replace(
            before,
            messages=(replace(partial, content="Since", status="complete"),),
            requests=(replace(sent, **finished(sent)),),
            tool_calls=(replace(call, state="ok"),),
            results={call.id: ToolResult("r", "r")},
        )
        assert await store.add_whole_session(after) == Added(messages=1, requests=1, tool_calls=1)
        assert await store.add_whole_session(before) == NOTHING
        (settled,) = await store.path(row.id, partial.id)
        assert settled.content == "Since"
        assert (await store.get_session(row.id)).total_tokens == 100
        assert await store.tool_result(call.id) == ToolResult("r", "r")

    async def test_an_id_of_another_session_is_refused_whole(self, store: SessionStore) -> None:
        whole = await full_session(store)
        stranger = elsewhere(whole, new_id())
        with pytest.raises(StoreError, match=whole.session.id):
            await store.add_whole_session(stranger)
        with pytest.raises(SessionGone):
            await store.get_session(stranger.session.id)

    async def test_a_parent_that_is_nowhere_is_refused_whole(self, store: SessionStore) -> None:
        row = session()
        lost = message(row.id, new_id())
        with pytest.raises(StoreError, match=str(lost.parent_id)):
            await store.add_whole_session(WholeSession(session=row, messages=(lost,)))
        with pytest.raises(SessionGone):
            await store.get_session(row.id)

    async def test_a_blob_that_is_nowhere_or_false_is_refused(self, store: SessionStore) -> None:
        row = session()
        digest = "ab" * 32
        sent = request(row.id, tools_hash=digest)
        with pytest.raises(StoreError, match=digest):
            await store.add_whole_session(WholeSession(session=row, requests=(sent,)))
        with pytest.raises(StoreError, match=digest):
            await store.add_whole_session(
                WholeSession(session=row, requests=(sent,), blobs={digest: "other"})
            )
        with pytest.raises(SessionGone):
            await store.get_session(row.id)
