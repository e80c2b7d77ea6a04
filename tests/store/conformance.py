"""What every engine of the store must do. A test module subclasses this and gives the store.

class TestMine(StoreConformance):
    @pytest.fixture
    async def store(self): ...         # open and empty
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatglass.store.protocol import SessionGone, SessionStore, StoreError
from chatglass.store.records import CompactionRow, Parameters, SessionQuery, ToolResult
from chatglass.values.ids import new_id
from chatglass.values.usage import Usage
from store.builders import (
    ALL,
    answer,
    finished,
    message,
    new_session,
    queued,
    request,
    session,
    talk,
    tool_call,
    whole_session,
)
from store.spending_conformance import SpendingConformance
from store.whole_conformance import WholeSessionConformance


class SessionConformance:
    """Sessions, drafts, listing and finding."""

    async def test_a_session_comes_back_as_it_was_made(self, store: SessionStore) -> None:
        row = session(
            title="Ünïcode ✓",
            parameters=Parameters(system_prompt="Be brief.", temperature=0.2, max_output_tokens=9),
            draft="not yet sent",
            tags=("a", "b"),
            title_by_user=True,
            pinned=True,
            archived=True,
            forked_from=("session", "message"),
            cost=Decimal("0.123456789012"),
        )
        await store.create_session(row)
        assert await store.get_session(row.id) == row
        assert await store.list_sessions(ALL) == [row]

    async def test_an_id_is_not_given_twice(self, store: SessionStore) -> None:
        row = await new_session(store, title="first", draft="x")
        with pytest.raises(StoreError):
            await store.create_session(replace(row, title="second"))
        assert (await store.get_session(row.id)).title == "first"

    async def test_an_unknown_session_is_said_to_be_gone(self, store: SessionStore) -> None:
        nobody = new_id()
        for call in (
            store.get_session(nobody),
            store.rename_session(nobody, "x", by_user=True),
            store.set_draft(nobody, "x"),
            store.set_leaf(nobody, None),
            store.delete_session(nobody),
            store.path(nobody, None),
            store.append_message(message(nobody)),
            store.add_request(request(nobody)),
            store.add_tool_calls([tool_call(nobody)]),
            store.enqueue_prompt(queued(nobody)),
            store.set_pinned(nobody, True),
            store.set_archived(nobody, True),
            store.set_tags(nobody, ["a"]),
            store.excerpts(nobody),
            store.claim(nobody),
            store.recover(nobody),
        ):
            with pytest.raises(SessionGone, match=nobody):
                await call

    async def test_settings_of_a_session_change_one_by_one(self, store: SessionStore) -> None:
        row = await new_session(store)
        await store.rename_session(row.id, "Renamed", by_user=True)
        await store.set_model(row.id, "ollama", "gemma3:13b")
        await store.set_parameters(row.id, Parameters(reasoning_effort="high"))
        await store.set_root(row.id, "/elsewhere")
        await store.set_draft(row.id, "half a sen")
        await store.set_pinned(row.id, True)
        await store.set_archived(row.id, True)
        await store.set_tags(row.id, ["work", "日本 \ud800"])
        assert await store.get_session(row.id) == replace(
            row,
            title="Renamed",
            title_by_user=True,
            endpoint="ollama",
            model="gemma3:13b",
            parameters=Parameters(reasoning_effort="high"),
            root="/elsewhere",
            draft="half a sen",
            pinned=True,
            archived=True,
            tags=("work", "日本 \ufffd"),
        )
        await store.set_pinned(row.id, False)
        await store.set_archived(row.id, False)
        await store.set_tags(row.id, ())
        again = await store.get_session(row.id)
        assert (again.pinned, again.archived, again.tags) == (False, False, ())

    async def test_a_draft_is_kept_without_awaiting_at_exit(self, store: SessionStore) -> None:
        row = await new_session(store)
        store.set_draft_now(row.id, "the last words")
        assert (await store.get_session(row.id)).draft == "the last words"

    async def test_the_list_is_newest_first_and_leaves_out_the_empty(
        self, store: SessionStore
    ) -> None:
        old = await new_session(store, updated_at=10, draft="d")
        new = await new_session(store, updated_at=30, draft="d")
        waiting = await new_session(store, updated_at=20)
        await store.enqueue_prompt(queued(waiting.id))
        await new_session(store, updated_at=40)
        assert [row.id for row in await store.list_sessions(ALL)] == [new.id, waiting.id, old.id]
        page = await store.list_sessions(SessionQuery(limit=1, offset=1))
        assert [row.id for row in page] == [waiting.id]

    async def test_a_message_brings_its_session_to_the_top(self, store: SessionStore) -> None:
        first = await new_session(store, updated_at=10, draft="d")
        await new_session(store, updated_at=20, draft="d")
        await store.append_message(message(first.id, created_at=30))
        assert (await store.list_sessions(ALL))[0].id == first.id
        await store.append_message(message(first.id, created_at=5))
        assert (await store.list_sessions(ALL))[0].updated_at == 30

    async def test_the_list_filters(self, store: SessionStore) -> None:
        here = await new_session(store, title="Der Ärger: 100%_echt", root="/a", draft="d")
        there = await new_session(store, title="other", root="/b", draft="d")
        archived = await new_session(store, title="old", root="/a", draft="d", archived=True)

        async def ids(**query: object) -> set[str]:
            return {row.id for row in await store.list_sessions(SessionQuery(**query))}  # type: ignore[arg-type]

        assert await ids() == {here.id, there.id}
        assert await ids(include_archived=True) == {here.id, there.id, archived.id}
        assert await ids(root="/b") == {there.id}
        assert await ids(title_contains="äRGER") == {here.id}
        assert await ids(title_contains="0%_e") == {here.id}
        assert await ids(title_contains="_") == {here.id}

    async def test_the_newest_session_of_a_folder(self, store: SessionStore) -> None:
        assert await store.newest_session("/a") is None
        await new_session(store, root="/a", updated_at=10, draft="d")
        newest = await new_session(store, root="/a", updated_at=20, draft="d")
        await new_session(store, root="/a", updated_at=30, draft="d", archived=True)
        await new_session(store, root="/a", updated_at=40)
        await new_session(store, root="/b", updated_at=50, draft="d")
        found = await store.newest_session("/a")
        assert found is not None
        assert found.id == newest.id

    async def test_a_session_is_found_by_either_end_of_its_id(self, store: SessionStore) -> None:
        one = await new_session(store, id="01AAAAAAAAAAAAAAAAAAAAAA7X")
        other = await new_session(store, id="01AAAAAAAAAAAAAAAAAAAAAB7X")
        assert (await store.find_session("01aaaaaaaaaaaaaaaaaaaaaa")).id == one.id
        assert (await store.find_session("b7x")).id == other.id
        assert (await store.find_session(one.id)).id == one.id
        with pytest.raises(SessionGone, match=r"2 sessions .*Give more"):
            await store.find_session("7X")
        for nothing in ("", "zz", "%", "_1A"):
            with pytest.raises(SessionGone, match="No session"):
                await store.find_session(nothing)

    async def test_deleting_removes_everything_and_nothing_else(self, store: SessionStore) -> None:
        kept = await whole_session(store, title="kept needle")
        gone = await whole_session(store, title="gone needle")
        shared = await store.put_blob("shared")
        for owner in (kept, gone):
            await store.add_request(request(owner.id, tools_hash=shared))
        own = (await store.request_parts((await store.requests(gone.id))[0].id))[0][1]
        call = (await store.tool_calls(gone.id))[0]
        await store.delete_session(gone.id)
        assert [row.id for row in await store.list_sessions(ALL)] == [kept.id]
        assert await store.requests(gone.id) == []
        assert await store.tool_calls(gone.id) == []
        assert await store.tool_result(call.id) is None
        assert await store.queued_prompts(gone.id) == []
        assert {hit.session_id for hit in await store.search("needle")} == {kept.id}
        assert await store.get_blob(shared) == "shared"
        with pytest.raises(StoreError, match=own):
            await store.get_blob(own)
        assert len(await store.path(kept.id, kept.leaf_id)) == 2


class MessageConformance:
    """The tree of messages, streaming, drafts and the queue."""

    async def test_a_path_comes_back_in_order_with_every_field(self, store: SessionStore) -> None:
        row = await new_session(store)
        first = message(row.id, content="[]", content_is_json=True)
        second = answer(
            row.id,
            first.id,
            reasoning="hm",
            reasoning_ms=12,
            tool_calls='[{"id":"c"}]',
            endpoint="demo",
            model="demo-1",
            status="error",
            error="cut off",
        )
        third = message(row.id, second.id, role="tool", tool_call_id="c", tool_name="read_file")
        for each in (first, second, third):
            await store.append_message(each)
        assert await store.path(row.id, third.id) == [first, second, third]
        assert await store.path(row.id, first.id) == [first]
        assert await store.path(row.id, None) == []
        assert (await store.get_session(row.id)).leaf_id == third.id

    async def test_a_long_path(self, store: SessionStore) -> None:
        row = await new_session(store)
        rows = await talk(store, row.id, 300)
        assert await store.path(row.id, rows[-1].id) == rows

    async def test_branches(self, store: SessionStore) -> None:
        row = await new_session(store)
        first, second, third = await talk(store, row.id, 3)
        retry = answer(row.id, first.id, content="again")
        await store.append_message(retry)
        root = message(row.id, None, content="from the start")
        await store.append_message(root)
        other = await new_session(store)
        await store.append_message(message(other.id))

        assert await store.siblings(second.id) == [second.id, retry.id]
        assert await store.siblings(retry.id) == [second.id, retry.id]
        assert await store.siblings(first.id) == [first.id, root.id]
        assert await store.leaf_below(second.id) == third.id
        assert await store.leaf_below(first.id) == retry.id
        assert await store.leaf_below(root.id) == root.id
        assert (await store.get_session(row.id)).leaf_id == root.id
        await store.set_leaf(row.id, third.id)
        assert (await store.get_session(row.id)).leaf_id == third.id
        await store.set_leaf(row.id, None)
        assert (await store.get_session(row.id)).leaf_id is None
        assert [each.id for each in await store.path(row.id, third.id)] == [
            first.id,
            second.id,
            third.id,
        ]

    async def test_messages_of_other_sessions_are_out_of_reach(self, store: SessionStore) -> None:
        mine, theirs = await new_session(store), await new_session(store)
        (foreign,) = await talk(store, theirs.id, 1)
        for call in (
            store.append_message(message(mine.id, foreign.id)),
            store.set_leaf(mine.id, foreign.id),
            store.path(mine.id, foreign.id),
        ):
            with pytest.raises(SessionGone, match=foreign.id):
                await call
        assert (await store.get_session(mine.id)).messages == 0

    async def test_a_streamed_answer(self, store: SessionStore) -> None:
        row = await new_session(store)
        (prompt,) = await talk(store, row.id, 1)
        begun = answer(row.id, prompt.id, content="", status="partial")
        await store.append_message(begun)
        assert (await store.get_session(row.id)).last_status == "partial"
        await store.checkpoint_message(begun.id, "half an ans", "thinking")
        assert (await store.path(row.id, begun.id))[-1] == replace(
            begun, content="half an ans", reasoning="thinking"
        )
        assert await store.search("half an ans") == []
        ended = replace(begun, content="half an answer, whole now", status="complete")
        await store.finish_message(ended)
        assert (await store.path(row.id, begun.id))[-1] == ended
        assert (await store.get_session(row.id)).last_status == "complete"
        assert [hit.message_id for hit in await store.search("whole now")] == [begun.id]

    async def test_what_is_final_stays(self, store: SessionStore) -> None:
        row = await new_session(store)
        prompt, final = await talk(store, row.id, 2)
        await store.checkpoint_message(final.id, "too late", "")
        await store.finish_message(final)
        with pytest.raises(StoreError, match=r"final .* not changed"):
            await store.finish_message(replace(final, content="otherwise"))
        with pytest.raises(StoreError):
            await store.append_message(replace(prompt, content="otherwise"))
        assert await store.path(row.id, final.id) == [prompt, final]
        assert await store.search("otherwise") == []
        with pytest.raises(SessionGone):
            await store.checkpoint_message(new_id(), "nobody", "")
        with pytest.raises(SessionGone):
            await store.finish_message(answer(row.id, prompt.id))

    async def test_totals_of_messages(self, store: SessionStore) -> None:
        row = await new_session(store, updated_at=1)
        parts = json.dumps([{"type": "image_url"}, {"type": "text", "text": "first\n prompt"}])
        await store.append_message(
            message(row.id, content=parts, content_is_json=True, created_at=7)
        )
        first = await store.get_session(row.id)
        assert (first.messages, first.excerpt, first.updated_at) == (1, "first prompt", 7)
        await store.append_message(message(row.id, content="second " * 99, created_at=9))
        old = answer(row.id, first.leaf_id, status="partial")
        new = answer(row.id, first.leaf_id, status="error")
        await store.append_message(old)
        await store.append_message(new)
        await store.finish_message(replace(old, status="complete"))
        after = await store.get_session(row.id)
        assert (after.messages, after.excerpt, after.last_status) == (4, "first prompt", "error")

    async def test_an_excerpt_is_one_short_line(self, store: SessionStore) -> None:
        row = await new_session(store)
        await store.append_message(message(row.id, content="a\x1b[31m\n" + "long " * 99))
        excerpt = (await store.get_session(row.id)).excerpt
        assert len(excerpt) == 200
        assert excerpt.startswith("a␛[31m long long")

    async def test_a_sent_draft_goes_and_another_stays(self, store: SessionStore) -> None:
        row = await new_session(store, draft="send me")
        await store.append_message(answer(row.id, None, content="send me"))
        assert (await store.get_session(row.id)).draft == "send me"
        await store.append_message(message(row.id, content="something else"))
        assert (await store.get_session(row.id)).draft == "send me"
        await store.append_message(message(row.id, content="send me"))
        assert (await store.get_session(row.id)).draft == ""

    async def test_a_queued_prompt_becomes_a_message_at_once(self, store: SessionStore) -> None:
        row = await new_session(store)
        first, second = queued(row.id, text="1"), queued(row.id, text="2", content_json="[]")
        await store.enqueue_prompt(second)
        await store.enqueue_prompt(first)
        assert await store.queued_prompts(row.id) == [first, second]
        with pytest.raises(SessionGone):
            await store.append_message(message(row.id, new_id()), queued_id=first.id)
        assert await store.queued_prompts(row.id) == [first, second]
        await store.append_message(message(row.id, content="1"), queued_id=first.id)
        assert await store.queued_prompts(row.id) == [second]
        await store.remove_queued_prompt(second.id)
        assert await store.queued_prompts(row.id) == []

    async def test_text_that_utf8_cannot_hold_is_mended(self, store: SessionStore) -> None:
        row = await new_session(store, title="\ud800")
        sent = message(row.id, content="a\ud800b \x00 c", reasoning="\udfff")
        await store.append_message(sent)
        (kept,) = await store.path(row.id, sent.id)
        assert (kept.content, kept.reasoning) == ("a\ufffdb \x00 c", "\ufffd")


class RequestConformance:
    """Requests, blobs, tool calls, compactions and the totals they make."""

    async def test_a_request_comes_back_with_every_field(self, store: SessionStore) -> None:
        row = await new_session(store)
        tools, body = await store.put_blob("[]"), await store.put_blob("{}")
        wire = await store.put_blob("{'attempts': []}")
        begun = request(
            row.id, message_id=new_id(), purpose="compaction", tools_hash=tools, body_hash=body,
            wire_hash=wire, compaction_id=new_id(), estimated_prompt_tokens=77,
        )  # fmt: skip
        await store.add_request(begun)
        assert await store.requests(row.id) == [begun]
        ended = replace(
            begun, status="complete", first_token_at=3, finished_at=4, finish_reason="stop",
            attempts=2, cost=Decimal("0.000000000001"), price_source="settings", error="said so",
            usage=Usage(
                prompt_tokens=9, completion_tokens=8, cached_tokens=7, cache_write_tokens=6,
                reasoning_tokens=5, source="estimated", raw='{"x": 1}',
            ),
        )  # fmt: skip
        await store.finish_request(ended)
        assert await store.requests(row.id) == [ended]

    @pytest.mark.parametrize("count", [0, 1, 127, 128, 129, 400])
    async def test_parts_are_read_apart(self, store: SessionStore, count: int) -> None:
        row = await new_session(store)
        blob = await store.put_blob("system")
        parts = (("blob", blob), *(("message", new_id()) for _ in range(count)))
        begun = request(row.id, parts=parts)
        await store.add_request(begun)
        assert (await store.requests(row.id))[0].parts == ()
        assert await store.request_parts(begun.id) == parts
        await store.finish_request(replace(begun, parts=(), status="complete"))
        assert await store.request_parts(begun.id) == parts
        await store.finish_request(replace(begun, parts=parts[:1], status="complete"))
        assert await store.request_parts(begun.id) == parts[:1]
        with pytest.raises(SessionGone):
            await store.request_parts(new_id())

    async def test_blobs_are_kept_once_by_hash(self, store: SessionStore) -> None:
        digest = await store.put_blob("héllo")
        assert digest == "3c48591d8d098a4538f5e013dfcf406e948eac4d3277b10bf614e295d6068179"
        assert await store.put_blob("héllo") == digest
        assert await store.get_blob(digest) == "héllo"
        for nothing in ("0" * 64, "not hex"):
            with pytest.raises(StoreError, match=nothing):
                await store.get_blob(nothing)
        row = await new_session(store)
        with pytest.raises(StoreError, match="0" * 64):
            await store.add_request(request(row.id, tools_hash="0" * 64))
        assert await store.requests(row.id) == []

    async def test_a_blob_survives_the_deletion_of_others_until_it_is_needed(
        self, store: SessionStore
    ) -> None:
        other, mine = await new_session(store), await new_session(store)
        digest = await store.put_blob("both")
        await store.add_request(request(other.id, tools_hash=digest))
        await store.put_blob("both")
        await store.delete_session(other.id)
        await store.add_request(request(mine.id, tools_hash=digest))
        assert await store.get_blob(digest) == "both"

    async def test_totals_follow_the_requests(self, store: SessionStore) -> None:
        row = await new_session(store)
        priced, free, unpriced, failed = (request(row.id) for _ in range(4))
        for each in (priced, free, unpriced, failed):
            await store.add_request(each)
        running = await store.get_session(row.id)
        assert (running.requests, running.unpriced_requests, running.cost) == (4, 0, 0)
        await store.finish_request(replace(priced, **finished(priced, "0.0041", 100)))
        await store.finish_request(replace(free, **finished(free, "0", 50)))
        await store.finish_request(replace(unpriced, **finished(unpriced, None, 25)))
        await store.finish_request(replace(failed, status="error", error="401"))
        after = await store.get_session(row.id)
        assert (after.requests, after.unpriced_requests) == (4, 1)
        assert (after.total_tokens, after.cost) == (175, Decimal("0.0041"))
        await store.finish_request(replace(unpriced, **finished(unpriced, "1", 30)))
        again = await store.get_session(row.id)
        assert (again.total_tokens, again.cost) == (180, Decimal("1.0041"))
        assert again.unpriced_requests == 0
        assert again.estimated_requests == 0
        estimated = Usage(prompt_tokens=3, source="estimated")
        for usage, count in ((estimated, 1), (estimated, 1), (Usage(prompt_tokens=3), 0)):
            await store.finish_request(replace(failed, status="complete", usage=usage))
            assert (await store.get_session(row.id)).estimated_requests == count
        with pytest.raises(SessionGone):
            await store.finish_request(request(row.id))

    async def test_costs_add_up_exactly(self, store: SessionStore) -> None:
        row = await new_session(store)
        costs = [Decimal("0.1"), Decimal("0.2"), Decimal("0.000000000003"), Decimal("1200")]
        for cost in costs:
            await store.add_request(request(row.id, cost=cost, usage=Usage()))
        total = (await store.get_session(row.id)).cost
        assert str(total) == "1200.300000000003"
        assert [each.cost for each in await store.requests(row.id)] == costs
        for nonsense in ("NaN", "Infinity", "1e9"):
            with pytest.raises(StoreError, match="can't be kept"):
                await store.add_request(request(row.id, cost=Decimal(nonsense)))

    async def test_tool_calls_and_their_results(self, store: SessionStore) -> None:
        row = await new_session(store)
        first, second = tool_call(row.id), tool_call(row.id, position=1, server="files")
        await store.add_tool_calls([first, second])
        await store.add_tool_calls([])
        assert await store.tool_calls(row.id) == [first, second]
        assert await store.tool_calls(row.id, turn_id=first.turn_id) == [first, second]
        assert await store.tool_calls(row.id, turn_id="another") == []
        assert (await store.get_session(row.id)).tool_calls == 2
        done = replace(
            first, state="ok", edited_arguments="{}", decided_by="user", reason="fine",
            decided_at=1, started_at=2, finished_at=5, result_bytes=8, seen_bytes=4, error="e",
        )  # fmt: skip
        assert await store.tool_result(first.id) is None
        await store.update_tool_call(done)
        assert await store.tool_result(first.id) is None
        await store.update_tool_call(done, ToolResult("all of it", "part"))
        assert await store.tool_calls(row.id) == [done, second]
        assert await store.tool_result(first.id) == ToolResult("all of it", "part")
        await store.update_tool_call(second, ToolResult("same", "same"))
        assert await store.tool_result(second.id) == ToolResult("same", "same")
        await store.update_tool_call(second, ToolResult("", ""))
        assert await store.tool_result(second.id) == ToolResult("", "")
        with pytest.raises(SessionGone):
            await store.update_tool_call(tool_call(row.id))

    async def test_compactions(self, store: SessionStore) -> None:
        row = await new_session(store)
        made = [
            CompactionRow(
                id=new_id(), session_id=row.id, anchor_id=new_id(), first_kept_id=new_id(),
                strategy="trim", created_at=at, summary="short", request_id=new_id(),
                tokens_before=9, tokens_after=3, elided_through=new_id(),
            )
            for at in (1, 2)
        ]  # fmt: skip
        edited = replace(made[1], id=new_id(), replaces=made[1].id, summary="shorter")
        made += [edited, replace(edited, id=new_id(), replaces=edited.id, undone=True)]
        for each in made:
            await store.add_compaction(each)
        assert await store.compactions(row.id) == made

    @settings(
        max_examples=15,
        deadline=None,
        suppress_health_check=[
            HealthCheck.function_scoped_fixture,
            HealthCheck.differing_executors,
        ],
    )
    @given(
        steps=st.lists(
            st.tuples(
                st.integers(0, 2),
                st.one_of(st.none(), st.decimals("0", "5", places=12)),
                st.integers(0, 10**6),
            ),
            max_size=12,
        )
    )
    async def test_totals_equal_the_sum_of_the_rows(
        self, store: SessionStore, steps: list[tuple[int, Decimal | None, int]]
    ) -> None:
        row = await new_session(store)
        rows = [request(row.id) for _ in range(3)]
        for each in rows:
            await store.add_request(each)
        for which, cost, tokens in steps:
            usage = Usage(prompt_tokens=tokens)
            await store.finish_request(replace(rows[which], cost=cost, usage=usage))
        kept = await store.requests(row.id)
        total = await store.get_session(row.id)
        assert total.cost == sum(each.cost or 0 for each in kept)
        assert total.total_tokens == sum(each.usage.total_tokens for each in kept if each.usage)
        assert total.unpriced_requests == sum(
            each.usage is not None and each.cost is None for each in kept
        )


class RecoveryConformance:
    """After a crash, and beside other processes."""

    async def test_recover_settles_what_was_open(self, store: SessionStore) -> None:
        row = await new_session(store)
        (prompt,) = await talk(store, row.id, 1)
        torn = answer(row.id, prompt.id, content="", status="partial")
        await store.append_message(torn)
        await store.checkpoint_message(torn.id, "the torn answer", "")
        running = request(row.id, message_id=torn.id)
        done = request(row.id, status="complete")
        await store.add_request(running)
        await store.add_request(done)
        states = ("proposed", "asking", "approved", "running", "ok", "denied")
        calls = [tool_call(row.id, state=state) for state in states]
        await store.add_tool_calls(calls)

        await store.recover(row.id)
        ended = replace(torn, content="the torn answer", status="interrupted")
        for _ in range(2):
            assert await store.path(row.id, torn.id) == [prompt, ended]
            assert [each.status for each in await store.requests(row.id)] == [
                "interrupted",
                "complete",
            ]
            assert [each.state for each in await store.tool_calls(row.id)] == [
                "cancelled", "cancelled", "cancelled", "unknown", "ok", "denied",
            ]  # fmt: skip
            assert (await store.get_session(row.id)).last_status == "interrupted"
            assert len(await store.search("torn answer")) == 1
            await store.recover(row.id)

    async def test_recover_leaves_other_sessions_alone(self, store: SessionStore) -> None:
        mine, theirs = await new_session(store), await new_session(store)
        torn = answer(theirs.id, None, status="partial")
        await store.append_message(torn)
        await store.recover(mine.id)
        assert (await store.path(theirs.id, torn.id))[0].status == "partial"

    async def test_a_claim_may_be_repeated_and_given_up(self, store: SessionStore) -> None:
        row = await new_session(store)
        assert await store.claim(row.id) is None
        assert await store.claim(row.id) is None
        await store.release(row.id)
        await store.release(row.id)
        assert await store.claim(row.id) is None
        await store.delete_session(row.id)


class SearchConformance:
    async def test_it_finds_titles_messages_arguments_and_results(
        self, store: SessionStore
    ) -> None:
        row = await new_session(store, title="About needles")
        sent = message(row.id, content="x" * 500 + "\nthe NEEDLE is\there " + "y" * 500)
        await store.append_message(sent)
        call = tool_call(row.id, message_id=sent.id, arguments='{"pattern": "needle"}')
        await store.add_tool_calls([call])
        await store.update_tool_call(call, ToolResult("12 needles", ""))
        hits = await store.search("needle")
        assert [(hit.kind, hit.message_id) for hit in hits] == [
            ("tool", sent.id),
            ("tool", sent.id),
            ("message", sent.id),
            ("title", ""),
        ]
        assert {hit.session_id for hit in hits} == {row.id}
        assert hits[0].line == "12 needles"
        assert hits[1].line == 'read_file {"pattern": "needle"}'
        assert "xx the NEEDLE is here yy" in hits[2].line
        assert len(hits[2].line) < 200
        assert len(await store.search("needle", limit=2)) == 2

    async def test_newest_first(self, store: SessionStore) -> None:
        row = await new_session(store)
        rows = await talk(store, row.id, 5)
        assert [hit.message_id for hit in await store.search("message")] == [
            each.id for each in reversed(rows)
        ]

    async def test_all_words_must_be_there_and_phrases_together(self, store: SessionStore) -> None:
        row = await new_session(store, title="")
        both = message(row.id, content="red apples and green pears")
        one = message(row.id, content="red cars, no green; ap")
        for each in (both, one):
            await store.append_message(each)

        async def found(text: str) -> set[str]:
            return {hit.message_id for hit in await store.search(text)}

        assert await found("green red") == {both.id, one.id}
        assert await found("pear red") == {both.id}
        assert await found('"red apples"') == {both.id}
        assert await found('"red  green"') == set()
        assert await found("red no") == {one.id}
        assert await found('no" red') == {one.id}
        assert await found("") == await found('"') == await found("   ") == set()
        assert await found("AND OR NOT near( * ^red: -") == set()

    async def test_two_characters_search_titles(self, store: SessionStore) -> None:
        row = await new_session(store, title="Öl und Gas")
        await store.append_message(message(row.id, content="öl"))
        assert [(hit.kind, hit.line) for hit in await store.search("ÖL")] == [
            ("title", "Öl und Gas")
        ]
        assert await store.search("%") == []

    async def test_a_renamed_title_is_found_by_its_new_name_only(self, store: SessionStore) -> None:
        row = await new_session(store, title="former name")
        await store.rename_session(row.id, "latter name", by_user=False)
        assert await store.search("former") == []
        assert [hit.line for hit in await store.search("latter")] == ["latter name"]
        await store.rename_session(row.id, "", by_user=False)
        assert await store.search("latter") == []

    async def test_only_the_start_of_a_result_is_found(self, store: SessionStore) -> None:
        row = await new_session(store)
        call = tool_call(row.id)
        await store.add_tool_calls([call])
        result = ToolResult("early " + "." * 100 + " late", "")
        await store.update_tool_call(call, result, preview_chars=50)
        assert len(await store.search("early")) == 1
        assert await store.search("late") == []
        await store.update_tool_call(call, ToolResult("replaced", ""))
        assert await store.search("early") == []
        assert len(await store.search("replaced")) == 1

    async def test_content_parts_are_found_by_their_text(self, store: SessionStore) -> None:
        row = await new_session(store)
        parts = [{"type": "text", "text": "what is this?"}, {"type": "image_url", "url": "base64"}]
        sent = message(row.id, content=json.dumps(parts), content_is_json=True)
        await store.append_message(sent)
        assert [hit.line for hit in await store.search("is this")] == ["what is this?"]
        assert await store.search("base64") == []

    async def test_tools_are_found_by_name_and_results_once(self, store: SessionStore) -> None:
        row = await new_session(store, title="")
        sent = message(row.id)
        await store.append_message(sent)
        call = tool_call(row.id, message_id=sent.id, name="frobnicate_all", arguments="{}")
        await store.add_tool_calls([call])
        await store.update_tool_call(call, ToolResult("ein Ergebnis", "ein Ergebnis"))
        await store.append_message(
            message(row.id, sent.id, role="tool", content="ein Ergebnis", tool_call_id="call_1")
        )
        assert [hit.line for hit in await store.search("nicate_")] == ["frobnicate_all {}"]
        assert [(hit.kind, hit.message_id) for hit in await store.search("Ergebnis")] == [
            ("tool", sent.id)
        ]

    async def test_pairs_of_chinese_japanese_and_korean(self, store: SessionStore) -> None:
        row = await new_session(store, title="")
        chinese = message(row.id, content="请读取文件内容 x")
        japanese = message(row.id, content="カタカナとひらがな")
        korean = message(row.id, content="안녕 하세요")
        for each in (chinese, japanese, korean):
            await store.append_message(each)

        async def found(text: str) -> list[str]:
            return [hit.message_id for hit in await store.search(text)]

        assert await found("文件") == [chinese.id]
        assert await found("取文件") == [chinese.id]
        assert await found("文件 请读") == [chinese.id]
        assert await found("文件 读取文 x") == [chinese.id]
        assert await found("文件 y") == await found("文读") == await found("녕하") == []
        assert await found("カナ") == [japanese.id]
        assert await found("ひら かな") == []
        assert await found("안녕") == [korean.id]
        assert await found("文") == [], "one character searches titles"
        hit = (await store.search("文件"))[0]
        assert hit.line == "请读取文件内容 x"
        await store.delete_session(row.id)
        assert await found("文件") == []

    async def test_matches_by_session_page_by_page(self, store: SessionStore) -> None:
        quiet = await new_session(store, title="message board")
        loud = await new_session(store)
        await talk(store, quiet.id, 1)
        rows = await talk(store, loud.id, 5)
        await new_session(store, title="a message in a title is no match here")
        whole = await store.matches("message")
        assert [(each.session_id, each.count) for each in whole.sessions] == [
            (loud.id, 5),
            (quiet.id, 1),
        ]
        assert whole.after is None
        refs = whole.sessions[0].refs
        shown = await store.match_lines("message", refs)
        assert [shown[ref].message_id for ref in refs] == [each.id for each in rows[:1:-1]]
        assert shown[refs[0]].line == "message 4"

        counts: dict[str, int] = {}
        page = await store.matches("message", limit=2)
        seen = 1
        assert sum(each.count for each in page.sessions) <= 2
        while True:
            for each in page.sessions:
                counts[each.session_id] = counts.get(each.session_id, 0) + each.count
            if page.after is None:
                break
            page = await store.matches("message", limit=2, after=page.after)
            seen += 1
        assert counts == {loud.id: 5, quiet.id: 1}
        assert seen >= 4
        assert (await store.matches("me")).sessions == ()
        assert (await store.matches(" ")).sessions == ()

    async def test_a_page_of_titles_does_not_end_the_matches(self, store: SessionStore) -> None:
        row = await new_session(store, title="")
        (only,) = await talk(store, row.id, 1)
        for _ in range(3):
            await new_session(store, title="message")
        page = await store.matches("message", limit=2)
        found = [each.session_id for each in page.sessions]
        while page.after is not None:
            page = await store.matches("message", limit=2, after=page.after)
            found += [each.session_id for each in page.sessions]
        assert found == [only.session_id]

    async def test_lines_of_matches_that_have_gone_are_left_out(self, store: SessionStore) -> None:
        row = await new_session(store)
        await talk(store, row.id, 1)
        found = await store.matches("message")
        await store.delete_session(row.id)
        assert await store.match_lines("message", found.sessions[0].refs) == {}

    async def test_sessions_that_used_a_tool_or_a_model(self, store: SessionStore) -> None:
        one, two = await new_session(store), await new_session(store)
        await store.add_tool_calls([tool_call(one.id, name="read_file")])
        await store.add_tool_calls([tool_call(two.id, name="read_mail")])
        await store.add_request(request(two.id, model="gpt-5-Mini"))
        assert await store.sessions_using("tool", "READ_") == {one.id, two.id}
        assert await store.sessions_using("tool", "file") == {one.id}
        assert await store.sessions_using("model", "mini") == {two.id}
        assert await store.sessions_using("model", "file") == set()
        await store.delete_session(two.id)
        assert await store.sessions_using("tool", "read_") == {one.id}

    async def test_calls_of_a_session_by_their_arguments_and_results(
        self, store: SessionStore
    ) -> None:
        one, two = await new_session(store), await new_session(store)
        await talk(store, one.id, 1)
        calls = [
            tool_call(one.id, name="read_file", arguments='{"path": "parse.py"}'),
            tool_call(one.id, name="run_command", arguments='{"command": "make"}'),
            tool_call(two.id, name="read_file", arguments='{"path": "parse.py"}'),
        ]
        await store.add_tool_calls(calls)
        await store.update_tool_call(calls[1], ToolResult("a Needle in hay", "cut"))
        assert await store.calls_with(one.id, "PARSE") == {calls[0].id}
        assert await store.calls_with(one.id, "needle hay") == {calls[1].id}
        assert await store.calls_with(one.id, '"needle in"') == {calls[1].id}
        assert await store.calls_with(one.id, "needle parse") == frozenset()
        assert await store.calls_with(one.id, "ne") == frozenset()
        assert await store.calls_with(two.id, "needle") == frozenset()
        await store.delete_session(one.id)
        assert await store.calls_with(one.id, "needle") == frozenset()

    async def test_excerpts_show_the_end_of_the_path(self, store: SessionStore) -> None:
        row = await new_session(store)
        assert await store.excerpts(row.id) == []
        rows = await talk(store, row.id, 30)
        last = await store.excerpts(row.id, before=2, after=1)
        assert [each.id for each in last] == [each.id for each in rows[-4:]]
        assert last[0].text == "message 26"
        assert (last[0].role, last[1].role) == ("user", "assistant")
        assert all(each.begins and each.ends for each in last)

    async def test_excerpts_around_a_message_go_down_its_branch(self, store: SessionStore) -> None:
        row = await new_session(store)
        rows = await talk(store, row.id, 6)
        other = answer(row.id, rows[2].id, content="other", status="interrupted")
        await store.append_message(other)
        found = await store.excerpts(row.id, rows[1].id, before=5, after=2)
        assert [each.text for each in found] == ["message 0", "message 1", "message 2", "other"]
        assert found[-1].status == "interrupted"
        assert found[-1].created_at == other.created_at
        old = await store.excerpts(row.id, rows[3].id, before=1, after=9)
        assert [each.text for each in old] == [f"message {at}" for at in range(2, 6)]
        stranger = await new_session(store)
        with pytest.raises(SessionGone):
            await store.excerpts(stranger.id, rows[1].id)

    async def test_excerpts_are_cut_around_the_match(self, store: SessionStore) -> None:
        row = await new_session(store)
        long = message(row.id, content="x" * 5_000 + " Needle " + "y" * 5_000)
        await store.append_message(long)
        (start,) = await store.excerpts(row.id, chars=100)
        assert (start.text, start.begins, start.ends) == ("x" * 100, True, False)
        (found,) = await store.excerpts(row.id, long.id, text="needle", chars=100)
        assert " Needle y" in found.text
        assert (len(found.text), found.begins, found.ends) == (100, False, False)
        huge = message(row.id, content="z" * 100_000 + "needle")
        await store.append_message(huge)
        (start,) = await store.excerpts(row.id, huge.id, text="needle", chars=100)
        assert (start.text, start.begins, start.ends) == ("z" * 100, True, False)

    async def test_excerpts_show_calls_and_the_text_of_content_parts(
        self, store: SessionStore
    ) -> None:
        row = await new_session(store)
        parts = [{"type": "text", "text": "see"}, {"type": "image_url", "url": "data" * 30_000}]
        sent = message(row.id, content=json.dumps(parts), content_is_json=True)
        function = {"name": "read_file", "arguments": "a" * 1_000}
        calls = json.dumps([{"id": "c", "type": "function", "function": function}])
        asked = answer(row.id, sent.id, content="", tool_calls=calls)
        result = message(
            row.id, asked.id, role="tool", content="text", tool_call_id="c", tool_name="read_file"
        )
        for each in (sent, asked, result):
            await store.append_message(each)
        first, second, third = await store.excerpts(row.id)
        assert first.text == "see"
        ((name, arguments),) = second.calls
        assert name == "read_file"
        assert arguments.startswith("aaa")
        assert len(arguments) < 1_000
        assert (third.tool_name, third.text) == ("read_file", "text")

    async def test_it_knows_its_size(self, store: SessionStore) -> None:
        row = await new_session(store)
        before = await store.size()
        for at in range(60):
            text = " ".join(f"{at * 1000 + number:x}" for number in range(2_000))
            await store.append_message(message(row.id, content=text))
        after = await store.size()
        assert after.total - before.total > 60 * 8_000
        assert 100_000 < after.search - before.search < after.total

    async def test_lines_are_safe_for_a_terminal(self, store: SessionStore) -> None:
        row = await new_session(store)
        await store.append_message(message(row.id, content="find \x1b]0;me\x07 here"))
        assert [hit.line for hit in await store.search("find")] == ["find ␛]0;me␇ here"]


class ConcurrencyConformance:
    async def test_writes_run_in_the_order_of_the_calls(self, store: SessionStore) -> None:
        row = await new_session(store)
        await asyncio.gather(*(store.set_draft(row.id, f"draft {at}") for at in range(50)))
        assert (await store.get_session(row.id)).draft == "draft 49"

    async def test_one_failing_write_does_not_take_others_along(self, store: SessionStore) -> None:
        row = await new_session(store)
        first = message(row.id)
        outcomes = await asyncio.gather(
            store.append_message(first),
            store.append_message(first),
            store.append_message(message(row.id, new_id())),
            store.append_message(answer(row.id, first.id)),
            return_exceptions=True,
        )
        assert [type(each).__name__ for each in outcomes] == [
            "NoneType",
            "StoreError",
            "SessionGone",
            "NoneType",
        ]
        assert (await store.get_session(row.id)).messages == 2

    async def test_a_cancelled_write_is_done_whole(self, store: SessionStore) -> None:
        row = await new_session(store)
        calls = [tool_call(row.id, position=at) for at in range(200)]
        task = asyncio.create_task(store.add_tool_calls(calls))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await store.set_draft(row.id, "after it")
        assert len(await store.tool_calls(row.id)) == 200
        assert (await store.get_session(row.id)).tool_calls == 200

    async def test_a_cancelled_read_leaves_the_store_usable(self, store: SessionStore) -> None:
        row = await new_session(store, draft="d")
        await talk(store, row.id, 20)
        for _ in range(20):
            task = asyncio.create_task(store.search("message"))
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        assert len(await store.search("message")) == 20


class StoreConformance(
    SessionConformance,
    MessageConformance,
    RequestConformance,
    RecoveryConformance,
    SearchConformance,
    SpendingConformance,
    ConcurrencyConformance,
    WholeSessionConformance,
):
    """All of it."""

    async def test_it_says_where_it_is(self, store: SessionStore) -> None:
        assert store.location

    async def test_a_closed_store_says_so(self, store: SessionStore) -> None:
        await store.close()
        await store.close()
        with pytest.raises(StoreError, match="not open"):
            await store.list_sessions(ALL)

    async def test_opening_twice_does_nothing(self, store: SessionStore) -> None:
        row = await new_session(store)
        await store.open()
        assert (await store.get_session(row.id)).id == row.id
