from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from chatglass.chat.ports import PendingCall
from chatglass.tools.places import Surroundings
from chatglass.tools.rules.rule import parse_rule
from chatglass.tools.rules.rule_book import RuleBook, SavedRule
from chatglass.tools.tool import Assessment, ToolSpec, Verdict
from chatglass.tools.tool_manager import ToolManager


@dataclass
class Judge:
    """Calls of the real built-in tools in a root of their own, and rules over them."""

    manager: ToolManager
    surroundings: Surroundings
    root: Path
    home: Path

    def call(self, name: str, /, **arguments: Any) -> PendingCall:
        tool = self.manager.get(name)
        valid = tool.validate(arguments)
        return PendingCall(
            session_id="s",
            turn_id="t",
            tool_call_id="c",
            spec=tool.spec,
            arguments=valid,
            assessment=tool.assess(valid, self.root),
            root=str(self.root),
        )

    def command(self, command: str) -> PendingCall:
        return self.call("run_command", command=command)

    def write(self, path: str) -> PendingCall:
        return self.call("write_file", path=path, content="x")

    def allows(self, rule: str, call: PendingCall) -> bool:
        return parse_rule(rule).allows(call, self.surroundings)

    def book(self, tools: dict[str, Verdict] | None = None, **rules: list[str]) -> RuleBook:
        saved = [
            SavedRule(verdict, parse_rule(text))  # type: ignore[arg-type]
            for verdict, texts in rules.items()
            for text in texts
        ]
        return RuleBook(self.surroundings, tuple(saved), tools or {})

    def ruling(self, call: PendingCall, **rules: list[str]) -> str:
        found = self.book(**rules).ruling(call)
        return found.verdict if found else "none"


def served(name: str, arguments: dict[str, Any], *, server: str = "srv") -> PendingCall:
    """A call of a server's tool."""
    return PendingCall(
        session_id="s",
        turn_id="t",
        tool_call_id="c",
        spec=ToolSpec(name=name, description="", parameters={}, server=server),
        arguments=arguments,
        assessment=Assessment(verdict="ask", why="", rule="tools of MCP servers ask"),
        root="/",
    )


@pytest.fixture
def judge(tmp_path: Path) -> Judge:
    home = tmp_path / "home"
    root = home / "project"
    (root / "src" / "deep").mkdir(parents=True)
    (root / "src" / "a.py").write_text("a\n")
    (root / "src" / "deep" / "b.py").write_text("b\n")
    (root / "README.md").write_text("read\n")
    surroundings = Surroundings(home=home, own_folders=(home / ".config" / "chatglass",))
    manager = ToolManager.with_builtins(surroundings=surroundings)
    return Judge(manager, surroundings, root, home)


Make = Callable[..., Judge]
