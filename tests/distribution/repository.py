"""The repository that these tests read: its root and its tracked files."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def tracked_files() -> list[Path]:
    """Every file that git tracks. Skips the test outside a git checkout."""
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("this is no git checkout")
    listed = subprocess.run(
        # The owner of the folder may be another user than the one who tests, as in containers.
        ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    # A file that is deleted and not yet committed is still listed.
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]
