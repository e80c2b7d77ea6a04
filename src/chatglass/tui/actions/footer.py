"""The one-line footer: keys of the most used actions, as many as fit, each clickable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from rich.segment import Segment
from textual import events
from textual.binding import Binding
from textual.dom import DOMNode
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Input, TextArea

from chatglass.tui.actions.action import Action, Place, is_typed, key_label
from chatglass.tui.actions.place import place_of
from chatglass.tui.actions.registry import ACTIONS, Actions
from chatglass.tui.component_style import component_style


def fitting(actions: list[Action], width: int) -> list[tuple[int, Action, str, str]]:
    """(x, action, key, label) of those that fit into `width`, dropping the last ones first.

    What does not fit with its label may still stand; a later, shorter one never jumps ahead.
    """
    placed: list[tuple[int, Action, str, str]] = []
    x = 1
    for action in actions:
        key = key_label(action.keys[0])
        needed = len(key) + 1 + len(action.label)
        if x + needed > width:
            break
        placed.append((x, action, key, action.label))
        x += needed + 2
    return placed


def way_out(*then: str) -> list[Action]:
    """What the footer of every screen over the chat begins with: how to close it, and the help;
    `then` the actions of these ids."""
    return [ACTIONS[id_] for id_ in ("screen.close", "help.keys", *then)]


class FooterLine(Widget):
    """Shows the registry's footer actions, those of the focused panel first; a click runs one.

    While a line is typed in, keys that would be typed are left out.
    """

    DEFAULT_CSS = """
    FooterLine { height: 1; width: 1fr; color: $footer-description-foreground; background: $footer-background; }
    FooterLine > .footer-line--key { color: $footer-key-foreground; text-style: bold; }
    """
    COMPONENT_CLASSES = {"footer-line--key"}

    def __init__(
        self,
        registry: Actions = ACTIONS,
        *,
        place: Place = "app",
        first: Sequence[Action] = (),
        target: DOMNode | None = None,
        id: str | None = None,
    ) -> None:
        """`place`: whose keys it shows; `first` are shown before those. `target` runs the actions
        that name no other; by default the app."""
        super().__init__(id=id)
        self._registry = registry
        self._place: Place = place
        self._first = first
        self._target = target
        self._working = False
        self._focused: Place = place
        self._nearer: Mapping[str, Binding] = {}
        """What keys do where the focus is, that do something else on the screen around it."""
        self._typed_in = False

    def on_mount(self) -> None:
        self.watch(self.screen, "focused", self._show_focus)

    def show_working(self, working: bool) -> None:
        """Whether there is a turn to stop."""
        if working != self._working:
            self._working = working
            self.refresh()

    def _show_focus(self, focused: DOMNode | None) -> None:
        """Show the keys of the panel that has the focus before those that work everywhere; of
        those, what they do there."""
        place, typed_in = place_of(focused), isinstance(focused, Input | TextArea)
        nearer = {
            key: active.binding
            for key, active in self.screen.active_bindings.items()
            if active.node is not self.screen
            and active.node is not self.app
            and not type(active.node).__module__.startswith("textual.")
        }
        if (place, typed_in, nearer) != (self._focused, self._typed_in, self._nearer):
            self._focused, self._typed_in, self._nearer = place, typed_in, nearer
            self.refresh()

    def _placed(self) -> list[tuple[int, Action, str, str]]:
        shown = self._shown_of(self._place)
        if self._focused != self._place:
            shown = [*self._shown_of(self._focused), *shown]
        shown = [told for action in [*self._first, *shown] if (told := self._as_it_is(action))]
        return fitting(shown, self.size.width)

    def _as_it_is(self, action: Action) -> Action | None:
        """The action under the first of its keys that means it here. Where none does, what the
        first one means instead, if that has a name."""
        for key in action.keys:
            binding = self._nearer.get(key)
            if binding is None or binding.id == action.id:
                return action if key == action.keys[0] else replace(action, keys=(key,))
        binding = self._nearer[action.keys[0]]
        if not binding.description:
            return None
        return replace(
            action, label=binding.description, tooltip=binding.description, place=self._focused
        )

    def _shown_of(self, place: Place) -> list[Action]:
        shown = [
            action
            for action in self._registry.at(place)
            if action.footer is not None
            and action.keys
            and not (self._typed_in and is_typed(action.keys[0]))
            and (self._working or action.id != "turn.stop")
        ]
        return sorted(shown, key=lambda action: action.footer or 0)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return 1

    def render_line(self, y: int) -> Strip:
        style = self.rich_style
        key_style = style + component_style(self, "footer-line--key")
        segments: list[Segment] = []
        cells = 0
        for x, _action, key, label in self._placed():
            segments.append(Segment(" " * (x - cells), style))
            segments.append(Segment(key, key_style))
            segments.append(Segment(f" {label}", style))
            cells = x + len(key) + 1 + len(label)
        return Strip(segments, cells).adjust_cell_length(self.size.width, style)

    def action_at(self, x: int) -> Action | None:
        """The action drawn at column `x`."""
        for start, action, key, label in self._placed():
            if start <= x < start + len(key) + 1 + len(label):
                return action
        return None

    async def on_click(self, event: events.Click) -> None:
        if action := self.action_at(event.x):
            event.stop()
            if action.place == self._focused != self._place:
                # What it does is a matter of the panel that has the focus.
                self.app.simulate_key(action.keys[0])
                return
            await self.app.run_action(action.run, self._target)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        action = self.action_at(event.x)
        tooltip = action.tooltip if action else None
        if self.tooltip != tooltip:
            self.tooltip = tooltip
