"""FormDialog: what a server asks the user to fill in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Select, Static

from chatglass.tools.mcp.forms import FormField, form_problems
from chatglass.tools.mcp.ports import ElicitationAnswer
from chatglass.tui.dialogs.dialogs import DIALOG_CSS
from chatglass.tui.servers.question import QuestionDialog
from chatglass.tui.servers.tick_box import TickBox, TickBoxes
from chatglass.values.text import one_line, visible

_KEYS = "Tab moves, ^S sends it, ^R declines, Esc leaves it unanswered"


class FormDialog(QuestionDialog[ElicitationAnswer]):
    BINDINGS = [
        Binding("ctrl+s", "accept", "Send", show=False, priority=True),
        Binding("ctrl+r", "decline", "Decline", show=False, priority=True),
        Binding("escape,ctrl+c", "close", "Close", show=False),
    ]
    DEFAULT_CSS = (
        DIALOG_CSS.format(name="FormDialog", width=90, height="auto")
        + """
        FormDialog > Vertical { border: round $warning; }
        FormDialog VerticalScroll { height: auto; max-height: 60vh; }
        FormDialog .question, FormDialog .label { height: auto; }
        FormDialog .question { margin-bottom: 1; }
        FormDialog .description { height: auto; color: $text-muted; }
        FormDialog .problem { height: auto; color: $text-error; margin-bottom: 1; }
        FormDialog Input { background: $boost; }
        """
    )

    def __init__(
        self,
        title: str,
        message: str,
        fields: Sequence[FormField],
        *,
        given: Mapping[str, str] | None = None,
        hint: str = "",
    ) -> None:
        """All texts may be a server's. `given` fills fields of text in beforehand."""
        super().__init__()
        self._heading = one_line(title, 70)
        self._message = message
        self._fields = fields
        self._hint = f"{hint}\n{_KEYS}" if hint else _KEYS
        given = given or {}
        self._inputs = {one.name: _input(one, given.get(one.name)) for one in fields}
        self._problems = {one.name: Static("", classes="problem", markup=False) for one in fields}

    def compose(self) -> ComposeResult:
        with Vertical() as panel:
            panel.border_title = Content(self._heading)  # pyright: ignore[reportAttributeAccessIssue]
            with VerticalScroll(can_focus=False):
                if self._message:
                    words = visible(self._message[:4_000])
                    yield Static(words, classes="question", markup=False)
                for field in self._fields:
                    yield from self._compose_field(field)
            yield Static(self._hint, classes="hint", markup=False)

    def _compose_field(self, field: FormField) -> ComposeResult:
        needed = " (needed)" if field.required else ""
        if field.kind != "boolean":
            yield Static(one_line(field.label, 200) + needed, classes="label", markup=False)
        if field.description:
            yield Static(visible(field.description[:500]), classes="description", markup=False)
        yield self._inputs[field.name]
        yield self._problems[field.name]

    # -- answers

    def action_accept(self) -> None:
        if not self.hears():
            return
        content: dict[str, Any] = {}
        problems: dict[str, str] = {}
        for field in self._fields:
            try:
                content[field.name] = _value(field, self._inputs[field.name])
            except ValueError as error:
                problems[field.name] = f"{field.label}: {error}"
        problems = {**form_problems(self._fields, content), **problems}
        for name, shown in self._problems.items():
            shown.update(visible(problems.get(name, "")))
        if problems:
            self._inputs[next(iter(problems))].focus()
        else:
            self.dismiss(ElicitationAnswer("accept", content))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter sends nothing: who was just typing elsewhere would send that."""
        event.stop()
        self.focus_next()

    def action_decline(self) -> None:
        if self.hears():
            self.dismiss(ElicitationAnswer("decline"))


def _input(field: FormField, given: str | None) -> Widget:
    """The widget that asks for a field."""
    default = given if given is not None else field.default
    match field.kind:
        case "boolean":
            label = one_line(field.label, 200)
            return TickBox(Content(label), value=default is True, compact=True)
        case "choice":
            options = [(Content(one_line(c.label, 200)), c.value) for c in field.choices]
            known = any(default == choice.value for choice in field.choices)
            value = default if known else Select.NULL
            return Select(options, value=value, compact=True)
        case "choices":
            taken = default if isinstance(default, list) else []
            return TickBoxes(field.choices, taken)
        case _:
            # These fields would send a control character to the terminal.
            text = "" if default is None else visible(str(default))
            return Input(text, placeholder=field.format)


def _value(field: FormField, widget: Widget) -> Any:
    """What was filled in; None where nothing was. Raises ValueError, said behind the label."""
    if isinstance(widget, TickBox):
        return widget.value
    if isinstance(widget, TickBoxes):
        return widget.taken or None
    if isinstance(widget, Select):
        return None if widget.is_blank() else widget.value
    assert isinstance(widget, Input)
    text = widget.value
    if field.kind not in ("number", "integer") or not text.strip():
        return text
    try:
        return int(text) if field.kind == "integer" else float(text)
    except ValueError:
        kind = "whole number" if field.kind == "integer" else "number"
        raise ValueError(f"{text!r} is no {kind}.") from None
