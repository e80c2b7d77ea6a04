from __future__ import annotations

from textual.events import MouseScrollDown, MouseScrollUp

from chatglass.tui.transcript.items import AnswerItem, PromptItem
from chatglass.tui.transcript.layout import NEAR
from chatglass.tui.transcript.messages import FollowChanged
from transcript.arranged import NOON, conversation, screen_rows, shown


async def test_a_session_opens_at_its_end_and_follows() -> None:
    async with shown(conversation(50)) as (app, transcript, _):
        assert transcript.following
        assert transcript.scroll_y == transcript.max_scroll_y
        assert screen_rows(app)[-1] != ""
        assert not app.told_of(FollowChanged)


async def test_a_step_paints_what_came_into_view_and_lays_nothing_out() -> None:
    async with shown(conversation(5_000)) as (_, transcript, pilot):
        await pilot.press("pageup")
        await pilot.pause()
        transcript.reset()
        transcript.post_message(_wheel(MouseScrollUp))
        await pilot.pause()
        assert 1 <= transcript.painted <= 6
        assert transcript.rows <= 3 * transcript.size.height
        assert (transcript.layouts, transcript.resized) == (0, 0)


async def test_wheel_scrolls_by_the_same_lines_everywhere() -> None:
    async with shown(conversation(200)) as (app, transcript, pilot):
        for _ in range(30):
            before = screen_rows(app)
            transcript.post_message(_wheel(MouseScrollUp))
            await pilot.pause()
            step = int(app.scroll_sensitivity_y)
            assert screen_rows(app)[step:] == before[:-step]
        for _ in range(3):
            before = screen_rows(app)
            transcript.post_message(_wheel(MouseScrollDown))
            await pilot.pause()
            assert screen_rows(app)[:-step] == before[step:]


async def test_refining_moves_nothing_on_screen() -> None:
    async with shown([]) as (app, transcript, pilot):
        transcript._refiner.stop()
        transcript._refiner.start = lambda: None
        transcript.load(conversation(300))
        await pilot.press(*["pageup"] * 5)
        await pilot.pause()
        before, top = screen_rows(app), transcript.scroll_y
        while transcript._items.refine_one():
            pass
        transcript.reset()
        transcript._refined()
        await pilot.pause()
        assert transcript.scroll_y != top  # the estimates were not exact: the test means something
        assert transcript.painted == 0
        assert transcript.layouts == 0
        transcript.refresh()
        await pilot.pause()
        assert screen_rows(app) == before


async def test_all_heights_near_the_screen_are_exact_when_the_refiner_rests() -> None:
    async with shown(conversation(1_000)) as (_, transcript, pilot):

        async def refined() -> set[int]:
            transcript._refiner._busy_at = 0.0
            while transcript._refiner.working:
                await pilot.pause(0.01)
            width = layout.setting.width
            return {index for index, exact in enumerate(layout._exact) if exact == width}

        layout = transcript._items
        count = len(layout.items)
        at_end = await refined()
        assert at_end == set(range(layout.viewport.item - NEAR, count))
        transcript.scroll_to_item("a300")
        await pilot.pause()
        item, end = layout.viewport.item, layout.viewport.end_item
        assert await refined() == at_end | set(range(item - NEAR, end + NEAR))


async def test_streaming_never_moves_a_view_that_was_scrolled_away() -> None:
    items = conversation(30)
    async with shown(items) as (app, transcript, pilot):
        transcript.append(AnswerItem(id="new", at=NOON, model="m", status="streaming"))
        await pilot.press("pageup")
        await pilot.pause()
        before = screen_rows(app)
        for number in range(50):
            transcript.push_text("new", f"line {number}\n\n")
        transcript._pacer.flush_now()
        await pilot.pause()
        assert screen_rows(app) == before
        assert not transcript.following
        told = app.told_of(FollowChanged)[-1]
        assert (told.following, told.new_lines > 90) == (False, True)
        await pilot.press("end")
        await pilot.pause()
        assert "line 49" in screen_rows(app)[-1]
        told = app.told_of(FollowChanged)[-1]
        assert (told.following, told.new_lines) == (True, 0)


async def test_scrolling_back_to_the_end_follows_again() -> None:
    async with shown(conversation(30)) as (_, transcript, pilot):
        transcript.post_message(_wheel(MouseScrollUp))
        await pilot.pause()
        assert not transcript.following
        transcript.post_message(_wheel(MouseScrollDown))
        await pilot.pause()
        assert transcript.following


async def test_an_item_put_above_moves_nothing() -> None:
    async with shown(conversation(30)) as (app, transcript, pilot):
        transcript.scroll_to_item("a20")
        await pilot.pause()
        before = screen_rows(app)
        assert any("answer 20" in row for row in before)
        transcript.insert_before("p3", PromptItem(id="new", text="x\ny\nz", at=NOON))
        await pilot.pause()
        assert screen_rows(app) == before
        transcript.remove_item("p5")
        await pilot.pause()
        assert screen_rows(app) == before


async def test_another_width_keeps_the_top_item_and_lays_out_only_the_screen() -> None:
    async with shown(conversation(3_000), size=(80, 31)) as (_, transcript, pilot):
        transcript.scroll_to_item("a1500")
        await pilot.pause()
        layout = transcript._items
        transcript._refiner.stop()
        transcript._refiner.start = lambda: None
        reads: list[int] = []
        note = layout._note
        layout._note = lambda index, height: (reads.append(index), note(index, height))[1]
        for width in (79, 78, 60, 100, 80):
            await pilot.resize_terminal(width, 31)
            await pilot.pause()
            assert layout.items[layout.viewport.item].id == "a1500"
        assert len(reads) < 200
        assert (layout.viewport.item, layout.viewport.line) == (3001, 0)


async def test_following_survives_other_sizes() -> None:
    async with shown(conversation(50), size=(80, 31)) as (app, transcript, pilot):
        last = screen_rows(app)[-1].split()[-1]
        for size in ((80, 20), (80, 40), (40, 60), (120, 15)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            assert transcript.following
            assert screen_rows(app)[-1].split()[-1] == last


async def test_dragging_the_edge_of_the_window_to_and_fro_comes_back_to_the_line() -> None:
    text = "\n\n".join(f"paragraph {n} " + "word " * 40 for n in range(30))
    items = [
        *conversation(5),
        AnswerItem(id="a", at=NOON, model="m", text=text),
        *conversation(3, 2),
    ]
    for place, item in enumerate(items):
        item.id = f"{place}"
    async with shown(items, size=(80, 21)) as (app, transcript, pilot):
        transcript.scroll_to_item("10")
        transcript.scroll_lines(47)
        await pilot.pause()
        before = screen_rows(app)
        for width in (79, 61, 47, 97, 41, 71, 110, 53, 80):
            await pilot.resize_terminal(width, 21)
            await pilot.pause()
            first = next(row for row in screen_rows(app) if "paragraph" in row)
            assert first.split()[1] in ("11", "12")  # the top line is of paragraph 11
        assert screen_rows(app) == before


async def test_what_unfolds_above_the_top_line_of_its_own_item_moves_nothing() -> None:
    text = "\n\n".join(f"paragraph {n}" for n in range(60))
    item = AnswerItem(id="a", at=NOON, model="m", text=text, reasoning="deep\n" * 30)
    async with shown([item]) as (app, transcript, pilot):
        transcript.scroll_to_item("a")
        transcript.scroll_lines(40)
        await pilot.pause()
        before = screen_rows(app)
        item.reasoning_open = True
        transcript.changed("a")
        transcript._pacer.flush_now()
        await pilot.pause()
        assert screen_rows(app) == before


async def test_what_changes_while_hidden_is_there_when_shown() -> None:
    async with shown(conversation(2)) as (app, transcript, pilot):
        transcript.display = False
        await pilot.pause()
        transcript.item("a1").text = "changed meanwhile"
        transcript.changed("a1")
        transcript._pacer.flush_now()
        transcript.display = True
        await pilot.pause(0.05)
        assert screen_rows(app)[-1].strip() == "changed meanwhile"


async def test_textual_s_own_scrolling_does_not_animate() -> None:
    async with shown(conversation(100)) as (_, transcript, pilot):
        transcript.scroll_home()
        await pilot.pause()
        assert transcript.scroll_y == 0
        transcript.scroll_to(y=400, duration=5.0)
        assert transcript.scroll_y == transcript.scroll_target_y
        assert abs(transcript.scroll_y - 400) < 60


async def test_the_thumb_is_drawn_only_when_it_moves() -> None:
    items = conversation(3_000)
    items.append(AnswerItem(id="s", at=NOON, model="m", status="streaming"))
    async with shown(items) as (_, transcript, pilot):
        bar = transcript.vertical_scrollbar
        drawn = 0
        refresh = bar.refresh

        def counted(*args, **kwargs):
            nonlocal drawn
            drawn += 1
            return refresh(*args, **kwargs)

        bar.refresh = counted
        for _ in range(50):
            transcript.push_text("s", "word\n\n")
            transcript._pacer.flush_now()
        await pilot.pause()
        assert drawn <= 1
        await pilot.press("home")
        assert drawn <= 3


async def test_home_and_end() -> None:
    async with shown(conversation(500)) as (app, transcript, pilot):
        await pilot.press("home")
        await pilot.pause()
        assert "prompt 0" in "".join(screen_rows(app)[:3])
        assert transcript.scroll_y == 0
        await pilot.press("end")
        await pilot.pause()
        assert transcript.following


def _wheel(kind):
    return kind(None, 5, 5, 0, 0, 0, False, False, False, 5, 5)
