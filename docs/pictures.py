"""Makes docs/pictures/*.svg from the running program.

    python docs/pictures.py [SCENE...]             all of them, or those
    python docs/pictures.py --into DIRECTORY [SCENE...]

The whole program runs without a terminal, in a folder of its own, at a time of its own, and against a
demo server that answers as docs/pictures_story.py says. The same program makes the same bytes.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from pictures_story import FILES, NOW, NOW_MS, OTHERS, TIDES, Told, call, retime, usage

PICTURES = Path(__file__).parent / "pictures"
LARGE, SMALL = (132, 38), (80, 24)
FONTS = "ui-monospace, SFMono-Regular, Menlo, Consolas, Fira Code, DejaVu Sans Mono, monospace"
SECONDS = 20
"""How long any of the steps may take before the script gives up."""
CONFIG = """\
endpoint = "openai-eu"
model = "gpt-5-mini"

[endpoints.openai-eu]
base_url = "{url}"
api_key_env = "PICTURES_KEY"
models = ["gpt-5-mini", "gpt-5", "qwen3-coder"]

[prices."gpt-5-mini"]
input = 0.25
cached_input = 0.025
output = 2

[prices."gpt-5"]
input = 1.25
cached_input = 0.125
output = 10

[prices."qwen3-coder"]
input = 0.30
output = 1.20

[budget]
day_soft = 0.50
"""


@dataclass
class Stage:
    """The app of one picture, and the server that answers it."""

    app: Any
    pilot: Any
    server: Any

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def command(self, text: str) -> None:
        self.app.chat.composer.focus()
        self.app.chat.composer.insert(text)
        await self.press("enter")

    async def sees(self, text: str) -> None:
        await until(lambda: text in self.text, f"{text!r} on screen:\n", lambda: self.text)

    @property
    def text(self) -> str:
        strips = self.app.screen._compositor.render_strips()
        return "\n".join(strip.text.rstrip() for strip in strips)


@dataclass(frozen=True)
class Scene:
    title: str
    act: Callable[[Stage], Awaitable[None]]
    size: tuple[int, int] = LARGE
    theme: str = "chatglass-dark"
    resumes: bool = True
    """The session about tides; else a new one."""


async def look(stage: Stage) -> None:
    await stage.sees("Test one known high water")


async def inspect(stage: Stage) -> None:
    await look(stage)
    await stage.press("ctrl+o")
    await stage.press("shift+tab", "up", "up", "up", "2")
    await stage.sees("import math")


async def browse(stage: Stage) -> None:
    await stage.command("/sessions")
    await stage.sees("chart datum")


async def spend(stage: Stage) -> None:
    await stage.command("/usage")
    await stage.sees("2026-11-11")


async def ask(stage: Stage) -> None:
    from chatglass.models.demo.script import Reply

    text = FILES["tides.py"].replace("speed * t", "speed * (t + zone)")
    stage.server.script(
        Reply(
            text="I change one line.",
            calls=(call("write_file", path="tides.py", content=text),),
            usage=usage(7_010, 6_272, 240),
        )
    )
    await stage.command("Do it")
    await until(lambda: stage.app.chat.approval.display, "the question")


async def servers(stage: Stage) -> None:
    await until(lambda: stage.app.workspace.servers is not None, "the servers")
    await until(
        lambda: all(one.state == "ready" for one in stage.app.workspace.servers.snapshots()),
        "the servers to be ready",
    )
    for one in stage.app.workspace.servers._servers.values():
        one._start_ms = 640
    await stage.command("/mcp")
    await stage.sees("ready")


SCENES = {
    "chat": Scene("An answer with its tool calls; beside it the meter and the calls", look),
    "chat-light": Scene("The same in the light theme", look, theme="chatglass-light"),
    "chat-small": Scene("The same at 80×24", look, SMALL),
    "inspector": Scene("A tool call in full", inspect),
    "sessions": Scene("The session browser", browse, resumes=False),
    "usage": Scene("What was spent, by day and by model", spend, resumes=False),
    "approval": Scene("A call that waits for an answer", ask),
    "mcp": Scene("The MCP servers", servers, resumes=False),
}


async def until(true: Callable[[], object], what: str, shown: Callable[[], str] = str) -> None:
    end = time.monotonic() + SECONDS
    while not true():
        if time.monotonic() > end:
            raise SystemExit(f"gave up waiting for {what}{shown()}")
        await asyncio.sleep(0.02)


async def record(server: Any, told: list[Told], options: Callable[[str], Any]) -> list[str]:
    """Make the sessions as `-p` would, and give their ids."""
    from chatglass.chat.ports import Decision
    from chatglass.chat.workspace import Workspace

    ids: list[str] = []

    async def allow(call: Any) -> Any:
        return Decision(verdict="allow", decided_by="flag --yolo")

    for one in told:
        workspace = Workspace(options(one.model), may_demo=False)
        await workspace.open()
        session = await workspace.session_to_open()
        engine = await workspace.engine(session, decide_tool=allow)
        await engine.start()
        for prompt, replies in one.turns:
            server.script(*replies)
            async with aclosing(engine.answer(prompt)) as events:
                async for _ in events:
                    pass
        ids.append(engine.session_id)
        await engine.close()
        await workspace.close()
    return ids


@asynccontextmanager
async def staged(scene: Scene, server: Any, options: Any) -> AsyncGenerator[Stage]:
    from chatglass.config.first_look import FirstLook
    from chatglass.tui.app import ChatglassApp

    app = ChatglassApp(options, FirstLook(reduced_motion=True))
    async with app.run_test(size=scene.size) as pilot:
        await until(lambda: app.current is not None, "the program to start")
        await until(lambda: app.current.engine.state != "starting", "the session to open")
        app.theme = scene.theme
        app.chat.composer.area.cursor_blink = False
        yield Stage(app, pilot, server)
        await app.leave()


async def take(names: list[str], target: Path, home: Path) -> None:
    from chatglass.config.options import Options
    from chatglass.models.demo import DemoServer
    from chatglass.spending import days

    # The day of a date can't be had from the clock that main() sets.
    days.today = NOW.date
    config, data = home / "config.toml", home / "data"
    async with DemoServer(
        models=("gpt-5-mini", "gpt-5", "qwen3-coder"), rate=0, window=128_000
    ) as server:
        os.environ["PICTURES_KEY"] = server.token
        config.write_text(CONFIG.format(url=server.base_url), encoding="utf-8")
        where = {"data_dir": str(data), "config": str(config)}
        told = [*reversed(OTHERS), TIDES]
        ids = await record(server, told, lambda model: Options(prompt="", model=model, **where))
        retime(data / "sessions.sqlite3", ids, told)
        (home / "mcp.json").write_text(SERVERS, encoding="utf-8")
        for name in names:
            scene = SCENES[name]
            resume = ids[-1] if scene.resumes else None
            async with staged(scene, server, Options(resume=resume, **where)) as stage:
                await scene.act(stage)
                stage.app.clear_notifications()
                await settle(stage)
                save(stage.app.export_screenshot(title="chatglass"), target / f"{name}.svg")


SERVERS = """\
{"mcpServers": {"clock": {"command": "mcp-server-time", "args": ["--local-timezone", "UTC"]}}}
"""


async def settle(stage: Stage) -> None:
    """Until nothing on screen changes any more: figures are painted a few times a second."""
    before, same = "", 0
    while same < 4:
        await asyncio.sleep(0.15)
        await stage.pilot.pause()
        same = same + 1 if stage.text == before else 0
        before = stage.text


def save(svg: str, path: Path) -> None:
    """With fonts that the reader's machine has: Textual's SVG would load its own from elsewhere."""
    svg = re.sub(r"@font-face\s*\{.*?\}\s*|<!--.*?-->\s*", "", svg, flags=re.DOTALL)
    svg = svg.replace("font-family: Fira Code, monospace", f"font-family: {FONTS}")
    if path.exists() and path.read_text(encoding="utf-8") == svg:
        return
    path.write_text(svg, encoding="utf-8")
    print(f"wrote {path}")


def main(arguments: list[str]) -> None:
    target = PICTURES
    if "--into" in arguments:
        place = arguments.index("--into")
        target = Path(arguments[place + 1]).resolve()
        arguments = arguments[:place] + arguments[place + 2 :]
    if unknown := set(arguments) - SCENES.keys():
        raise SystemExit(f"There is no scene {', '.join(sorted(unknown))}: {', '.join(SCENES)}.")
    target.mkdir(exist_ok=True)
    for name in [
        name for name in os.environ if name.startswith(("OPENAI_", "CHATGLASS_", "OTEL_"))
    ]:
        del os.environ[name]
    # The server of this environment, by its name alone.
    os.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    os.environ["TZ"] = "UTC"
    time.tzset()
    # Everything happens at once, at a time of the story's own; durations come from the story too.
    time.time_ns = lambda: NOW_MS * 1_000_000  # type: ignore[assignment]
    with tempfile.TemporaryDirectory() as made:
        folder = Path("/tmp/tides")
        folder.mkdir(exist_ok=True)
        for name, text in FILES.items():
            (folder / name).write_text(text, encoding="utf-8")
        os.chdir(folder)
        asyncio.run(take(arguments or list(SCENES), target, Path(made)))


if __name__ == "__main__":
    main(sys.argv[1:])
