"""Subcommands run within the test, as `chatglass` runs them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from chatglass.cli import main


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Ran]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def run(
    data: Path, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> Run:
    """Runs a command line on the store in `data`."""
    monkeypatch.setenv("CHATGLASS_DATA_DIR", str(data))

    def run_one(*arguments: object) -> Ran:
        try:
            code = main([str(each) for each in arguments])
        except SystemExit as left:
            code = int(left.code or 0)
        captured = capsysbinary.readouterr()
        return Ran(code, captured.out.decode(), captured.err.decode())

    return run_one


@pytest.fixture
def fixtures() -> Path:
    return Path(__file__).parent.parent / "transfer" / "fixtures"


@pytest.fixture
def ids(run: Run, fixtures: Path) -> list[str]:
    """A store with two sessions: of Claude Code, and of ChatGPT."""
    found: list[str] = []
    for name in ("claude_code.jsonl", "chatgpt.json"):
        (report,) = run("import", fixtures / name, "--json").json()
        found += report["session_ids"]
    return found
