"""Files and images in the composer: named as `@path`, dropped, pasted, kept in drafts."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from textual import events

from chatglass.chat.attached_files import AttachedImage, AttachedText, read_image
from chatglass.tui.clipboard_image import NoImage, clipboard_image
from chatglass.tui.composer.completion import CompletionList
from chatglass.tui.composer.composer import Composer
from chatglass.tui.composer.dropped import dropped_file, may_be_path
from chatglass.tui.composer.image_shelf import ImageShelf
from chatglass.values.images import image_of
from composer.test_composer import Host
from images.pictures import picture


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / "lib").mkdir(parents=True)
    (root / "lib" / "a.py").write_text("pass\n")
    (root / "shot one.png").write_bytes(picture())
    (tmp_path / "outside.txt").write_text("out\n")
    return root


def submitted(app: Host) -> list[Composer.Submitted]:
    return [each for each in app.heard if isinstance(each, Composer.Submitted)]


async def entered(app: Host, pilot: object, text: str) -> None:
    """Put it there as if typed, without the list of completions, and press Enter."""
    app.composer.insert(text)
    app.composer.area.action_send()
    await app.settle(pilot)  # type: ignore[arg-type]


@pytest.mark.parametrize("written", ["lib/a.py", "../outside.txt", "{root}/lib/a.py"])
async def test_a_path_that_is_typed_in_full_is_attached(tree: Path, written: str) -> None:
    app = Host(tree)
    written = written.format(root=tree)
    async with app.run_test() as pilot:
        await entered(app, pilot, f"see @{written}, please")
        [prompt] = submitted(app)
        assert prompt.text == f"see [file: {written}], please"
        assert [file.name for file in prompt.attachments] == [written]
        assert app.composer.is_empty


async def test_a_file_that_is_not_there_is_said_and_enter_sends_the_text(tree: Path) -> None:
    app = Host(tree)
    async with app.run_test() as pilot:
        await entered(app, pilot, "see @lib/b.py")
        assert submitted(app) == []
        assert "There is no file lib/b.py." in next(iter(app._notifications)).message
        assert app.composer.text == "see @lib/b.py"
        await pilot.press("enter")
        await app.settle(pilot)
        assert app.sent == ["see @lib/b.py"]


async def test_what_is_there_is_attached_beside_what_is_not(tree: Path) -> None:
    app = Host(tree)
    async with app.run_test() as pilot:
        await entered(app, pilot, "see @lib/a.py and @lib/b.py")
        assert app.composer.text == "see [file: lib/a.py] and @lib/b.py"
        await pilot.press("enter")
        await app.settle(pilot)
        await app.settle(pilot)
        assert app.sent == ["see [file: lib/a.py] and @lib/b.py"]
        await entered(app, pilot, "again @lib/b.py")
        assert len(app.sent) == 1


async def test_what_is_hardly_a_file_goes_as_text_at_once(tree: Path) -> None:
    app = Host(tree)
    async with app.run_test() as pilot:
        await entered(app, pilot, "ask @alice about @app.get and me@x.py")
        assert app.sent == ["ask @alice about @app.get and me@x.py"]
        [notice] = app._notifications
        assert "@app.get is sent as text" in notice.message


async def test_a_file_that_may_not_be_read_is_asked_about_under_its_name(tree: Path) -> None:
    app = Host(tree)
    app.refused = {"outside.txt"}
    async with app.run_test() as pilot:
        await entered(app, pilot, "see @../outside.txt")
        [refused] = [each for each in app.heard if isinstance(each, Composer.AttachmentRefused)]
        assert submitted(app) == []
        app.composer.attach(refused.path, refused.written, approved=True)
        await app.settle(pilot)
        assert app.composer.text == "see [file: ../outside.txt]"


async def test_an_image_is_a_token_and_survives_a_draft(tree: Path, tmp_path: Path) -> None:
    app = Host(tree)
    async with app.run_test() as pilot:
        app.composer.shelf.folder = tmp_path / "attached"
        app.composer.attach(tree / "shot one.png")
        await app.settle(pilot)
        assert app.composer.text == "[image: shot one.png] "
        assert app.composer.attached_tokens == 255
        draft = app.composer.draft
        assert len(draft) < 200
    [kept] = (tmp_path / "attached").iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600
    again = Host(tree)
    async with again.run_test() as pilot:
        again.composer.shelf.folder = tmp_path / "attached"
        again.composer.set_draft(draft)
        await pilot.press("enter")
        await again.settle(pilot)
        [file] = submitted(again)[0].attachments
        assert isinstance(file, AttachedImage)
        assert file.image.data == picture()
        kept.unlink()
    third = Host(tree)
    async with third.run_test() as pilot:
        third.composer.shelf.folder = tmp_path / "attached"
        third.composer.set_draft(draft)
        await pilot.press("enter")
        await third.settle(pilot)
        assert submitted(third) == []
        assert "attach it again" in next(iter(third._notifications)).message


async def test_a_prompt_comes_back_with_its_images(tree: Path) -> None:
    app = Host(tree)
    image = image_of(picture())
    assert image is not None
    files = (AttachedImage("s.png", image), AttachedText("a.py", "pass\n"))
    async with app.run_test() as pilot:
        app.composer.restore_prompt("see [image: s.png] and [file: a.py]", files)
        await pilot.press("enter")
        await app.settle(pilot)
        assert submitted(app)[0].attachments == files


@pytest.mark.parametrize("form", ["{}", "'{}'", "{escaped}", "file://{url}"])
async def test_a_dropped_file_is_offered(tree: Path, form: str) -> None:
    app = Host(tree)
    path = str(tree / "shot one.png")
    text = form.format(path, escaped=path.replace(" ", "\\ "), url=path.replace(" ", "%20"))
    async with app.run_test() as pilot:
        app.composer.area.post_message(events.Paste(text))
        await app.settle(pilot)
        await app.settle(pilot)
        offered = app.query_one(CompletionList)
        assert offered.rows[0].label == "Attach shot one.png"
        assert offered.rows[0].detail.startswith("PNG, 40×30")
        await pilot.press("enter")
        await app.settle(pilot)
        assert app.composer.text == "[image: shot one.png]"


def test_a_lone_quote_is_part_of_a_dropped_name(tmp_path: Path) -> None:
    (tmp_path / "it's one.png").write_bytes(picture())
    dropped = dropped_file(f"{tmp_path}/it's one.png", tmp_path)
    assert dropped is not None
    assert dropped.path.name == "it's one.png"


async def test_escape_leaves_the_path_of_a_dropped_file(tree: Path) -> None:
    app = Host(tree)
    async with app.run_test() as pilot:
        app.composer.area.post_message(events.Paste(str(tree / "lib" / "a.py")))
        await app.settle(pilot)
        await app.settle(pilot)
        await pilot.press("escape", "enter")
        await app.settle(pilot)
        assert app.composer.text.startswith("/") or app.sent  # a path begins like a command


def test_other_pastes_are_no_path(tree: Path) -> None:
    assert not may_be_path("some text")
    assert not may_be_path("/one\n/two")
    assert dropped_file("/nowhere/at/all", tree) is None
    assert dropped_file("file://elsewhere/etc/hosts", tree) is None
    assert dropped_file("'unclosed", tree) is None


def test_old_images_are_swept(tmp_path: Path) -> None:
    image = image_of(picture())
    assert image is not None
    shelf = ImageShelf(tmp_path)
    key = shelf.put(image)
    shelf.sweep()
    assert (tmp_path / key).exists()
    os.utime(tmp_path / key, (0, 0))
    shelf.sweep()
    assert not (tmp_path / key).exists()
    assert ImageShelf(tmp_path).get(key) is None


# -- the clipboard


def _tool(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o700)


@pytest.mark.parametrize("tool", ["wl-paste", "xclip"])
async def test_an_image_of_the_clipboard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tool: str
) -> None:
    (tmp_path / "image").write_bytes(picture("jpeg"))
    script = f"""case "$*" in *list-types*|*TARGETS*) echo text/html; echo image/jpeg;;
    *image/jpeg*) cat {tmp_path}/image;; *) exit 1;; esac"""
    _tool(tmp_path / "bin", tool, script)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    environ = {"wl-paste": {"WAYLAND_DISPLAY": "w"}, "xclip": {"DISPLAY": ":0"}}[tool]
    data = await clipboard_image(environ)
    assert read_image(data, "pasted image").image.facts.kind == "jpeg"


async def test_why_there_is_no_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(NoImage, match="no desktop"):
        await clipboard_image({})
    with pytest.raises(NoImage, match="needs xclip"):
        await clipboard_image({"DISPLAY": ":0"})
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    _tool(tmp_path / "bin", "xclip", "echo text/plain")
    with pytest.raises(NoImage, match="no image on the clipboard"):
        await clipboard_image({"DISPLAY": ":0"})
