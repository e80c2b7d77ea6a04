from __future__ import annotations

from tui.conftest import folder, play, server

__all__ = ["folder", "play", "server"]
