"""Commands, and that nothing of them is left: when they end, are cancelled, or we are killed."""

from __future__ import annotations

import asyncio
import os
import re
import select
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from chatglass.tools.process import ProcessEnd, run_process
from chatglass.tools.tool import Progress

if TYPE_CHECKING:
    from tests.tools.conftest import Bench

linux = pytest.mark.skipif(sys.platform != "linux", reason="descendants are found on Linux only")

# A child, a child of another session, one that has lost its parent, and one that ignores SIGTERM.
TREE = textwrap.dedent("""
    sleep 300 & one=$!
    setsid sleep 300 & two=$!
    three=$( (setsid sleep 300 >/dev/null 2>&1 & echo $!) )
    (trap '' TERM; echo ready >&2; while :; do sleep 300; done) & four=$!
    echo "tree $$ $one $two $three $four."
    wait
""")


async def run(argv: list[str], cwd: Path, **options: object) -> ProcessEnd:
    settings: dict[str, object] = {"environment": dict(os.environ), "timeout_s": 30.0, **options}
    return await run_process(argv, cwd=cwd, **settings)  # type: ignore[arg-type]


def pids_of(text: str) -> list[int]:
    found = re.search(r"tree ([\d ]+)\.", text)
    assert found, text
    return [int(pid) for pid in found[1].split()]


def gone(pids: list[int], seconds: float = 10.0) -> bool:
    """Whether all of `pids` end within `seconds`: waits on the processes themselves."""
    for pid in pids:
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        try:
            if not select.select([descriptor], [], [], seconds)[0]:
                return False
        finally:
            os.close(descriptor)
    return True


async def test_output_comes_in_order_with_the_exit_code(tmp_path: Path):
    script = "for n in 1 2 3; do echo out $n; echo err $n >&2; done; exit 7"
    ended = await run(["sh", "-c", script], tmp_path)
    assert ended.output == b"out 1\nerr 1\nout 2\nerr 2\nout 3\nerr 3\n"
    assert ended.exit_code == 7
    assert (ended.left_running, ended.error) == (0, "")


async def test_no_input_and_no_terminal(tmp_path: Path):
    ended = await run(["sh", "-c", "cat; (: </dev/tty) 2>/dev/null && echo tty; pwd"], tmp_path)
    assert ended.output.decode() == f"{tmp_path}\n"
    only_these = 'import os; print(sorted(os.listdir("/proc/self/fd"))[:4])'
    if sys.platform == "linux":
        # 3 is the listing itself: no pipe of ours leaks into the command.
        ended = await run([sys.executable, "-c", only_these], tmp_path)
        assert ended.output == b"['0', '1', '2', '3']\n"


async def test_a_command_that_signals_its_group_hits_only_itself(tmp_path: Path):
    ended = await run(["sh", "-c", "kill -KILL 0"], tmp_path)
    assert (ended.signal, ended.error) == (signal.SIGKILL, "")


@linux
async def test_the_supervisor_has_a_session_of_its_own(tmp_path: Path):
    # stat of proc(5), after the name in brackets: state, parent, group, session.
    ended = await run(["sh", "-c", "sed 's/.*) //' /proc/$PPID/stat"], tmp_path)
    assert int(ended.output.split()[3]) != os.getsid(0)


async def test_how_it_ended(tmp_path: Path):
    assert (await run(["sh", "-c", "kill -9 $$"], tmp_path)).signal == signal.SIGKILL
    missing = await run(["no-such-program-here"], tmp_path)
    assert missing.error == "no-such-program-here: No such file or directory"
    with pytest.raises(FileNotFoundError):
        await run(["true"], tmp_path / "missing")


@linux
async def test_what_a_command_leaves_behind_is_ended(tmp_path: Path):
    ended = await run(["sh", "-c", TREE.replace("wait\n", "exit 0\n")], tmp_path, grace_s=0.1)
    assert ended.exit_code == 0
    assert ended.left_running >= 4
    assert gone(pids_of(ended.output.decode()), 0)


@linux
async def test_cancelling_ends_the_whole_tree(tmp_path: Path):
    output: list[bytes] = []
    started = asyncio.Event()

    def read(piece: bytes) -> None:
        output.append(piece)
        if b"tree" in b"".join(output) and b"ready" in b"".join(output):
            started.set()

    task = asyncio.create_task(run(["sh", "-c", TREE], tmp_path, on_output=read, grace_s=0.2))
    await started.wait()
    pids = pids_of(b"".join(output).decode())
    assert not gone(pids, 0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert gone(pids, 0)


def state_and_parent(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:2]


HALF_ENDED = """
import ctypes, platform, subprocess, threading, time
child = subprocess.Popen(["sleep", "1000"])
threading.Thread(target=time.sleep, args=(1000,)).start()
print(child.pid, flush=True)
# exit(2), which unlike exit_group ends the calling thread alone.
ctypes.CDLL(None).syscall({"x86_64": 60, "aarch64": 93}[platform.machine()], 0)
"""


@linux
async def test_a_process_whose_first_thread_has_ended_is_ended_with_its_children(tmp_path: Path):
    """It counts as a zombie and is none; a process that ends is such for a moment, too."""
    output: list[bytes] = []
    started = asyncio.Event()

    def read(piece: bytes) -> None:
        output.append(piece)
        started.set()

    command = [sys.executable, "-c", HALF_ENDED]
    task = asyncio.create_task(run(command, tmp_path, on_output=read, grace_s=0.2))
    await started.wait()
    child = int(b"".join(output))
    leader = int(state_and_parent(child)[1])
    async with asyncio.timeout(10):
        while state_and_parent(leader)[0] != "Z":  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert gone([child, leader], 0)


@linux
async def test_a_timeout_ends_the_tree_and_keeps_the_output(tmp_path: Path):
    ended = await run(["sh", "-c", TREE], tmp_path, timeout_s=0.5, grace_s=0.1)
    assert ended.timed_out
    assert gone(pids_of(ended.output.decode()), 0)


async def test_a_stopped_command_can_be_ended(tmp_path: Path):
    ended = await run(["sh", "-c", "kill -STOP $$"], tmp_path, timeout_s=0.3, grace_s=1.0)
    assert ended.timed_out
    assert ended.signal == signal.SIGTERM


async def test_term_comes_first(tmp_path: Path):
    script = "trap 'echo cleaned up; exit 0' TERM; echo go; while :; do sleep 0.01; done"
    ended = await run(["sh", "-c", script], tmp_path, timeout_s=0.5)
    assert ended.output.startswith(b"go\n")
    assert ended.output.endswith(b"cleaned up\n")
    assert ended.exit_code == 0


async def test_a_flood_is_ended_at_the_limit(tmp_path: Path):
    ended = await run(["yes"], tmp_path, output_limit=1_000_000)
    assert ended.flooded
    assert len(ended.output) == 1_000_000


APP = """
import asyncio, os, sys
from pathlib import Path
from chatglass.tools.process import run_process

def show(piece):
    os.write(1, piece)

asyncio.run(run_process(["sh", "-c", sys.argv[1]], cwd=Path("."), environment=dict(os.environ),
                        timeout_s=300, on_output=show, grace_s=0.2))
"""


@linux
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_tree_ends_with_the_app(tmp_path: Path, how: signal.Signals):
    app = subprocess.Popen(
        [sys.executable, "-c", APP, TREE],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert app.stdout is not None
    text = ""
    while "tree" not in text or "ready" not in text:
        piece = os.read(app.stdout.fileno(), 4096).decode()
        assert piece, text
        text += piece
    pids = pids_of(text)
    assert not gone(pids, 0)
    app.send_signal(how)
    app.wait(10)
    app.stdout.close()
    assert gone(pids)


async def test_run_command_reports_output_and_exit_code(bench: Bench):
    good = await bench.call("run_command", command="echo hi; echo oops >&2")
    assert (good.status, good.seen) == ("ok", "hi\noops\n[exit code 0]")
    bad = await bench.call("run_command", command="echo why; exit 3")
    assert (bad.status, bad.seen, bad.produced) == ("error", *["why\n[exit code 3]"] * 2)
    silent = await bench.call("run_command", command="pwd >/dev/null")
    assert silent.seen == "(no output)\n[exit code 0]"
    where = await bench.call("run_command", command="pwd")
    assert where.seen.startswith(f"{bench.root}\n")
    binary = await bench.call("run_command", command=r"printf 'a\377b'")
    assert binary.produced.startswith("a\ufffdb")
    slow = await bench.call("run_command", command="echo begun; sleep 60", timeout_s=1)
    assert slow.status == "error"
    assert slow.seen == "begun\n[Ended after 1 s, its time limit; timeout_s sets another]"
    nul = await bench.call("run_command", command="echo \0")
    assert "NUL" in nul.seen


async def test_long_output_keeps_head_and_tail(bench: Bench):
    output = await bench.call("run_command", command="seq 100000; exit 1")
    assert len(output.produced) > 500_000
    assert len(output.seen) <= 30_000
    assert output.seen.startswith("1\n2\n")
    assert output.seen.endswith("\n99999\n100000\n[exit code 1]")
    assert "lines left out here. To see it, run the command" in output.seen


async def test_progress_is_the_last_line(bench: Bench):
    seen = asyncio.Event()

    def look(progress: Progress) -> None:
        if progress.message == "50 %":
            seen.set()

    bench.on_report = look
    command = r"printf 'begin\n\n10 %%\r50 %%'; exec sleep 60"
    task = asyncio.create_task(bench.call("run_command", command=command))
    async with asyncio.timeout(10):
        await seen.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_keys_reach_neither_command_nor_result(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    key = "sk-proj-abcdef0123456789"
    bench.keys.append(key)
    (bench.root / "leak.txt").write_text(f"the key is {key}.")
    for name, value in {
        "OPENAI_API_KEY": "another", "MY_ENDPOINT_VARIABLE": "x", "OTHER": f"Bearer {key}",
        "GITHUB_TOKEN": "x", "AWS_PROFILE_SECRET": "x", "KEPT": "yes",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("NO_COLOR", raising=False)
    output = await bench.call("run_command", command="env; cat leak.txt; cat leak.txt >&2")
    names = {line.partition("=")[0] for line in output.produced.splitlines()}
    assert "KEPT" in names
    assert not names & {"OPENAI_API_KEY", "MY_ENDPOINT_VARIABLE", "OTHER", "GITHUB_TOKEN"}
    assert "NO_COLOR=1" in output.produced
    for text in (output.produced, output.seen, *(p.message for p in bench.reported)):
        assert key not in text
    assert output.produced.count("the key is [key removed].") == 2
    read = await bench.call("read_file", path="leak.txt")
    assert read.seen == read.produced == "the key is [key removed]."
