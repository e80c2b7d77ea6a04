"""Keys that come in a burst without bracketed paste, as from a slow line or a macro: counted."""

from __future__ import annotations

import pytest
from textual import events, on
from textual.app import App, ComposeResult
from textual.widgets import Input, TextArea

from chatglass.tui.composer.composer import Composer
from chatglass.tui.key_order import KeyOrder


class Host(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.order = KeyOrder(self)
        self.sent: list[str] = []
        self.edits = 0

    def compose(self) -> ComposeResult:
        yield Composer()
        yield Input()

    @on(Composer.Submitted)
    def _submitted(self, message: Composer.Submitted) -> None:
        self.sent.append(message.text)

    @on(TextArea.Changed)
    def _changed(self) -> None:
        self.edits += 1

    def burst(self, *keys: str) -> None:
        """Single characters, or names of keys, handed over at once."""
        for key in keys:
            character = {"enter": "\r", "ctrl+j": "\n"}.get(key, key if len(key) == 1 else None)
            name = key if len(key) > 1 or key.isalnum() else f"key_{ord(key)}"
            self.order.take(events.Key(name, character))


@pytest.fixture
def edits(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is put into an editor, edit by edit."""
    found: list[str] = []
    real = TextArea._replace_via_keyboard

    def counted(self: TextArea, insert: str, *place: object) -> object:
        found.append(insert)
        return real(self, insert, *place)  # type: ignore[arg-type]

    monkeypatch.setattr(TextArea, "_replace_via_keyboard", counted)
    return found


async def test_a_burst_of_letters_is_few_edits(edits: list[str]) -> None:
    app = Host()
    text = "the quick brown fox " * 100
    async with app.run_test() as pilot:
        app.query_one(Composer).focus()
        await pilot.pause()
        app.burst(*text)
        while app.order.waiting:
            await pilot.pause()
        await pilot.pause()
        assert app.query_one(Composer).text == text
    assert len(edits) <= 3


async def test_keys_between_letters_keep_their_place() -> None:
    app = Host()
    async with app.run_test() as pilot:
        app.query_one(Composer).focus()
        await pilot.pause()
        app.burst(*"one", "ctrl+j", *"twx", "backspace", "o", "enter", *"next", "enter", *"rest")
        while app.order.waiting:
            await pilot.pause()
        await pilot.pause()
        assert app.sent == ["one\ntwo", "next"]
        assert app.query_one(Composer).text == "rest"


async def test_letters_behind_a_move_of_the_focus_go_where_it_went() -> None:
    app = Host()
    async with app.run_test() as pilot:
        app.query_one(Composer).focus()
        await pilot.pause()
        app.burst(*"here", "tab", *"there")
        while app.order.waiting:
            await pilot.pause()
        await pilot.pause()
        assert app.query_one(Composer).text == "here"
        assert app.query_one(Input).value == "there"


async def test_a_key_says_that_somebody_is_there_though_the_window_has_no_focus() -> None:
    app = Host()
    app.AUTO_FOCUS = ""  # type: ignore[misc]  # nothing had the focus yet
    async with app.run_test():
        app.app_focus = False
        app.burst("a")
        assert app.app_focus


async def test_alt_and_a_letter_is_no_text() -> None:
    app = Host()
    async with app.run_test() as pilot:
        app.query_one(Composer).focus()
        await pilot.pause()
        app.order.take(events.Key("alt+v", "v"))
        while app.order.waiting:
            await pilot.pause()
        await pilot.pause()
        assert app.query_one(Composer).text == ""
