"""ToolsScreen: the tools that the model may call, where each comes from, and its schema."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from chatglass.tools.tool import ToolSpec
from chatglass.tui.actions.footer import FooterLine, way_out
from chatglass.tui.actions.registry import ACTIONS
from chatglass.tui.dialogs.choice_list import Choice, ChoiceList
from chatglass.tui.screens.cover_screen import CoverScreen
from chatglass.tui.screens.list_and_text import ListAndText
from chatglass.values.text import one_line

if TYPE_CHECKING:
    from chatglass.chat.workspace import Workspace

_VERDICTS = {"allow": "runs", "ask": "asks", "deny": "denied"}


class ToolsScreen(CoverScreen[None]):
    ACTION_PLACE = "tools"
    AUTO_FOCUS = "ChoiceList"
    BINDINGS: ClassVar[list[BindingType]] = [*ACTIONS.bindings("tools")]

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self._specs = {spec.name: spec for spec in workspace.tools.specs()}
        self._panel = ListAndText(
            f"Tools ({len(self._specs)})",
            self._choices(),
            empty="No tools",
            problems=_problems(workspace),
        )

    def compose(self) -> ComposeResult:
        yield self._panel
        yield FooterLine(place="tools", first=way_out("screen.next"), target=self)

    def on_mount(self) -> None:
        self._show()

    @on(ChoiceList.Highlighted)
    def _show(self) -> None:
        current = self._panel.list.current
        if current is None:
            return
        spec = self._specs[current.value]
        rules = [f"rule {rule}" for rule in self._workspace.rules_of(spec.name)]
        self._panel.note("\n".join([*rules, spec.description[:1_000]]))
        self._panel.view.load(json.dumps(dict(spec.parameters), ensure_ascii=False), "json")

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
        if (current := self._panel.list.current) is not None:
            wire = self._specs[current.value].wire()
            await self.copy(json.dumps(wire, ensure_ascii=False, indent=2), "schema")


def _problems(workspace: Workspace) -> list[str]:
    own = workspace.own_tools
    if own is None:
        return []
    waiting = [f"{label}: still being imported" for label in own.loading]
    return [*map(str, own.problems), *waiting]


def _source(spec: ToolSpec) -> str:
    if spec.server:
        return one_line(f"MCP server {spec.server}", 80)
    return one_line(f"Your own, of {spec.own}", 100) if spec.own else "Built in"
