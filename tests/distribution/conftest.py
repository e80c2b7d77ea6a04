"""An environment as on a fresh machine."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

_KEPT = ("LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "TMPDIR")


@pytest.fixture
def bare_environment(tmp_path: Path) -> dict[str, str]:
    """A home of its own, no keys, no endpoint; this interpreter's programs first in the path."""
    home = tmp_path / "home"
    home.mkdir()
    programs = Path(sys.executable).parent
    return {
        **{name: os.environ[name] for name in _KEPT if name in os.environ},
        "HOME": str(home),
        "PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "PYTHONUTF8": "1",
    }
