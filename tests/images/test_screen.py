"""Images in the whole app: attached, shown, sent, refused and kept."""

from __future__ import annotations

import base64
import json
from pathlib import Path

from chatglass.models.demo.script import Reply
from images.pictures import picture
from tui.conftest import *  # noqa: F403
from tui.conftest import Play
from tui.stage import Stage


async def attach(stage: Stage, path: Path) -> None:
    await stage.command(f"/attach {path}")
    await stage.until(lambda: "[image: " in stage.chat.composer.text, "the image in the composer")


async def test_an_image_is_sent_and_shown(play: Play, folder: Path) -> None:
    shot = Path.cwd() / "shot.png"
    data = picture("png", 64, 48)
    shot.write_bytes(data)
    async with play() as stage:
        await attach(stage, shot)
        stage.server.script(Reply(text="a red box"))
        await stage.press("enter")
        await stage.sees("a red box")
        await stage.sees("shot.png (PNG, 64×48, ")
        body = json.loads(list(stage.server.requests)[-1].body)
        url = body["messages"][-1]["content"][1]["image_url"]["url"]
        assert base64.b64decode(url.partition(",")[2]) == data
        await stage.command("/edit")
        await stage.until(lambda: stage.chat.composer.text.startswith("[image: "), "it came back")


async def test_a_refused_prompt_comes_back_with_its_image(play: Play, folder: Path) -> None:
    shot = Path.cwd() / "shot.png"
    shot.write_bytes(picture())
    async with play() as stage:
        await attach(stage, shot)
        words = "Model does not support images."
        stage.server.script(
            Reply(status=400, body=json.dumps({"error": {"message": words}})),
            Reply(text="without it"),
        )
        await stage.press("enter")
        await stage.sees("takes no images")
        await stage.press("ctrl+r")
        await stage.sees("without it")
        await attach(stage, shot)
        await stage.press("enter")
        await stage.until(
            lambda: any("was not sent" in getattr(i, "text", "") for i in stage.session.view.items)
        )
        await stage.until(lambda: "[image: " in stage.chat.composer.text, "the image came back")
        assert len(stage.server.requests) == 2
