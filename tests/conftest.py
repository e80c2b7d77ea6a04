"""Fixtures and rules that all tests share."""

from __future__ import annotations

import os
import shutil

import pytest

_PROGRAMS = {"tmux": "tmux", "node": "node", "redis": "redis-server"}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--run-slow", action="store_true", help="run the long versions too")
    parser.addoption(
        "--update-snapshots", action="store_true", help="write tests/tui/snapshots anew"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--run-slow"):
        return
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.skip(reason="long version: make test-all"))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """`needs("tmux")` skips without it, and fails where CHATGLASS_REQUIRE names it."""
    required = set(os.environ.get("CHATGLASS_REQUIRE", "").split(","))
    for marker in item.iter_markers("needs"):
        for program in marker.args:
            if shutil.which(_PROGRAMS[program]):
                continue
            if program in required:
                pytest.fail(f"{program} is required here and was not found")
            pytest.skip(f"{program} is not installed")
