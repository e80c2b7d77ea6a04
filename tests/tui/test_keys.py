"""Every action of the registry does something in the real app: by its keys, its command, F1."""

from __future__ import annotations

from chatglass.tui.actions.registry import ACTIONS
from chatglass.tui.commands import COMMANDS
from tui.conftest import Play


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
            "composer": chat.composer.area,
            "transcript": chat.transcript,
            "approval": chat.approval,
        }
        for action in ACTIONS:
            places[action.place].focus()
            await stage.pilot.pause()
            for key in action.keys:
                from textual.binding import Binding

                (binding,) = Binding.make_bindings([(key, "x", "x")])
                bound = [
                    found
                    for _, bindings in chat._modal_binding_chain
                    for found in bindings.key_to_bindings.get(binding.key, [])
                ]
                assert any(
                    found.id == action.id or action.run in (found.action, f"app.{found.action}")
                    for found in bound
                ), f"{key} of {action.id}: {bound}"
