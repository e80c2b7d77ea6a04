"""Small modal dialogs: a text, a choice, a confirmation. Esc closes each without an answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static, TextArea

from chatglass.tui.dialogs.choice_list import Choice, ChoiceList
from chatglass.values.text import visible

DIALOG_CSS = """
{name} {{ align: center middle; }}
{name} > Vertical {{
    width: 90%; max-width: {width}; height: {height}; max-height: 90%;
    border: round $accent; background: $surface; padding: 0 1;
}}
{name} Input {{ height: 1; border: none; padding: 0; }}
{name} Input:focus {{ border: none; }}
{name} .hint {{ height: auto; color: $text-muted; }}
"""
"""Of every dialog; `name` its class, `width` in cells."""

CLOSE_KEYS = [
    Binding("escape", "close", "Close", show=False),
    Binding("ctrl+c", "close", "Close", show=False),
]


class TextDialog(ModalScreen[str | None]):
    """Asks for a text; None where it was closed. Empty is an answer."""

    BINDINGS = [*CLOSE_KEYS, Binding("ctrl+s", "accept", "Accept", show=False)]
    DEFAULT_CSS = (
        DIALOG_CSS.format(name="TextDialog", width=90, height="auto")
        + "TextDialog TextArea { height: 12; max-height: 60vh; border: none; padding: 0; }"
        + "TextDialog .problem { height: auto; color: $text-error; }"
    )

    def __init__(
        self,
        title: str,
        initial: str = "",
        *,
        multi_line: bool = False,
        hint: str = "",
        check: Callable[[str], str | None] | None = None,
    ) -> None:
        """`check` says None or what is wrong with a text, which is then shown and not taken."""
        super().__init__()
        self._heading = title
        self._check = check
        keys = "^S takes it, Esc closes" if multi_line else "Enter takes it, Esc closes"
        self._hint = f"{hint}\n{keys}" if hint else keys
        initial = visible(initial)  # these fields would send a control character to the terminal
        self._field: Input | TextArea = (
            TextArea(initial) if multi_line else Input(initial, select_on_focus=True)
        )

    def compose(self) -> ComposeResult:
        with Vertical() as panel:
            panel.border_title = Content(self._heading)  # pyright: ignore[reportAttributeAccessIssue]
            yield self._field
            yield Static(classes="problem", markup=False)
            yield Static(self._hint, classes="hint", markup=False)

    def on_mount(self) -> None:
        self._field.focus()
        if isinstance(self._field, TextArea):
            self._field.move_cursor(self._field.document.end)

    @on(Input.Submitted)
    def action_accept(self) -> None:
        field = self._field
        text = field.value if isinstance(field, Input) else field.text
        problem = self._check(text) if self._check else None
        if problem is None:
            self.dismiss(text)
        else:
            self.query_one(".problem", Static).update(problem)

    def action_close(self) -> None:
        self.dismiss(None)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The answer of a `ChoiceDialog`: a choice's value, or what was typed (`choice` is None)."""

    value: str
    choice: Choice | None = None


class ChoiceDialog(ModalScreen[Chosen | None]):
    """Offers choices to filter and choose; None where it was closed.

    `on_highlight` is called with the value of each choice that becomes current, for a preview;
    and with `current` again where the dialog is closed without an answer. With `free_text` what
    was typed may be the answer where it fits no choice, or by `^S` in any case.
    """

    BINDINGS = [*CLOSE_KEYS, Binding("ctrl+s", "take_typed", "Take what was typed", show=False)]
    DEFAULT_CSS = DIALOG_CSS.format(name="ChoiceDialog", width=100, height="80%")

    def __init__(
        self,
        title: str,
        choices: Sequence[Choice],
        *,
        current: str = "",
        on_highlight: Callable[[str], None] | None = None,
        free_text: bool = False,
        hint: str = "",
        enter: str = "takes it",
        placeholder: str = "Type to filter",
    ) -> None:
        """`enter` says what Enter does."""
        super().__init__()
        self._heading = title
        self._current = current
        self._on_highlight = on_highlight
        self._free_text = free_text
        self._hint = hint
        self._enter = enter
        empty = "Enter takes what you typed" if free_text else "Nothing fits what you typed"
        self._list = ChoiceList(choices, empty=empty)
        self._list.can_focus = False
        self._input = Input(placeholder=placeholder)
        self._previewed = current

    def compose(self) -> ComposeResult:
        with Vertical() as panel:
            panel.border_title = Content(self._heading)  # pyright: ignore[reportAttributeAccessIssue]
            yield self._input
            yield self._list
            keys = f"↑↓ move, Enter {self._enter}, Esc closes"
            if self._free_text:
                keys += ", ^S takes what you typed"
            yield Static(
                f"{self._hint}\n{keys}" if self._hint else keys, classes="hint", markup=False
            )

    def on_mount(self) -> None:
        self._list.select(self._current)
        self._input.focus()

    def set_choices(self, choices: Sequence[Choice]) -> None:
        """Other choices while it is open, such as models that an endpoint listed late."""
        self._list.set_choices(choices)

    # The input keeps the focus, so that typing always filters; it passes these keys on.
    def on_key(self, event: events.Key) -> None:
        moves = {
            "up": (self._list.action_move, -1),
            "down": (self._list.action_move, 1),
            "pageup": (self._list.action_page, -1),
            "pagedown": (self._list.action_page, 1),
        }
        if move := moves.get(event.key):
            event.stop()
            event.prevent_default()
            move[0](move[1])

    @on(Input.Changed)
    def _filter(self, event: Input.Changed) -> None:
        event.stop()
        self._list.filter(event.value)
        self._list.prefer(event.value)

    @on(ChoiceList.Highlighted)
    def _preview(self, event: ChoiceList.Highlighted) -> None:
        event.stop()
        choice = event.choice
        if choice is None or self._on_highlight is None or choice.value == self._previewed:
            return
        self._previewed = choice.value
        self._on_highlight(choice.value)

    @on(ChoiceList.Chosen)
    def _chosen(self, event: ChoiceList.Chosen) -> None:
        event.stop()
        self._take(event.choice)

    def _take(self, choice: Choice) -> None:
        if self._on_highlight and choice.value != self._previewed:
            self._on_highlight(choice.value)
        self.dismiss(Chosen(choice.value, choice))

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        if self._list.current is not None:
            self._take(self._list.current)
        else:
            self.action_take_typed()

    def action_take_typed(self) -> None:
        typed = self._input.value.strip()
        if self._free_text and typed:
            self.dismiss(Chosen(typed))

    def action_close(self) -> None:
        if self._on_highlight and self._previewed != self._current:
            self._on_highlight(self._current)
        self.dismiss(None)


class ConfirmDialog(ModalScreen[bool]):
    """Asks yes or no; Esc and Enter are no, so that nothing happens by habit."""

    BINDINGS = [
        *CLOSE_KEYS,
        Binding("y", "answer(True)", "Yes", show=False),
        Binding("n,enter", "answer(False)", "No", show=False),
    ]
    DEFAULT_CSS = (
        DIALOG_CSS.format(name="ConfirmDialog", width=70, height="auto")
        + "ConfirmDialog .question { height: auto; max-height: 60vh; margin-bottom: 1; }"
    )

    def __init__(self, title: str, question: str, *, yes: str = "Yes", no: str = "No") -> None:
        super().__init__()
        self._heading = title
        self._question = question
        self._answers = f"y  {yes}\nn  {no}"

    def compose(self) -> ComposeResult:
        with Vertical() as panel:
            panel.border_title = Content(self._heading)  # pyright: ignore[reportAttributeAccessIssue]
            yield Static(self._question, classes="question", markup=False)
            yield Static(self._answers, classes="hint", markup=False)

    def action_answer(self, yes: bool) -> None:
        self.dismiss(yes)

    def action_close(self) -> None:
        self.dismiss(False)
