"""Every action of the registry does something in the real app: by its keys, its command, F1."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from textual.binding import Binding
from textual.command import CommandPalette

from chatglass.tui.actions.action import OWN_SCREENS
from chatglass.tui.actions.footer import FooterLine
from chatglass.tui.actions.keys_screen import KeysScreen
from chatglass.tui.actions.registry import ACTIONS
from chatglass.tui.commands import COMMANDS
from chatglass.tui.dialogs.dialogs import ChoiceDialog, TextDialog
from chatglass.tui.inspector.screen import InspectorScreen
from chatglass.tui.screens.chat_screen import ChatScreen
from chatglass.tui.screens.diagnostics import DiagnosticsScreen
from chatglass.tui.sessions.screen import SessionsScreen
from tui.conftest import Play
from tui.stage import tools


def test_every_action_has_a_command_or_a_binding_of_its_own() -> None:
    for action in ACTIONS:
        assert action.command or action.id in COMMANDS, action.id
    for action in ACTIONS.commands():
        assert action.id in COMMANDS or action.command.startswith("app."), action.id


async def test_every_key_is_bound_where_it_should_work(play: Play) -> None:
    async with play() as stage:
        chat = stage.chat
        places = {
            "app": chat.composer.area,
            "chat": chat.composer.area,
            "composer": chat.composer.area,
            "transcript": chat.transcript,
            "inspector": chat.inspector.call_list,
            "text": chat.inspector.view,
            "approval": chat.approval,
        }
        chat.approval.display = True
        for action in ACTIONS:
            if action.place in (*OWN_SCREENS, "compare", "wire", "screen"):
                continue
            places[action.place].focus()
            await stage.pilot.pause()
            for key in action.keys:
                (binding,) = Binding.make_bindings([(key, "x", "x")])
                chain = [
                    found
                    for _, bindings in chat._modal_binding_chain
                    for found in bindings.key_to_bindings.get(binding.key, [])
                ]
                assert any(
                    found.id == action.id or found.action == action.run for found in chain
                ), f"{key} of {action.id}: {chain}"


async def test_keys_that_open_and_esc_that_closes(play: Play) -> None:
    async with play() as stage:
        await stage.ask("hello", tools(("calculate", '{"expression": "1+1"}')), "two")
        opened = {
            "ctrl+s": SessionsScreen,
            "ctrl+o": InspectorScreen,
            "ctrl+p": CommandPalette,
            "f1": KeysScreen,
            "f3": ChoiceDialog,
        }
        for key, screen in opened.items():
            await stage.press(key)
            await stage.until(lambda screen=screen: isinstance(stage.app.screen, screen), key)
            await stage.press("escape")
            await stage.until(lambda: isinstance(stage.app.screen, ChatScreen), f"{key} closed")


async def test_f1_runs_the_action_that_was_chosen(play: Play) -> None:
    async with play() as stage:
        await stage.press("f1")
        await stage.type("debug")
        await stage.press("enter")
        await stage.until(lambda: isinstance(stage.app.screen, DiagnosticsScreen))
        await stage.sees("index 0 B of ")


async def test_the_palette_runs_what_the_key_runs(play: Play) -> None:
    async with play() as stage:
        shown = stage.chat.has_class("-sidebar")
        await stage.press("ctrl+p")
        await stage.until(lambda: isinstance(stage.app.screen, CommandPalette))
        await stage.type("sidebar")
        await stage.sees("Show or hide the meter")
        await stage.press("down", "enter")
        await stage.until(lambda: stage.chat.has_class("-sidebar") != shown)


async def test_f2_shows_and_hides_the_side(play: Play) -> None:
    async with play() as stage:
        assert stage.chat.meter.region
        await stage.press("f2")
        await stage.until(lambda: not stage.chat.meter.region)
        await stage.press("f2")
        await stage.until(lambda: stage.chat.meter.region)


async def test_the_side_lies_over_the_transcript_where_it_is_narrow(play: Play) -> None:
    async with play(size=(80, 24)) as stage:
        assert not stage.chat.meter.region
        await stage.press("f2")
        await stage.until(lambda: stage.chat.meter.region)
        assert stage.chat.conversation.region.width == 80
        await stage.press("escape")
        await stage.until(lambda: not stage.chat.meter.region)
        assert stage.chat.composer.area.has_focus


async def test_transcript_keys_from_the_composer(play: Play) -> None:
    async with play(size=(80, 24)) as stage:
        await stage.ask("long", "\n\n".join(f"paragraph {number}" for number in range(60)))
        await stage.sees("paragraph 59")
        await stage.press("pageup")
        await stage.until(lambda: not stage.chat.transcript.following)
        await stage.sees("Ctrl+End follows")
        await stage.press("pagedown", "ctrl+home")
        await stage.sees("paragraph 0")
        await stage.press("ctrl+end")
        await stage.until(lambda: stage.chat.transcript.following)
        assert stage.chat.composer.area.has_focus


async def test_letters_act_in_the_transcript_only(play: Play) -> None:
    async with play() as stage:
        await stage.ask("a question", "some **words** and\n\n```\ncode\n```\n")
        await stage.type("yncri")
        assert stage.draft == "yncri"
        stage.chat.composer.clear()
        stage.chat.transcript.focus()
        await stage.press("y")
        await stage.told("The message")
        await stage.press("c")
        await stage.told("The code block")
        await stage.press("i")
        assert stage.chat.composer.area.has_focus


async def test_ctrl_c_copies_then_stops_then_clears_then_quits(play: Play) -> None:
    async with play() as stage:
        stage.server.script("words in gates")
        stage.server.script()
        await stage.ask("hello")
        stage.chat.composer.insert("written")
        stage.chat.composer.area.select_all()
        await stage.press("ctrl+c")
        await stage.told("The selection (7 characters)")
        assert stage.draft == "written"
        assert stage.app.clipboard == "written"
        stage.chat.composer.area.move_cursor((0, 0))
        await stage.press("ctrl+c")
        assert stage.draft == ""
        await stage.press("ctrl+c")
        await stage.told("again to quit")
        assert stage.app.is_running
        await stage.press("ctrl+c")
        await stage.until(lambda: not stage.app.is_running or stage.app._exit)


async def test_ctrl_d_quits_only_where_nothing_is_written(play: Play) -> None:
    async with play() as stage:
        stage.chat.composer.insert("ab")
        stage.chat.composer.area.move_cursor((0, 0))
        await stage.press("ctrl+d")
        assert stage.draft == "b"
        stage.chat.composer.clear()
        await stage.press("ctrl+d")
        await stage.until(lambda: stage.app._exit)


@pytest.mark.skipif(not hasattr(signal, "SIGTSTP"), reason="no job control here")
async def test_ctrl_z_suspends(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    async with play() as stage:
        calls: list[str] = []
        monkeypatch.setattr(
            type(stage.app), "action_suspend_process", lambda self: calls.append("suspended")
        )
        await stage.press("ctrl+z")
        assert calls == ["suspended"]


async def test_f4_goes_to_the_question(play: Play) -> None:
    async with play() as stage:
        await stage.press("f4")
        await stage.told("Nothing waits")
        stage.chat.composer.insert("typing")
        stage.server.script(tools(("run_command", '{"command": "echo hi"}')), "said hi")
        stage.chat.composer.clear()
        await stage.send("say hi")
        await stage.until(lambda: stage.chat.approval.display)
        stage.chat.composer.focus()
        await stage.press("f4")
        assert stage.chat.approval.has_focus
        await stage.press("escape")


async def test_keys_of_the_settings_replace_the_defaults(play: Play, folder: Path) -> None:
    (folder / "config.toml").write_text(
        '[keys]\n"view.sidebar" = "f9"\n"composer.send" = "f7"\n"copy.message" = "x"\n',
        encoding="utf-8",
    )
    try:
        async with play() as stage:
            shown = stage.chat.has_class("-sidebar")
            await stage.press("f2")
            assert stage.chat.has_class("-sidebar") == shown
            await stage.press("f9")
            assert stage.chat.has_class("-sidebar") != shown
            await stage.sees("F9 Sidebar")
            stage.server.script("an answer")
            stage.chat.composer.insert("hello")
            await stage.press("f7")
            await stage.sees("an answer")
            stage.chat.transcript.focus()
            await stage.press("x")
            await stage.told("The message")
    finally:
        ACTIONS.apply_keymap({"view.sidebar": "f2", "composer.send": "enter", "copy.message": "y"})


async def test_find_tells_how_many_and_steps(play: Play) -> None:
    async with play() as stage:
        await stage.ask("needle", "needle and needle")
        await stage.press("ctrl+f")
        await stage.type("needle")
        await stage.sees("of 3")
        await stage.press("enter")
        await stage.sees("match 2 of 3")
        await stage.press("escape")
        await stage.press("n")
        await stage.sees("match 3 of 3")
        await stage.press("escape")
        assert "of 3" not in stage.screen_text
        await stage.command("/find and")
        await stage.sees("match 1 of 1")


async def test_the_editor_round_trip(
    play: Play, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = folder / "editor.sh"
    script.write_text('#!/bin/sh\nprintf " edited" >> "$1"\n', encoding="utf-8")
    script.chmod(0o700)
    monkeypatch.setenv("EDITOR", str(script))
    async with play() as stage:
        await stage.press("ctrl+e")
        await stage.told("can't be handed to an editor")  # there is no terminal here
        assert os.environ["EDITOR"] == str(script)


SLASHES = {
    "/sessions": SessionsScreen,
    "/rename": TextDialog,
    "/system": TextDialog,
    "/temperature": TextDialog,
    "/max-output": TextDialog,
    "/effort": TextDialog,
    "/model": ChoiceDialog,
    "/theme": ChoiceDialog,
    "/inspector": InspectorScreen,
    "/help": KeysScreen,
    "/debug": DiagnosticsScreen,
}
TOLD = {
    "/wire": "Nothing was sent in this session yet.",
    "/new": "new already",
    "/clear": "Cleared",
    "/stop": "",
    "/retry": "There is no prompt to answer yet.",
    "/edit": "There is no prompt to edit here.",
    "/continue": "Nothing waits to be sent.",
    "/unqueue": "No prompt is queued.",
    "/copy": "There is no message to copy here.",
    "/code": "There is no code block to copy here.",
    "/find": "",
    "/sidebar": "",
    "/editor": "",
    "/quit": "",
}


async def test_every_slash_command_works(play: Play) -> None:
    others = {f"/{action.slash}" for action in ACTIONS if action.slash} - {*SLASHES, *TOLD}
    async with play() as stage:
        for command in sorted(others):
            await stage.command(command)
            while stage.app.screen is not stage.chat:
                await stage.press("escape")
            assert stage.draft == ""
            assert not [toast for toast in stage.toasts if "went wrong" in toast], command
        for command, screen in SLASHES.items():
            await stage.command(command)
            await stage.until(lambda screen=screen: isinstance(stage.app.screen, screen), command)
            await stage.press("escape")
            await stage.until(lambda: stage.app.screen is stage.chat, f"{command} closed")
            assert stage.draft == ""
        for command, told in TOLD.items():
            await stage.command(command)
            if told:
                await stage.told(told)
        await stage.until(lambda: stage.app._exit)


async def test_an_unknown_command_is_refused_with_the_nearest(play: Play) -> None:
    async with play() as stage:
        await stage.type("/sesions")
        await stage.press("enter")
        await stage.told("Did you mean /sessions")
        assert stage.draft == "/sesions"
        assert not stage.server.received


async def test_the_footer_shows_the_keys_of_the_panel_that_has_the_focus(play: Play) -> None:
    async with play() as stage:
        await stage.ask("hello", "yes")
        assert "f Fork" not in stage.screen_text
        await stage.press("f10")
        await stage.until(lambda: stage.app.focused is stage.chat.transcript)
        await stage.sees("i Write  Enter Open")
        await stage.sees("f Fork")
        footer = stage.chat.query_one("#footer")
        await stage.pilot.click(footer, offset=(2, 0))
        await stage.until(lambda: stage.app.focused is stage.chat.composer.area)
        await stage.sees("^S Sessions")
        assert "f Fork" not in stage.screen_text


async def test_every_screen_over_the_chat_tells_its_keys_alike(play: Play) -> None:
    async with play() as stage:
        await stage.ask("hello", tools(("calculate", '{"expression": "1+1"}')), "two")
        commands = ("/sessions", "/inspector", "/wire", "/usage", "/tools")
        for command in commands:
            await stage.command(command)
            await stage.until(lambda: stage.app.screen is not stage.chat, command)
            await stage.sees(" Esc Close  F1 Keys  ")
            footer = stage.app.screen.query_one(FooterLine)
            await stage.pilot.click(footer, offset=(2, 0))
            await stage.until(lambda: stage.app.screen is stage.chat, f"{command} closed")


async def test_keys_of_the_settings_work_in_a_screen_over_the_chat(
    play: Play, folder: Path
) -> None:
    (folder / "config.toml").write_text(
        '[keys]\n"help.keys" = "f9"\n"screen.close" = "f7"\n', encoding="utf-8"
    )
    try:
        async with play() as stage:
            await stage.command("/tools")
            await stage.sees(" F7 Close  F9 Keys  ")
            await stage.press("f9")
            await stage.until(lambda: isinstance(stage.app.screen, KeysScreen), "the help")
            await stage.press("escape", "f7")
            await stage.until(lambda: stage.app.screen is stage.chat, "closed")
    finally:
        ACTIONS.apply_keymap({"help.keys": "f1", "screen.close": "escape"})


async def test_a_key_that_would_be_typed_is_not_told(play: Play) -> None:
    async with play() as stage:
        await stage.ask("hello", "hi")
        await stage.command("/sessions")
        await stage.sees("Enter Open")
        assert "r Rename" not in stage.screen_text
        await stage.press("tab")
        await stage.sees("r Rename")
