"""What live events show equals what the store shows when the session is opened again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from chatglass.models.demo import Reply
from chatglass.models.demo import script as scripts
from chatglass.tui.reading import session_rows
from chatglass.tui.transcript.from_rows import items_of
from chatglass.tui.transcript.items import AnswerItem, Item, NoticeItem, PromptItem
from tui.conftest import Play
from tui.stage import Stage, tools

CLOCK_MS = 2_000
"""Times of an event and of its row are taken one after the other."""


def comparable(items: Sequence[Item]) -> list[Item]:
    """Without what only lives: notices, advice, and milliseconds between two clocks."""
    kept: list[Item] = []
    for item in items:
        match item:
            case NoticeItem():
                continue
            case AnswerItem():
                cards = [replace(card, started_at=None) for card in item.cards]
                kept.append(replace(item, at=0, advice="", cards=cards, reasoning_ms=0))
            case PromptItem():
                kept.append(replace(item, at=0))
            case _:
                kept.append(item)
    return kept


async def same_after_reload(stage: Stage) -> None:
    await stage.idle()
    live = list(stage.chat.transcript.items)
    assert stage.app.workspace is not None
    rows = await session_rows(stage.app.workspace.store, stage.session.engine)
    stored = items_of(rows)
    assert comparable(live) == comparable(stored)
    times = [
        [(item.at, item.reasoning_ms) for item in items if isinstance(item, AnswerItem)]
        for items in (live, stored)
    ]
    for (at, thought), (stored_at, stored_thought) in zip(*times, strict=True):
        assert abs(at - stored_at) < CLOCK_MS
        assert abs(thought - stored_thought) < CLOCK_MS
    calls = {call.id: call for call in rows.calls}
    for call in stage.session.view.calls.values():
        assert calls[call.id].state == call.state
        assert calls[call.id].decided_by == call.decided_by
        assert calls[call.id].result_bytes == call.result_bytes
        assert calls[call.id].seen_bytes == call.seen_bytes
        assert calls[call.id].duration_ms == call.duration_ms


TURNS: dict[str, list[Reply | str]] = {
    "text": ["# Head\n\nsome *text*"],
    "reasoning": [Reply(reasoning="thinking about it", text="thought")],
    "tools": [
        tools(("calculate", '{"expression": "1+1"}'), ("current_time", "{}")),
        tools(("calculate", '{"expression": "2*2"}')),
        "four",
    ],
    "failing tool": [tools(("read_file", '{"path": "no/such/file"}')), "not there"],
    "unknown tool": [tools(("no_such_tool", "{}")), "no"],
    "broken arguments": [tools(("calculate", '{"expression": ')), "mended"],
    "wrong arguments": [tools(("calculate", '{"expresion": "1"}')), "mended"],
    "refused": [scripts.unauthorized()],
    "cut": [Reply(text="half an answer that is cut", cut_before=4)],
    "cut after a tool": [
        tools(("calculate", '{"expression": "1+1"}')),
        Reply(text="half an", cut_before=2),
    ],
    "length": [Reply(text="cut short", finish_reason="length")],
    "no usage": [Reply(text="uncounted", usage_place="none")],
    "markup": ["[red]not red[/] [/] \x1b[31mred\x1b[0m \u202eevil"],
}


@pytest.mark.parametrize("turns", [list(TURNS), ["refused", "text"], ["cut", "tools"]])
async def test_items_are_the_same_after_a_reload(play: Play, turns: list[str]) -> None:
    async with play() as stage:
        for name in turns:
            await stage.ask(f"{name} [red]", *TURNS[name])
            assert not stage.server.scripted, name
            await same_after_reload(stage)


async def test_stopped_turns_are_the_same_after_a_reload(play: Play) -> None:
    async with play() as stage:
        stage.server.script(Reply(text="kept and lost", gates={2: "never"}))
        await stage.send("stream")
        await stage.sees("kept")
        await stage.press("escape")
        await same_after_reload(stage)
        for key, state in (("escape", "cancelled"), ("4", "denied")):
            stage.server.script(
                tools(("run_command", '{"command": "echo hi"}'), ("current_time", "{}")), "after"
            )
            await stage.send("ask")
            await stage.until(lambda: stage.chat.approval.display)
            await stage.until(lambda: not stage.chat.approval.is_deaf)
            await stage.press(key)
            await stage.idle()
            stage.server._script.clear()
            cards = [card for answer in stage.answers for card in answer.cards]
            assert state in {card.state for card in cards}
            await same_after_reload(stage)


async def test_branches_are_the_same_after_a_reload(play: Play) -> None:
    async with play() as stage:
        await stage.ask("question", "first")
        stage.server.script("second")
        await stage.press("ctrl+r")
        await stage.until(lambda: stage.answers[-1].text == "second")
        await stage.idle()
        await stage.until(lambda: stage.answers[-1].branch == (2, 2))
        await same_after_reload(stage)


async def test_a_compaction_stands_where_it_will_stand(play: Play, folder: Path) -> None:
    (folder / "config.toml").write_text("[context]\ntoken_threshold = 2600\n", encoding="utf-8")
    async with play() as stage:
        for number in range(4):
            await stage.ask(f"question {number}", "word " * 1500)
        assert any(
            "Compacted" in getattr(item, "title", "") for item in stage.chat.transcript.items
        )
        await same_after_reload(stage)
