"""`chatglass completion`, in the shells that are here, and `chatglass man`."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from chatglass.cli import whole_parser
from chatglass.commands.completion import completion
from chatglass.commands.man import manual_page
from chatglass.commands.names import COMMANDS


def run(*arguments: str, stdin: str = "", cwd: Path | None = None) -> str:
    done = subprocess.run(
        arguments, input=stdin, capture_output=True, text=True, cwd=cwd, timeout=30, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def script(folder: Path, shell: str) -> Path:
    path = folder / f"chatglass.{shell}"
    path.write_text(completion(shell, whole_parser()))
    return path


def in_bash(folder: Path, *words: str) -> list[str]:
    """What bash offers for the last of `words`, after `chatglass`."""
    line = " ".join(f"'{word}'" for word in ("chatglass", *words))
    found = run(
        *("bash", "--norc", "-c"),
        f"source {script(folder, 'bash')}; COMP_WORDS=({line}); COMP_CWORD={len(words)};"
        " _shtab_chatglass; printf '%s\\n' \"${COMPREPLY[@]}\"",
        cwd=folder,
    )
    return sorted(found.split())


def test_in_bash(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "settings.toml").touch()
    assert in_bash(tmp_path, "se") == ["serve", "sessions"]
    assert in_bash(tmp_path, "") == sorted(COMMANDS)
    assert in_bash(tmp_path, "--mo") == ["--model"]
    assert in_bash(tmp_path, "--output-format", "") == ["json", "stream-json", "text"]
    assert in_bash(tmp_path, "sessions", "s") == ["search", "show"]
    assert in_bash(tmp_path, "sessions", "list", "--h") == ["--help", "--here"]
    assert in_bash(tmp_path, "--data-dir", "f") == ["folder"]
    assert in_bash(tmp_path, "--config", "set") == ["settings.toml"]


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
def test_in_fish(tmp_path: Path) -> None:
    def offers(line: str) -> list[str]:
        made = run("fish", "--no-config", "-c", f"source {path}; complete -C '{line}'")
        return sorted(each.split("\t")[0] for each in made.splitlines())

    path = script(tmp_path, "fish")
    assert offers("chatglass se") == ["serve", "sessions"]
    assert offers("chatglass --mo") == ["--model"]
    assert offers("chatglass sessions s") == ["search", "show"]


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
def test_in_zsh(tmp_path: Path) -> None:
    run("zsh", "-f", "-n", str(script(tmp_path, "zsh")))
    # Completion needs a terminal: zsh's own, with what it offers listed by a Tab.
    lines = f"""\
zmodload zsh/zpty
zpty -b inner zsh -f -i
zpty -w inner 'PS1=; autoload -U compinit; compinit -u -D; source {tmp_path}/chatglass.zsh'
zpty -w inner 'compdef _shtab_chatglass chatglass; setopt no_beep; echo rea''dy'
while zpty -r inner line '*'; do [[ $line == *ready* ]] && break; done
zpty -n -w inner $'chatglass sessions sea\\t\\x01echo \\n'
seen=; for i in {{1..60}}; do sleep 0.05; while zpty -r -t inner line; do seen+=$line; done
[[ $seen == *search* ]] && break; done
print -r -- $seen
"""
    assert "search" in run("zsh", "-f", stdin=lines)


def test_every_shell_is_told_of_every_command(tmp_path: Path) -> None:
    for shell in ("bash", "zsh", "fish"):
        text = run(sys.executable, "-m", "chatglass", "completion", shell)
        assert [name for name in COMMANDS if name not in text] == []


def test_the_manual_page_into_a_pipe() -> None:
    page = run(sys.executable, "-m", "chatglass", "man")
    assert page == manual_page().read_text()
    assert page.startswith(".TH CHATGLASS")
    plain = page.replace("\\", "")
    flags = [flag for action in whole_parser()._actions for flag in action.option_strings]
    assert [flag for flag in flags if flag not in plain and flag != "--help"] == []
    assert [name for name in COMMANDS if f"chatglass {name}" not in plain] == []


@pytest.mark.skipif(shutil.which("mandoc") is None, reason="mandoc is not installed")
def test_the_manual_page_is_well_formed() -> None:
    done = subprocess.run(
        ["mandoc", "-T", "lint", "-W", "error", str(manual_page())],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.skipif(shutil.which("man") is None, reason="man is not installed")
def test_man_shows_it() -> None:
    shown = run("man", "--warnings", "-E", "utf8", "-l", str(manual_page()))
    assert "--output-format" in shown
