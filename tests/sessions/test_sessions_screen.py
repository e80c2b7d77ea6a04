"""The session browser by keys and mouse, over a real store."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from textual.app import App
from textual.pilot import Pilot

from chatglass.store.protocol import StoreError
from chatglass.store.records import MessageRow, SessionQuery, SessionRow, ToolResult
from chatglass.store.search_records import Matches
from chatglass.store.sqlite import SqliteStore, rows
from chatglass.tui.actions.registry import ACTIONS
from chatglass.tui.sessions import finding, listing
from chatglass.tui.sessions.list_head import ListHead
from chatglass.tui.sessions.screen import SessionChoice, SessionsScreen
from store.builders import message, talk, tool_call

NOW = 1_700_000_000_000
HOUR = 3_600_000
HERE = "/here"


def session(number: int, **changes: object) -> SessionRow:
    row = SessionRow(
        id=f"ID{number}",
        title=f"Session {number}",
        root=HERE,
        endpoint="openai",
        model="gpt-5-mini",
        created_at=NOW - number * HOUR,
        updated_at=NOW - number * HOUR,
        messages=12,
        requests=2,
        tool_calls=3,
        total_tokens=1_000,
        cost=Decimal("0.0183"),
    )
    return replace(row, **changes)  # type: ignore[arg-type]


async def until(condition: Callable[[], bool]) -> None:
    end = asyncio.get_running_loop().time() + 20
    while not condition():
        assert asyncio.get_running_loop().time() < end
        await asyncio.sleep(0.002)


class CountedStore(SqliteStore):
    """The store in memory, which counts what is asked of it, and can be made to wait."""

    def __init__(self) -> None:
        super().__init__(None)
        self.listed: list[int] = []
        self.searched: list[str] = []
        self.broken_off: list[str] = []
        self.previewed = 0
        self.gate: asyncio.Event | None = None
        self.refuse: StoreError | None = None

    async def list_sessions(self, query: SessionQuery) -> list[SessionRow]:
        if self.refuse is not None:
            raise self.refuse
        found = await super().list_sessions(query)
        self.listed.append(len(found))
        return found

    async def matches(self, text: str, *, limit: int = 1_000, after: str = "") -> Matches:
        self.searched.append(text)
        try:
            if self.gate is not None:
                await self.gate.wait()
            return await super().matches(text, limit=limit, after=after)
        except asyncio.CancelledError:
            self.broken_off.append(text)
            raise

    async def excerpts(self, *args: Any, **kwargs: Any) -> Any:
        self.previewed += 1
        return await super().excerpts(*args, **kwargs)

    async def set_pinned(self, session_id: str, pinned: bool) -> None:
        if self.refuse is not None:
            raise self.refuse
        await super().set_pinned(session_id, pinned)


class Browser:
    """The screen in an app of its own."""

    def __init__(self, app: App[None], pilot: Pilot[None], store: CountedStore) -> None:
        self.app = app
        self.pilot = pilot
        self.store = store
        self.results: list[SessionChoice | None] = []
        self.deleted: list[str] = []
        self.renamed: list[tuple[str, str, bool]] = []

    async def open(self, current: str | None = None) -> SessionsScreen:
        async def rename(session_id: str, title: str, by_user: bool) -> None:
            self.renamed.append((session_id, title, by_user))
            await self.store.rename_session(session_id, title, by_user=by_user)

        screen = SessionsScreen(
            self.store,
            rename=rename,
            delete=self.deleted.extend,
            root=HERE,
            current=current,
            now=lambda: NOW,
        )
        self.app.push_screen(screen, self.results.append)
        await self.settle()
        return screen

    async def settle(self) -> None:
        """Until no worker runs and all is painted."""
        # What one worker shows may start another: of the preview, of lines.
        for _ in range(2):
            await self.pilot.pause()
            await until(lambda: all(worker.is_finished for worker in self.app.workers))
        await self.pilot.pause()

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.settle()

    async def search(self, text: str) -> None:
        self.screen._filter.value = text
        await self.settle()

    @property
    def screen(self) -> SessionsScreen:
        found = self.app.screen
        assert isinstance(found, SessionsScreen)
        return found

    @property
    def lines(self) -> list[str]:
        return [strip.text for strip in self.app.screen._compositor.render_strips()]

    @property
    def listed(self) -> list[str]:
        """The rows of the list on screen."""
        region = self.screen.session_list.region
        found = [line[region.x : region.right - 1] for line in self.lines]
        return [line.rstrip() for line in found[region.y : region.bottom] if line.strip()]

    @property
    def titles(self) -> list[str]:
        """Of the sessions listed, whether on screen or not."""
        found = self.screen.listing
        return [found.sessions[row.place].title for row in found.rows if not row.ref]

    @property
    def said(self) -> str:
        """What stands above the keys; empty while nothing is said."""
        line = self.screen._prompt
        return self.lines[line.region.y].strip() if line.display else ""

    @property
    def keys(self) -> str:
        return self.lines[-1].strip()

    @property
    def total(self) -> str:
        return self.lines[self.screen._total.region.y].strip()

    @property
    def frame(self) -> str:
        """The lower edge of the list's panel."""
        region = self.screen._panel.region
        return self.lines[region.bottom - 1][: region.right]


@asynccontextmanager
async def browsing(
    *sessions: SessionRow, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[Browser]:
    store = CountedStore()
    await store.open()
    await add(store, sessions)
    app: App[None] = App()
    async with app.run_test(size=size) as pilot:
        yield Browser(app, pilot, store)
    await store.close()


async def add(store: SqliteStore, sessions: Sequence[SessionRow]) -> None:
    """As they are, with the totals they have; their titles are not indexed."""

    def fill(db: sqlite3.Connection) -> None:
        sql = rows.insert("sessions", rows.SESSION)
        db.executemany(sql, [rows.session_values(row) for row in sessions])

    await store._db.write(fill)


async def said_in(
    store: SqliteStore, session_id: str, *texts: str, parent: str | None = None
) -> list[MessageRow]:
    """Messages one after the other, as old as their session, so that the order stays."""
    messages: list[MessageRow] = []
    for text in texts:
        above = messages[-1].id if messages else parent
        messages.append(message(session_id, above, content=text, created_at=1))
        await store.append_message(messages[-1])
    return messages


class TestList:
    async def test_a_row_tells_all_there_is(self) -> None:
        other = session(5, root="/else/where", title="Other", tags=("work",), excerpt="First words")
        async with browsing(session(3), other, size=(230, 24)) as browser:
            await browser.open()
            first, second = browser.listed
            for word in (
                "Session 3",
                "gpt-5-mini",
                "12",
                " 3 ",
                "here",
                "2023-11-1",
                "3 h",
                "$0.0183",
            ):
                assert word in first
            assert "where" in second
            assert "Other #work  First words" in second
            head = browser.lines[browser.screen.session_list.region.y - 1]
            for name in ("title", "model", "msgs", "calls", "place", "date", "▾age", "cost"):
                assert name in head

    async def test_at_80_columns_the_figures_are_left(self) -> None:
        async with browsing(session(3)) as browser:
            await browser.open()
            for word in ("Session 3", "gpt-5-mini", "12", "3 h", "$0.0183"):
                assert word in browser.listed[0]
            assert "2023" not in browser.listed[0]
            assert browser.keys == "Esc Close  F1 Keys  Tab Next part  Enter Open", "the keys fit"

    async def test_marks_are_signs_and_change_live(self) -> None:
        sessions = [session(i) for i in range(6)]
        sessions[3] = replace(sessions[3], last_status="interrupted")
        sessions[4] = replace(sessions[4], draft="half a prompt")
        async with browsing(*sessions) as browser:
            screen = await browser.open(current="ID2")
            screen.set_marks({"ID0", "ID1"}, {"ID1"})
            await browser.pilot.pause()
            assert [row[0] for row in browser.listed] == ["●", "?", "▸", "!", "✎", " "]
            screen.set_marks(set(), set())
            await browser.pilot.pause()
            assert [row[0] for row in browser.listed[:2]] == [" ", " "]

    async def test_flags_and_pinned_on_top(self) -> None:
        async with browsing(
            session(1),
            session(2, pinned=True, forked_from=("ID1", "M")),
            session(3, archived=True),
        ) as browser:
            await browser.open()
            assert browser.titles == ["Session 2", "Session 1"]
            assert browser.listed[0].startswith("  ★⑂ Session 2")
            await browser.search("is:arch")
            assert browser.listed[0].startswith("  ▣ Session 3")
            assert len(browser.listed) == 1

    async def test_the_total_line_sums_what_is_listed(self) -> None:
        sessions = (session(1), session(2, title="Other", cost=Decimal("0.5"), total_tokens=50_000))
        async with browsing(*sessions) as browser:
            await browser.open()
            assert browser.total.startswith("2 sessions · 51,000 tokens · $0.5183 ·")
            await browser.search("cost>0.1")
            assert browser.total.startswith("1 session · 50,000 tokens · $0.5000 ·")
            assert "1 of 2" in browser.frame
            assert "index" in browser.frame

    async def test_sorting_by_key_and_by_a_click_on_the_head(self) -> None:
        sessions = (
            session(1, title="new"),
            session(2, title="dear", cost=Decimal(9)),
            session(3, title="long", messages=99),
        )
        async with browsing(*sessions) as browser:
            await browser.open()
            await browser.press("tab", "s")
            assert (browser.titles[0], "dearest" in browser.total) == ("dear", True)
            await browser.press("s")
            assert (browser.titles[0], "longest" in browser.total) == ("long", True)
            await browser.press("s")
            assert (browser.titles[0], "newest" in browser.total) == ("new", True)
            head = browser.screen.query_one(ListHead)
            x = browser.lines[head.region.y].index("cost") - head.region.x
            await browser.pilot.click(ListHead, offset=(x, 0))
            await browser.settle()
            assert browser.titles[0] == "dear"
            assert "▾cost" in browser.lines[head.region.y]

    async def test_ten_thousand_sessions_first_paint_two_hundred(self) -> None:
        sessions = [session(i, title=f"Topic {i}") for i in range(10_000)]
        async with browsing(*sessions, size=(120, 40)) as browser:
            screen = await browser.open()
            assert browser.store.listed == [200, 10_000]
            shown = screen.session_list
            height = shown.size.height
            assert shown.lines_painted <= 8 * height
            before = shown.lines_painted
            await browser.search("topic 99")
            assert shown.lines_painted - before <= 4 * height
            assert "280 of 10,000" in browser.frame

    async def test_reloading_keeps_search_and_cursor(self) -> None:
        async with browsing(*[session(i, title=f"Topic {i}") for i in range(30)]) as browser:
            screen = await browser.open()
            await browser.search("topic 2")
            await browser.press("down", "down")
            await add(browser.store, [session(-1, title="Topic 2 new")])
            screen.reload()
            await browser.settle()
            assert screen.session_list.chosen == session(20, title="Topic 20")
            assert browser.titles[0] == "Topic 2 new"

    async def test_nothing_saved_yet(self) -> None:
        async with browsing() as browser:
            await browser.open()
            assert "no saved sessions yet" in browser.frame
            await browser.press("enter", "f2", "tab", *"ptadz ", "down", "enter")
            assert browser.results == []
            assert browser.said == "There is nothing to undo."

    async def test_a_list_that_cannot_be_read_says_why(self) -> None:
        async with browsing(session(1)) as browser:
            browser.store.refuse = StoreError("history.db is gone")
            await browser.open()
            assert browser.said == "history.db is gone"


class TestSearch:
    async def test_messages_and_tools_are_found_and_their_lines_shown(self) -> None:
        async with browsing(session(1), session(2), session(3)) as browser:
            sent, _ = await said_in(browser.store, "ID2", "a needle in a prompt", "nothing")
            call = tool_call("ID3", name="needle_tool", message_id=sent.id)
            await browser.store.add_tool_calls([call])
            await browser.store.update_tool_call(call, ToolResult("a result with a needle", ""))
            await browser.open()
            await browser.press(*"needle")
            assert browser.titles == ["Session 2", "Session 3"]
            shown = browser.listed
            assert shown[1].strip() == "│ a needle in a prompt"
            assert shown[3].strip() == "⚙ a result with a needle"
            assert shown[4].strip() == '⚙ needle_tool {"path": "tests/test_parse.py"}'

    async def test_the_match_is_marked(self) -> None:
        async with browsing(session(1, title="A Needle")) as browser:
            await said_in(browser.store, "ID1", "one needle and a Needle")
            screen = await browser.open()
            await browser.search("needle")
            found = screen.session_list.part_style("session-list--found")
            for y, count in ((0, 1), (1, 2)):
                strip = screen.session_list.paint_line(y, 70)
                marked = [text for text, style, _ in strip if style and style.color == found.color]
                assert [text.lower() for text in marked] == ["needle"] * count

    async def test_enter_opens_at_the_match_under_the_cursor(self) -> None:
        async with browsing(session(1), session(2)) as browser:
            first, _, second = await said_in(browser.store, "ID2", "needle 1", "no", "needle 2")
            await browser.open()
            await browser.press(*"needle", "down", "down", "enter")
            assert browser.results == [SessionChoice("ID2", first.id, "needle")]
            await browser.open()
            await browser.press(*"needle", "enter")
            assert browser.results[1:] == [SessionChoice("ID2", second.id, "needle")], "the newest"
            await browser.open()
            await browser.press(*"session 1", "enter")
            assert browser.results[2:] == [SessionChoice("ID1", "")]

    async def test_three_matches_are_shown_and_the_others_counted(self) -> None:
        async with browsing(session(1)) as browser:
            await said_in(browser.store, "ID1", *(f"needle {i}" for i in range(1, 9)))
            await browser.open()
            await browser.search("needle")
            assert len(browser.listed) == 4
            assert browser.listed[1].strip() == "│ needle 8"
            assert browser.listed[3].endswith("+5 more")

    async def test_facets_narrow_down(self) -> None:
        sessions = (session(1, tags=("work",)), session(2), session(3, root="/x", pinned=True))
        async with browsing(*sessions) as browser:
            await browser.store.add_tool_calls([tool_call("ID2", name="frobnicate")])
            await said_in(browser.store, "ID1", "a needle")
            await said_in(browser.store, "ID2", "a needle")
            await browser.open()
            for text, found in {
                "tag:work": ["Session 1"],
                "tool:frob": ["Session 2"],
                "tool:frob needle": ["Session 2"],
                "needle tag:work": ["Session 1"],
                "is:pinned": ["Session 3"],
                "root:here": ["Session 1", "Session 2"],
                "tool:nothing": [],
            }.items():
                await browser.search(text)
                assert browser.titles == found, text

    async def test_chinese_by_two_characters(self) -> None:
        async with browsing(session(1), session(2)) as browser:
            await said_in(browser.store, "ID2", "请读取文件内容")
            await browser.open()
            await browser.search("文件")
            assert browser.titles == ["Session 2"]
            assert browser.listed[1].strip().startswith("│ 请读取文件内容  ")

    async def test_short_words_search_titles_and_the_screen_says_so(self) -> None:
        async with browsing(session(1, title="Öl"), session(2)) as browser:
            await said_in(browser.store, "ID2", "öl und Gas")
            await browser.open()
            await browser.search("öl")
            assert browser.titles == ["Öl"]
            assert "titles only" in browser.said
            await browser.search("öl g")
            assert browser.titles == []
            await browser.search("öl u")
            assert browser.store.searched == []
            await browser.search("öl und")
            assert browser.titles == ["Session 2"]
            assert "titles only" not in browser.said

    async def test_what_a_facet_can_not_be_is_said(self) -> None:
        async with browsing(session(1)) as browser:
            await browser.open()
            await browser.search("colour:red")
            assert browser.said.startswith("There is no facet colour:")
            await browser.search("is:x")
            assert "pinned, interrupted" in browser.said
            assert browser.titles == ["Session 1"], "an unfinished facet hides nothing"
            await browser.search("")
            assert not browser.said

    async def test_another_key_breaks_the_search_off(self) -> None:
        async with browsing(session(1)) as browser:
            await said_in(browser.store, "ID1", "a needle")
            screen = await browser.open()
            browser.store.gate = asyncio.Event()
            screen._filter.value = "need"
            await until(lambda: browser.store.searched == ["need"])
            screen._filter.value = "needle"
            await until(lambda: browser.store.broken_off == ["need"])
            browser.store.gate.set()
            await browser.settle()
            assert browser.store.searched == ["need", "needle"]
            assert screen.listing.search.words == "needle"

    async def test_keys_in_a_burst_are_one_search(self) -> None:
        async with browsing(session(1)) as browser:
            screen = await browser.open()
            for length in range(3, 7):
                screen._filter.value = "needle"[:length]
            await browser.settle()
            assert browser.store.searched == ["needle"]

    async def test_nothing_is_searched_until_the_keys_pause(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(finding, "DEBOUNCE", 600)
        async with browsing(session(1)) as browser:
            screen = await browser.open()
            await browser.pilot.press(*"needle")
            await browser.pilot.pause()
            assert screen._filter.value == "needle"
            assert browser.store.searched == []
            screen.workers.cancel_all()

    async def test_later_pages_bring_the_older_sessions(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(finding, "FIRST", 2)
        monkeypatch.setattr(finding, "PAGE", 3)
        async with browsing(*[session(i) for i in range(9)]) as browser:
            for i in range(8, -1, -1):
                await said_in(browser.store, f"ID{i}", "needle")
            screen = await browser.open()
            await browser.search("needle")
            assert len(browser.store.searched) == 4
            assert len(browser.titles) == 9
            assert screen.listing.found.complete
            assert "searching" not in browser.frame
            assert sum("│ needle" in line for line in browser.listed) >= 6, (
                "lines that came into view were read"
            )

    async def test_unread_lines_are_read_when_they_come_into_view(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(finding, "_LINES", 2)
        async with browsing(*[session(i) for i in range(40)]) as browser:
            for i in range(39, -1, -1):
                await said_in(browser.store, f"ID{i}", f"needle in {i}")
            screen = await browser.open()
            await browser.search("needle")
            height = screen.session_list.size.height
            assert len(screen.session_list._lines) <= height + 2
            await browser.press("ctrl+end")
            assert browser.listed[-1].strip() == "│ needle in 39"
            assert len(screen.session_list._lines) <= 2 * height + 2

    async def test_here_by_a_key(self) -> None:
        async with browsing(session(1), session(2, root="/x")) as browser:
            await browser.open()
            await browser.press("tab", "h")
            assert browser.titles == ["Session 1"]
            await browser.press("h")
            assert len(browser.titles) == 2

    async def test_escape_steps_back(self) -> None:
        async with browsing(session(1)) as browser:
            await browser.open()
            await browser.press(*"zz", "enter")
            assert (browser.listed, browser.results) == ([], [])
            await browser.press("escape")
            assert len(browser.listed) == 1
            await browser.press("tab", "space", "escape")
            assert browser.results == []
            await browser.press("escape")
            assert browser.results == [None]


class TestPreview:
    async def test_it_stands_beside_the_list_where_there_is_room(self) -> None:
        for size, shown in (((80, 24), False), ((120, 40), True), ((200, 60), True)):
            async with browsing(session(1), size=size) as browser:
                await said_in(browser.store, "ID1", "first", "the last words")
                await browser.open()
                text = "\n".join(browser.lines)
                assert ("the last words" in text) is shown
                assert ("12 messages" in text or "14 messages" in text) is shown
                await browser.press("tab", "v")
                assert ("the last words" in "\n".join(browser.lines)) is not shown

    async def test_it_shows_the_match_under_the_cursor(self) -> None:
        async with browsing(session(1), size=(120, 24)) as browser:
            texts = [f"message {i} " + "word " * 60 for i in range(40)]
            texts[7] = "x " * 300 + "the needle " + "y " * 300
            messages = await said_in(browser.store, "ID1", *texts)
            screen = await browser.open()
            await browser.search("needle")
            assert "the needle y" in "\n".join(browser.lines)
            assert screen.preview.text.at == messages[7].id
            found = screen.preview.part_style("preview--found")
            marked = [
                text
                for strip in screen.preview.lines
                for text, style, _ in strip
                if style is not None and style.color == found.color
            ]
            assert marked == ["needle"]

    async def test_an_answer_is_shown_without_the_marks_of_its_markdown(self) -> None:
        async with browsing(session(1), size=(120, 40)) as browser:
            (asked,) = await said_in(browser.store, "ID1", "is `it` **so**?")
            text = "# Head\n\nIt is **very** so, the *needle*.\n\n```py\nx = 1\n```\n"
            await browser.store.append_message(
                message("ID1", asked.id, role="assistant", content=text, created_at=1)
            )
            screen = await browser.open()
            await browser.search("needle")
            shown = "\n".join(strip.text for strip in screen.preview.lines)
            assert "It is very so, the needle." in shown
            assert "```" not in shown
            assert "is `it` **so**?" in shown  # a prompt is shown as it was typed
            found = screen.preview.part_style("preview--found")
            marks = [
                text
                for strip in screen.preview.lines
                for text, style, _ in strip
                if style is not None and style.color == found.color and style.underline
            ]
            assert marks == ["needle"]
            (document,) = screen.preview._markdown._documents.values()
            screen.preview._lay_out()
            assert [*screen.preview._markdown._documents.values()] == [document]  # parsed once

    async def test_only_what_is_on_screen_is_laid_out(self) -> None:
        async with browsing(session(1), size=(120, 24)) as browser:
            parent = None
            for number in range(12):
                text = "\n\n".join(f"**paragraph {number}** {line}" for line in range(60))
                made = message("ID1", parent, role="assistant", content=text, created_at=number)
                await browser.store.append_message(made)
                parent = made.id
            screen = await browser.open()
            preview = screen.preview
            assert len(preview._markdown) == 1
            shown = preview.lines[round(preview.scroll_y)].text
            seen = []
            while preview.scroll_y > 0:
                preview.action_page_up()
                seen.append(len(preview._markdown))
            assert seen[0] <= 2
            assert seen == sorted(seen)
            assert len(preview._markdown) == 12  # and the facts stand above them
            assert "ID1" not in shown
            assert any(preview.text.facts[0][:10] in line.text for line in preview.lines[:3])
            whole = [line.text for line in preview.lines]
            assert shown in whole
            preview.show(preview.text)
            assert len(preview._markdown) == 1
            preview.action_scroll_home()
            assert preview.scroll_y == 0
            assert [line.text for line in preview.lines] == whole

    async def test_the_result_of_a_call_is_shown_where_it_matches(self) -> None:
        async with browsing(session(1), size=(120, 24)) as browser:
            _, asked = await said_in(browser.store, "ID1", "read it", "reading " * 300)
            call = tool_call("ID1", message_id=asked.id)
            await browser.store.add_tool_calls([call])
            produced = "z " * 2_000 + "a needle here"
            await browser.store.update_tool_call(call, ToolResult(produced, produced))
            result = message(
                "ID1", asked.id, role="tool", content=produced, tool_call_id="call_1",
                tool_name="read_file", created_at=1,
            )  # fmt: skip
            await browser.store.append_message(result)
            await browser.open()
            await browser.search("needle")
            left = browser.screen.preview.region.x
            assert any("needle" in line[left:] for line in browser.lines)

    async def test_it_is_bounded_and_safe(self) -> None:
        async with browsing(session(1), size=(120, 40)) as browser:
            await talk(browser.store, "ID1", 300)
            leaf = (await browser.store.get_session("ID1")).leaf_id
            await said_in(browser.store, "ID1", "bell \x07 [b]x[/b] " * 20_000, parent=leaf)
            screen = await browser.open()
            assert len(screen.preview.lines) < 150
            text = "\n".join(browser.lines)
            assert "\x07" not in text
            assert "bell ␇ [b]x[/b]" in text

    async def test_a_cursor_that_runs_reads_one_preview(self) -> None:
        async with browsing(*[session(i) for i in range(20)], size=(120, 40)) as browser:
            screen = await browser.open()
            before = browser.store.previewed
            for _ in range(10):
                screen.action_list("cursor_by", 1)
            await browser.settle()
            assert browser.store.previewed == before + 1


class TestChanges:
    async def test_rename_from_the_search_and_undo(self) -> None:
        async with browsing(session(1), session(2)) as browser:
            screen = await browser.open()
            await browser.press("down", "f2")
            assert "Rename: Session 2" in browser.said
            await browser.press(*"[b]u", "enter")
            assert browser.renamed == [("ID2", "[b]u", True)]
            assert browser.titles[1] == "[b]u"
            assert screen.focused is screen._filter
            await browser.press("tab", "z")
            assert browser.renamed[1] == ("ID2", "Session 2", False)
            assert browser.titles[1] == "Session 2"

    async def test_rename_can_be_left(self) -> None:
        async with browsing(session(1)) as browser:
            screen = await browser.open()
            await browser.press("tab", "r", "x", "escape")
            assert browser.renamed == []
            assert screen.focused is screen.session_list
            await browser.press("r", "ctrl+u", "enter")
            assert browser.renamed == [], "an empty title changes nothing"

    async def test_pin_and_unpin_several(self) -> None:
        async with browsing(session(1), session(2, pinned=True), session(3)) as browser:
            await browser.open()
            await browser.press("tab", "m", "p")
            assert all([(await browser.store.get_session(f"ID{i}")).pinned for i in (1, 2, 3)])
            assert "2 sessions pinned" in browser.said
            await browser.press("z")
            assert [(await browser.store.get_session(f"ID{i}")).pinned for i in (1, 2, 3)] == [
                False,
                True,
                False,
            ]
            await browser.press("home", "p")
            assert (await browser.store.get_session("ID2")).pinned is False

    async def test_tags_of_several_keep_what_is_their_own(self) -> None:
        async with browsing(session(1, tags=("a", "own")), session(2, tags=("a",))) as browser:
            await browser.open()
            await browser.press("tab", "space", "space")
            assert "2 marked" in browser.frame
            await browser.press("t")
            assert "Tags that all 2 have: a" in browser.said
            await browser.press("ctrl+u", *"#b,c", "enter")
            assert (await browser.store.get_session("ID1")).tags == ("own", "b", "c")
            assert (await browser.store.get_session("ID2")).tags == ("b", "c")
            await browser.press("z")
            assert (await browser.store.get_session("ID1")).tags == ("a", "own")

    async def test_archived_ones_leave_the_list_and_come_back(self) -> None:
        async with browsing(session(1), session(2)) as browser:
            await browser.open()
            await browser.press("tab", "a")
            assert browser.titles == ["Session 2"]
            assert (await browser.store.get_session("ID1")).archived
            await browser.search("is:archived")
            assert browser.titles == ["Session 1"]
            await browser.press("a")
            await browser.search("")
            assert browser.titles == ["Session 1", "Session 2"]

    async def test_deleting_waits_until_the_screen_closes(self) -> None:
        async with browsing(session(1), session(2), session(3)) as browser:
            await browser.open()
            await browser.press("tab", "d", "delete")
            assert browser.titles == ["Session 3"]
            assert "z undoes" in browser.said
            await browser.press("z")
            assert browser.titles == ["Session 2", "Session 3"]
            assert browser.deleted == []
            await browser.press("escape")
            assert browser.deleted == ["ID1"]

    async def test_what_was_deleted_goes_also_when_one_is_opened(self) -> None:
        async with browsing(session(1), session(2)) as browser:
            await browser.open()
            await browser.press("tab", "d", "enter")
            assert browser.results == [SessionChoice("ID2")]
            assert browser.deleted == ["ID1"]

    async def test_the_app_can_take_what_is_deleted_once(self) -> None:
        async with browsing(session(1)) as browser:
            screen = await browser.open()
            await browser.press("tab", "d")
            assert screen.take_deleted() == ["ID1"]
            await browser.press("escape")
            assert browser.deleted == []

    async def test_a_session_at_work_is_not_deleted(self) -> None:
        async with browsing(session(1), session(2)) as browser:
            screen = await browser.open()
            screen.set_marks({"ID1"}, set())
            await browser.press("tab", "m", "d")
            assert len(browser.titles) == 2
            assert "at work" in browser.said

    async def test_what_the_store_refuses_is_said(self) -> None:
        async with browsing(session(1)) as browser:
            await browser.open()
            browser.store.refuse = StoreError("history.db is read-only")
            await browser.press("tab", "p")
            assert browser.said == "history.db is read-only"
            assert not browser.screen.listing.sessions[0].pinned


class TestMoving:
    async def test_n_passes_over_the_matches(self) -> None:
        async with browsing(session(1), session(2)) as browser:
            await said_in(browser.store, "ID2", "needle 3", "needle 4")
            await said_in(browser.store, "ID1", "needle 1", "needle 2")
            screen = await browser.open()
            await browser.search("needle")
            await browser.press("tab", "n")
            assert (screen.session_list.cursor, screen.session_list.chosen) != (0, None)
            assert screen.listing.rows[screen.session_list.cursor].ref == ""
            assert screen.session_list.cursor == 3
            await browser.press("N")
            assert screen.session_list.cursor == 0

    async def test_a_click_chooses_and_a_second_opens(self) -> None:
        async with browsing(session(1), session(2), session(3)) as browser:
            screen = await browser.open()
            await browser.pilot.click("#sessions-list", offset=(5, 1))
            await browser.settle()
            assert screen.session_list.chosen == session(2)
            assert browser.results == []
            await browser.pilot.click("#sessions-list", offset=(5, 2), times=2)
            await browser.settle()
            assert browser.results == [SessionChoice("ID3")]

    async def test_every_key_of_the_registry_is_bound(self) -> None:
        async with browsing(session(1)) as browser:
            screen = await browser.open()
            for action in ACTIONS.at("sessions"):
                for key in action.keys:
                    found = screen._bindings.key_to_bindings[key]
                    assert any(binding.id == action.id for binding in found), key
                name = action.run.partition("(")[0]
                assert hasattr(screen, f"action_{name}"), action.id


def test_a_listing_passes_over_the_sessions_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """10,000 sessions, and each is looked at once with each key."""
    asked = 0
    accepts = listing.SessionSearch.accepts

    def counted(self: Any, row: Any, uses: Any) -> bool:
        nonlocal asked
        asked += 1
        return accepts(self, row, uses)

    monkeypatch.setattr(listing.SessionSearch, "accepts", counted)
    many = listing.Listing()
    many.replace_all([session(i) for i in range(1_000)])
    many.look_for(listing.parse_search("cost>1"), listing.Found(), {})
    many.arrange()
    assert asked == 1_000
    assert many.totals.sessions == 0
    many.look_for(listing.parse_search("session 99 cost<1"), listing.Found(), {})
    many.arrange()
    assert asked == 1_019, "those whose titles do not match are not asked about their cost"
