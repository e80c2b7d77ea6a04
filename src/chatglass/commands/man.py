"""`chatglass man`: the manual page, in the pager of `man` on a terminal, as roff into a pipe."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path


def run_man() -> int:
    page = manual_page()
    if sys.stdout.isatty() and shutil.which("man"):
        # A name with a slash in it is a file to man.
        os.execvp("man", ["man", str(page)])
    print(page.read_text(encoding="utf-8"), end="")
    return 0


def manual_page() -> Path:
    """In the installed package, or in the docs of the repository."""
    installed = Path(__file__).with_name("chatglass.1")
    return installed if installed.exists() else Path(__file__).parents[3] / "docs/chatglass.1"
