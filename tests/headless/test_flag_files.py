"""Files that the command line names: one that can't be used ends the start before anything is sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from chatglass.cli import main
from chatglass.commands.parsing import parse as parse_command
from chatglass.config.errors import ConfigError
from headless.program import Program
from plain.test_plain import talk

TOOLS = {
    "missing.py": (None, "is not there"),
    "folder.py": ("/", "is a folder"),
    "notes.txt": ("x = 1", "must end with .py"),
    "torn.py": ("def a(:\n", "torn.py, line 1: "),
    "bytes.py": ("x = '\0'\n", "null bytes"),
}
SERVERS = {
    "missing.json": (None, "is not there"),
    "folder.json": ("/", "is a folder"),
    "torn.json": ('{"mcpServers": {', "is not valid JSON"),
    "list.json": ("[]", "must hold an object with mcpServers"),
    "other.json": ('{"servers": {}}', "must hold an object with mcpServers"),
    "wrong.json": ('{"mcpServers": []}', "must be an object of servers by name"),
    "twice.json": ('{"mcpServers": {}, "mcpServers": {}}', "stands there twice"),
}
CASES = [
    *(("--tools", name, *case) for name, case in TOOLS.items()),
    *(("--mcp-config", name, *case) for name, case in SERVERS.items()),
]


def write(folder: Path, name: str, content: str | None) -> str:
    file = folder / name
    if content == "/":
        file.mkdir()
    elif content is not None:
        file.write_text(content)
    return str(file)


@pytest.mark.parametrize(("flag", "name", "content", "cause"), CASES, ids=[c[1] for c in CASES])
def test_it_is_wrong_usage_in_every_mode(
    flag: str,
    name: str,
    content: str | None,
    cause: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = write(tmp_path, name, content)
    for mode in (["-p", "hello"], ["--plain"], []):
        with pytest.raises(SystemExit) as ended:
            main([*mode, flag, file])
        said = capsys.readouterr()
        assert (ended.value.code, said.out) == (2, "")
        assert f"argument {flag}: " in said.err
        assert file in said.err
        assert cause in said.err
    with pytest.raises(SystemExit) as ended:
        parse_command(["tools", "list", flag, file])
    assert ended.value.code == 2


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("import nowhere_at_all\n", "line 1: No module named 'nowhere_at_all'. Install it"),
        ("x = 1\n", "it has no tools"),
        ("def bare(a):\n    return a\n", "bare: no type hint on a"),
    ],
)
async def test_so_is_a_tools_file_that_brings_no_tool(
    chatglass: Program, text: str, cause: str
) -> None:
    file = write(chatglass.folder / "work", "mine.py", text)
    done = await chatglass.here("-p", "hello", "--tools", file)
    assert (done.code, done.out, chatglass.demo.received) == (2, "", 0)
    assert f"chatglass: --tools {file}: " in done.err
    assert cause in done.err
    with pytest.raises(ConfigError, match=r"mine\.py"):
        await talk(chatglass, "hello", flags=("--tools", file))
    assert chatglass.demo.received == 0


async def test_a_fault_of_one_function_is_said_and_costs_it_alone(chatglass: Program) -> None:
    text = "def bare(a):\n    return a\n\n\ndef good(a: int) -> int:\n    return a\n"
    file = write(chatglass.folder / "work", "mine.py", text)
    done = await chatglass.here("-p", "hello", "--tools", file, "--allow-tool", "good")
    assert done.code == 0
    assert "bare: no type hint on a" in done.err


async def test_a_name_that_no_tool_has_is_wrong_usage_in_plain_mode_too(chatglass: Program) -> None:
    with pytest.raises(ConfigError, match="Did you mean read_file"):
        await talk(chatglass, "hello", flags=("--allow-tool", "read_fil"))
    assert chatglass.demo.received == 0
