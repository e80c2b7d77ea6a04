"""The actions of the session browser."""

from __future__ import annotations

from chatglass.tui.actions.action import Action, key_in

BROWSER_ACTIONS: tuple[Action, ...] = (
    key_in(
        "sessions", "sessions.open", "Open",
        "Open the session, at the match where one is under the cursor", "enter", footer=10,
    ),
    key_in("sessions", "sessions.search", "Search", "Go to the search line", "slash", footer=90),
    key_in(
        "sessions", "sessions.mark", "Mark",
        "Mark the session for what is done next, or unmark it", "space", footer=20,
    ),
    key_in("sessions", "sessions.mark_all", "Mark all", "Mark all that are listed, or none", "m"),
    key_in(
        "sessions", "sessions.rename", "Rename",
        "Give the session another title", "r", "f2", footer=30,
    ),
    key_in("sessions", "sessions.pin", "Pin", "Keep it on top, or no longer", "p", footer=50),
    key_in(
        "sessions", "sessions.tag", "Tag",
        "Edit its tags; of several, those that all have", "t", footer=60,
    ),
    key_in(
        "sessions", "sessions.archive", "Archive",
        "Take it out of the list, or back in; is:archived lists them", "a", footer=70,
    ),
    key_in(
        "sessions", "sessions.delete", "Delete",
        "Delete it when the browser closes; until then it can be undone", "d", "delete", footer=40,
    ),
    key_in(
        "sessions", "sessions.undo", "Undo",
        "Take the last change back", "z", "ctrl+underscore", footer=80,
    ),
    key_in("sessions", "sessions.sort", "Sort", "Sort by time, cost or length", "s", footer=100),
    key_in(
        "sessions", "sessions.here", "Only here",
        "List only sessions of this directory, or all again", "h", footer=110,
    ),
    key_in("sessions", "sessions.preview", "Preview", "Show or hide the preview", "v", footer=120),
    key_in(
        "sessions", "sessions.next", "Next session",
        "Go to the next session, past its matches", "n", command="step(1)",
    ),
    key_in(
        "sessions", "sessions.previous", "Previous session",
        "Go to the session before", "N", command="step(-1)",
    ),
    key_in(
        "sessions", "sessions.close", "Close",
        "Drop the marks, then the search, then close, as Esc does", "ctrl+s",
    ),
)  # fmt: skip
