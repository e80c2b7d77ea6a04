"""The contents of a result: shown, saved and opened as what they are."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from chatglass.config.options import Options
from chatglass.tools.mcp.contents import Content
from chatglass.tui.contents import files
from chatglass.tui.contents.files import CannotKeep, open_in_viewer, save
from chatglass.tui.contents.screen import ContentsScreen
from chatglass.tui.lines.half_blocks import NoPicture, scaled, strips
from mcp_servers.running import own_server
from mcp_servers.test_contents import encoded, png
from tui.conftest import Play
from tui.stage import tools
from tui.test_servers import named, ready

IMAGE = Content(kind="image", mime="image/png", data=encoded(png(40, 20)))


async def test_the_inspector_leads_to_them(play: Play, folder: Path) -> None:
    named(folder, own=own_server())
    options = Options(model="demo-fast", allow_tools=("own__image", "own__echo"))
    async with play(options) as stage:
        await ready(stage)
        call = ("own__image", "{}")
        await stage.ask("look", tools(call), "done")
        await stage.press("ctrl+o")
        await stage.press("2")
        await stage.sees("o shows image/png, link")
        await stage.press("o")
        await stage.until(lambda: isinstance(stage.app.screen, ContentsScreen))
        await stage.sees("1 text · 5 B")
        await stage.sees("3 link · file:///a.txt")
        await stage.press("down")
        await stage.sees("It can't be shown")
        await stage.press("s")
        target = folder / "kept.png"
        await stage.sees("Save as")
        await stage.type(str(target))
        await stage.press("enter")
        await stage.until(target.exists, "the file")
        await stage.told("Saved 5 B")
        assert target.read_bytes() == b"hello"
        await stage.press("down")
        await stage.sees("it was not read")
        await stage.press("y")
        await stage.told("The text was")
        await stage.press("escape")
        await stage.until(lambda: not isinstance(stage.app.screen, ContentsScreen))


def test_saving_makes_a_new_private_file_and_replaces_none(tmp_path: Path) -> None:
    path = save(IMAGE, str(tmp_path / "a.png"))
    assert path.read_bytes() == png(40, 20)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(CannotKeep, match="there already"):
        save(IMAGE, str(path))
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for name in ("link", "no/such/folder", "nul\0l"):
        with pytest.raises(CannotKeep):
            save(IMAGE, str(tmp_path / name))
    assert not (tmp_path / "elsewhere").exists()
    with pytest.raises(CannotKeep, match="base64"):
        save(Content(kind="image", data="?"), str(tmp_path / "b"))


def test_only_what_is_shown_and_never_run_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "viewer"
    program.write_text(f'#!/bin/sh\ncp "$1" {tmp_path}/shown\n')
    program.chmod(0o700)
    monkeypatch.setattr(files, "viewer", lambda: [str(program)])
    started: list[object] = []
    popen = files.subprocess.Popen
    monkeypatch.setattr(files.subprocess, "Popen", lambda *a, **k: started.append(popen(*a, **k)))
    copy = open_in_viewer(IMAGE)
    assert copy.suffix == ".png"
    assert started[0].wait(10) == 0  # type: ignore[attr-defined]
    assert (tmp_path / "shown").read_bytes() == png(40, 20)
    for mime in ("text/html", "image/svg+xml", "application/x-sh", "application/x-desktop", ""):
        with pytest.raises(CannotKeep, match="s saves it"):
            open_in_viewer(Content(kind="resource", mime=mime, data=encoded(b"#!/bin/sh")))
    monkeypatch.setattr(files, "viewer", lambda: None)
    with pytest.raises(CannotKeep, match="xdg-open"):
        open_in_viewer(IMAGE)
    assert len(started) == 1


def test_a_picture_fits_and_is_never_enlarged() -> None:
    rows = scaled(png(40, 20), 20, 50)
    assert (len(rows), len(rows[0])) == (10, 20)
    assert rows[0][0] == (128, 128, 128)
    lines = strips(scaled(png(3, 3), 50, 50))
    assert [line.cell_length for line in lines] == [3, 3]
    with pytest.raises(NoPicture):
        scaled(b"hello", 10, 10)
    with pytest.raises(NoPicture, match="too many"):
        scaled(png(40_000, 2_000), 10, 10)
    # Few pixels, and a picture of rows alone takes gigabytes.
    with pytest.raises(NoPicture, match="too many"):
        scaled(png(1, 40_000), 10, 10)
