"""Whether there are servers at all, before anything of them is imported."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from chatglass.config.paths import Paths


def any_configured(paths: Paths, root: Path, flag_files: Sequence[Path] = ()) -> bool:
    """Whether a file with servers exists: a few stat calls, so that a start without any costs nothing."""
    return bool(flag_files) or paths.mcp_file.exists() or (root / ".mcp.json").exists()
