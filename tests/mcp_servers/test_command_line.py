"""`chatglass mcp`, as it is run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mcp_servers.running import OWN_SERVER
from processes import alive


class Cli:
    """chatglass with its own settings and data, in a project folder."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "project"
        self.root.mkdir()
        self.file = folder / "config" / "mcp.json"
        self._environment = {
            **os.environ,
            "CHATGLASS_CONFIG": str(folder / "config" / "config.toml"),
            "CHATGLASS_DATA_DIR": str(folder / "data"),
        }

    def __call__(self, *words: str, code: int = 0) -> str:
        """What it printed, stdout and then stderr."""
        process = self.start(*words)
        out, err = process.communicate(timeout=60)
        assert process.returncode == code, out + err
        return out + err

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "chatglass", "mcp", *words],
            cwd=self.root, env=self._environment, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    return Cli(tmp_path)


def test_add_list_test_remove(cli: Cli) -> None:
    assert "No MCP servers" in cli("list")
    cli("add", "own", "--env", "A=b=c", "--", sys.executable, str(OWN_SERVER), "")
    cli("add", "web", "https://example.org/mcp", "--header", "X-Key: ${K}")
    assert json.loads(cli.file.read_text())["mcpServers"] == {
        "own": {"command": sys.executable, "args": [str(OWN_SERVER), ""], "env": {"A": "b=c"}},
        "web": {"type": "http", "url": "https://example.org/mcp", "headers": {"X-Key": "${K}"}},
    }
    assert "has a server 'own' already" in cli("add", "own", "x", code=1)
    listed = json.loads(cli("list", "--json"))
    assert [server["name"] for server in listed] == ["own", "web"]
    shown = cli("test", "own")
    assert "own: ready in" in shown
    assert "own__echo  Gives the text back." in shown
    cli("remove", "own")
    assert "has no server 'own'" in cli("remove", "own", code=2)


def test_what_does_not_start_says_why(cli: Cli) -> None:
    cli("add", "ends", "--", sys.executable, str(OWN_SERVER), "ends")
    shown = cli("test", "ends", code=1)
    assert "It ended with exit code 7. Its last words: the configuration is missing" in shown
    assert "there is no MCP server 'own'. There are: ends." in cli("test", "own", code=1)
    cli.file.write_text('{"mcpServers": {"a": {"comand": "x"}}}')
    assert "mcpServers.a: command is missing." in cli("list", code=1)


def test_a_projects_server_is_not_run_without_a_terminal(cli: Cli) -> None:
    cli("add", "own", "--project", "--env", "T=${TOKEN}", "--", sys.executable, str(OWN_SERVER))
    assert "(not trusted)" in cli("list")
    shown = cli("test", "own", code=1)
    assert "wants to start these servers with your rights" in shown
    assert "it reads TOKEN (asked for)" in shown
    assert "its servers are not started: it has not been trusted" in shown


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_and_the_server(cli: Cli, tmp_path: Path, number: int) -> None:
    os.mkfifo(tmp_path / "started")
    words = f"echo $$ > {tmp_path / 'started'}; exec sleep 1000"
    cli("add", "mute", "--", "sh", "-c", words)
    process = cli.start("test", "mute")
    # Opening it waits until the server opens its other end.
    pid = int((tmp_path / "started").read_text())
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, out + err
    assert not alive(pid)
