"""With reduced motion nothing blinks: by the flag, the settings or the environment."""

from __future__ import annotations

import pytest
from textual.widgets import Input

from chatglass.config.options import Options
from tui.conftest import Play


@pytest.mark.parametrize("by", ["flag", "environment", ""])
async def test_cursors_stand_still(play: Play, monkeypatch: pytest.MonkeyPatch, by: str) -> None:
    if by == "environment":
        monkeypatch.setenv("CHATGLASS_REDUCED_MOTION", "1")
    async with play(Options(reduced_motion=by == "flag")) as stage:
        assert stage.chat.composer.area.cursor_blink is (by == "")
        await stage.press("ctrl+f")
        await stage.until(lambda: isinstance(stage.app.focused, Input))
        focused = stage.app.focused
        assert isinstance(focused, Input)
        assert focused.cursor_blink is (by == "")
        assert (stage.app.animation_level == "none") is (by != "")
