"""Compaction on screen: by hand, its fold, editing, undoing, choosing how."""

from __future__ import annotations

import asyncio
from pathlib import Path

from chatglass.models.demo import Reply
from chatglass.models.demo.script import context_overflow
from chatglass.tui.transcript.items import AnswerItem, FoldItem
from tui.conftest import Play
from tui.stage import Stage
from tui.test_reload import same_after_reload

LONG = "word " * 200


def folds(stage: Stage) -> list[FoldItem]:
    return [item for item in stage.chat.transcript.items if isinstance(item, FoldItem)]


async def talked(stage: Stage, turns: int = 3) -> None:
    await stage.idle()
    for number in range(turns):
        await stage.ask(f"question {number}", f"answer {number} {LONG}")


async def compacted(stage: Stage, command: str = "/compact") -> FoldItem:
    before = len(folds(stage))
    await stage.command(command)
    await stage.until(lambda: len(folds(stage)) > before, "a fold")
    await stage.idle()
    return folds(stage)[-1]


async def on_fold(stage: Stage) -> None:
    """The keys of the transcript, on the fold."""
    stage.chat.transcript.focus()
    stage.chat.transcript.select(folds(stage)[-1].id)
    await stage.pilot.pause()


async def test_compact_edit_and_undo_by_keys(play: Play) -> None:
    async with play() as stage:
        await talked(stage)
        stage.server.script("Facts\n- all is well")
        fold = await compacted(stage, "/compact keep what is well")
        assert fold.title.startswith("Compacted: 4 messages, ")
        await stage.told("Compacted by summarise: ")
        assert " tokens · summarise by " in fold.title
        await same_after_reload(stage)
        await on_fold(stage)
        await stage.press("enter")
        await stage.sees("all is well")
        await stage.sees("e edits what is sent, u sends everything above again")
        await stage.press("e")
        await stage.sees("What is sent instead of the older messages")
        await stage.type("!!")
        await stage.press("ctrl+s")
        await stage.told("This is sent from now on")
        assert folds(stage)[-1].title.endswith("· edited")
        sent = stage.session.engine.context.get_messages_for_llm()[0]["content"]
        assert sent.endswith("all is well!!")
        await on_fold(stage)
        await stage.press("u")
        await stage.told("all messages will be sent again")
        assert not folds(stage)
        assert len(stage.session.engine.context.get_messages_for_llm()) == 6
        await stage.press("u")
        await stage.told("Nothing is compacted here")
        await same_after_reload(stage)


async def test_only_the_newest_compaction_can_be_changed(play: Play) -> None:
    async with play() as stage:
        await talked(stage)
        await stage.command("/strategy trim")
        await stage.told("compacted by 'trim' from now on")
        await compacted(stage)
        await talked(stage)
        await compacted(stage)
        first, second = folds(stage)
        assert (bool(first.hint), bool(second.hint)) == (False, True)
        stage.chat.transcript.focus()
        stage.chat.transcript.select(first.id)
        await stage.press("u")
        await stage.told("Only the newest compaction can be changed")
        await stage.command("/undo-compaction")
        await stage.told("what was sent before it will be sent again")
        assert [fold.id for fold in folds(stage)] == [first.id]


async def test_undo_says_where_that_is_too_much(play: Play, folder: Path) -> None:
    (folder / "config.toml").write_text(
        '[context]\ntoken_threshold = 2500\nstrategy = "trim"\n', encoding="utf-8"
    )
    async with play() as stage:
        await talked(stage, 5)
        while not folds(stage):
            await stage.ask("more", LONG)
        await stage.command("/undo-compaction")
        await stage.told("That is over the limit: the next prompt compacts again.")


async def test_a_compaction_is_said_while_it_goes_on_and_can_be_stopped(play: Play) -> None:
    async with play() as stage:
        await talked(stage)
        stage.server.script(Reply(text="never", gates={-1: asyncio.Event()}))
        await stage.command("/compact")
        await stage.sees("sums up …")
        await stage.press("escape")
        await stage.idle()
        assert not folds(stage)
        assert "sums up …" not in stage.screen_text
        await stage.ask("and on", "fine")


async def test_strategies_are_offered(play: Play) -> None:
    async with play() as stage:
        await stage.idle()
        await stage.command("/compact strategy")
        await stage.sees("Compaction strategy of this session")
        await stage.sees("elide-tool-results")
        await stage.press("escape")
        await stage.command("/compact strategy nonsense")
        await stage.told("There is no strategy 'nonsense'")
        await stage.command("/compact")
        await stage.told("There is nothing to compact yet")


async def test_an_overflow_is_shown_once(play: Play) -> None:
    async with play() as stage:
        await talked(stage)
        await stage.ask("one more", context_overflow(), "the summary", "fits now")
        said = "larger than the context window"
        assert sum(said in text for text in stage.notices) == 1
        assert not [item for item in stage.answers if item.error or item.status == "error"]
        last = stage.chat.transcript.items[-1]
        assert isinstance(last, AnswerItem)
        assert last.text == "fits now"
        assert not last.continues
        await same_after_reload(stage)


async def test_the_meter_tells_how_many_turns_are_left(play: Play) -> None:
    async with play() as stage:
        await talked(stage, 2)
        assert "before compaction" not in stage.screen_text
        await talked(stage, 1)
        await stage.sees("turns before compaction")


async def test_all_that_a_fold_says_can_be_read_in_a_narrow_terminal(play: Play) -> None:
    async with play(size=(60, 24)) as stage:
        await talked(stage)
        await stage.ask("the last one", "short")
        stage.server.script("Facts\n- all is well")
        fold = await compacted(stage)
        assert len(fold.title) > 56
        await on_fold(stage)
        await stage.press("enter")
        await stage.sees("all is well")
        lines = [line.strip("│▎▌▐ ▾─") for line in stage.screen_text.splitlines()]
        assert fold.title in " ".join(" ".join(lines).split())


async def test_a_compaction_before_a_prompt_is_stopped_by_esc_and_that_is_said(
    play: Play, folder: Path
) -> None:
    with (folder / "config.toml").open("a") as file:
        file.write("\n[context]\ntoken_threshold = 1250\n")
    async with play(size=(80, 24)) as stage:
        await talked(stage)
        footer = stage.screen_text.splitlines()[-1]
        assert "Esc Stop" not in footer
        stage.server.script(Reply(text="a b c d", gates={2: "go"}))
        await stage.send(f"more {LONG}")
        await stage.sees("compacting")
        assert "Esc Stop" in stage.screen_text.splitlines()[-1]
        await stage.press("escape")
        await stage.idle()
        await stage.sees("It was stopped before the prompt was sent.")
        assert not folds(stage)
        stage.server.gate("go").set()
        stage.server.script("the summary", "the answer")
        await stage.command("/retry")
        await stage.sees("the answer")
        assert len(folds(stage)) == 1
