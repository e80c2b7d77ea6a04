"""The whole app under Pilot, against a scripted endpoint over HTTP on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from textual.pilot import Pilot
from textual.widget import Widget

from chatglass.config.first_look import first_look
from chatglass.config.options import Options
from chatglass.config.paths import find_paths
from chatglass.models.demo import Call, DemoServer, Reply
from chatglass.tui.app import ChatglassApp
from chatglass.tui.open_session import OpenSession
from chatglass.tui.screens.chat_screen import ChatScreen
from chatglass.tui.transcript.items import AnswerItem, NoticeItem, PromptItem

LONGEST_WAIT = 8.0


class Stage:
    """One run of the app: its parts by name, and waiting for what is on screen."""

    def __init__(self, app: ChatglassApp, pilot: Pilot[None], server: DemoServer) -> None:
        self.app = app
        self.pilot = pilot
        self.server = server

    # -- parts

    @property
    def chat(self) -> ChatScreen:
        return self.app.chat

    @property
    def session(self) -> OpenSession:
        assert self.app.current is not None
        return self.app.current

    @property
    def draft(self) -> str:
        return self.chat.composer.text

    @property
    def answers(self) -> list[AnswerItem]:
        return [item for item in self.chat.transcript.items if isinstance(item, AnswerItem)]

    @property
    def prompts(self) -> list[PromptItem]:
        return [item for item in self.chat.transcript.items if isinstance(item, PromptItem)]

    @property
    def notices(self) -> list[str]:
        """What the program said in the transcript."""
        return [i.text for i in self.chat.transcript.items if isinstance(i, NoticeItem)]

    @property
    def toasts(self) -> list[str]:
        """What it said at the edge of the screen, oldest first."""
        return [f"{note.title} {note.message}".strip() for note in self.app._notifications]

    @property
    def screen_text(self) -> str:
        strips = self.app.screen._compositor.render_strips()
        return "\n".join(strip.text.rstrip() for strip in strips)

    def focused(self, widget: Widget) -> bool:
        return widget.has_focus_within or widget.has_focus

    # -- waiting

    async def until(self, condition: Callable[[], object], what: str = "") -> None:
        """Let the app run until `condition` holds."""
        loop = asyncio.get_running_loop()
        end = loop.time() + LONGEST_WAIT
        while not condition():
            if loop.time() > end:
                raise AssertionError(f"{what or 'it'} did not happen:\n{self.screen_text}")
            await asyncio.sleep(0.002)
        await self.pilot.pause()

    async def sees(self, text: str) -> None:
        await self.until(lambda: text in self.screen_text, f"{text!r} on screen")

    async def told(self, text: str) -> None:
        await self.until(lambda: any(text in toast for toast in self.toasts), f"toast {text!r}")

    async def idle(self) -> None:
        """Until no turn runs and every event is on screen."""
        await self.until(
            lambda: (
                self.app.current is not None
                and self.session.engine.state == "idle"
                and not self.session.inbox
                and not self.session.view.turn_running
            ),
            "the end of the turn",
        )

    # -- acting

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def type(self, text: str) -> None:
        """Type as keys; control characters are not for this."""
        names = {" ": "space", "/": "slash", "@": "at", "\n": "ctrl+j"}
        await self.pilot.press(*(names.get(character, character) for character in text))

    async def send(self, text: str) -> None:
        """Put a prompt into the composer and send it by Enter."""
        self.chat.composer.focus()
        self.chat.composer.insert(text)
        await self.press("enter")

    async def command(self, text: str) -> None:
        """Type a slash command and run it."""
        self.chat.composer.focus()
        self.chat.composer.insert(text)
        await self.press("enter")

    async def ask(self, text: str, *replies: Reply | str) -> None:
        """Send a prompt that gets these replies, and wait until the turn is over."""
        before = len(self.answers)
        self.server.script(*replies)
        await self.send(text)
        await self.until(lambda: len(self.answers) > before, "an answer")
        await self.idle()


@asynccontextmanager
async def staged(
    folder: Path,
    server: DemoServer,
    options: Options | None = None,
    *,
    size: tuple[int, int] = (120, 40),
    ready: bool = True,
) -> AsyncGenerator[Stage]:
    """Run the app in `folder` (its data, settings and working directory) until it can answer."""
    options = options or Options(model="demo-fast")
    options = replace(options, data_dir=str(folder / "data"), config=str(folder / "config.toml"))
    look = first_look(find_paths(options.data_dir, options.config).config_file)
    app = ChatglassApp(options, look)
    async with app.run_test(size=size, notifications=True) as pilot:
        stage = Stage(app, pilot, server)
        try:
            if ready:
                await stage.until(lambda: app.current is not None, "a session")
                await stage.idle()
            yield stage
        finally:
            if app.is_running:
                await app.leave()


def tools(*calls: tuple[str, str]) -> Reply:
    """A reply that makes these calls: name and arguments."""
    return Reply(calls=tuple(Call(name=name, arguments=text) for name, text in calls))


def texts(items: Sequence[AnswerItem]) -> list[str]:
    return [item.text for item in items]
