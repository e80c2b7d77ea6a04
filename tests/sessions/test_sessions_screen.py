"""The session list by keys, as a user has it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal

from textual.app import App
from textual.pilot import Pilot

from chatglass.store.protocol import StoreError
from chatglass.store.records import SessionRow
from chatglass.tui.sessions.screen import SessionsScreen

NOW = 1_700_000_000_000
HOUR = 3_600_000


def session(number: int, **changes: object) -> SessionRow:
    row = SessionRow(
        id=f"id-{number}",
        title=f"Session {number}",
        root="/here",
        endpoint="openai",
        model="gpt-5-mini",
        created_at=NOW - number * HOUR,
        updated_at=NOW - number * HOUR,
        messages=12,
        requests=2,
        cost=Decimal("0.0183"),
    )
    return replace(row, **changes)  # type: ignore[arg-type]


class SessionsApp(App[None]):
    def __init__(self, rows: list[SessionRow]) -> None:
        super().__init__()
        self.rows = rows
        self.writes: list[tuple[str, ...]] = []
        self.refuse: Exception | None = None
        self.results: list[str | None] = []

    async def list_sessions(self) -> list[SessionRow]:
        if self.refuse is not None:
            raise self.refuse
        return self.rows

    async def rename(self, session_id: str, title: str) -> None:
        if self.refuse is not None:
            raise self.refuse
        self.writes.append(("rename", session_id, title))

    async def delete(self, session_id: str) -> None:
        if self.refuse is not None:
            raise self.refuse
        self.writes.append(("delete", session_id))

    async def open_list(self, pilot: Pilot[None], current: str | None = None) -> SessionsScreen:
        screen = SessionsScreen(
            self.list_sessions,
            rename=self.rename,
            delete=self.delete,
            root="/here",
            current=current,
            now=lambda: NOW,
        )
        self.push_screen(screen, self.results.append)
        await settle(pilot, self)
        return screen


async def settle(pilot: Pilot[None], app: App[None]) -> None:
    async with asyncio.timeout(20):
        await pilot.pause()
        while any(not worker.is_finished for worker in app.workers):
            await pilot.pause(0.005)
        await pilot.pause()


def lines(app: App[None]) -> list[str]:
    return [strip.text.strip("│ ") for strip in app.screen._compositor.render_strips()]


def listed(app: App[None]) -> list[str]:
    return [line for line in lines(app)[3:-2] if line]


async def test_a_row_tells_title_model_place_date_age_and_cost() -> None:
    app = SessionsApp([session(3), session(5, root="/else/where", title="Other")])
    async with app.run_test(size=(140, 24)) as pilot:
        await app.open_list(pilot)
        first, second = listed(app)
        words = ("Session 3", "gpt-5-mini", "12 msg", "here", "2023-11-1", "3 h", "$0.0183")
        assert all(word in first for word in words)
        assert "where" in second
        assert lines(app)[0].startswith("╭─ Sessions")
        assert lines(app)[-1].rstrip("╯─ ").endswith(" 2")


async def test_at_80_columns_title_model_age_and_cost_are_left() -> None:
    app = SessionsApp([session(3)])
    async with app.run_test(size=(80, 24)) as pilot:
        await app.open_list(pilot)
        row = listed(app)[0]
        assert all(word in row for word in ("Session 3", "gpt-5-mini", "3 h", "$0.0183"))
        assert "2023" not in row
        assert "Esc close" in lines(app)[-2], "the keys fit"


async def test_marks_are_signs_and_change_live() -> None:
    rows = [session(i) for i in range(6)]
    rows[3] = replace(rows[3], last_status="interrupted")
    rows[4] = replace(rows[4], draft="half a prompt")
    app = SessionsApp(rows)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await app.open_list(pilot, current="id-2")
        screen.set_marks({"id-0", "id-1"}, {"id-1"})
        await pilot.pause()
        assert [row[0] for row in listed(app)] == ["●", "?", "▸", "!", "✎", "S"]
        screen.set_marks(set(), set())
        await pilot.pause()
        assert [row[0] for row in listed(app)[:2]] == ["S", "S"]


async def test_typing_filters_and_enter_opens() -> None:
    app = SessionsApp([session(i, title=f"Topic {i}") for i in range(30)])
    async with app.run_test(size=(80, 24)) as pilot:
        await app.open_list(pilot)
        await pilot.press(*"topic 2")
        await pilot.pause()
        assert [row[:8].strip() for row in listed(app)] == [
            "Topic 2",
            *(f"Topic {i}" for i in (12, *range(20, 30))),
        ]
        assert "12 of 30" in lines(app)[-1]
        await pilot.press("down", "down", "enter")
        await pilot.pause()
        assert app.results == ["id-20"]


async def test_enter_on_nothing_opens_nothing_and_escape_steps_back() -> None:
    app = SessionsApp([session(1)])
    async with app.run_test(size=(80, 24)) as pilot:
        await app.open_list(pilot)
        await pilot.press(*"zz", "enter")
        await pilot.pause()
        assert listed(app) == []
        assert app.results == []
        await pilot.press("escape")
        await pilot.pause()
        assert len(listed(app)) == 1
        await pilot.press("escape")
        await pilot.pause()
        assert app.results == [None]


async def test_f2_renames_from_the_filter() -> None:
    app = SessionsApp([session(1), session(2)])
    async with app.run_test(size=(80, 24)) as pilot:
        await app.open_list(pilot)
        await pilot.press("down", "f2")
        await pilot.pause()
        assert "Rename: Session 2" in lines(app)[-2]
        await pilot.press(*"[b]u", "enter")
        await settle(pilot, app)
        assert app.writes == [("rename", "id-2", "[b]u")]
        assert listed(app)[1].startswith("[b]u")
        await pilot.press("]", "u")
        await pilot.pause()
        assert len(listed(app)) == 1, "the focus is back in the filter, and it knows the new title"


async def test_rename_can_be_left() -> None:
    app = SessionsApp([session(1)])
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await app.open_list(pilot)
        await pilot.press("tab", "r", "x", "escape")
        await settle(pilot, app)
        assert app.writes == []
        assert screen.focused is screen.session_list
        await pilot.press("r", "ctrl+u", "enter")
        await settle(pilot, app)
        assert app.writes == [], "an empty title changes nothing"


async def test_delete_asks_and_only_y_deletes() -> None:
    app = SessionsApp([session(1), session(2), session(3)])
    async with app.run_test(size=(80, 24)) as pilot:
        await app.open_list(pilot)
        await pilot.press("tab", "down", "delete")
        await pilot.pause()
        assert "Delete “Session 2” with its 12 messages for good?" in lines(app)[-2]
        await pilot.press("enter")
        await settle(pilot, app)
        assert app.writes == []
        assert app.results == [], "and Enter did not open either"
        await pilot.press("delete", "y")
        await settle(pilot, app)
        assert app.writes == [("delete", "id-2")]
        assert [row[:9] for row in listed(app)] == ["Session 1", "Session 3"]
        await pilot.press("enter")
        await pilot.pause()
        assert app.results == ["id-3"], "the cursor stays at its place"


async def test_a_session_at_work_is_not_deleted() -> None:
    app = SessionsApp([session(1)])
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await app.open_list(pilot)
        screen.set_marks({"id-1"}, set())
        await pilot.press("tab", "delete", "y")
        await settle(pilot, app)
        assert app.writes == []
        assert "at work" in lines(app)[-2]


async def test_what_the_store_refuses_is_said_and_changes_nothing() -> None:
    app = SessionsApp([session(1)])
    async with app.run_test(size=(80, 24)) as pilot:
        await app.open_list(pilot)
        app.refuse = StoreError("history.db is read-only")
        await pilot.press("tab", "delete", "y")
        await settle(pilot, app)
        assert "history.db is read-only" in lines(app)[-2]
        assert len(listed(app)) == 1


async def test_a_list_that_cannot_be_read_says_why() -> None:
    app = SessionsApp([])
    app.refuse = StoreError("history.db is gone")
    async with app.run_test(size=(80, 24)) as pilot:
        await app.open_list(pilot)
        assert "history.db is gone" in lines(app)[-2]


async def test_nothing_saved_yet() -> None:
    app = SessionsApp([])
    async with app.run_test(size=(80, 24)) as pilot:
        await app.open_list(pilot)
        assert "no saved sessions yet" in lines(app)[-1]
        await pilot.press("enter", "f2", "tab", "delete", "down")
        await pilot.pause()
        assert app.results == []


async def test_ten_thousand_sessions_paint_only_the_screen() -> None:
    app = SessionsApp([session(i) for i in range(10_000)])
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await app.open_list(pilot)
        height = screen.session_list.size.height
        assert screen.session_list.lines_painted <= 6 * height
        before = screen.session_list.lines_painted
        await pilot.press("9")
        await pilot.pause()
        assert screen.session_list.lines_painted - before <= 2 * height
        assert "3,439 of 10,000" in lines(app)[-1]


async def test_reloading_keeps_filter_and_cursor() -> None:
    app = SessionsApp([session(i, title=f"Topic {i}") for i in range(30)])
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await app.open_list(pilot)
        await pilot.press("2", "down", "down")
        app.rows = [session(99, title="Topic 2 new"), *app.rows]
        screen.reload()
        await settle(pilot, app)
        assert screen.session_list.cursor_id == "id-20"
        assert listed(app)[0].startswith("Topic 2 new")
