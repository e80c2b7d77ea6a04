from __future__ import annotations

from pathlib import Path

import pytest

from chatglass.chat.mentions import find_mentions, may_mention


def _nothing(written: str) -> bool:
    return False


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.py").write_text("a")
    (tmp_path / "notes").write_text("n")
    return tmp_path / "src"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("read @a.py", "@a.py"),
        ("(@a.py)", "@a.py"),
        ("look at @a.py, please", "@a.py"),
        ("@../notes.", "@../notes"),
        ("@{root}/a.py?", "@{root}/a.py"),
    ],
)
def test_files_are_found_as_they_are_written(root: Path, text: str, written: str) -> None:
    found = find_mentions(text.format(root=root), root, _nothing)
    assert [one.written for one in found] == [written.format(root=root)]
    assert found[0].path is not None
    assert found[0].path.is_file()


def test_the_home_folder_is_meant_by_a_tilde(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert find_mentions("@~/notes", root, _nothing)[0].path == tmp_path / "notes"


@pytest.mark.parametrize("text", ["me@host.org", "an @ alone", "@alice thanks", "no mention"])
def test_other_uses_of_the_sign_are_left_alone(root: Path, text: str) -> None:
    assert find_mentions(text, root, _nothing) == []


def test_what_is_missing_is_said(root: Path) -> None:
    folder, missing, decorator = find_mentions("@../src @lib/x.py @app.get", root, _nothing)
    assert (folder.path, folder.certain) == (None, True)
    assert "folder" in folder.problem
    assert (missing.problem, missing.certain) == ("There is no file lib/x.py.", True)
    assert decorator.certain is False


def test_what_names_something_else_is_no_file(root: Path) -> None:
    assert find_mentions("@docs:res/one", root, lambda name: name == "docs:res/one") == []
    assert not may_mention("me@host")
