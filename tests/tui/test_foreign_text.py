"""Text of users, models, tools, files and endpoints never acts: no markup, no control sequence."""

from __future__ import annotations

import json
from pathlib import Path

from rich.style import Style
from textual import events

from chatglass.config.options import Options
from chatglass.models.demo import Call, DemoServer, Reply
from chatglass.models.demo import script as scripts
from chatglass.tui.actions.registry import ACTIONS
from chatglass.tui.inspector.sections.catalog import NAMES
from tui.conftest import Play
from tui.stage import Stage, staged, tools

EVIL = "[red]x[/] [/] [b]\x1b]0;title\x07\x1b[31m \u202ereversed\u2066 [link=http://e.vil]y[/link]"
CONTROLS = {*map(chr, range(0x20)), "\x7f", *map(chr, range(0x80, 0xA0))} | {
    "\u202e", "\u202d", "\u2066", "\u2067", "\u2068", "\u2069", "\u200f",
}  # fmt: skip


def assert_clean(stage: Stage) -> None:
    """Nothing on screen holds a control character; no style has a link; markup is text."""
    for strip in stage.app.screen._compositor.render_strips():
        for segment in strip:
            assert not CONTROLS & set(segment.text), repr(segment.text)
            style = segment.style
            assert not isinstance(style, Style) or style.link is None


async def test_nothing_foreign_acts_anywhere(play: Play, folder: Path) -> None:
    root = folder / "project"
    (root / "evil [red]\x1b[31m name.txt").write_text(EVIL, encoding="utf-8")
    async with play(size=(160, 50)) as stage:
        name = "tool[red]\x1b[0m"
        await stage.ask(
            EVIL,
            Reply(
                reasoning=EVIL,
                text=EVIL,
                calls=(Call(name=name, arguments=json.dumps({"a": EVIL})),),
            ),
            EVIL,
        )
        assert_clean(stage)
        assert "[red]x[/]" in stage.screen_text
        # A question about a call, and its result in the inspector.
        stage.server.script(
            tools(("run_command", json.dumps({"command": f"printf '{EVIL}'"}))), "ok"
        )
        await stage.send("run")
        await stage.until(lambda: stage.chat.approval.display)
        assert_clean(stage)
        await stage.until(lambda: not stage.chat.approval.is_deaf)
        await stage.press("1")
        await stage.idle()
        for call in list(stage.session.view.calls.values()):
            for section in NAMES:
                stage.chat.inspector.open_call(call.id)
                stage.chat.inspector.show_section(section)
                await stage.pilot.pause()
                assert_clean(stage)
        # Errors of an endpoint.
        await stage.ask("fail", scripts.error(400, EVIL))
        assert_clean(stage)
        assert "[red]x[/]" in stage.screen_text
        # Titles: top line, list, rename dialog, notices.
        stage.chat.composer.focus()
        await stage.app.action_do("session.rename", EVIL)
        await stage.pilot.pause()
        assert_clean(stage)
        await stage.press("ctrl+s")
        await stage.sees("http://e.vil")
        assert_clean(stage)
        await stage.press("escape")
        await stage.app.action_do("session.rename")
        await stage.pilot.pause()
        assert_clean(stage)
        await stage.press("escape")
        # Model names, drafts, completion of file names, notifications, find.
        await stage.app.action_do("model.choose", EVIL)
        await stage.pilot.pause()
        assert_clean(stage)
        await stage.app.action_do("model.choose")
        await stage.pilot.pause()
        assert_clean(stage)
        await stage.press("escape")
        stage.chat.composer.insert(EVIL)
        await stage.pilot.pause()
        assert_clean(stage)
        stage.chat.composer.clear()
        await stage.type("@evil")
        await stage.sees("evil [red]")
        assert_clean(stage)
        await stage.press("enter")
        await stage.pilot.pause()
        assert_clean(stage)
        stage.chat.composer.clear()
        stage.chat.say(EVIL, "error")
        await stage.pilot.pause()
        assert_clean(stage)
        await stage.app.action_do("find", EVIL)
        await stage.pilot.pause()
        assert_clean(stage)


async def test_pastes_into_fields_are_shown_not_sent(play: Play) -> None:
    async with play() as stage:
        for action in (
            "find",
            "session.rename",
            "session.system_prompt",
            "app.palette",
            "help.keys",
        ):
            await stage.app.run_action(ACTIONS[action].run)
            await stage.pilot.pause()
            stage.app.post_message(events.Paste(EVIL))
            await stage.sees("[red]x[/]")
            stage.app.copy_to_clipboard(f"{EVIL} copied")
            await stage.press("ctrl+v")
            await stage.sees("/link] copied")
            assert_clean(stage)
            await stage.press("escape")
            if stage.app.screen is not stage.chat:
                await stage.press("escape")


async def test_a_worker_that_fails_is_told_and_leaves_the_app_usable(play: Play) -> None:
    async with play() as stage:

        async def broken(number: int) -> None:
            raise RuntimeError(f"{number} {EVIL}")

        for number, node in enumerate((stage.app, stage.chat, stage.chat.composer)):
            node.run_worker(broken(number), exit_on_error=False)
        await stage.until(lambda: sum("RuntimeError" in toast for toast in stage.toasts) == 3)
        assert_clean(stage)
        await stage.ask("still there?", "yes")
        assert stage.answers[-1].text == "yes"


async def test_foreign_settings_and_names_are_shown_as_text(
    folder: Path, server: DemoServer
) -> None:
    async with staged(folder, server, Options(model="[red]model[/]")) as stage:
        await stage.sees("[red]model[/]")
        await stage.ask("hello", "never")
        assert stage.answers[-1].status == "error"
        await stage.sees("[red]model[/]")
        assert_clean(stage)
