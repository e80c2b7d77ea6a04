"""Each fault costs the call or the server it is in, and is said; the others go on."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from chatglass.tools.mcp.restarts import RestartPolicy
from mcp_servers.running import Running, own_server
from processes import alive, gone, noted

together = pytest.mark.asyncio(loop_scope="module")
"""Tests that share one running server."""


async def test_one_that_never_answers_is_given_up(tmp_path: Path) -> None:
    servers = {"silent": own_server("silent"), "own": own_server()}
    async with Running(tmp_path, servers, start_timeout_s=2.0) as running:
        await running.state("own", "ready")
        await running.state("silent", "restarting")
        assert "did not answer initialize in 2 s" in running.servers.snapshot("silent").error
        assert (await running.call("own__echo", text="still here")).seen == "still here"


async def test_one_that_ends_at_start_says_its_last_words(tmp_path: Path) -> None:
    async with Running(tmp_path, {"ends": own_server("ends")}) as running:
        snapshot = await running.state("ends", "failed")
        assert snapshot.error == (
            "It ended with exit code 7. Its last words: the configuration is missing"
        )
        assert running.states("ends") == [*["starting", "restarting"] * 2, "starting", "failed"]
        assert snapshot.attempt == 3


async def test_one_that_is_not_there_fails_at_once(tmp_path: Path) -> None:
    async with Running(tmp_path, {"none": {"command": "no-such-program-here"}}) as running:
        snapshot = await running.state("none", "failed")
        assert "could not be started: no-such-program-here" in snapshot.error
        assert running.states("none") == ["starting", "failed"]


async def test_garbage_alone_is_no_server(tmp_path: Path) -> None:
    servers = {"garbage": own_server("garbage"), "own": own_server()}
    once = RestartPolicy(attempts=1)
    async with Running(tmp_path, servers, policy=once) as running:
        snapshot = await running.state("garbage", "failed")
        assert snapshot.error == "its stdout is not the protocol: Welcome to the server!"
        assert (await running.call("own__echo", text="fine")).seen == "fine"


async def test_a_line_of_garbage_is_only_noted(tmp_path: Path) -> None:
    async with Running(tmp_path, {"chatty": own_server("chatty")}) as running:
        await running.state("chatty", "ready")
        await running.until(lambda: "Welcome to the server!" in running.log_text("chatty"))


async def test_one_that_dies_in_mid_call_is_started_again(tmp_path: Path) -> None:
    async with Running(tmp_path, {"own": own_server()}) as running:
        await running.state("own", "ready")
        waiting = asyncio.create_task(running.call("own__wait"))
        await running.until(lambda: bool(running.progress))
        output = await running.call("own__die")
        assert output.status == "error"
        assert "It ended with exit code 3. Its last words: out of luck" in output.seen
        assert "may have taken effect" in (await waiting).seen
        # Its tools are there meanwhile, and a call waits for the restart.
        assert (await running.call("own__echo", text="again")).seen == "again"
        assert running.states("own") == ["starting", "ready", "restarting", "starting", "ready"]


@together
async def test_an_answer_with_a_wrong_id_fails_the_call(running: Running) -> None:
    output = await running.call("own__wrong_id")
    assert output.status == "error"
    assert "which was never asked for" in output.seen
    assert (await running.call("own__echo", text="on")).seen == "on"


@together
async def test_an_answer_that_is_no_json_fails_its_call(running: Running) -> None:
    waiting = asyncio.create_task(running.call("own__wait"))
    await running.until(lambda: bool(running.progress))
    output = await running.call("own__broken")
    assert output.status == "error"
    assert "not valid JSON-RPC" in output.seen
    assert not waiting.done(), "the other call goes on"
    waiting.cancel()


@together
async def test_a_result_over_the_limit_fails_the_call(running: Running) -> None:
    output = await running.call("own__big", bytes=65 * 1024 * 1024)
    assert output.status == "error"
    assert "The result has 65 MB; the limit is 64 MB." in output.seen
    assert (await running.call("own__echo", text="on")).seen == "on"
    assert running.servers.snapshot("own").state == "ready"


async def test_one_that_hangs_on_shutdown_is_killed(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    async with Running(tmp_path, {"stays": own_server("stays", notes)}) as running:
        await running.state("stays", "ready")
        pids = await noted(notes, "child", 1)
    assert await gone(pids, 5) == []


async def test_one_that_dies_of_what_it_does_not_know_is_asked_the_old_way(tmp_path: Path) -> None:
    async with Running(tmp_path, {"strict": own_server("strict")}) as running:
        await running.state("strict", "ready")
        assert running.states("strict") == ["starting", "restarting", "starting", "ready"]


async def test_the_whole_tree_ends_with_its_server(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    async with Running(tmp_path, {"tree": own_server("tree", notes)}) as running:
        await running.state("tree", "ready")
        pids = await noted(notes, "child", 3)
        assert all(map(alive, pids))
        running.servers.stop("tree")
        assert await gone(pids, 10) == []


@pytest.mark.slow
async def test_the_host_is_started_again_when_it_dies(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    async with Running(tmp_path, {"tree": own_server("tree", notes)}) as running:
        await running.state("tree", "ready")
        pids = await noted(notes, "child", 3)
        os.kill(_host_of(os.getpid()), signal.SIGKILL)
        await running.state("tree", "restarting")
        assert "host ended unexpectedly" in running.servers.snapshot("tree").error
        assert await gone(pids, 10) == [], "no server outlives it"
        await running.state("tree", "ready")
        assert (await running.call("tree__echo", text="back")).seen == "back"


_APP = """
import asyncio, json, sys
from pathlib import Path
from chatglass.tools.mcp.config_file import find_servers
from chatglass.tools.mcp.servers import McpOptions, McpServers
from chatglass.tools.mcp.trust import TrustStore

async def main():
    folder = Path(sys.argv[1])
    servers = McpServers(find_servers(folder / "mcp.json", folder), McpOptions(root=folder),
                         trust=TrustStore(None, environment={}), replace_tools=lambda *_: None)
    servers.start()
    await servers.settled(30)
    print(servers.snapshot("tree").state, flush=True)
    await asyncio.sleep(1000)

asyncio.run(main())
"""


@pytest.mark.parametrize("frozen_host", [pytest.param(False, marks=pytest.mark.slow), True])
async def test_everything_ends_when_the_app_is_killed(tmp_path: Path, frozen_host: bool) -> None:
    notes = tmp_path / "notes"
    config = {"mcpServers": {"tree": own_server("tree", notes)}}
    (tmp_path / "mcp.json").write_text(json.dumps(config))
    app = _start_app(tmp_path)
    assert app.stdout
    assert (await asyncio.to_thread(app.stdout.readline)).strip() == "ready"
    pids = await noted(notes, "child", 3)
    host = _host_of(app.pid)
    if frozen_host:
        os.kill(host, signal.SIGSTOP)
    app.kill()
    app.wait()
    app.stdout.close()
    try:
        assert await gone(pids, 10) == []
    finally:
        if frozen_host:
            os.kill(host, signal.SIGCONT)
    assert await gone([host], 10) == []


def _start_app(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _APP, str(folder)], stdout=subprocess.PIPE, text=True
    )


def _host_of(app: int) -> int:
    """The process id of the MCP host that `app` started."""
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            line = (folder / "cmdline").read_bytes()
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
        except OSError:
            continue
        if b"chatglass.tools.mcp.host" in line and int(parent) == app:
            return int(folder.name)
    raise AssertionError(f"{app} runs no host")
