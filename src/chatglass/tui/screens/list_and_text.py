"""ListAndText: a list, and below it a text about what is current in it."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from chatglass.tui.dialogs.choice_list import Choice, ChoiceList
from chatglass.tui.inspector.json_view import JsonView
from chatglass.values.text import visible


class ListAndText(Vertical):
    """`ChoiceList.Highlighted` asks for the text about another choice, which goes into `view`; Enter
    on a choice, or Tab, goes to that text."""

    DEFAULT_CSS = """
    ListAndText {
        ChoiceList { height: auto; min-height: 1; max-height: 50%; margin-bottom: 1; }
        .list-and-text--problems {
            height: auto; max-height: 8; color: $text-warning; margin-bottom: 1;
        }
        .list-and-text--below { border-top: solid $accent 40%; height: 1fr; }
        .list-and-text--note { height: auto; max-height: 6; color: $text-muted; }
        .-empty { display: none; }
    }
    """

    def __init__(
        self,
        title: str,
        choices: Sequence[Choice],
        *,
        empty: str = "Nothing here",
        problems: Sequence[str] = (),
        beside: Widget | None = None,
    ) -> None:
        """`problems` stand above the list; `beside` is another widget in the text's place, for
        what is no text: who gives it shows one of the two."""
        super().__init__(classes="cover--panel")
        self.border_title = Content(title)
        self.list = ChoiceList(choices, empty=empty)
        self.view = JsonView()
        self._beside = beside
        self._problems = _line("list-and-text--problems", visible("\n".join(problems)))
        self._note = _line("list-and-text--note", "")

    def compose(self) -> ComposeResult:
        yield self._problems
        yield self.list
        with Vertical(classes="list-and-text--below"):
            yield self._note
            if self._beside is not None:
                yield self._beside
            yield self.view

    def note(self, text: str) -> None:
        """What stands above the text; empty for nothing."""
        self._note.update(visible(text))
        self._note.set_class(not text, "-empty")

    @on(ChoiceList.Chosen)
    def _chosen(self, event: ChoiceList.Chosen) -> None:
        event.stop()
        if self.view.display:
            self.view.focus()


def _line(name: str, text: str) -> Static:
    return Static(text, classes=name if text else f"{name} -empty", markup=False)
