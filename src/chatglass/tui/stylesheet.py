"""Where styles.tcss is: at the top of the repository, or in the installed package."""

from __future__ import annotations

from pathlib import Path


def stylesheet() -> Path:
    installed = Path(__file__).parent / "styles.tcss"
    return installed if installed.exists() else Path(__file__).parents[3] / "styles.tcss"
