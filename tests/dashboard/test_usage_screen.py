"""The usage screen of the whole app, on a store with requests of several days."""

from __future__ import annotations

import csv
import time
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from chatglass.spending.days import today
from chatglass.store.protocol import SessionStore
from chatglass.store.records import SessionRow
from chatglass.store.usage_records import UsageQuery
from chatglass.tui.dashboard.screen import UsageScreen
from chatglass.tui.dialogs.dialogs import TextDialog
from chatglass.values.usage import Usage
from store.builders import message, new_session, request
from tui.conftest import Play
from tui.stage import Stage


def at(day: date) -> int:
    """Noon of that day."""
    return int(time.mktime((day.year, day.month, day.day, 12, 0, 0, 0, 0, -1)) * 1000)


async def spend(store: SessionStore, session: SessionRow, day: date, cost: str, **fields: Any):
    begun = request(session.id, **({"started_at": at(day), "model": "dear"} | fields))
    await store.add_request(begun)
    usage = Usage(prompt_tokens=900, completion_tokens=100, cached_tokens=400)
    await store.finish_request(
        replace(begun, status="complete", usage=usage, cost=Decimal(cost), price_source="settings")
    )


async def fill(store: SessionStore) -> tuple[SessionRow, SessionRow]:
    first = await new_session(store, title="The first session")
    second = await new_session(store, title="[b]Zweite[/b] =1+1")
    for session in (first, second):
        await store.append_message(message(session.id))
    now = today()
    await spend(store, first, now, "0.5")
    held = {"tool_tokens": (("read_file", 450),), "prompt_cost": Decimal("0.2")}
    await spend(store, second, now - timedelta(days=1), "0.25", **held)
    await spend(store, second, now - timedelta(days=20), "1", model="other", endpoint="there")
    await spend(store, second, now - timedelta(days=200), "4")
    return first, second


async def opened(stage: Stage) -> UsageScreen:
    await stage.command("/usage")
    await stage.until(lambda: isinstance(stage.app.screen, UsageScreen), "the usage screen")
    screen = stage.app.screen
    assert isinstance(screen, UsageScreen)
    await stage.until(lambda: screen.listed or screen.has_class("-empty"), "rows")
    return screen


async def shown(stage: Stage, screen: UsageScreen, *names: str) -> None:
    await stage.until(lambda: [row.name for row in screen.listed] == list(names), str(names))


async def test_days_models_tools_and_sessions(play: Play) -> None:
    async with play() as stage:
        assert stage.app.workspace is not None
        first, second = await fill(stage.app.workspace.store)
        screen = await opened(stage)
        now = today()
        days = [str(now - timedelta(days=back)) for back in (0, 1, 20)]
        await shown(stage, screen, *days)
        for words in ("$1.75", "3 requests", "3,000 tokens", "30 days", "█"):
            assert words in stage.screen_text, words
        await stage.press("m")
        await shown(stage, screen, "other", "dear")
        await stage.sees("other · there")
        await stage.press("3")
        await shown(stage, screen, "read_file")
        await stage.sees("≈ $0.1000")  # 450 of 900 tokens of a prompt of $0.20
        await stage.press("4")
        await shown(stage, screen, second.id, first.id)
        await stage.sees("[b]Zweite[/b] =1+1")
        await stage.press("escape")
        await stage.until(lambda: stage.app.screen is stage.chat, "back")


async def test_ranges(play: Play) -> None:
    async with play() as stage:
        assert stage.app.workspace is not None
        await fill(stage.app.workspace.store)
        screen = await opened(stage)
        for name, count in (("90 days", 3), ("all", 4), ("7 days", 2), ("30 days", 3)):
            await stage.press("r")
            await stage.until(
                lambda n=name, c=count: screen.place.span_name == n and len(screen.listed) == c
            )
            await stage.sees(name)
        await stage.press("c")
        dialog = stage.app.screen
        assert isinstance(dialog, TextDialog)
        dialog._field.value = "2025-03-09 2025-03-01"  # type: ignore[union-attr]
        await stage.press("enter")
        await stage.sees("before it begins")
        day = today() - timedelta(days=20)
        dialog._field.value = str(day)  # type: ignore[union-attr]
        await stage.press("enter")
        await shown(stage, screen, str(day))
        await stage.press("c")
        stage.app.screen._field.value = "2001-01-01"  # type: ignore[attr-defined]
        await stage.press("enter")
        await stage.sees("No requests in this range")


async def test_into_a_day_a_model_a_tool_down_to_the_session(play: Play) -> None:
    async with play() as stage:
        assert stage.app.workspace is not None
        first, second = await fill(stage.app.workspace.store)
        screen = await opened(stage)
        await stage.press("m", "down", "enter")
        await shown(stage, screen, first.id, second.id)
        await stage.sees("in dear")
        await stage.press("d")
        await stage.until(lambda: len(screen.listed) == 2)
        await stage.press("escape")
        await shown(stage, screen, "other", "dear")
        await stage.press("t", "enter")
        await shown(stage, screen, second.id)
        await stage.sees("≈ $0.1000")
        await stage.press("escape", "d", "enter")
        await shown(stage, screen, first.id)
        await stage.press("enter")
        await stage.until(lambda: stage.session.id == first.id, "the session")
        assert stage.app.screen is stage.chat


async def test_csv(play: Play, folder: Path) -> None:
    async with play() as stage:
        assert stage.app.workspace is not None
        _, second = await fill(stage.app.workspace.store)
        screen = await opened(stage)
        await stage.press("s")
        await stage.until(lambda: len(screen.listed) == 2)
        await stage.press("e")
        there = folder / "there.csv"
        there.write_text("mine")
        stage.app.screen._field.value = str(there)  # type: ignore[attr-defined]
        await stage.press("enter")
        await stage.sees("is there already")
        target = folder / "usage.csv"
        stage.app.screen._field.value = str(target)  # type: ignore[attr-defined]
        await stage.press("enter")
        await stage.sees("Wrote 2 rows")
        rows = list(csv.DictReader(target.open(encoding="utf-8", newline="")))
        assert rows[0]["session_id"] == second.id
        assert sum(Decimal(row["cost_usd"]) for row in rows) == Decimal("1.75")
        assert there.read_text() == "mine"
        assert target.stat().st_mode & 0o777 == 0o600


async def test_what_there_is_is_what_the_store_sums(play: Play) -> None:
    """The screen adds nothing and leaves nothing out, and paints no more rows than it shows."""
    async with play(size=(80, 24)) as stage:
        assert stage.app.workspace is not None
        store = stage.app.workspace.store
        session = await new_session(store, title="long")
        for back in range(400):
            await spend(store, session, today() - timedelta(days=back), "0.001")
        screen = await opened(stage)
        await stage.press("r", "r")
        await stage.until(lambda: len(screen.listed) == 400)
        rows = await store.usage(UsageQuery(by="day"))
        assert list(reversed(screen.listed)) == rows
        assert screen._list.lines_painted < 200  # pyright: ignore[reportPrivateUsage]
        await stage.sees("$0.4000")
        await stage.press("end", "home", "pagedown")
        assert screen._list.cursor > 1  # pyright: ignore[reportPrivateUsage]


async def test_what_cost_nothing_is_drawn_by_its_tokens(play: Play) -> None:
    async with play() as stage:
        assert stage.app.workspace is not None
        store = stage.app.workspace.store
        session = await new_session(store, title="Free")
        await store.append_message(message(session.id))
        await spend(store, session, today(), "0")
        screen = await opened(stage)
        await stage.sees("█")
        assert screen.measure == "tokens"
        await stage.press("x")
        await stage.until(lambda: "█" not in stage.screen_text, "the cost, as wished")
        assert screen.measure == "cost"
