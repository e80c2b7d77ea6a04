"""A project's MCP server in a real terminal, from the question to the result."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from e2e.conftest import Open
from e2e.test_terminal import ready
from e2e.tmux import Tmux
from mcp_servers.running import own_server
from processes import alive

pytestmark = pytest.mark.needs("tmux")


def test_a_project_is_trusted_its_tool_called_and_looked_into(
    chatglass: Open, project: Path, tmp_path: Path
) -> None:
    notes = tmp_path / "notes"
    servers = {"mcpServers": {"own": own_server("tree", notes)}}
    (project / ".mcp.json").write_text(json.dumps(servers), encoding="utf-8")
    shell = chatglass("--demo", size=(140, 45))
    shell.sees("Start this project's MCP servers?")
    shell.sees("own_server.py")
    shell.until(lambda screen: _pressed(shell, "1", screen), "trust given")
    ready(shell)
    shell.until(lambda _: notes.exists() and "client" in notes.read_text(), "the server started")
    shell.type("/mcp")
    shell.keys("Enter")
    shell.sees("ready, 17 tools")
    shell.keys("Escape")
    shell.sees_no("ready, 17 tools")
    shell.type('use the tool own__echo with {"text": "round and round"}')
    shell.keys("Enter")
    shell.sees("the server says")
    shell.until(lambda screen: _answered(shell, screen), "the call let through")
    shell.sees("own__echo")
    shell.keys("C-o")
    shell.sees("round and round")
    shell.keys("Escape")
    pids = [int(line.split()[1]) for line in notes.read_text().splitlines() if "child" in line]
    assert len(pids) == 3
    shell.kill_program()
    shell.until(lambda _: not any(map(alive, pids)), "every process of the server gone")


def _pressed(shell: Tmux, key: str, screen: str) -> bool:
    """Press until it counts: the question is deaf at first."""
    if "Start this project's" not in screen:
        return True
    shell.keys(key)
    return False


def _answered(shell: Tmux, screen: str) -> bool:
    if "asks you" not in screen and "the server says" not in screen:
        return True
    shell.keys("1")
    return False
