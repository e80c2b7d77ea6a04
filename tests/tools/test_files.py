"""read_file, list_directory and write_file on real files."""

from __future__ import annotations

import os
import socket
import stat
import sys
from typing import TYPE_CHECKING

import pytest

from chatglass.tools.limits import head_and_tail

if TYPE_CHECKING:
    from tests.tools.conftest import Bench


async def test_read_whole_and_range(bench: Bench):
    (bench.root / "a.txt").write_text("".join(f"line {n}\n" for n in range(1, 11)))
    whole = await bench.call("read_file", path="a.txt")
    assert whole.status == "ok"
    assert whole.produced == whole.seen == (bench.root / "a.txt").read_text()
    part = await bench.call("read_file", path="a.txt", start_line=4, line_count=2)
    assert part.produced == "line 4\nline 5\n"
    assert part.seen == "line 4\nline 5\n[There is more; go on with start_line=6]"
    end = await bench.call("read_file", path="a.txt", start_line=10, line_count=5)
    assert end.seen == "line 10\n"
    beyond = await bench.call("read_file", path="a.txt", start_line=11)
    assert (beyond.status, beyond.seen) == ("error", "a.txt has only 10 lines.")


async def test_long_file_says_where_to_go_on(bench: Bench):
    lines = [f"{n} " + "x" * 50 for n in range(1, 3001)]
    (bench.root / "long.txt").write_text("\n".join(lines))
    output = await bench.call("read_file", path="long.txt")
    assert output.produced == "\n".join(lines)
    assert len(output.seen) <= 30_000
    *shown, note = output.seen.split("\n")
    assert shown == lines[: len(shown)]
    assert (
        note
        == f"[Lines 1 to {len(shown)} of 3,000 are shown; go on with start_line={len(shown) + 1}]"
    )
    more = await bench.call("read_file", path="long.txt", start_line=len(shown) + 1, line_count=1)
    assert more.produced.rstrip("\n") == lines[len(shown)]


async def test_one_endless_line(bench: Bench):
    (bench.root / "min.js").write_text("x" * 3_000_000)
    output = await bench.call("read_file", path="min.js")
    assert len(output.produced) == 3_000_000
    assert len(output.seen) <= 30_000
    assert "Line 1 is longer than can be shown" in output.seen


@pytest.mark.parametrize(
    ("data", "text", "note"),
    [
        (b"\xef\xbb\xbfhello", "hello", ""),
        ("grüß".encode("utf-16"), "grüß", ""),
        (b"caf\xe9", "caf\ufffd", "no text in the file's encoding"),
        (b"", "", "is empty"),
        (b"\n", "\n", ""),
        (b"a\r\nb", "a\r\nb", ""),
    ],
)
async def test_encodings(bench: Bench, data: bytes, text: str, note: str):
    (bench.root / "f").write_bytes(data)
    output = await bench.call("read_file", path="f")
    assert output.status == "ok"
    assert output.produced == text
    assert note in output.seen


async def test_what_is_no_text_file(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    (bench.root / "i.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0")
    os.mkfifo(bench.root / "pipe")
    (bench.root / "dir").mkdir()
    (bench.root / "loop").symlink_to("loop")
    with socket.socket(socket.AF_UNIX) as server:
        monkeypatch.chdir(bench.root)
        server.bind("sock")
    cases = {
        "i.png": "i.png is a PNG image (10 bytes), not text.",
        "pipe": "is a named pipe, not a regular file.",
        "dir": "is a folder, not a regular file. List it with list_directory.",
        "gone": "gone does not exist.",
        "x" * 300: "name too long",
        "/dev/zero": "is a device",
        "sock": "is a socket",
        "loop": "loop",
    }
    for path, words in cases.items():
        output = await bench.call("read_file", path=path)
        assert output.status == "error", path
        assert words in output.seen
        assert (await bench.call("read_file", path=path, start_line=2)).status == "error"


async def test_a_link_changed_after_the_question_is_refused(bench: Bench):
    first, second = bench.home / "first", bench.home / "second"
    first.write_text("one")
    second.write_text("two")
    link = bench.root / "link"
    link.symlink_to(first)
    assert (await bench.call("read_file", path="link")).seen == "one"
    bench.assess("read_file", path="link")
    link.unlink()
    link.symlink_to(second)
    output = await bench.run("read_file", path="link")
    assert output.status == "error"
    assert "not what was approved" in output.seen
    assert (await bench.run("read_file", path=str(second))).status == "error"


async def test_list(bench: Bench):
    (bench.root / "b.txt").write_text("12345")
    (bench.root / "sub").mkdir()
    (bench.root / "l").symlink_to("b.txt")
    (bench.root / "odd\nname").write_text("")
    if sys.platform == "linux":
        os.mkdir(os.fsencode(bench.root) + b"/bad\xff")
    output = await bench.call("list_directory")
    lines = output.produced.split("\n")
    assert "sub/" in lines[:2]
    assert "b.txt\t5" in lines
    assert "l\t-> b.txt" in lines
    assert "odd\\nname\t0" in lines
    output.produced.encode()
    assert (await bench.call("list_directory", path="sub")).seen == "[sub is empty]"
    assert "is not a folder" in (await bench.call("list_directory", path="b.txt")).seen


async def test_a_large_folder_is_cut(bench: Bench):
    for number in range(2_000):
        (bench.root / f"a-rather-long-name-{number:05}").touch()
    output = await bench.call("list_directory")
    assert len(output.seen) <= 20_000
    assert "left out here" in output.seen
    assert output.produced.count("\n") == 2_000


def test_head_and_tail_keeps_both_ends_within_the_limit():
    text = "".join(f"line {n}\n" for n in range(10_000))
    cut = head_and_tail(text, 1_000, "Ask again.")
    assert len(cut) <= 1_000
    assert cut.startswith("line 0\n")
    assert cut.endswith("line 9999\n")
    assert "lines left out here. Ask again.]" in cut
    assert head_and_tail("short", 5) == "short"
    assert len(head_and_tail("x" * 500, 50)) <= 50


async def test_write_creates_and_overwrites(bench: Bench):
    output = await bench.call("write_file", path="new/deep/a.txt", content="eins\nzwei\n")
    assert output.seen == "Created new/deep/a.txt: 2 lines, 10 bytes."
    path = bench.root / "new" / "deep" / "a.txt"
    path.chmod(0o750)
    output = await bench.call("write_file", path="new/deep/a.txt", content="grüß\ud800")
    assert output.seen == "Overwrote new/deep/a.txt: 1 line, 9 bytes; it had 2 lines."
    assert path.read_text() == "grüß\ufffd"
    assert stat.S_IMODE(path.stat().st_mode) == 0o750
    assert [entry.name for entry in path.parent.iterdir()] == ["a.txt"]


async def test_a_new_file_has_the_mode_of_the_umask(bench: Bench):
    await bench.call("write_file", path="a.txt", content="x")
    (bench.root / "b.txt").write_text("x")
    assert (bench.root / "a.txt").stat().st_mode == (bench.root / "b.txt").stat().st_mode


async def test_write_through_a_link_keeps_the_link(bench: Bench):
    (bench.root / "real.txt").write_text("old")
    (bench.root / "link.txt").symlink_to("real.txt")
    assert (await bench.call("write_file", path="link.txt", content="new")).status == "ok"
    assert (bench.root / "link.txt").is_symlink()
    assert (bench.root / "real.txt").read_text() == "new"


def test_the_question_shows_a_diff(bench: Bench):
    (bench.root / "a.txt").write_text("one\ntwo\n")
    found = bench.assess("write_file", path="a.txt", content="one\nthree")
    assert found.verdict == "ask"
    assert not found.always_ask
    assert "-two\n" in found.details["diff"]
    assert "+three\n\\ no newline at the end\n" in found.details["diff"]
    assert found.details["path"] == str(bench.root / "a.txt")
    assert bench.assess("write_file", path="b", content="").details["exists"] == "no"


@pytest.mark.parametrize(
    "path",
    [".git/hooks/pre-commit", ".GIT/config", ".mcp.json", "sub/.mcp.json", ".env", "~/.ssh/config",
     "~/.config/chatglass/config.toml"],
)  # fmt: skip
def test_guarded_writes_always_ask(bench: Bench, path: str):
    found = bench.assess("write_file", path=path, content="x")
    assert (found.verdict, found.always_ask) == ("ask", True)


@pytest.mark.parametrize(
    ("path", "why"),
    [
        (".husky/pre-commit", "git runs it at a commit or another step (.husky)"),
        (".pre-commit-config.yaml", "git runs it"),
        (".vscode/tasks.json", "an editor runs it when the folder is opened (.vscode)"),
        ("sub/.VSCode/settings.json", "an editor runs it"),
        (".devcontainer/devcontainer.json", "an editor runs it"),
        (".dir-locals.el", "an editor runs it"),
        (".envrc", "a shell runs it when it starts or enters the folder (.envrc)"),
        ("~/.bashrc", "a shell runs it"),
        ("~/.config/fish/conf.d/x.fish", "a shell runs it"),
        ("src/sitecustomize.py", "Python runs it whenever it starts (sitecustomize.py)"),
        ("lib/evil.pth", "Python runs it"),
        (".yarn/releases/yarn.cjs", "a package manager or build tool runs it unasked (.yarn)"),
        (".cargo/config.toml", "a package manager"),
        (".github/workflows/ci.yml", "the CI runs it once it is pushed (.github/workflows)"),
        (".gitlab-ci.yml", "the CI runs it"),
        ("Jenkinsfile", "the CI runs it"),
        (".claude/settings.local.json", "another assistant obeys it"),
        ("~/.config/autostart/x.desktop", "the system runs it when you log in"),
        ("~/Library/LaunchAgents/x.plist", "the system runs it"),
        ("/etc/cron.d/x", "the system runs it"),
    ],
)
def test_what_runs_by_itself_once_it_is_written_always_asks(bench: Bench, path: str, why: str):
    found = bench.assess("write_file", path=path, content="x")
    assert (found.verdict, found.always_ask) == ("ask", True)
    assert why in found.why


@pytest.mark.parametrize(
    "path",
    ["Makefile", "package.json", "conftest.py", "setup.py", "pyproject.toml", "src/main.py",
     ".github/CODEOWNERS", ".claude/notes.md", "vscode/x", "my.vscode", "husky/x",
     "docs/profile", "pth", "cargo/config.toml", "workflows/ci.yml"],
)  # fmt: skip
def test_what_is_run_by_name_asks_as_any_writing_does(bench: Bench, path: str):
    found = bench.assess("write_file", path=path, content="x")
    assert (found.verdict, found.always_ask) == ("ask", False)


def test_what_runs_by_itself_is_read_unasked(bench: Bench):
    (bench.root / ".vscode").mkdir()
    (bench.root / ".vscode" / "tasks.json").write_text("{}")
    assert bench.assess("read_file", path=".vscode/tasks.json").verdict == "allow"


def test_a_link_into_what_runs_by_itself_is_guarded(bench: Bench):
    (bench.root / ".husky").mkdir()
    (bench.root / "harmless").symlink_to(".husky")
    assert bench.assess("write_file", path="harmless/pre-push", content="x").always_ask


def test_a_link_into_git_is_guarded(bench: Bench):
    (bench.root / ".git" / "hooks").mkdir(parents=True)
    (bench.root / "harmless").symlink_to(".git/hooks")
    assert bench.assess("write_file", path="harmless/pre-commit", content="x").always_ask
    assert not bench.assess("write_file", path="gitlog.txt", content="x").always_ask


async def test_write_refuses_what_the_question_did_not_show(bench: Bench):
    path = bench.root / "a.txt"
    assert (
        "not what was approved" in (await bench.run("write_file", path="a.txt", content="x")).seen
    )
    path.write_text("old")
    bench.assess("write_file", path="a.txt", content="x")
    path.write_text("edited by the user meanwhile")
    output = await bench.run("write_file", path="a.txt", content="x")
    assert output.status == "error"
    assert "has changed since" in output.seen
    assert path.read_text() == "edited by the user meanwhile"


async def test_what_can_not_be_written(bench: Bench):
    (bench.root / "dir").mkdir()
    os.mkfifo(bench.root / "pipe")
    (bench.root / "file").write_text("x")
    for path, words in {
        "dir": "is a folder",
        "pipe": "named pipe",
        "file/below": "not a directory",
        str(bench.home / "missing" / "a.txt"): "inside the working directory only",
    }.items():
        output = await bench.call("write_file", path=path, content="x")
        assert output.status == "error", path
        assert words in output.seen
        assert "Nothing was written" in output.seen
    assert (
        await bench.call("write_file", path=str(bench.home / "a.txt"), content="x")
    ).status == "ok"
