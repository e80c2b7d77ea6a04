"""The wheel: what is in it, and that the program runs from it."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from distribution.repository import ROOT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def unpacked(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's files, as an installation lays them out."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def _run(
    arguments: list[str], unpacked: Path, environment: dict[str, str], folder: Path
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        # Before the editable installation of the sources.
        env={**environment, "PYTHONPATH": str(unpacked)},
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_wheel_holds_the_stylesheet(unpacked: Path) -> None:
    installed = unpacked / "chatglass" / "tui" / "styles.tcss"
    assert installed.read_bytes() == (ROOT / "styles.tcss").read_bytes()


def test_the_wheel_holds_every_source_file_and_nothing_else(unpacked: Path) -> None:
    sources = _files(ROOT / "src")
    packed = {name for name in _files(unpacked) if ".dist-info/" not in name}
    assert {name.partition(".data/")[2] or name for name in packed - sources} == {
        "chatglass/tui/styles.tcss",
        "chatglass/commands/chatglass.1",
        "data/share/man/man1/chatglass.1",
    }
    assert sources - packed == set()
    assert "chatglass/__main__.py" in packed


def _files(folder: Path) -> set[str]:
    return {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }


def test_the_wheel_names_the_command_the_license_and_the_version(unpacked: Path) -> None:
    (info,) = unpacked.glob("*.dist-info")
    assert "chatglass = chatglass.__main__:main" in (info / "entry_points.txt").read_text()
    assert (info / "licenses" / "LICENSE").is_file()
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert f"\nVersion: {version}\n" in (info / "METADATA").read_text(encoding="utf-8")


def test_the_program_runs_from_the_wheel(
    unpacked: Path, bare_environment: dict[str, str], tmp_path: Path
) -> None:
    where = "from chatglass.tui.stylesheet import stylesheet; print(stylesheet())"
    found = _run(["-c", where], unpacked, bare_environment, tmp_path)
    assert found.stdout.strip() == str(unpacked / "chatglass" / "tui" / "styles.tcss")
    question = ["-m", "chatglass", "-p", "What is 6*7?", "--demo"]
    answer = _run(question, unpacked, bare_environment, tmp_path)
    assert answer.returncode == 0, answer.stderr
    assert "gives `42`" in answer.stdout


@pytest.mark.parametrize("flag", ["--help", "--version"])
def test_help_and_version_import_nothing_heavy(
    flag: str, unpacked: Path, bare_environment: dict[str, str], tmp_path: Path
) -> None:
    script = (
        "import sys, chatglass.__main__ as m\n"
        f"try: m.main(['{flag}'])\n"
        "except SystemExit as end: assert not end.code\n"
        "heavy = {'textual', 'openai', 'rich', 'pydantic', 'httpx2', 'chuk_ai_session_manager'}\n"
        "print('heavy:', sorted(heavy & set(sys.modules)))"
    )
    ran = _run(["-c", script], unpacked, bare_environment, tmp_path)
    assert "chatglass" in ran.stdout, ran.stderr
    assert ran.stdout.splitlines()[-1] == "heavy: []"
