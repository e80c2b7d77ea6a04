"""A slash command as it was typed: which action it means, or why none."""

from __future__ import annotations

from dataclasses import dataclass

from chatglass.tui.actions.registry import Actions


@dataclass(frozen=True, slots=True)
class TypedCommand:
    """`refusal` says why there is nothing to run; else `action_id` runs with `argument`."""

    action_id: str = ""
    argument: str = ""
    refusal: str = ""


def typed_command(text: str, registry: Actions) -> TypedCommand:
    """`text` begins with a slash."""
    name, _, argument = text[1:].partition(" ")
    argument = argument.strip()
    action = registry.by_slash(name)
    if action is None:
        near = " or ".join(f"/{other}" for other in registry.nearest_slashes(name))
        hint = f"Did you mean {near}?" if near else "/help lists the commands."
        return TypedCommand(
            refusal=f"There is no command /{name}. {hint} To send it as text, write //{name}."
        )
    if argument and not action.hint:
        return TypedCommand(refusal=f"/{name} takes nothing after it. Remove {argument!r}.")
    return TypedCommand(action.id, argument)
