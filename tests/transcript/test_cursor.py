from __future__ import annotations

from chatglass.tui.transcript.items import AnswerItem, FoldItem, Item, PromptItem, ToolCard
from chatglass.tui.transcript.messages import (
    BranchSwitch,
    CardOpened,
    CopyRequested,
    EditRequested,
    ItemActivated,
    RetryRequested,
)
from transcript.arranged import NOON, conversation, screen_rows, shown


def turn() -> list[Item]:
    cards = [
        ToolCard(tool_call_id=f"c{n}", name="read_file", arguments=f"x{n}.py", state="ok")
        for n in (1, 2)
    ]
    return [
        PromptItem(id="p", text="prompt", at=NOON, branch=(1, 2)),
        AnswerItem(
            id="a",
            at=NOON,
            model="m",
            reasoning="first\nsecond thought",
            reasoning_ms=2_000,
            text="Look:\n\n```py\nx = 1\n```\n",
            cards=cards,
        ),
        AnswerItem(id="b", at=NOON, model="m", continues=True, text="Done."),
        FoldItem(id="f", title="a summary", body="the body"),
    ]


async def test_the_cursor_stops_at_every_part() -> None:
    async with shown(turn(), size=(60, 40)) as (_, transcript, pilot):
        seen = []
        for _ in range(9):
            await pilot.press("down")
            seen.append((transcript.selected.item_id, transcript.selected.kind))
        assert seen[:8] == [
            ("p", "item"),
            ("a", "item"),
            ("a", "reasoning"),
            ("a", "code"),
            ("a", "card"),
            ("a", "card"),
            ("b", "item"),
            ("f", "item"),
        ]
        assert seen[8] == seen[7]
        for expected in reversed(seen[:7]):
            await pilot.press("k")
            assert (transcript.selected.item_id, transcript.selected.kind) == expected


async def test_the_marker_shows_only_with_focus() -> None:
    async with shown(turn(), size=(60, 40)) as (app, transcript, pilot):
        await pilot.press("down")
        await pilot.pause()
        assert [row[0] for row in screen_rows(app)[1:3]] == ["▌", "▌"]
        transcript.blur()
        await pilot.pause()
        assert "▌" not in "".join(screen_rows(app))


async def test_enter_opens_what_is_selected() -> None:
    async with shown(turn(), size=(60, 40)) as (app, transcript, pilot):
        await pilot.press("down", "enter", "down", "down", "enter")
        await pilot.pause()
        assert [message.item_id for message in app.told_of(ItemActivated)] == ["p"]
        assert "second thought" in "\n".join(screen_rows(app))
        await pilot.press("enter", "down", "down", "down", "enter")
        await pilot.pause()
        assert "second thought" not in "\n".join(screen_rows(app))
        assert [message.tool_call_id for message in app.told_of(CardOpened)] == ["c2"]
        await pilot.press("down", "down", "enter")
        await pilot.pause()
        assert "the body" in "\n".join(screen_rows(app))
        assert transcript.item("f").open


async def test_a_click_on_a_card_or_fold_opens_it() -> None:
    async with shown(turn(), size=(60, 40)) as (app, transcript, pilot):
        rows = screen_rows(app)
        card = next(y for y, row in enumerate(rows) if "x1.py" in row)
        await pilot.click(offset=(10, card))
        assert [message.tool_call_id for message in app.told_of(CardOpened)] == ["c1"]
        assert transcript.selected.key == "c1"
        fold = next(y for y, row in enumerate(rows) if "thought for" in row)
        await pilot.click(offset=(5, fold))
        await pilot.pause()
        assert transcript.item("a").reasoning_open
        assert "▾ thought for" in screen_rows(app)[fold]


async def test_unfolding_keeps_the_fold_where_it_is() -> None:
    item = AnswerItem(id="z", at=NOON, model="m", reasoning="deep\n" * 60, reasoning_ms=1, text="t")
    async with shown([*conversation(20), item]) as (app, transcript, pilot):
        row = next(y for y, row in enumerate(screen_rows(app)) if "thought for" in row)
        await pilot.click(offset=(5, row))
        await pilot.pause()
        assert "▾ thought" in screen_rows(app)[row]
        assert not transcript.following
        await pilot.click(offset=(5, row))
        await pilot.pause()
        assert transcript.following


async def test_messages_and_prompts_are_walked() -> None:
    async with shown(conversation(60)) as (app, transcript, pilot):
        transcript.scroll_to_item("a30")
        await pilot.press("right_square_bracket")
        assert transcript.selected.item_id == "p31"
        await pilot.press("left_square_bracket", "left_square_bracket")
        assert transcript.selected.item_id == "p30"
        await pilot.press("right_curly_bracket", "right_curly_bracket")
        await pilot.pause()
        assert transcript.selected.item_id == "p32"
        assert "prompt 32" in screen_rows(app)[2]
        await pilot.press("left_curly_bracket")
        assert transcript.selected.item_id == "p31"


async def test_moving_down_a_long_answer_skips_no_line() -> None:
    long = "\n\n".join(f"paragraph {n}" for n in range(60))
    items: list[Item] = [
        AnswerItem(id="a", at=NOON, model="m", text=long),
        PromptItem(id="p", text="next", at=NOON),
    ]
    async with shown(items) as (app, transcript, pilot):
        await pilot.press("home", "down")
        seen = set(screen_rows(app))
        for _ in range(40):
            await pilot.press("j")
            await pilot.pause()
            seen |= set(screen_rows(app))
            if transcript.selected.item_id == "p":
                break
        assert transcript.selected.item_id == "p"
        assert all(any(row.strip("▌ ") == f"paragraph {n}" for row in seen) for n in range(60))


async def test_letters_ask_the_app() -> None:
    async with shown(turn(), size=(60, 40)) as (app, _transcript, pilot):
        await pilot.press("down", "y", "c", "r", "e", "greater_than_sign", "down", "less_than_sign")
        await pilot.press("down", "down", "down", "y")
        await pilot.pause()
        assert [message.what for message in app.told_of(CopyRequested)] == ["item", "code", "card"]
        assert [message.item_id for message in app.told_of(RetryRequested)] == ["a"]
        assert [message.item_id for message in app.told_of(EditRequested)] == ["p"]
        switched = [(message.item_id, message.step) for message in app.told_of(BranchSwitch)]
        assert switched == [("p", 1), ("p", -1)]


async def test_what_is_copied() -> None:
    async with shown(turn(), size=(60, 40)) as (_, transcript, pilot):
        assert transcript.copy_text("item") == "Done."
        assert transcript.copy_text("code") == "x = 1"
        assert transcript.copy_text("card") is None
        assert transcript.copy_text("selection") is None
        await pilot.press("down")
        assert transcript.copy_text("item") == "prompt"
        await pilot.press("down", "down", "down")
        assert transcript.copy_text("code") == "x = 1"
        await pilot.press("down")
        assert transcript.copy_text("card") == "read_file x1.py"
