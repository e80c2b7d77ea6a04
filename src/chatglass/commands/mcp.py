"""`chatglass mcp list|add|remove|test`: the servers that are configured, without the full screen."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import webbrowser
from pathlib import Path
from typing import Any

from chatglass.commands.printing import complain, emit, emit_json, note
from chatglass.config.errors import ConfigError
from chatglass.config.paths import Paths, find_paths
from chatglass.config.settings import load_settings
from chatglass.tools.mcp.assembly import configured_servers, trust_store
from chatglass.tools.mcp.config_file import FoundServers, find_servers, write_server
from chatglass.tools.mcp.events import McpEvent, ProjectIgnored, ServerSnapshot
from chatglass.tools.mcp.mcp_tool import short_description
from chatglass.tools.mcp.ports import McpPorts, SignInQuestion
from chatglass.tools.mcp.trust import (
    Grant,
    TrustAnswer,
    TrustQuestion,
    TrustStore,
    question_text,
)
from chatglass.tools.mcp.values import ConfiguredServer
from chatglass.values.figures import counted

_START_S = 360.0
_SLOW_S = 5.0
"""A sign-in in the browser takes its time."""


async def run_mcp(found: argparse.Namespace) -> int:
    """Raises ConfigError."""
    paths = find_paths(found.data_dir, found.config)
    if found.action == "add":
        return _add(paths, found)
    if found.action == "remove":
        path = _file(paths, found.project)
        write_server(path, found.name, None)
        note(f"Took {found.name} out of {path}.")
        return 0
    flags = [Path(path) for path in found.mcp_config]
    if found.action == "list":
        return _list(paths, find_servers(paths.mcp_file, Path.cwd(), flags), json=found.json)
    return await _test(paths, found.name, flags, json=found.json)


# -- add and remove


def _file(paths: Paths, project: bool) -> Path:
    return Path.cwd() / ".mcp.json" if project else paths.mcp_file


def _add(paths: Paths, found: argparse.Namespace) -> int:
    path = _file(paths, found.project)
    if not found.replace and _has(path, found.name):
        complain(f"{path} has a server {found.name!r} already. Replace it with --replace.")
        return 1
    write_server(path, found.name, _entry(found))
    note(f"Added {found.name} to {path}. Try it: chatglass mcp test {found.name}")
    return 0


def _has(path: Path, name: str) -> bool:
    file = find_servers(path, path.parent / "no-project-here")
    return any(server.name == name for server in file.servers)


def _entry(found: argparse.Namespace) -> dict[str, Any]:
    command, *arguments = found.words
    kind = found.type or ("http" if command.startswith(("http://", "https://")) else "stdio")
    if kind == "stdio":
        if found.header:
            raise ConfigError("--header goes with a URL.")
        entry: dict[str, Any] = {"command": command, "args": arguments}
        if found.env:
            entry["env"] = dict(_pair(text, "=", "--env NAME=VALUE") for text in found.env)
        if found.cwd:
            entry["cwd"] = found.cwd
        return entry
    if arguments or found.env or found.cwd:
        raise ConfigError("A URL takes no arguments, --env or --cwd.")
    entry = {"type": kind, "url": command}
    if found.header:
        entry["headers"] = dict(_pair(text, ":", "--header 'NAME: VALUE'") for text in found.header)
    return entry


def _pair(text: str, separator: str, form: str) -> tuple[str, str]:
    name, found, value = text.partition(separator)
    if not found or not name.strip():
        raise ConfigError(f"{text!r} is not {form}.")
    return name.strip(), value.strip() if separator == ":" else value


# -- list


def _list(paths: Paths, servers: FoundServers, *, json: bool) -> int:
    trust = _trust(paths)
    states = {server.name: _state(server, servers, trust) for server in servers.servers}
    for problem in servers.problems:
        complain(str(problem))
    if json:
        emit_json(
            [
                {
                    "name": server.name,
                    "source": server.source.kind,
                    "file": str(server.source.path),
                    "where": server.where,
                    "state": states[server.name],
                }
                for server in servers.servers
            ]
        )
    elif not servers.servers:
        note(f"No MCP servers. Add one: chatglass mcp add NAME -- COMMAND (to {paths.mcp_file}).")
    else:
        wide = max(len(server.name) for server in servers.servers)
        for server in servers.servers:
            state = states[server.name]
            said = f"  ({state})" if state else ""
            emit(f"{server.name:<{wide}}  {server.source.kind:<7}  {server.where}{said}\n")
    return int(bool(servers.problems))


def _state(server: ConfiguredServer, servers: FoundServers, trust: TrustStore) -> str:
    if server.disabled:
        return "disabled"
    if server.source.kind != "project":
        return ""
    file = next(file for file in servers.files if file.source == server.source)
    return "trusted" if isinstance(trust.verdict(file, Path.cwd()), Grant) else "not trusted"


# -- test


async def _test(paths: Paths, name: str, flags: list[Path], *, json: bool) -> int:
    found = find_servers(paths.mcp_file, Path.cwd(), flags)
    if all(server.name != name for server in found.servers):
        for problem in found.problems:
            complain(str(problem))
        known = ", ".join(server.name for server in found.servers) or "none"
        complain(f"there is no MCP server {name!r}. There are: {known}.")
        return 1
    variables = _key_variables(paths)
    keys = [value for variable in variables if (value := os.environ.get(variable))]
    servers = configured_servers(
        paths,
        Path.cwd(),
        replace_tools=lambda server, tools: None,
        known_keys=lambda: keys,
        key_variables=variables,
        flag_files=flags,
        ports=ask_ports(),
        only=[name],
    )
    servers.subscribe(_tell)
    servers.start()
    slow = asyncio.get_running_loop().call_later(
        _SLOW_S, note, f"{name} has not answered yet; it is waited for. Ctrl+C stops."
    )
    try:
        await servers.settled(_START_S)
        slow.cancel()
        snapshot = servers.snapshot(name)
        if snapshot.state == "disabled":
            servers.restart(name)
            await servers.settled(_START_S)
            snapshot = servers.snapshot(name)
        _report(snapshot, json=json)
        if snapshot.state == "ready":
            return 0
        for line in servers.log(name)[-20:]:
            note(f"  {line.source}: {line.text}")
        return 1
    finally:
        slow.cancel()
        await servers.close()


def _report(snapshot: ServerSnapshot, *, json: bool) -> None:
    if json:
        emit_json(
            {
                "name": snapshot.name,
                "state": snapshot.state,
                "error": snapshot.error,
                "title": snapshot.title,
                "version": snapshot.version,
                "protocol": snapshot.protocol,
                "start_ms": snapshot.start_ms,
                "tools": [
                    {"name": name, "own_name": tool.name, "description": tool.description}
                    for name, tool in snapshot.tools
                ],
                "resources": [resource.uri for resource in snapshot.resources],
                "prompts": [prompt.name for prompt in snapshot.prompts],
            }
        )
        return
    if snapshot.state != "ready":
        complain(f"{snapshot.name}: {snapshot.state}. {snapshot.error}")
        return
    about = " ".join(filter(None, [snapshot.title, snapshot.version]))
    emit(
        f"{snapshot.name}: ready in {(snapshot.start_ms or 0) / 1000:.1f} s"
        f" ({about or 'no name'}, protocol {snapshot.protocol})\n"
    )
    emit(f"{counted(len(snapshot.tools), 'tool')}\n")
    for name, tool in snapshot.tools:
        emit(f"  {name}  {short_description(tool)}\n")
    emit(
        f"{counted(len(snapshot.resources), 'resource')}, {counted(len(snapshot.prompts), 'prompt')}\n"
    )


def _tell(event: McpEvent) -> None:
    if isinstance(event, ProjectIgnored):
        complain(f"{event.file}: its servers are not started: {event.reason}.")


def ask_ports() -> McpPorts:
    """Questions of servers, put on the terminal."""
    return McpPorts(ask_trust=_ask_trust, sign_in=_sign_in)


async def _ask_trust(question: TrustQuestion) -> TrustAnswer:
    note(question_text(question))
    if not sys.stdin.isatty():
        note("Answer that question on a terminal, or in the full screen.")
        return TrustAnswer("not_now")
    wanted = [use.name for use in question.variables if not use.forbidden]
    granted = [name for name in wanted if await _yes(f"Let it read {name}?")]
    if await _yes("Trust these servers, as they are now?"):
        return TrustAnswer("trust", frozenset(granted))
    return TrustAnswer("not_now")


async def _sign_in(question: SignInQuestion) -> bool:
    note(f"{question.server} wants you to sign in at:\n  {question.url}")
    if sys.stdin.isatty():
        await asyncio.to_thread(webbrowser.open, question.url)
    return True


async def _yes(text: str) -> bool:
    def ask() -> str:
        sys.stderr.write(f"{text} [y/N] ")
        sys.stderr.flush()
        return sys.stdin.readline()

    return (await asyncio.to_thread(ask)).strip().lower() in ("y", "yes")


# -- keys


def _key_variables(paths: Paths) -> list[str]:
    """The variables that hold keys of endpoints."""
    endpoints = load_settings(paths.config_file).endpoints.values()
    return ["OPENAI_API_KEY", *(entry.api_key_env for entry in endpoints if entry.api_key_env)]


def _trust(paths: Paths) -> TrustStore:
    variables = _key_variables(paths)
    keys = [value for name in variables if (value := os.environ.get(name))]
    return trust_store(paths, known_keys=lambda: keys, key_variables=variables)
