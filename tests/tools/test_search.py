"""search_files: what it finds, what it leaves out, and that no pattern hangs."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from chatglass.tools.builtin import search_files as module
from chatglass.tools.builtin.search_worker import glob_pattern
from chatglass.tools.tool import Progress

if TYPE_CHECKING:
    from tests.tools.conftest import Bench


def fill(root: Path, files: dict[str, str | bytes]) -> None:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


async def test_finds_lines_by_file_and_number(bench: Bench):
    fill(bench.root, {"a.py": "x = 1\ny = x\n", "sub/b.py": "# x = 2", "c.txt": "x = 3"})
    output = await bench.call("search_files", pattern=r"x = \d", glob="*.py")
    assert output.status == "ok"
    assert output.seen == "a.py:1: x = 1\nsub/b.py:1: # x = 2\n[2 files searched]"
    assert output.produced == output.seen
    one = await bench.call("search_files", pattern="x", path="c.txt")
    assert one.seen.startswith("c.txt:1: x = 3")
    none = await bench.call("search_files", pattern="nowhere")
    assert none.seen == "[Nothing found.]\n[3 files searched]"
    assert "does not exist" in (await bench.call("search_files", pattern="x", path="zz")).seen
    assert (await bench.call("search_files", pattern="")).status == "error"


async def test_line_ends_and_literal_fallback(bench: Bench):
    fill(bench.root, {"dos.txt": "one\r\ntwo\r\n", "odd.txt": "f(x"})
    assert "dos.txt:1: one\n" in (await bench.call("search_files", pattern="one$")).seen
    assert "dos.txt:2: two\n" in (await bench.call("search_files", pattern=r"\r\n")).seen
    literal = await bench.call("search_files", pattern="f(x")
    assert "odd.txt:1: f(x\n" in literal.seen
    assert "searched for literally" in literal.seen


async def test_leaves_out_secrets_links_and_binaries(bench: Bench):
    fill(bench.home, {"outside.txt": "needle"})
    fill(bench.root, {
        "plain.txt": "needle", ".env": "needle", "deploy/id_rsa": "needle", ".ssh/x": "needle",
        "node_modules/m.js": "needle", ".git/config": "needle", "data.bin": b"\0needle",
        "wide.txt": "needle".encode("utf-16"),
    })  # fmt: skip
    (bench.root / "link.txt").symlink_to(bench.home / "outside.txt")
    (bench.root / "linked").symlink_to(bench.home)
    output = await bench.call("search_files", pattern="needle")
    found = [line for line in output.produced.splitlines() if not line.startswith("[")]
    assert found == ["plain.txt:1: needle", "wide.txt:1: needle"]
    assert "[Left out, may hold secrets: .env, .ssh, deploy/id_rsa]" in output.seen
    assert ".git, node_modules" in output.seen
    assert "unreadable" not in output.seen
    assert bench.assess("search_files", pattern="needle", path=".env").verdict == "ask"
    asked = await bench.call("search_files", pattern="needle", path=".ssh")
    assert ".ssh/x:1: needle" in asked.seen
    named = await bench.call("search_files", pattern="needle", path="node_modules")
    assert "node_modules/m.js:1: needle" in named.seen


async def test_many_matches_are_bounded(bench: Bench):
    fill(bench.root, {"many.txt": "match me please, here is some more text\n" * 5_000})
    output = await bench.call("search_files", pattern="match")
    assert output.produced.count("many.txt:") == 2_000
    assert "Stopped at 2,000 matches" in output.seen
    assert len(output.seen) <= 20_000
    assert "more matches are not shown" in output.seen


async def test_a_long_line_is_shown_around_the_match(bench: Bench):
    fill(bench.root, {"min.js": "x" * 100_000 + "needle" + "y" * 100_000})
    output = await bench.call("search_files", pattern="needle")
    assert "needle" in output.seen
    assert len(output.seen) < 600


async def test_a_catastrophic_pattern_is_ended(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    fill(bench.root, {"a.txt": "found aaab\n", "b.txt": "a" * 60 + "!\n"})
    monkeypatch.setattr(module, "_SECONDS", 0.5)
    output = await bench.call("search_files", pattern=r"aaab|^(a+)+$")
    assert "a.txt:1: found aaab" in output.seen
    assert "Stopped after" in output.seen
    assert "nested repeats" in output.seen


async def test_a_search_can_be_cancelled(bench: Bench):
    fill(bench.root, {f"{n:05}.txt": "a" * 24 + "!\n" for n in range(500)})
    reported = asyncio.Event()

    def look(progress: Progress) -> None:
        reported.set()

    bench.on_report = look
    task = asyncio.create_task(bench.call("search_files", pattern=r"^(a+)+$"))
    async with asyncio.timeout(20):
        await reported.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        async with asyncio.timeout(5):
            await task


@pytest.mark.parametrize(
    ("glob", "name", "matches"),
    [
        ("*.py", "a.py", True),
        ("*.py", "sub/a.py", False),
        ("**/*.py", "a.py", True),
        ("src/**/*.py", "src/a.py", True),
        ("src/**/*.py", "src/x/y/a.py", True),
        ("src/**/*.py", "lib/a.py", False),
        ("*.{ts,tsx}", "a.tsx", True),
        ("*.{ts,tsx}", "a.js", False),
        ("[!a]?.txt", "bc.txt", True),
        ("[!a]?.txt", "ac.txt", False),
        ("a{b", "a{b", True),
        ("[", "[", True),
    ],
)
def test_globs(glob: str, name: str, matches: bool):
    assert (glob_pattern(glob).fullmatch(name) is not None) == matches
