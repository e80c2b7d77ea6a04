"""MCP servers without a screen: named by a flag, or by a project that nobody has trusted."""

from __future__ import annotations

import json

from headless.program import Program
from mcp_servers.running import own_server

USE = 'use the tool own__echo with {"text": "round and round"}'


def write(program: Program, name: str, **servers: object) -> str:
    file = program.folder / "work" / name
    file.write_text(json.dumps({"mcpServers": servers}), encoding="utf-8")
    return str(file)


async def test_a_tool_of_a_server_runs_where_a_flag_allows_it(chatglass: Program) -> None:
    file = write(chatglass, "servers.json", own=own_server())
    flags = ("--mcp-config", file, "--output-format", "json")
    done = await chatglass.here("-p", USE, *flags, "--allow-tool", "own__echo")
    (call,) = done.json["tool_calls"]
    assert (done.code, call["status"], call["name"]) == (0, "ok", "own__echo")
    assert "round and round" in call["result"]


async def test_it_is_denied_where_none_does(chatglass: Program) -> None:
    file = write(chatglass, "servers.json", own=own_server())
    done = await chatglass.here("-p", USE, "--mcp-config", file, "--output-format", "json")
    assert [call["status"] for call in done.json["tool_calls"]] == ["denied"]
    assert "Allow it with --allow-tool own__echo." in done.err


async def test_a_project_nobody_trusted_is_ignored_and_said(chatglass: Program) -> None:
    file = write(chatglass, ".mcp.json", own=own_server())
    done = await chatglass.here("-p", USE, "--output-format", "json")
    assert f"{file}: its servers are not started: it has not been trusted." in done.err
    assert '"name": "own__echo"' not in chatglass.demo.requests[-1].body.decode()


async def test_what_fails_is_said_and_the_turn_goes_on(chatglass: Program) -> None:
    file = write(chatglass, "servers.json", own={"command": "no-such-command"}, odd={"cmd": "x"})
    flags = ("--mcp-config", file, "--allow-tool", "own__echo")
    done = await chatglass.here("-p", "hello", *flags)
    assert done.code == 0
    assert "own: failed." in done.err
    assert "mcpServers.odd" in done.err


async def test_a_flag_for_a_tool_that_no_server_has_is_wrong_usage(chatglass: Program) -> None:
    file = write(chatglass, "servers.json", own=own_server())
    done = await chatglass.here("-p", "x", "--mcp-config", file, "--allow-tool", "own__ecko")
    assert done.code == 2
    assert "Did you mean own__echo?" in done.err
