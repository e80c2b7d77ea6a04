"""ToolsScreen: the tools that the model may call, where each comes from, and its schema."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from chatglass.tools.tool import ToolSpec
from chatglass.tui.actions.registry import ACTIONS
from chatglass.tui.dialogs.choice_list import Choice, ChoiceList
from chatglass.tui.inspector.json_view import JsonView
from chatglass.values.text import one_line, visible

if TYPE_CHECKING:
    from chatglass.chat.workspace import Workspace

_KEYS = "y copy the schema · Tab the text · Esc back"
_VERDICTS = {"allow": "runs", "ask": "asks", "deny": "denied"}


class ToolsScreen(ModalScreen[None]):
    ACTION_PLACE = "tools"
    AUTO_FOCUS = "ChoiceList"
    DEFAULT_CSS = """
    ToolsScreen {
        background: $background;
        .tools--panel {
            border: round $accent; border-title-color: $text-accent; padding: 0 1; height: 1fr;
        }
        ChoiceList { height: 1fr; margin-bottom: 1; }
        .tools--problems { height: auto; max-height: 8; color: $text-warning; display: none; }
        .tools--about { height: auto; max-height: 6; }
        .tools--view { border-top: solid $accent 40%; height: 1fr; }
        .tools--foot { height: 1; padding: 0 2; color: $foreground 60%; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        *ACTIONS.bindings("tools"),
        Binding("escape", "close", "Back", show=False),
        Binding("f1", "app.do('help.keys')", "Keys", show=False),
        Binding("ctrl+c", "app.do('app.interrupt')", "Close", show=False),
        Binding("ctrl+q", "app.do('app.quit')", "Quit", show=False),
    ]

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self._specs = {spec.name: spec for spec in workspace.tools.specs()}
        own = workspace.own_tools
        self._faults = [str(problem) for problem in own.problems] if own else []
        self._loading = own.loading if own else []
        self._list = ChoiceList(self._choices(), empty="No tools")
        self._problems = Static("", classes="tools--problems", markup=False)
        self._about = Static("", classes="tools--about", markup=False)
        self.view = JsonView()
        self._panel = Vertical(classes="tools--panel")

    def compose(self) -> ComposeResult:
        with self._panel:
            yield self._problems
            yield self._list
            with Vertical(classes="tools--view"):
                yield self._about
                yield self.view
        yield Static(_KEYS, classes="tools--foot", markup=False)

    def on_mount(self) -> None:
        self._panel.border_title = Content(f"Tools ({len(self._specs)})")
        lines = [*self._faults, *(f"{label}: still being imported" for label in self._loading)]
        if lines:
            self._problems.update(visible("\n".join(lines)))
            self._problems.display = True
        self._show()

    @on(ChoiceList.Highlighted)
    def _highlighted(self, event: ChoiceList.Highlighted) -> None:
        event.stop()
        self._show()

    @on(ChoiceList.Chosen)
    def _taken(self, event: ChoiceList.Chosen) -> None:
        event.stop()
        self.view.focus()

    def _show(self) -> None:
        current = self._list.current
        if current is None:
            return
        spec = self._specs[current.value]
        rules = [f"rule {rule}" for rule in self._workspace.rules_of(spec.name)]
        self._about.update(visible("\n".join([*rules, spec.description[:1_000]])))
        self.view.load(json.dumps(dict(spec.parameters), ensure_ascii=False), "json")

    def _choices(self) -> list[Choice]:
        return [
            Choice(
                spec.name,
                one_line(spec.name, 64),
                f"{_VERDICTS[self._workspace.usual_verdict(spec)]} · {one_line(spec.description, 150)}",
                _source(spec),
            )
            for spec in self._specs.values()
        ]

    async def action_copy(self) -> None:
        from chatglass.tui.clipboard import copy

        if (current := self._list.current) is not None:
            schema = json.dumps(self._specs[current.value].wire(), ensure_ascii=False, indent=2)
            told = await copy(self.app, schema)
            self.app.notify(f"The schema was {told}.", markup=False)

    def action_close(self) -> None:
        self.dismiss(None)


def _source(spec: ToolSpec) -> str:
    if spec.server:
        return one_line(f"MCP server {spec.server}", 80)
    return one_line(f"Your own, of {spec.own}", 100) if spec.own else "Built in"
