"""Files with `mcpServers`: what may stand there, what is wrong, which file counts, and changing one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from chatglass.config.errors import ConfigError
from chatglass.tools.mcp.config_file import find_servers, read_file, write_server
from chatglass.tools.mcp.values import HttpSpec, StdioSpec
from chatglass.tools.mcp.variables import UnsetVariable, expand, variables


def written(path: Path, servers: Any, **more: Any) -> Path:
    path.write_text(json.dumps({"mcpServers": servers, **more}))
    return path


def problems(path: Path, servers: Any, **more: Any) -> list[str]:
    file = read_file(written(path, servers, **more), "user")
    return [str(problem).removeprefix(f"{path}: ") for problem in file.problems]


def test_the_forms_of_an_entry(tmp_path: Path) -> None:
    entries = {
        "a": {"command": "npx", "args": ["-y", "x"], "env": {"K": "v"}, "cwd": "sub"},
        "b": {"type": "stdio", "command": "uvx"},
        "c": {"url": "https://example.org/mcp", "headers": {"Authorization": "Bearer ${T}"}},
        "d": {"type": "sse", "url": "http://localhost:1/sse", "disabled": True, "timeout_s": 5.0},
    }
    file = read_file(written(tmp_path / "mcp.json", entries), "user")
    a, b, c, d = file.servers
    assert a.spec == StdioSpec(command="npx", args=("-y", "x"), env={"K": "v"}, cwd="sub")
    assert b.spec == StdioSpec(command="uvx")
    assert c.spec == HttpSpec(
        url="https://example.org/mcp", headers={"Authorization": "Bearer ${T}"}
    )
    assert isinstance(d.spec, HttpSpec)
    assert (d.spec.sse, d.disabled, d.timeout_s) == (True, True, 5.0)
    assert "Bearer" not in repr(c), "secrets of headers and env stay out of reprs"


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (
            {"comand": "x"},
            "command is missing. There is no key 'comand'. Did you mean command?",
        ),
        ({"command": "x", "args": "y"}, "args: input should be a valid list."),
        ({"command": "x", "env": {"PORT": 1}}, "env.PORT: input should be a valid string."),
        ({"command": "x", "url": "http://y"}, "has both command and url"),
        ({"type": "websocket", "url": "ws://x"}, "type must be one of stdio, http,"),
        ({"url": "example.org"}, "url must look like https://host/path"),
        ("npx", "must be an object."),
        ({}, "command is missing."),
    ],
)
def test_faults_name_file_and_key_and_cost_one_entry(tmp_path: Path, entry: Any, said: str) -> None:
    path = written(tmp_path / "mcp.json", {"bad": entry, "good": {"command": "x"}})
    file = read_file(path, "user")
    assert [server.name for server in file.servers] == ["good"]
    (problem,) = file.problems
    assert str(problem).startswith(f"{path}: mcpServers.bad: ")
    assert said in str(problem)


def test_faults_of_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "mcp.json"
    assert problems(path, {}, mcpserver={}) == [
        "there is no key 'mcpserver'. Did you mean mcpServers?"
    ]
    assert problems(path, []) == ["mcpServers must be an object of servers by name."]
    assert "printable characters" in problems(path, {"a:b": {"command": "x"}})[0]
    path.write_text('{"mcpServers": {"a": {"command": "x"}, "a": {"command": "y"}}}')
    assert "the key 'a' stands there twice" in str(read_file(path, "user").problems[0])
    path.write_text("[" * 100_000)
    assert "not valid JSON" in str(read_file(path, "user").problems[0])
    assert not read_file(tmp_path / "none.json", "user").exists


def test_of_two_with_one_name_the_users_counts(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    user = written(tmp_path / "mcp.json", {"a": {"command": "users"}, "b c": {"command": "x"}})
    written(
        root / ".mcp.json",
        {"a": {"command": "evil"}, "b_c": {"command": "y"}, "p": {"command": "z"}},
    )
    flag = written(tmp_path / "flag.json", {"b c": {"command": "flag"}})
    found = find_servers(user, root, [flag])
    commands = {server.name: server.spec.command for server in found.servers}  # type: ignore[union-attr]
    assert commands == {"b c": "flag", "a": "users", "p": "z"}
    said = [str(problem) for problem in found.problems]
    assert any("mcpServers.a: not used" in text for text in said)
    assert any(
        "mcpServers.b_c: not used: as 'b_c' its name is that of another" in text for text in said
    )
    assert {server.name: server.source.kind for server in found.servers}["p"] == "project"
    with pytest.raises(ConfigError, match="there is no such file"):
        find_servers(user, root, [tmp_path / "none.json"])


def test_a_projects_file_named_by_flag_is_the_users_word(tmp_path: Path) -> None:
    project = written(tmp_path / ".mcp.json", {"p": {"command": "z"}})
    found = find_servers(tmp_path / "mcp.json", tmp_path, [project])
    assert [server.source.kind for server in found.servers] == ["flag"]


def test_only_variables_are_expanded() -> None:
    spec = StdioSpec(
        command="${BIN:-/usr/bin}/x",
        args=("$HOME", "${A}${A}", "${EMPTY:-d}", "`id`", "${not ok}", "~"),
        env={"T": "${TOKEN}"},
    )
    assert list(variables(spec)) == [
        ("command", "BIN"), ("args.1", "A"), ("args.1", "A"), ("args.2", "EMPTY"), ("env.T", "TOKEN"),
    ]  # fmt: skip
    expanded = expand(spec, {"A": "${TOKEN}", "TOKEN": "t", "EMPTY": "", "HOME": "/h"})
    assert isinstance(expanded, StdioSpec)
    assert expanded.command == "/usr/bin/x"
    assert expanded.args == ("$HOME", "${TOKEN}${TOKEN}", "d", "`id`", "${not ok}", "~")
    assert expanded.env == {"T": "t"}
    with pytest.raises(UnsetVariable, match=r"env.T reads \$\{TOKEN\}, which is not set"):
        expand(spec, {"A": "a"})


def test_changing_a_file_keeps_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "sub" / "mcp.json"
    write_server(path, "a", {"command": "x"})
    document = json.loads(path.read_text())
    document["other"] = {"kept": True}
    path.write_text(json.dumps(document))
    write_server(path, "b", {"url": "https://example.org"})
    write_server(path, "a", None)
    assert json.loads(path.read_text()) == {
        "mcpServers": {"b": {"url": "https://example.org"}}, "other": {"kept": True},
    }  # fmt: skip
    with pytest.raises(ConfigError, match=r"has no server 'bb'\. Did you mean b\?"):
        write_server(path, "bb", None)
    with pytest.raises(ConfigError, match="has both command and url"):
        write_server(path, "c", {"command": "x", "url": "http://y"})
    path.write_text("{")
    with pytest.raises(ConfigError, match="can't be changed"):
        write_server(path, "c", {"command": "x"})
    assert path.read_text() == "{", "what can't be read is not overwritten"
