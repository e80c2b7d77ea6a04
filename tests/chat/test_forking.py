"""A fork at work: it sends what the origin would, and counts only what is its own."""

from __future__ import annotations

import json

from chat.harness import Bench, ask, calls, echo, tool
from chatglass.chat.events import TurnStarted
from chatglass.chat.forking import fork_session
from chatglass.models.demo.script import Reply


async def test_a_fork_goes_on_where_it_left_and_counts_from_zero(here: Bench) -> None:
    tools = [tool("echo", echo)]
    origin = await here.engine(tools=tools)
    here.demo.script(calls(("echo", {"x": "1"})), "one was echoed")
    await ask(origin, "echo 1")
    await ask(origin, "something else")
    answer = next(row for row in await here.rows(origin) if row.content == "one was echoed")
    spent = await origin.context.get_token_stats()
    sent = origin.context.get_messages_for_llm()

    made = await fork_session(here.store, origin.session_id, answer.id)
    fork = await here.engine(made.session, tools=tools)
    assert fork.context.get_messages_for_llm() == sent[:4]
    stats = await fork.context.get_token_stats()
    assert (stats.total_tokens, stats.requests, stats.estimated_cost) == (0, 0, None)

    before = here.reported_tokens
    turn = await ask(fork, "go on")
    assert turn.status == "complete"
    body = json.loads(here.demo.requests[-1].body)
    assert body["messages"][:-1] == sent[:4]
    assert body["messages"][-1] == {"role": "user", "content": "go on"}
    stats = await fork.context.get_token_stats()
    assert stats.total_tokens == here.reported_tokens - before
    assert (await origin.context.get_token_stats()).total_tokens == spent.total_tokens
    assert here.demo.violations == []


async def test_a_session_at_work_can_be_forked_at_what_is_final(here: Bench) -> None:
    origin = await here.engine()
    await ask(origin, "first")
    prompt, answer = await here.rows(origin)
    here.demo.script(Reply(text="under way", gates={2: "go"}))
    await origin.submit("second")
    events = origin.run()
    assert isinstance(await anext(events), TurnStarted)
    made = await fork_session(here.store, origin.session_id, answer.id)
    path = await here.store.path(made.session.id, made.session.leaf_id)
    assert [row.content for row in path] == [prompt.content, answer.content]
    await events.aclose()
