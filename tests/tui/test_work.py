"""How much the screen does: bounded while text streams, nothing while nothing happens."""

from __future__ import annotations

import asyncio
import gc
import warnings
from collections import Counter

import pytest
from textual.dom import DOMNode
from textual.timer import Timer
from textual.widget import Widget

from chatglass.models.demo import Reply
from tui.conftest import Play
from tui.stage import Stage, tools

TOKENS = 600


def running_timers(stage: Stage) -> list[Timer]:
    """Timers that fire again, of the app and all that is on screen."""
    nodes: list[DOMNode] = [stage.app, stage.chat, *stage.chat.walk_children(Widget)]
    return [
        timer
        for node in nodes
        for timer in node._timers
        if timer._task is not None and not timer._task.done() and timer._active.is_set()
    ]


async def test_streaming_never_lays_out_and_draws_a_bounded_number_of_times(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with play() as stage:
        counts: Counter[str] = Counter()
        refresh = Widget.refresh

        def counted(self: Widget, *regions: object, **options: object) -> Widget:
            counts[type(self).__name__] += 1
            if options.get("layout"):
                counts["layouts"] += 1
            return refresh(self, *regions, **options)  # pyright: ignore

        stage.server.script(
            Reply(text="word " * TOKENS, gates={2: "go", TOKENS: "end"}, rate=2_000)
        )
        await stage.send("stream")
        await stage.until(lambda: stage.answers and stage.answers[-1].text)
        await stage.pilot.pause()
        drawings = stage.chat.meter.drawings
        monkeypatch.setattr(Widget, "refresh", counted)
        began = asyncio.get_running_loop().time()
        stage.server.gate("go").set()
        await stage.until(lambda: len(stage.answers[-1].text) > 5 * (TOKENS - 20))
        seconds = asyncio.get_running_loop().time() - began
        monkeypatch.undo()
        assert counts["layouts"] == 0, counts
        # A frame is 16 ms, and each refreshes a few line ranges at the most.
        assert counts["Transcript"] <= 6 * (seconds / 0.016 + 2), (counts, seconds)
        assert stage.chat.meter.drawings - drawings <= seconds / 0.1 + 2
        assert counts["Meter"] + counts["TopLine"] + counts["Composer"] < 40 * (seconds + 1)
        stage.server.gate("end").set()
        await stage.idle()


async def test_nothing_runs_while_nothing_happens(play: Play) -> None:
    async with play() as stage:
        await stage.ask("hello", tools(("calculate", '{"expression": "1+1"}')), "two")
        stage.chat.transcript.focus()  # the composer's cursor blinks
        await stage.until(lambda: not stage.app._notifications)
        await stage.pilot.pause()
        timers = [timer for timer in running_timers(stage) if timer._repeat != 0]
        blinking = [timer for timer in timers if "cursor" in str(timer._callback).lower()]
        assert [timer for timer in timers if timer not in blinking] == []
        transcript = stage.chat.transcript
        assert not any(view.live for _, view in transcript._shown())
        # The tick that was due when the answer ended comes once more, and no other after it.
        await stage.until(lambda: transcript._tick_handle is None)
        await stage.pilot.pause()
        assert transcript._tick_handle is None
        assert not stage.chat.countdown.running
        assert all(worker.is_finished for worker in stage.app.workers)


async def test_nothing_is_left_unawaited(play: Play) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        async with play() as stage:
            await stage.ask("hello", tools(("calculate", '{"expression": "1+1"}')), "two")
            await stage.press("ctrl+s", "escape", "ctrl+n")
            stage.server.script(Reply(text="a b c", gates={2: "never"}))
            await stage.send("stop me")
            await stage.sees("a")
        gc.collect()
    told = [str(warning.message) for warning in caught]
    assert not [text for text in told if "never awaited" in text or "was destroyed" in text]


async def test_leaving_in_mid_turn_ends_it(play: Play) -> None:
    async with play() as stage:
        stage.server.script(Reply(text="a b c", gates={2: "never"}))
        await stage.send("stop me")
        await stage.sees("a")
        await stage.app.leave()
        await stage.server.wait_aborted(1)


async def test_resizes_in_a_storm_end_well(play: Play) -> None:
    async with play() as stage:
        stage.server.script(Reply(text="word " * 400, gates={200: "go"}))
        await stage.send("stream")
        await stage.until(lambda: stage.answers and len(stage.answers[-1].text) > 500)
        for width, height in ((20, 5), (200, 60), (40, 10), (104, 24), (80, 24), (1, 1), (120, 40)):
            await stage.pilot.resize_terminal(width, height)
        stage.server.gate("go").set()
        await stage.idle()
        assert stage.chat.transcript.following
        await stage.sees("word word")
        await stage.sees("demo-fast · ")
