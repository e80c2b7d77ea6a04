"""The terminal says that its window has the focus, or lost it."""

from __future__ import annotations

from textual import events
from textual.app import ComposeResult
from textual.screen import ModalScreen
from textual.widgets import Input

from tui.conftest import Play


class Dialog(ModalScreen[None]):
    def compose(self) -> ComposeResult:
        yield Input()


async def test_a_dialog_that_came_while_nobody_looked_has_the_focus_when_somebody_does(
    play: Play,
) -> None:
    async with play() as stage:
        app = stage.app
        app.post_message(events.AppBlur())
        await stage.until(lambda: app.focused is None, "the focus given up")
        await app.push_screen(Dialog())
        await stage.pilot.pause()
        assert app.focused is None
        app.post_message(events.AppFocus())
        await stage.until(lambda: app.focused is not None, "the focus in the dialog")
        assert app.attention.is_looked_at


async def test_the_prompt_has_the_focus_again_when_the_window_has(play: Play) -> None:
    async with play() as stage:
        before = stage.app.focused
        stage.app.post_message(events.AppBlur())
        await stage.until(lambda: stage.app.focused is None)
        stage.app.post_message(events.AppFocus())
        await stage.until(lambda: stage.app.focused is before is not None)
