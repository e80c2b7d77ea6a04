"""The floor to measure start and typing against: the least that Textual can do, Input and Static."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widgets import Input, Static


class Floor(App[None]):
    CSS = "Static { height: 1fr; }"

    def compose(self) -> ComposeResult:
        yield Static("floor", markup=False)
        yield Input(placeholder="READY to type")


if __name__ == "__main__":
    Floor().run()
