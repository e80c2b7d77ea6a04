"""A command that the store fails says so; the program goes on."""

from __future__ import annotations

import pytest

from chatglass.store.protocol import StoreError
from tui.conftest import Play

NEEDED = ("path", "siblings", "set_leaf")


async def away(*_: object) -> None:
    raise StoreError("The store is away.")


@pytest.mark.parametrize("command", ["/retry", "/clear", "<"])
async def test_what_the_store_fails_is_said(
    command: str, play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with play() as stage:
        await stage.ask("one", "an answer")
        await stage.command("/retry")
        await stage.idle()
        store = stage.session.engine.context.store
        with monkeypatch.context() as broken:
            for name in NEEDED:
                broken.setattr(store, name, away)
            if command == "<":
                stage.chat.transcript.focus()
                await stage.press("up", "<")
            else:
                await stage.command(command)
            await stage.told("The store is away.")
        assert stage.app.broken_by is None
        await stage.ask("two", "goes on")
