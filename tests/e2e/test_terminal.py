"""The real program in a real terminal: starts that fail, kills, suspending, editors, resizing."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from e2e.conftest import Open
from e2e.tmux import Tmux

pytestmark = pytest.mark.needs("tmux")


def ready(shell: Tmux) -> Tmux:
    shell.sees("Write a message")
    shell.sees("demo · demo")
    return shell


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ("them = 1\n", "theme"),
        ("[keys]\nnosuch = 'f9'\n", "no action"),
        ("= broken", "config.toml"),
    ],
)
def test_wrong_settings_leave_the_screen_and_say_why(
    chatglass: Open, tmp_path: Path, settings: str, told: str
) -> None:
    (tmp_path / "config.toml").write_text(settings, encoding="utf-8")
    shell = chatglass("--demo")
    screen = shell.sees("exit=2")
    assert "chatglass: " in screen
    assert told in screen
    assert "Traceback" not in screen


def test_a_damaged_store_leaves_the_screen_and_names_the_way_on(
    chatglass: Open, tmp_path: Path
) -> None:
    store = tmp_path / "data" / "sessions.sqlite3"
    store.parent.mkdir()
    store.write_bytes(b"this is no database\n" * 50)
    before = store.read_bytes()
    screen = chatglass("--demo").sees("exit=1")
    assert "--no-save" in screen
    assert "Traceback" not in screen
    assert store.read_bytes() == before
    shell = ready(chatglass("--demo", "--no-save"))
    shell.keys("C-d")
    assert "chatglass -r" not in shell.sees("exit=0")
    assert store.read_bytes() == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_can_not_be_written_is_said(chatglass: Open, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o500)
    screen = chatglass("--demo").sees("exit=")
    assert "--no-save" in screen


def test_draft_and_queue_survive_a_kill(chatglass: Open) -> None:
    shell = ready(chatglass("--demo"))
    shell.type("Write 3000 words about glass")
    shell.keys("Enter")
    shell.sees("working")
    shell.type("queued meanwhile")
    shell.keys("Enter")
    shell.sees("1 queued")
    shell.type("not sent yet")
    shell.sees("not sent yet")
    time.sleep(0.8)  # drafts are stored within half a second
    shell.kill_program()
    again = chatglass("-c")
    again.sees("interrupted")
    again.sees("1 queued: Enter sends")
    again.sees("not sent yet")
    again.sees("queued meanwhile")
    again.keys("C-u", "Enter")
    again.sees("working")
    again.sees_no("1 queued")


def test_the_words_at_the_end_resume_the_session(chatglass: Open) -> None:
    shell = ready(chatglass("--demo"))
    shell.type("hello")
    shell.keys("Enter")
    shell.until(lambda screen: " tokens · free" in screen, "an answer")
    shell.keys("C-q")
    screen = shell.sees("chatglass -r ")
    session = screen.split("chatglass -r ")[1].split()[0]
    again = chatglass("-r", session)
    again.sees("hello")
    again.sees(" tokens · free")
    other = chatglass("-r", session)
    other.sees("read-only")
    other.type("may I?")
    other.keys("Enter")
    other.sees("kept below")


def test_suspended_and_back(chatglass: Open) -> None:
    shell = ready(chatglass("--demo"))
    shell.type("typed before")
    pid = shell.pid
    shell.keys("C-z")
    shell.until(
        lambda _: Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T",
        "the stop",
    )
    os.kill(pid, 18)
    shell.sees("typed before")
    shell.type(" and after")
    shell.sees("typed before and after")


def test_the_editor_changes_the_prompt(chatglass: Open, tmp_path: Path) -> None:
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nprintf "from the editor" >> "$1"\n', encoding="utf-8")
    editor.chmod(0o700)
    shell = ready(chatglass("--demo", env={"EDITOR": str(editor), "VISUAL": ""}))
    shell.type("typed ")
    shell.keys("C-e")
    shell.sees("typed from the editor")


def test_a_large_paste_folds_and_is_sent_whole(chatglass: Open) -> None:
    shell = ready(chatglass("--demo"))
    shell.paste("\n".join(f"line {number}" for number in range(240)))
    shell.sees("[pasted 240 lines]")
    shell.keys("Enter")
    shell.until(lambda screen: " tokens · free" in screen, "an answer")
    shell.keys("C-Home")
    shell.sees("line 0")


def test_resizing_while_it_streams(chatglass: Open) -> None:
    shell = ready(chatglass("--demo"))
    shell.type("Write 300 words about glass")
    shell.keys("Enter")
    shell.sees("working")
    for size in ((80, 24), (40, 10), (200, 50), (20, 6), (104, 30), (120, 40)):
        shell.resize(*size)
    shell.sees(" tokens · free")
    lines = shell.screen.splitlines()
    assert lines[1].startswith("╭─ Conversation")
    assert "F1 Keys" in lines[-1]
