"""F1: the keys of where you are, then all actions; typing filters, Enter runs one."""

from __future__ import annotations

from collections.abc import Iterable

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingsMap
from textual.containers import Vertical
from textual.dom import DOMNode
from textual.screen import ModalScreen
from textual.widgets import Input, Static, TextArea

from chatglass.tui.actions.action import PLACES, Action, Place, key_label, keys_label
from chatglass.tui.actions.place import place_of
from chatglass.tui.actions.registry import ACTIONS, Actions
from chatglass.tui.dialogs.choice_list import Choice, ChoiceList
from chatglass.tui.dialogs.dialogs import CLOSE_KEYS, DIALOG_CSS

_MOVING = (
    *("up", "down", "left", "right", "j", "k", "pageup", "pagedown"),
    *("home", "end", "ctrl+home", "ctrl+end"),
)
_EDITING = " ".join(map(key_label, ("left", "right", "home", "end", "ctrl+w", "ctrl+u", "ctrl+k")))


def key_rows(focused: DOMNode | None, registry: Actions) -> list[Choice]:
    """Rows of the key help, from the place of `focused` outwards."""
    place = place_of(focused)
    order: list[Place] = [place, *(other for other in PLACES if other != place)]
    rows: list[Choice] = []
    for each in order:
        is_here = each == place and place != "app"
        title = f"Here: {PLACES[each].lower()}" if is_here else PLACES[each]
        rows += [_row(action, title) for action in registry.at(each)]
        if each == place and focused is not None:
            rows += _own_keys(focused, registry, title)
    return _grouped(rows)


def _grouped(rows: Iterable[Choice]) -> list[Choice]:
    groups: dict[str, list[Choice]] = {}
    for row in rows:
        groups.setdefault(row.group, []).append(row)
    return [row for group in groups.values() for row in group]


def _row(action: Action, group: str) -> Choice:
    shown = "  ".join(part for part in (keys_label(action.keys), action.usage) if part)
    return Choice(action.id, shown, action.tooltip, group)


def _own_keys(focused: DOMNode, registry: Actions, title: str) -> list[Choice]:
    """Described keys that the focused widget has beside the registry's. What moves takes one line,
    and so does what edits; keys that only Textual's own widgets name are left out."""
    ours = _own_commands(type(focused))
    found: dict[str, list[str]] = {}
    moving: list[str] = []
    for key, binding in focused._bindings:
        if binding.action not in ours or binding.id in registry or binding.system:
            continue
        if focused.check_action(binding.action.partition("(")[0], ()) is False:
            continue  # it means something in another state
        if key in _MOVING:
            moving.append(key)
        elif binding.description:
            found.setdefault(binding.description, []).append(key)
    rows = [
        Choice("", " ".join(key_label(key) for key in keys), description, title)
        for description, keys in found.items()
    ]
    is_typed_in = isinstance(focused, Input | TextArea)
    if moving and not is_typed_in:
        keys = " ".join(key_label(key) for key in _MOVING if key in moving)
        rows.append(Choice("", keys, "Move", title))
    if is_typed_in:
        rows.append(Choice("", _EDITING, "Move and delete as you type", title))
    return rows


def _own_commands(widget: type[DOMNode]) -> set[str]:
    """What the keys run that this program gave a widget."""
    return {
        binding.action
        for each in widget.__mro__
        if each.__module__.startswith("chatglass.")
        for _, binding in BindingsMap(vars(each).get("BINDINGS"))
    }


class KeysScreen(ModalScreen[str | None]):
    """Dismissed with the id of an action to run, or None."""

    BINDINGS = [*CLOSE_KEYS]
    DEFAULT_CSS = (
        DIALOG_CSS.format(name="KeysScreen", width=110, height="90%")
        + "KeysScreen .detail { height: 1; }"
    )

    def __init__(self, focused: DOMNode | None, registry: Actions = ACTIONS) -> None:
        """`focused` is what had the focus when F1 was pressed."""
        super().__init__()
        self._registry = registry
        self._input = Input(placeholder="Type to filter")
        self._list = ChoiceList(
            key_rows(focused, registry), empty="No action is called that", wraps=True
        )
        self._list.can_focus = False

    def compose(self) -> ComposeResult:
        with Vertical() as panel:
            panel.border_title = "Keys"
            yield self._input
            yield self._list
            yield Static(classes="detail", markup=False)
            yield Static("↑↓ move, Enter runs it, Esc closes", classes="hint", markup=False)

    def on_mount(self) -> None:
        self._input.focus()
        self._explain(self._list.current)

    @on(ChoiceList.Highlighted)
    def _highlighted(self, event: ChoiceList.Highlighted) -> None:
        event.stop()
        self._explain(event.choice)

    def _explain(self, choice: Choice | None) -> None:
        """The id for `[keys]`."""
        action = self._shown_action(choice)
        text = f"[keys] {action.id}" if action else ""
        self.query_one(".detail", Static).update(text, layout=False)

    def _shown_action(self, choice: Choice | None) -> Action | None:
        if choice is None or not choice.value:
            return None
        return self._registry[choice.value]

    def on_key(self, event: events.Key) -> None:
        match event.key:
            case "up":
                self._list.action_move(-1)
            case "down":
                self._list.action_move(1)
            case "pageup":
                self._list.action_page(-1)
            case "pagedown":
                self._list.action_page(1)
            case "f1":
                self.dismiss(None)
            case _:
                return
        event.stop()
        event.prevent_default()

    @on(Input.Changed)
    def _filter(self, event: Input.Changed) -> None:
        event.stop()
        self._list.filter(event.value)

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        self._run(self._list.current)

    @on(ChoiceList.Chosen)
    def _chosen(self, event: ChoiceList.Chosen) -> None:
        event.stop()
        self._run(event.choice)

    def _run(self, choice: Choice | None) -> None:
        action = self._shown_action(choice)
        # Keys that only mean something in their place have nothing to run here.
        if action is not None and (action.palette or action.command.startswith("app.")):
            self.dismiss(action.id)

    def action_close(self) -> None:
        self.dismiss(None)
