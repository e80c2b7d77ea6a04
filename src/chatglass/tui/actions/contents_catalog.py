"""The keys of the screen with the contents of a result."""

from __future__ import annotations

from chatglass.tui.actions.action import Action, key_in

CONTENTS_ACTIONS: tuple[Action, ...] = (
    key_in(
        "contents", "contents.open", "Open",
        "Show an image, a sound, a PDF or a text with the system's viewer", "o", footer=10,
    ),
    key_in("contents", "contents.save", "Save", "Save the content as a new file", "s", footer=20),
    key_in("contents", "contents.copy", "Copy", "Copy the text of the content", "y", footer=30),
)  # fmt: skip
