"""`chatglass tools list|call` and `-p --tools`, as processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mcp_servers.running import OWN_SERVER
from own_tools.loaded import MANY

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def run(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [Path(sys.executable).with_name("chatglass"), *arguments],
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)}, cwd=tmp_path,
            input=stdin, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip

    return run


def test_list_names_source_and_policy_of_every_tool(run: Run, tmp_path: Path) -> None:
    servers = tmp_path / "servers.json"
    entry = {"command": sys.executable, "args": [str(OWN_SERVER), ""]}
    servers.write_text(json.dumps({"mcpServers": {"mine": entry}}))
    ran = run("tools", "list", "--json", "--tools", str(MANY), "--mcp-config", str(servers))
    found = {tool["name"]: tool for tool in json.loads(ran.stdout)}
    kinds = {name: (tool["kind"], tool["source"], tool["policy"]) for name, tool in found.items()}
    assert kinds["read_file"] == ("built-in", None, "allow")
    assert kinds["fetch_url"] == ("built-in", None, "ask")
    assert kinds["rest_style"] == ("own", str(MANY), "ask")
    assert kinds["mine__echo"] == ("mcp", "mine", "ask")
    assert found["rest_style"]["parameters"]["required"] == ["a"]
    assert f"{MANY}: bare: no type hint on a." in ran.stderr
    assert ran.returncode == 1, "something was wrong"
    plain = run("tools")
    assert plain.returncode == 0
    assert "calculate       built-in  allow  Calculate" in plain.stdout
    called = run("tools", "call", "mine__echo", '{"text": "hé"}', "--mcp-config", str(servers))
    assert (called.stdout, called.returncode) == ("hé", 0)
    image = run("tools", "call", "mine__image", "--mcp-config", str(servers))
    assert image.stdout.splitlines() == [
        "Look:", "[image · image/png · 5 B]", "[link · file:///a.txt]",
    ]  # fmt: skip


def test_a_call_waits_for_no_other_server(run: Run, tmp_path: Path) -> None:
    servers = tmp_path / "servers.json"
    mute = {"command": sys.executable, "args": ["-c", "import time; time.sleep(100)"]}
    mine = {"command": sys.executable, "args": [str(OWN_SERVER), ""]}
    servers.write_text(json.dumps({"mcpServers": {"mute": mute, "mine": mine}}))
    called = run("tools", "call", "mine__echo", '{"text": "hé"}', "--mcp-config", str(servers))
    assert (called.stdout, called.stderr, called.returncode) == ("hé", "", 0)
    called = run("tools", "call", "calculate", '{"expression": "1"}', "--mcp-config", str(servers))
    assert (called.stdout, called.stderr, called.returncode) == ("1", "", 0)


def test_rules_of_the_settings_hold(run: Run, tmp_path: Path) -> None:
    settings = tmp_path / "config.toml"
    settings.write_text(
        '[approval]\ndeny = ["calculate"]\n[approval.tools]\nfetch_url = "deny"\nrest_style = "allow"\n'
    )
    common = ("--config", str(settings), "--tools", str(MANY))
    found = {
        tool["name"]: tool for tool in json.loads(run("tools", "list", "--json", *common).stdout)
    }
    assert (found["rest_style"]["policy"], found["fetch_url"]["policy"]) == ("allow", "deny")
    assert found["calculate"]["rules"] == ["deny: calculate"]
    ran = run("tools", "call", "calculate", '{"expression": "1"}', *common)
    assert (ran.stdout, ran.returncode) == ("", 1)
    assert "calculate is denied: rule calculate of the settings." in ran.stderr


def test_call_keeps_result_and_words_apart(run: Run) -> None:
    own = ("--tools", str(MANY))
    ran = run("tools", "call", "rest_style", '{"a": 2}', *own)
    assert (ran.stdout, ran.returncode) == ("2 ✓", 0)
    ran = run("tools", "call", "rest_style", "-", *own, stdin='{"a": 4}')
    assert (ran.stdout, ran.returncode) == ("4 ✓", 0)
    ran = run("tools", "call", "raises", '{"kind": "x"}', *own)
    assert (ran.stdout, ran.returncode) == ("", 1)
    assert "chatglass: raises: ValueError: no x" in ran.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("calculat", "{}"), "Did you mean calculate"),
        (("calculate", "{"), "The arguments are not valid JSON"),
        (("calculate", "[]"), "must be a JSON object"),
        (("calculate", '{"expresion": "1"}'), "Did you mean expression?"),
    ],
)
def test_wrong_usage_is_exit_2(run: Run, arguments: tuple[str, str], words: str) -> None:
    ran = run("tools", "call", *arguments)
    assert (ran.stdout, ran.returncode) == ("", 2)
    assert words in ran.stderr


def test_print_mode_offers_them_and_asks_for_a_flag(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text('def shout(text: str) -> str:\n    """Shouts."""\n    return text.upper()\n')
    prompt = 'call tool shout with {"text": "quiet"}'
    common = ("--demo", "--data-dir", str(tmp_path / "d"), "--tools", str(file))
    denied = run("-p", prompt, *common, "--output-format", "json")
    (call,) = json.loads(denied.stdout)["tool_calls"]
    assert call["status"] == "denied"
    assert "Allow it with --allow-tool shout." in denied.stderr
    ran = run("-p", prompt, *common, "--allow-tool", "shout", "--output-format", "json")
    (call,) = json.loads(ran.stdout)["tool_calls"]
    assert (call["status"], call["result"]) == ("ok", "QUIET")
    wrong = run("-p", prompt, *common, "--allow-tool", "shoot")
    assert wrong.returncode == 2
    assert "Did you mean shout?" in wrong.stderr
