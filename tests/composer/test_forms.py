"""The composer's pure parts: text forms, attachments, paths, history, the editor."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatglass.chat.attached_files import (
    MOST_BYTES,
    AttachedText,
    AttachError,
    read_file,
)
from chatglass.tui.composer.editor import EditorError, edit, editor_command
from chatglass.tui.composer.encoding import Fold, Folds, clean, drawn, token_spans
from chatglass.tui.composer.files import PathIndex, list_paths, rank
from chatglass.tui.composer.history import PromptHistory

ANY_TEXT = st.text(
    alphabet=st.one_of(
        st.characters(),
        st.sampled_from(
            "\r\n\t\x00\x0b\x0c\x1b\x1c\x85\u2028\u2029\u202e\U0010f000\U0010ff00\U0010ff01"
        ),
    )
)


@given(ANY_TEXT)
def test_what_goes_in_comes_out(text: str) -> None:
    folds = Folds()
    assert folds.sent(folds.encode(text)) == clean(text)
    assert folds.sent(folds.encode_paste(text)) == clean(text)


@given(ANY_TEXT)
def test_the_editor_sees_line_breaks_only_where_there_are_some(text: str) -> None:
    encoded = Folds().encode(text)
    assert encoded.splitlines() == (
        encoded.split("\n")[: -1 if encoded.endswith("\n") else None] if encoded else []
    )
    for line in encoded.split("\n"):
        shown = drawn(line)
        assert len(shown) == len(line)
        assert not any(ord(letter) < 32 and letter != "\t" for letter in shown)


@given(
    st.lists(
        st.one_of(
            ANY_TEXT,
            st.builds(Fold, st.sampled_from(["paste", "file"]), st.text("abc []:"), ANY_TEXT),
        ),
        max_size=5,
    )
)
def test_a_draft_comes_back_as_it_was(parts: list[str | Fold]) -> None:
    folds = Folds()
    text = "".join(
        folds.add(part) if isinstance(part, Fold) else folds.encode(part) for part in parts
    )
    draft = folds.draft(text)
    again = Folds()
    restored = again.restore(draft)
    assert again.draft(restored) == draft
    assert again.sent(restored) == folds.sent(text)
    assert again.files(restored) == folds.files(text)


def test_a_draft_without_tokens_is_the_text() -> None:
    folds = Folds()
    assert folds.draft(folds.encode("a\x1b[31m\nb")) == "a\x1b[31m\nb"


def test_two_equal_pastes_are_two_tokens_and_typed_brackets_are_none() -> None:
    folds = Folds()
    text = folds.encode_paste("x\n" * 20) + "[pasted 20 lines]" + folds.encode_paste("y\n" * 20)
    assert [text[start:end][1:-1] for start, end in token_spans(text)] == ["pasted 20 lines"] * 2
    assert folds.sent(text) == "x\n" * 20 + "[pasted 20 lines]" + "y\n" * 20


def test_the_fence_is_longer_than_any_in_the_file() -> None:
    block = AttachedText("a`b\n.md", "text\n````\n```` x").block()
    lines = block.split("\n")
    assert lines[0] == "`````a_b_.md"
    assert lines[-1] == "`````"
    assert AttachedText("x", "1\n").block() == "```x\n1\n```"
    assert AttachedText("x", "").block() == "```x\n```"


def test_only_text_files_of_a_sane_size_are_read(tmp_path: Path) -> None:
    cases = {"binary": b"a\0b", "latin": b"caf\xe9", "big": b"x" * (MOST_BYTES + 1)}
    for name, data in cases.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(AttachError, match=name):
            read_file(tmp_path / name, name)
    for missing in ("none", "."):
        with pytest.raises(AttachError):
            read_file(tmp_path / missing, "it")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(AttachError, match="regular"):
        read_file(tmp_path / "pipe", "pipe")
    (tmp_path / "good").write_bytes(b"\xef\xbb\xbfhi\r\n")
    assert read_file(tmp_path / "good", "good") == AttachedText("good", "hi\r\n")


def test_paths_come_nearest_first_without_what_nobody_wants(tmp_path: Path) -> None:
    for name in (
        ".git/config",
        "node_modules/x.js",
        "src/deep/a.py",
        "src/b.py",
        "README.md",
        ".env",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / "loop").symlink_to(tmp_path)
    assert list_paths(tmp_path, lambda: False) == [
        "src/",
        ".env",
        "README.md",
        "src/deep/",
        "src/b.py",
        "src/deep/a.py",
    ]
    assert list_paths(tmp_path, lambda: True) == []
    assert list_paths(tmp_path / "gone", lambda: False) == []


def test_ranking_prefers_names() -> None:
    paths = ["docs/parse.md", "src/parser.py", "spare/x", "p/a/r/s/e", "parse"]
    assert rank(paths, "parse", 9) == ["parse", "docs/parse.md", "src/parser.py", "p/a/r/s/e"]
    assert rank(paths, "", 2) == paths[:2]


def test_paths_are_listed_again_when_they_are_old(tmp_path: Path) -> None:
    now = 0.0
    index = PathIndex(tmp_path, lambda: now)
    assert index.matches("", 9, lambda: False) == []
    (tmp_path / "new").write_text("")
    assert index.matches("", 9, lambda: False) == []
    now = PathIndex.LIFE + 1
    assert index.matches("", 9, lambda: False) == ["new"]


def test_history_keeps_what_was_changed_on_the_way() -> None:
    history = PromptHistory()
    history.replace(["one", "two"])
    assert history.step(1, "draft") is None
    assert history.step(-1, "draft") == "two"
    assert history.step(-1, "two!") == "one"
    assert history.step(-1, "one") is None
    assert history.step(1, "one") == "two!"
    assert history.step(1, "two!") == "draft"
    history.append("two")
    history.append("three")
    assert [history.step(-1, ""), history.step(-1, ""), history.step(-1, "")] == [
        "three",
        "two",
        "one",
    ]


def script(path: Path, body: str) -> dict[str, str]:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o700)
    return {"EDITOR": f"'{path}' -f"}


def test_the_editor_gets_a_private_file_that_is_gone_afterwards(tmp_path: Path) -> None:
    note = tmp_path / "note"
    environ = script(
        tmp_path / "my editor",
        f'ls -l "$2" > "{note}"; echo "$2" >> "{note}"; printf "%s\\n" "new" >> "$2"',
    )
    assert edit("old ", environ) == "old new"
    listing, name = note.read_text().splitlines()
    assert listing.startswith("-rw-------")
    assert not Path(name).exists()
    assert not Path(name).parent.exists()


def test_an_editor_that_fails_is_named(tmp_path: Path) -> None:
    with pytest.raises(EditorError, match="code 3"):
        edit("x", script(tmp_path / "bad", "exit 3"))
    with pytest.raises(EditorError, match="no-such-editor"):
        edit("x", {"VISUAL": "no-such-editor"})
    with pytest.raises(EditorError, match="VISUAL"):
        editor_command({"VISUAL": "'open"})
    assert editor_command({"VISUAL": " ", "EDITOR": "code -w"}) == ["code", "-w"]
    assert editor_command({}) == ["vi"]
    assert stat.S_IMODE((tmp_path / "bad").stat().st_mode) == 0o700
