"""The files in which processes keep which tabs they have open."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from chatglass.store.open_tabs import OpenTabs, OpenTabsFile

_KEEP = """
import sys
from pathlib import Path
from chatglass.store.open_tabs import OpenTabs, OpenTabsFile
OpenTabsFile(Path(sys.argv[1]), "/work").keep(OpenTabs(tuple(sys.argv[2:]), sys.argv[2]))
print("kept", flush=True)
sys.stdin.read()
"""


def process(folder: Path, *ids: str) -> subprocess.Popen[str]:
    """One that has these tabs open in /work."""
    started = subprocess.Popen(
        [sys.executable, "-c", _KEEP, str(folder), *ids],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert started.stdout is not None
    assert started.stdout.readline() == "kept\n"
    return started


def test_what_a_killed_process_had_open_is_found(tmp_path: Path) -> None:
    file = OpenTabsFile(tmp_path, "/work")
    assert file.last() == OpenTabs()
    with process(tmp_path, "a", "b") as other:
        assert file.last() == OpenTabs()  # it still has them
        other.kill()
    assert file.last() == OpenTabs(("a", "b"), "a")
    assert OpenTabsFile(tmp_path, "/elsewhere").last() == OpenTabs()
    file.keep(OpenTabs(("c",), "c"))
    assert [path.name.split("-")[1] for path in tmp_path.iterdir()] == [f"{os.getpid()}.json"]


def test_two_processes_of_a_directory_keep_their_own(tmp_path: Path) -> None:
    file = OpenTabsFile(tmp_path, "/work")
    with process(tmp_path, "a", "b") as other:
        file.keep(OpenTabs(("c", "d"), "d"))
        assert len(list(tmp_path.iterdir())) == 2
        assert file.last() == OpenTabs(("c", "d"), "d")
        other.kill()
    # That one ended without having them open later than this one wrote its own.
    assert file.last() == OpenTabs(("c", "d"), "d")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"root": "/work"}', '{"sessions": 1}', "\x00"])
def test_a_file_that_is_none_says_nothing_and_goes(tmp_path: Path, text: str) -> None:
    file = OpenTabsFile(tmp_path, "/work")
    file.keep(OpenTabs(("a",), "a"))
    (own,) = tmp_path.iterdir()
    broken = own.with_name(own.name.replace(str(os.getpid()), "1"))
    own.rename(broken)
    broken.write_text(text)
    assert file.last() == OpenTabs()
    file.keep(OpenTabs(("b",), "b"))
    assert [json.loads(path.read_text())["sessions"] for path in tmp_path.iterdir()] == [["b"]]
