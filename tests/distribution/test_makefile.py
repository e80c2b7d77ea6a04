"""What `make run` says on a machine that lacks something."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from distribution.repository import ROOT

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


def _make_run(python: str, folder: Path) -> subprocess.CompletedProcess[str]:
    shutil.copy(ROOT / "Makefile", folder)
    interpreter = folder / "python3"
    interpreter.write_text(python)
    interpreter.chmod(0o755)
    return subprocess.run(
        ["make", f"PYTHON={interpreter}", "run"],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_a_python_without_venv_is_told_what_to_install(tmp_path: Path) -> None:
    """Debian's python3 without python3-venv has the module venv, and lacks ensurepip."""
    script = '#!/bin/sh\ncase "$2" in *ensurepip*) exit 1;; *version_info*) exit 0;; esac\nexit 9\n'
    ran = _make_run(script, tmp_path)
    assert ran.returncode != 0
    assert "apt-get install python3-venv" in ran.stderr
    assert not (tmp_path / ".venv").exists()


def test_an_old_python_is_told_which_is_needed(tmp_path: Path) -> None:
    ran = _make_run('#!/bin/sh\ncase "$2" in *version_info*) exit 1;; esac\nexit 9\n', tmp_path)
    assert ran.returncode != 0
    assert "Python 3.11 or newer" in ran.stderr
    assert "make PYTHON=" in ran.stderr
    assert not (tmp_path / ".venv").exists()
