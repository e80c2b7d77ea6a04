from __future__ import annotations

import random

import pytest

from chatglass.tui.transcript.items import AnswerItem, PromptItem, ToolCard
from transcript.arranged import NOON, conversation, screen_rows, shown

ANSWER = """# A heading

Some *text* that is long enough to be wrapped more than once in sixty columns of a screen.

| a | b |
|---|---|
| 1 | 2 |

```python
def f(x):
    return x + 1
```

1. one
2. two with 漢字 wide characters 漢字 that are wrapped 漢字 as well 漢字 as others 漢字 are

> a quote
"""


@pytest.mark.parametrize("seed", range(4))
async def test_streamed_is_as_loaded(seed: int) -> None:
    whole = AnswerItem(
        id="a", at=NOON, model="m", text=ANSWER, reasoning="why\nnot", reasoning_open=True
    )
    async with shown([whole], size=(60, 50)) as (app, transcript, pilot):
        loaded = screen_rows(app)
        chance = random.Random(seed)
        streamed = AnswerItem(id="b", at=NOON, model="m", status="streaming", reasoning_open=True)
        transcript.load([streamed])
        for text, push in (("why\nnot", "reasoning"), (ANSWER, "text")):
            while text:
                cut = chance.randint(1, 12)
                getattr(transcript, f"push_{push}")("b", text[:cut])
                text = text[cut:]
                if chance.random() < 0.3:
                    transcript._pacer.flush_now()
        streamed.status = "complete"
        transcript.changed("b")
        transcript._pacer.flush_now()
        await pilot.pause()
        assert screen_rows(app) == loaded
        assert streamed.text == ANSWER


async def test_a_token_in_a_line_repaints_that_line() -> None:
    items = conversation(2_000)
    items.append(AnswerItem(id="s", at=NOON, model="m", status="streaming", text="Start"))
    async with shown(items) as (_, transcript, pilot):
        for token in (" of", " a", " line"):
            transcript.reset()
            transcript.push_text("s", token)
            transcript._pacer.flush_now()
            await pilot.pause()
            assert transcript.painted == 1
            assert sum(transcript.regions) == 1
            assert (transcript.layouts, transcript.resized) == (0, 0)


async def test_many_tokens_are_few_paints_and_each_line_is_painted_about_once() -> None:
    items = conversation(2_000)
    items.append(AnswerItem(id="s", at=NOON, model="m", status="streaming"))
    async with shown(items) as (_, transcript, pilot):
        flushes = 0
        flush = transcript._pacer._flush

        def counted() -> None:
            nonlocal flushes
            flushes += 1
            flush()

        transcript._pacer._flush = counted
        transcript.reset()
        for _ in range(2_000):
            transcript.push_text("s", "word ")
        assert flushes <= 20  # pushes took less than 20 frames
        transcript._pacer.flush_now()
        await pilot.pause()
        height = transcript._items.view(transcript._items.index_of("s")).height
        assert transcript.painted <= height + 25 * flushes
        assert transcript.layouts == 0


async def test_pushing_costs_the_same_however_long_the_answer_is() -> None:
    item = AnswerItem(id="s", at=NOON, model="m", status="streaming")
    async with shown([item]) as (_, transcript, _pilot):
        transcript.push_text("s", "paragraph\n\n" * 3_000)
        transcript._pacer.flush_now()
        view = transcript._items.view(0)
        change = None
        for _ in range(3):
            transcript.push_text("s", "more ")
            transcript._take_pushed()
            change = transcript._items.update(0)
        assert change is not None
        (first, last) = change.ranges[-1]
        assert view.height - 3 <= first <= last


async def test_a_card_that_changes_repaints_its_line() -> None:
    card = ToolCard(tool_call_id="c", name="read_file", arguments="x", state="running")
    other = ToolCard(tool_call_id="d", name="read_file", arguments="y", state="ok", duration_ms=1)
    items = [
        *conversation(50),
        AnswerItem(id="s", at=NOON, model="m", status="streaming", text="hm", cards=[card, other]),
    ]
    async with shown(items) as (app, transcript, pilot):
        transcript.reset()
        card.state, card.duration_ms, card.size = "ok", 230, "1.2 kB"
        transcript.changed("s")
        transcript._pacer.flush_now()
        await pilot.pause()
        assert transcript.painted == 1
        assert sum(transcript.regions) == 1
        row = next(row for row in screen_rows(app) if " x " in row)
        assert "✓ read_file" in row
        assert row.endswith("0.23 s    1.2 kB")


async def test_nothing_runs_when_nothing_happens() -> None:
    card = ToolCard(tool_call_id="c", name="n", arguments="", state="running", started_at=NOON)
    item = AnswerItem(id="s", at=NOON, model="m", text="t", cards=[card])
    async with shown([PromptItem(id="p", text="x", at=NOON), item]) as (_, transcript, pilot):
        assert transcript._tick_handle is not None
        card.state = "ok"
        transcript.changed("s")
        transcript._tick()
        transcript._refiner._busy_at = 0.0
        while transcript._refiner.working:
            await pilot.pause(0.01)
        await pilot.pause()
        assert transcript._tick_handle is None
        assert not transcript._pacer.pending


async def test_a_tick_repaints_only_the_line_that_runs() -> None:
    card = ToolCard(tool_call_id="c", name="n", arguments="", state="running", started_at=NOON)
    item = AnswerItem(id="s", at=NOON, model="m", text="t", cards=[card])
    async with shown([*conversation(20), item]) as (app, transcript, pilot):
        clock = NOON
        transcript._items.setting.__class__  # noqa: B018
        object.__setattr__(transcript._items.setting, "now", lambda: clock)
        transcript.reset()
        clock += 4_200
        transcript._tick()
        await pilot.pause()
        assert transcript.painted == 1
        assert sum(transcript.regions) == 1
        assert any("4.2 s" in row for row in screen_rows(app))


async def test_what_runs_off_screen_has_no_timer() -> None:
    card = ToolCard(tool_call_id="c", name="n", arguments="", state="running", started_at=NOON)
    item = AnswerItem(id="s", at=NOON, model="m", text="t", cards=[card])
    async with shown([item, *conversation(20)]) as (_, transcript, pilot):
        assert transcript._tick_handle is None
        await pilot.press("home")
        assert transcript._tick_handle is not None


async def test_reasoning_shows_its_tail_until_text_comes() -> None:
    item = AnswerItem(id="s", at=NOON, model="m", status="streaming")
    async with shown([item]) as (app, transcript, pilot):
        transcript.push_reasoning("s", "".join(f"thought {n}\n" for n in range(9)))
        transcript._pacer.flush_now()
        await pilot.pause()
        rows = "\n".join(screen_rows(app))
        assert "▾ thinking" in rows
        assert "thought 8" in rows
        assert "thought 5" not in rows
        item.reasoning_ms = 4_000
        transcript.push_text("s", "The answer")
        transcript._pacer.flush_now()
        await pilot.pause()
        rows = "\n".join(screen_rows(app))
        assert "▸ thought for 4 s" in rows
        assert "thought 8" not in rows


async def test_another_theme_paints_in_its_colours() -> None:
    async with shown(conversation(5)) as (app, transcript, pilot):
        before = transcript.render_lines(transcript.size.region)
        rows = screen_rows(app)
        app.theme = "textual-light"
        await pilot.pause()
        after = transcript.render_lines(transcript.size.region)
        assert screen_rows(app) == rows
        assert [strip.text for strip in before] == [strip.text for strip in after]
        assert all(one != other for one, other in zip(before, after, strict=True))


async def test_focus_paints_no_line_anew() -> None:
    async with shown(conversation(100)) as (_, transcript, pilot):
        transcript.blur()
        await pilot.pause()
        transcript.reset()
        transcript.focus()
        await pilot.pause()
        assert transcript.painted == 0
        assert transcript.layouts == 0
