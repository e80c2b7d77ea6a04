"""What is imported when: quick answers stay quick, and the engine knows no screen."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import chatglass

HEAVY = (
    "textual",
    "openai",
    "pydantic",
    "chuk_ai_session_manager",
    "genai_prices",
    "httpx2",
    "rich",
)


def _modules() -> list[str]:
    """Every module but those of the screen and the command line."""
    root = Path(chatglass.__path__[0])
    parts = ("chat", "models", "tools", "store", "config", "values")
    names = [
        ".".join(("chatglass", *file.relative_to(root).with_suffix("").parts))
        for part in parts
        for file in sorted((root / part).rglob("*.py"))
        if file.name != "__init__.py"
    ]
    return [*names, "chatglass.headless.run"]


def imported(code: str, tmp_path: Path) -> tuple[list[str], subprocess.CompletedProcess[str]]:
    """The heavy modules that `code` has brought in, and what it printed."""
    report = tmp_path / "modules"
    wrapped = (
        "import atexit, json, sys\n"
        f"atexit.register(lambda: open({str(report)!r}, 'w').write("
        f"json.dumps([m for m in {HEAVY!r} if m in sys.modules])))\n" + code
    )
    done = subprocess.run(
        [sys.executable, "-c", wrapped], capture_output=True, text=True, timeout=60, check=False
    )
    return json.loads(report.read_text()), done


@pytest.mark.parametrize("flag", ["--help", "--version"])
def test_help_and_version_import_nothing_heavy(flag: str, tmp_path: Path) -> None:
    code = f"from chatglass.__main__ import main\nsys.exit(main([{flag!r}]))"
    found, done = imported(code, tmp_path)
    assert (found, done.returncode, done.stderr) == ([], 0, "")
    assert "chatglass" in done.stdout


def test_wrong_usage_imports_nothing_heavy(tmp_path: Path) -> None:
    found, done = imported("from chatglass.__main__ import main\nmain(['--hlep'])", tmp_path)
    assert (found, done.returncode) == ([], 2)
    assert "Did you mean --help?" in done.stderr


def test_the_engine_never_imports_textual(tmp_path: Path) -> None:
    code = (
        "import importlib\n"
        f"for name in {_modules()!r}:\n"
        "    importlib.import_module(name)\n"
        "from chatglass.chat.ledger import preload\n"
        "preload()\n"
    )
    found, done = imported(code, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "chuk_ai_session_manager" in found
    assert "textual" not in found
