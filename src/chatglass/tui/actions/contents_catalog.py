"""The keys of the screen with the contents of a result."""

from __future__ import annotations

from chatglass.tui.actions.action import Action


def _key(name: str, label: str, tooltip: str, *keys: str) -> Action:
    return Action(
        id=f"contents.{name}",
        label=label,
        tooltip=tooltip,
        keys=keys,
        place="contents",
        command=name,
        palette=False,
    )


CONTENTS_ACTIONS: tuple[Action, ...] = (
    _key("open", "Open", "Show an image, a sound, a PDF or a text with the system's viewer", "o"),
    _key("save", "Save", "Save the content as a new file", "s"),
    _key("copy", "Copy", "Copy the text of the content", "y"),
)
