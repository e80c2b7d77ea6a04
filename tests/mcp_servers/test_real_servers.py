"""Servers that others wrote, over real processes: two from PyPI, two from npm."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from chatglass.tools.mcp.ports import (
    ElicitationAnswer,
    ElicitationQuestion,
    McpPorts,
    SamplingAnswer,
    SamplingQuestion,
)
from chatglass.tools.tool import InvalidArguments
from mcp_servers.running import Running
from processes import gone

_NPM = {
    "@modelcontextprotocol/server-everything": "2026.8.31",
    "@modelcontextprotocol/server-filesystem": "2026.8.31",
}


def missing(what: str) -> None:
    """Skip with the reason, unless CHATGLASS_REQUIRE names `mcp-servers`."""
    if "mcp-servers" in os.environ.get("CHATGLASS_REQUIRE", "").split(","):
        pytest.fail(f"{what}, and is required here")
    pytest.skip(what)


def python_server(module: str) -> dict[str, Any]:
    if find_spec(module) is None:
        missing(f"{module} is not installed")
    return {"command": sys.executable, "args": ["-m", module]}


@pytest.fixture(scope="session")
def npm_servers(pytestconfig: pytest.Config) -> Path:
    """The folder of the npm servers' programs; installed once, and kept in pytest's cache."""
    assert pytestconfig.cache
    folder = pytestconfig.cache.mkdir("mcp-npm")
    programs = folder / "node_modules" / ".bin"
    npm = shutil.which("npm")
    if npm is None:
        missing("npm is not installed")
    packages = [f"{name}@{version}" for name, version in _NPM.items()]
    # The workers of pytest-xdist share the folder.
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp = folder / "installed"
        if stamp.exists() and stamp.read_text() == " ".join(packages):
            return programs
        done = subprocess.run(
            [str(npm), "install", "--no-audit", "--no-fund", "--prefix", str(folder), *packages],
            capture_output=True, text=True, timeout=100,
        )  # fmt: skip
        if done.returncode:
            missing(f"npm can't install {' '.join(packages)}: {done.stderr[-300:]}")
        stamp.write_text(" ".join(packages))
    return programs


async def test_mcp_server_time(tmp_path: Path) -> None:
    async with Running(tmp_path, {"time": python_server("mcp_server_time")}) as running:
        await running.state("time", "ready")
        output = await running.call(
            "time__convert_time",
            source_timezone="Europe/Berlin", time="12:00", target_timezone="UTC",
        )  # fmt: skip
        assert output.status == "ok"
        assert json.loads(output.seen)["target"]["timezone"] == "UTC"
        wrong = await running.call("time__get_current_time", timezone="Nowhere/None")
        assert wrong.status == "error"
        assert "Nowhere/None" in wrong.seen
        with pytest.raises(InvalidArguments, match="timezone: missing"):
            running.manager.get("time__get_current_time").validate({})


async def test_mcp_server_git(tmp_path: Path) -> None:
    async with Running(tmp_path, {"git": python_server("mcp_server_git")}) as running:
        await running.state("git", "ready")
        repository = str(running.root)
        for command in ("init -q", "commit -q --allow-empty -m first"):
            await asyncio.to_thread(
                subprocess.run,
                ["git", "-c", "user.name=a", "-c", "user.email=a@b", *command.split()],
                cwd=repository, check=True,
            )  # fmt: skip
        (running.root / "new.txt").write_text("text")
        status = await running.call("git__git_status", repo_path=repository)
        assert "new.txt" in status.seen
        assert "first" in (await running.call("git__git_log", repo_path=repository)).seen


@pytest.mark.needs("node")
async def test_server_everything(tmp_path: Path, npm_servers: Path) -> None:
    asked: list[ElicitationQuestion] = []

    async def elicit(question: ElicitationQuestion) -> ElicitationAnswer:
        asked.append(question)
        return ElicitationAnswer("decline")

    entry = {"command": str(npm_servers / "mcp-server-everything")}

    async def sample(question: SamplingQuestion) -> SamplingAnswer:
        return SamplingAnswer(text=f"seen: {json.dumps(question.request)}", model="m")

    ports = McpPorts(elicit=elicit, sample=sample)
    async with Running(tmp_path, {"all": entry}, ports=ports, sampling=["all"]) as running:
        snapshot = await running.state("all", "ready")
        assert (await running.call("all__echo", message="hello")).seen == "Echo: hello"
        image = await running.call("all__get-tiny-image")
        assert "[image: image/png," in image.seen
        assert '"type":"image"' in image.produced
        await running.call("all__trigger-long-running-operation", duration=0.4, steps=4)
        assert [progress.fraction for progress in running.progress] == [0.25, 0.5, 0.75, 1.0]
        structured = await running.call("all__get-structured-content", location="Chicago")
        assert json.loads(structured.produced)["structuredContent"]["humidity"]
        assert (await running.call("all__get-roots-list")).status == "ok"
        # Offered only to clients that can ask the user.
        await running.call("all__trigger-elicitation-request")
        assert {"text", "boolean"} <= {field.kind for field in asked[0].fields}
        sampled = await running.call("all__trigger-sampling-request", prompt="hello", maxTokens=7)
        assert "hello" in sampled.seen
        assert "seen: " in sampled.seen
        prompts = {prompt.name: prompt for prompt in snapshot.prompts}
        assert prompts["args-prompt"].arguments[0].required
        (message,) = await running.servers.get_prompt("all", "args-prompt", {"city": "Rome"})
        assert "Rome" in message.text
        assert snapshot.resources
        read = await running.servers.read_resource("all", snapshot.resources[0].uri)
        assert read.seen.startswith(f"[resource {snapshot.resources[0].uri}]")


@pytest.mark.needs("node")
async def test_server_filesystem(tmp_path: Path, npm_servers: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "a.txt").write_text("the text of a")
    entry = {"command": str(npm_servers / "mcp-server-filesystem"), "args": [str(root)]}
    async with Running(tmp_path, {"files": entry}) as running:
        await running.state("files", "ready")
        read = await running.call("files__read_text_file", path=str(root / "a.txt"))
        assert read.seen == "the text of a"
        refused = await running.call("files__read_text_file", path="/etc/hostname")
        assert refused.status == "error"
        written = await running.call("files__write_file", path=str(root / "b"), content="b")
        assert written.status == "ok"
        assert (root / "b").read_text() == "b"


@pytest.mark.slow
@pytest.mark.needs("node")
async def test_npx_with_its_grandchildren(tmp_path: Path, npm_servers: Path) -> None:
    """npx starts a shell that starts node: all of them end with the server."""
    folder = str(npm_servers.parent.parent)
    mark = f"CHATGLASS_TEST={tmp_path.name}"
    entry = {"command": "npx", "args": ["mcp-server-everything"], "cwd": folder,
             "env": dict([mark.split("=")])}  # fmt: skip
    async with Running(tmp_path, {"npx": entry}) as running:
        await running.state("npx", "ready")
        pids = marked(mark)
        assert len(pids) >= 3
    assert await gone(pids, 10) == []


def marked(mark: str) -> list[int]:
    """The processes that have this in their environment."""
    found: list[int] = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                if mark.encode() in (folder / "environ").read_bytes():
                    found.append(int(folder.name))
    return found
