"""README.md and docs/ say what the program does: commands, flags, keys, settings, events."""

from __future__ import annotations

import argparse
import dataclasses
import re
import runpy
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from chatglass.chat import events
from chatglass.cli import build_parser
from chatglass.commands.names import COMMANDS
from chatglass.config.settings import Settings
from chatglass.tui.actions.registry import Actions
from chatglass.values.exit_codes import MEANINGS
from distribution.repository import ROOT

PAGES = [
    path
    for path in (
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *sorted((ROOT / "docs").glob("*.md")),
    )
    if path.exists()
]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def _blocks(page: Path, language: str) -> list[str]:
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def _flags() -> dict[str, argparse.Action]:
    return {flag: action for action in build_parser()._actions for flag in action.option_strings}


@pytest.mark.parametrize("name", ["keys.md", "settings.md", "chatglass.1"])
def test_a_reference_is_what_the_program_says(name: str) -> None:
    made = runpy.run_path(str(ROOT / "docs" / "make.py"))["PAGES"][name]()
    written = (ROOT / "docs" / name).read_text(encoding="utf-8")
    is_same = written == made
    assert is_same, f"docs/{name} is not what the program says; write it with: make docs"


def test_every_action_is_in_the_reference() -> None:
    text = (ROOT / "docs" / "keys.md").read_text(encoding="utf-8")
    assert [action.id for action in Actions() if f"`{action.id}`" not in text] == []


def test_readme_explains_every_flag() -> None:
    section = README.split("## Flags")[1].split("\n## ")[0]
    explained = " ".join(re.findall(r"^\| (`-.*?) \|", section, re.MULTILINE))
    assert [flag for flag in _flags() if flag != "-h" and f"`{flag}" not in explained] == []


def test_exit_codes_are_the_same_everywhere() -> None:
    table = {str(code): meaning for code, meaning in MEANINGS.items()}
    assert dict(re.findall(r"^\| (\d+) \| (.*) \|", README, re.MULTILINE)) == table
    page = (ROOT / "docs" / "chatglass.1").read_text(encoding="utf-8").replace("\\-", "-")
    for text in (build_parser().format_help(), page):
        codes = text.split("exit codes:")[1]
        assert dict(re.findall(r"^  (\d+) +(.*)$", codes, re.MULTILINE)) == table


def test_readme_has_every_subcommand() -> None:
    rows = dict(re.findall(r"^\| `chatglass (\w+)` \| (.*) \|", README, re.MULTILINE))
    assert rows == COMMANDS


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_flag_of_chatglass_that_a_page_names_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    commands = [
        line
        for line in re.findall(r"\bchatglass (?:(?![|`\n]).)*", text)
        if not COMMANDS.keys() & line.split()[1:2]
    ]
    table = re.findall(r"^\| (`-.*?) \|", text, re.MULTILINE)
    named = re.findall(r"(?<![\w-])--?[a-z][\w-]*", " ".join([*commands, *table]))
    assert [flag for flag in named if flag not in _flags()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_target_that_a_page_names_is_in_the_makefile(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    text = page.read_text(encoding="utf-8")
    named = re.findall(r"(?:^|`)make ([a-z-]+)", text, re.MULTILINE)
    assert [target for target in named if target not in targets] == []
    if page == ROOT / "README.md":
        assert {"run", "test"} <= set(named)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_layout_names_every_package() -> None:
    layout = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("## Layout")[1]
    packages = [path.parent.name for path in (ROOT / "src/chatglass").glob("*/__init__.py")]
    assert [name for name in packages if f"  {name}/ " not in layout] == []


def _names_of(key: str) -> set[str]:
    """What docs call a key in words: `Ctrl+J` is ctrl+j, `↑` is up."""
    named = {"↑": "up", "esc": "escape"}
    return {named.get(key.lower(), key.lower()), key}


def test_keys_in_readme_are_those_of_the_registry() -> None:
    section = README.split("## Keys")[1].split("\n## ")[0]
    first_cells = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
    assert len(first_cells) > 10
    keys = {key for action in Actions() for key in action.keys}
    words = [key for cell in first_cells for key in re.findall(r"`([^`]+)`", cell)]
    wrong = [word for word in words if not word.startswith("@") and not _names_of(word) & keys]
    assert wrong == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_settings_in_examples_are_accepted(page: Path) -> None:
    for block in _blocks(page, "toml"):
        settings = Settings.model_validate(tomllib.loads(block))
        Actions().apply_keymap(settings.keys)


def test_every_event_and_its_fields_are_documented() -> None:
    text = (ROOT / "docs" / "headless.md").read_text(encoding="utf-8")
    rows = {
        name: set(re.findall(r"`(\w+)`", row.rsplit("|", 2)[1]))
        for row in re.findall(r"^\| `[A-Z].*", text, re.MULTILINE)
        for name in re.findall(r"`([A-Z]\w+)`", row)
    }
    common = {field.name for field in dataclasses.fields(events.Event)}
    assert rows == {
        kind.__name__: {field.name for field in dataclasses.fields(kind)} - common
        for kind in events.Event.__subclasses__()
    }


def _matches(expected: str, printed: str) -> bool:
    """`...` in `expected` stands for anything, alone on a line also for any number of lines."""
    pattern = "".join(
        r"(?:.*\n)*" if line == "..." else re.escape(line).replace(r"\.\.\.", ".*") + r"\n"
        for line in expected.rstrip("\n").split("\n")
    )
    return re.fullmatch(pattern, printed.rstrip("\n") + "\n") is not None


def test_matching_of_examples() -> None:
    assert _matches("a\n...\nd\n", "a\nb\nc\nd\n")
    assert _matches("a\n...\n", "a\nb\n\nc\n")
    assert _matches('{"n": ...}\n', '{"n": 12}\n')
    assert not _matches("a\nd\n", "a\nb\nd\n")
    assert not _matches('{"n": ...}\n', '{"n": 12}\nmore\n')


def _examples() -> list[Any]:
    return [
        pytest.param(command, expected, id=f"{page.name}: {command[:50]}")
        for page in PAGES
        for block in _blocks(page, "console")
        for command, expected in _split(block)
    ]


def _split(block: str) -> list[tuple[str, str]]:
    """(commands, what they print): commands that print nothing go with the next."""
    found: list[tuple[str, str]] = []
    commands: list[str] = []
    printed = ""
    for line in [*block.splitlines(keepends=True), "$ "]:
        if line.startswith("$ "):
            if printed:
                found.append(("\n".join(commands), printed))
                commands, printed = [], ""
            commands.append(line[2:].rstrip("\n"))
        else:
            printed += line
    return found


@pytest.mark.parametrize(("command", "expected"), _examples())
def test_examples_print_what_the_page_shows(
    command: str, expected: str, tmp_path: Path, bare_environment: dict[str, str]
) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    ran = subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=folder,
        env=bare_environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert _matches(expected, ran.stdout), f"{ran.stdout}\n{ran.stderr}"


PICTURES = sorted((ROOT / "docs" / "pictures").iterdir())


def _scenes() -> set[str]:
    """Of docs/pictures.py, read and not run: it changes the process it runs in."""
    text = (ROOT / "docs" / "pictures.py").read_text(encoding="utf-8")
    return set(re.findall(r'^    "([a-z-]+)": Scene\(', text, re.MULTILINE))


def test_every_picture_is_made_by_the_script_and_shown_on_a_page() -> None:
    assert {path.name for path in PICTURES} == {f"{scene}.svg" for scene in _scenes()}
    shown = " ".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert [path.name for path in PICTURES if f"pictures/{path.name})" not in shown] == []


def test_the_index_names_every_page() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    names = [path.name for path in (ROOT / "docs").glob("*.md") if path.name != "README.md"]
    assert [name for name in names if f"({name})" not in index] == []


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_pictures_need_nothing_from_elsewhere(picture: Path) -> None:
    svg = picture.read_text(encoding="utf-8")
    assert re.findall(r"(?:href|src|url)\s*[=(]\s*[\"']?(?!#)[^\"')]+", svg) == []
    assert "@font-face" not in svg


def test_the_script_makes_a_picture_of_the_program(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "docs" / "pictures.py", "--into", tmp_path, "chat-small"],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    svg = (tmp_path / "chat-small.svg").read_text(encoding="utf-8")
    seen = re.sub(r"<[^>]*>", " ", svg).replace("&#160;", " ")
    for words in ("High water in Cuxhaven", "shift at +1 h", "$0.0032", "^S"):
        assert words in seen
