"""UsageScreen: what was spent, by day, model, tool and session; into each, down to the session."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from chatglass.spending.days import parse_range, today
from chatglass.spending.report import as_csv, cost_of
from chatglass.spending.totals import sum_of
from chatglass.store.protocol import SessionStore, StoreError
from chatglass.store.usage_records import UsageBy, UsageRow
from chatglass.tui.actions.footer import FooterLine, way_out
from chatglass.tui.actions.registry import ACTIONS
from chatglass.tui.dashboard.chart import UsageChart
from chatglass.tui.dashboard.head import UsageHead
from chatglass.tui.dashboard.place import Measure, Place, first_place
from chatglass.tui.dashboard.usage_list import UsageColumns, UsageList
from chatglass.tui.dialogs.dialogs import TextDialog
from chatglass.tui.lines.line_list import LineList
from chatglass.tui.screens.cover_screen import CoverScreen
from chatglass.values import figures

_OF_TOOLS = "Estimated: the part that results are of each prompt that held them."
LOW = 26
"""Rows below which the chart is lower."""


class UsageScreen(CoverScreen[str | None]):
    """Ends with the id of the session to open, or None."""

    ACTION_PLACE = "usage"
    AUTO_FOCUS = "UsageList"
    DEFAULT_CSS = """
    UsageScreen {
        UsageHead { margin-bottom: 1; }
        UsageChart { margin-bottom: 1; }
        &.-low UsageChart { height: 5; }
        .usage--empty, .usage--note { height: auto; color: $text-muted; display: none; }
        &.-empty .usage--empty, &.-of-tools .usage--note { display: block; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        *ACTIONS.bindings("usage"),
    ]

    def __init__(
        self, store: SessionStore, *, place: Place | None = None, folder: Path | None = None
    ) -> None:
        """`folder` is where files are exported to."""
        super().__init__()
        self._store = store
        self._folder = folder or Path.cwd()
        self._place = place or first_place()
        self._before: list[Place] = []
        """Where one came from, the last on top."""
        self._wanted: Measure | None = None
        """What the user chose to draw; None: the cost, or tokens where nothing had one."""
        self._daily: Sequence[UsageRow] = ()
        self._head = UsageHead()
        self._chart = UsageChart()
        self._columns = UsageColumns()
        self._list = UsageList()
        self._empty = Static("", classes="usage--empty", markup=False)
        self._note = Static(_OF_TOOLS, classes="usage--note", markup=False)
        self._panel = Vertical(classes="cover--panel")

    def compose(self) -> ComposeResult:
        with self._panel:
            yield self._head
            yield self._chart
            yield self._columns
            yield self._empty
            yield self._list
            yield self._note
        yield FooterLine(place="usage", first=way_out(), target=self)

    def on_mount(self) -> None:
        self._panel.border_title = Content("Usage")
        self._go(self._place)

    def on_resize(self, event: events.Resize) -> None:
        self.set_class(event.size.height < LOW, "-low")

    @property
    def place(self) -> Place:
        return self._place

    @property
    def measure(self) -> Measure:
        """What is drawn."""
        if self._wanted is not None:
            return self._wanted
        return "cost" if any(row.cost for row in self._daily) or not self._daily else "tokens"

    @property
    def listed(self) -> Sequence[UsageRow]:
        return self._list.rows

    # -- reading

    def _go(self, place: Place) -> None:
        self._place = place
        self._head.show(place)
        self._columns.show(place)
        read = partial(self._read, place)
        self.run_worker(read, group="usage", exclusive=True, exit_on_error=False)

    async def _read(self, place: Place) -> None:
        try:
            rows = await self._store.usage(place.query)
            daily = rows if place.query == place.daily else await self._store.usage(place.daily)
        except StoreError as error:
            self.say(str(error), "error")
            return
        if place is not self._place:
            return
        self._daily = daily
        self._list.show(place, rows, self.measure)
        self._draw_chart()
        self._tell(rows)

    def _draw_chart(self) -> None:
        # By tool the bars are of whole requests; only of one tool they are its shares.
        is_share = self._place.tool is not None
        self._chart.show(self._daily, self._place.span, self.measure, about=is_share)

    def _tell(self, rows: Sequence[UsageRow]) -> None:
        total = sum_of(rows)
        about = f"{figures.ABOUT} " if self._place.of_tools and total.total_tokens else ""
        facts = [
            figures.counted(len(rows), self._place.by),
            # One request holds results of several tools.
            "" if self._place.of_tools else figures.counted(total.requests, "request"),
            f"{about}{figures.tokens(total.total_tokens)} tokens",
            cost_of(total, about=self._place.of_tools),
        ]
        self._panel.border_subtitle = Content(" · ".join(fact for fact in facts if fact))
        self.set_class(not rows, "-empty")
        self._empty.update(f"No requests in this range ({self._place.span_name}); r changes it.")
        self.set_class(self._place.of_tools, "-of-tools")

    # -- keys

    @on(UsageHead.Clicked)
    def _head_clicked(self, event: UsageHead.Clicked) -> None:
        if event.what in ("day", "model", "tool", "session"):
            self.action_by(event.what)
        else:
            self.action_next_range()

    def action_by(self, by: UsageBy) -> None:
        self._go(replace(self._place, by=by))

    def action_next_range(self) -> None:
        self._go(self._place.with_next_range())

    def action_measure(self) -> None:
        self._wanted = "tokens" if self.measure == "cost" else "cost"
        self._go(self._place)

    def action_custom_range(self) -> None:
        def problem(text: str) -> str | None:
            try:
                parse_range(text)
            except ValueError as error:
                return str(error)
            return None

        def chosen(text: str | None) -> None:
            if text is not None:
                self._go(self._place.with_range(parse_range(text)))

        hint = "Two days, as 2025-03-01 2025-03-31; one day; a number of days; or all."
        span = self._place.span
        initial = f"{span.first or today()} {span.last or today()}"
        self.app.push_screen(TextDialog("From … to", initial, hint=hint, check=problem), chosen)

    @on(LineList.RowChosen)
    def _row_chosen(self, event: LineList.RowChosen) -> None:
        event.stop()
        row = self._list.rows[event.index]
        inner = self._place.into(row)
        if inner is None:
            self.dismiss(row.name)
        else:
            self._before.append(self._place)
            self._go(inner)

    def action_open(self) -> None:
        self._list.action_choose()

    def action_back(self) -> None:
        if self._before:
            self._go(self._before.pop())
        else:
            self.dismiss(None)

    def action_close(self) -> None:
        self.action_back()

    # -- export

    def action_export(self) -> None:
        name = f"chatglass-usage-by-{self._place.by}-{today()}.csv"
        dialog = TextDialog(
            "Write what is listed as CSV to",
            str(self._folder / name),
            hint="A new file; one that is there is not replaced.",
            check=_objection_to,
        )

        def chosen(path: str | None) -> None:
            if path is not None:
                self._write(Path(path).expanduser())

        self.app.push_screen(dialog, chosen)

    def _write(self, path: Path) -> None:
        rows = self._list.rows
        if self._place.by == "day":
            rows = list(reversed(rows))
        try:
            descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with open(descriptor, "w", encoding="utf-8", newline="") as file:
                file.write(as_csv(self._place.by, rows))
        except OSError as error:
            self.say(f"{path}: was not written: {error.strerror}.", "error")
        else:
            self.say(f"Wrote {figures.counted(len(rows), 'row')} to {path}.")


def _objection_to(text: str) -> str | None:
    path = Path(text).expanduser()
    if not text.strip():
        return "Give the file a name."
    if path.exists():
        return f"{path} is there already."
    return None if path.parent.is_dir() else f"There is no folder {path.parent}."
