"""Rule: which calls of one tool are meant. `str(rule)` and `parse_rule` are each other's inverse.

    rule    := tool | tool "(" pattern ")"

A tool alone means every call of it. What a pattern is depends on the tool: a command
(`command_pattern`), a path (`path_pattern`), an address or a JSON object (`other_patterns`).
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from chatglass.tools.places import Surroundings
from chatglass.tools.rules.command_pattern import CommandPattern, parse_command
from chatglass.tools.rules.match import InvalidRule, Match
from chatglass.tools.rules.other_patterns import ArgumentsPattern, UrlPattern
from chatglass.tools.rules.path_pattern import PathPattern, both_ends, parse_path
from chatglass.tools.tool import Assessment, InvalidArguments, ToolSpec

COMMAND_TOOLS = frozenset({"run_command"})
PATH_TOOLS = frozenset({"read_file", "write_file", "list_directory", "search_files"})
URL_TOOLS = frozenset({"fetch_url"})

_RULE = re.compile(r"([a-zA-Z0-9_-]{1,64})(?:\((.*)\))?", re.DOTALL)

Pattern = CommandPattern | PathPattern | UrlPattern | ArgumentsPattern


class JudgedCall(Protocol):
    """A validated call with its assessment; `chat.ports.PendingCall` is one."""

    @property
    def spec(self) -> ToolSpec: ...
    @property
    def arguments(self) -> Mapping[str, Any]: ...
    @property
    def assessment(self) -> Assessment: ...
    @property
    def root(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Rule:
    """`pattern` None: every call of the tool."""

    tool: str
    pattern: Pattern | None = None

    def __str__(self) -> str:
        return self.tool if self.pattern is None else f"{self.tool}({self.pattern})"

    @property
    def objection_to_allowing(self) -> str:
        """Why it may only ask or deny; empty where it may allow."""
        return (
            self.pattern.objection_to_allowing if isinstance(self.pattern, CommandPattern) else ""
        )

    @property
    def is_word_for_word(self) -> bool:
        """Whether it means one command, which whoever saved it has read in full."""
        return isinstance(self.pattern, CommandPattern) and self.pattern.is_exact

    def allows(self, call: JudgedCall, surroundings: Surroundings) -> bool:
        """Whether the call is meant beyond doubt. What is private only a rule that names it means; what
        always asks, or is denied, none does."""
        if call.spec.name != self.tool or call.assessment.always_ask:
            return False
        if call.assessment.verdict == "deny":
            return False
        if self.pattern is None:
            return not call.assessment.private
        match self.pattern:
            case CommandPattern():
                return self.pattern.allows(
                    str(call.arguments.get("command", "")),
                    lambda word: _is_harmless_operand(word, call.root, surroundings),
                )
            case PathPattern():
                path = call.assessment.details.get("path", "")
                if not path or (call.assessment.private and self.pattern.wild):
                    return False
                return self.pattern.allows(path, os.path.realpath(call.root))
            case UrlPattern():
                return self.pattern.allows(str(call.arguments.get("url", "")))
            case ArgumentsPattern():
                return self.pattern.allows(call.arguments)

    def concerns(self, call: JudgedCall) -> Match:
        """Whether a rule that asks or denies speaks of the call."""
        if call.spec.name != self.tool:
            return "no"
        match self.pattern:
            case None:
                return "yes"
            case CommandPattern():
                return self.pattern.concerns(str(call.arguments.get("command", "")))
            case PathPattern():
                root = os.path.realpath(call.root)
                resolved = call.assessment.details.get("path", "")
                given = str(call.arguments.get("path") or ".")
                return self.pattern.concerns(both_ends(given, resolved or given, root), root)
            case UrlPattern():
                return self.pattern.concerns(str(call.arguments.get("url", "")))
            case ArgumentsPattern():
                return self.pattern.concerns(call.arguments)


def parse_rule(text: str) -> Rule:
    """Raises InvalidRule, which names the rule."""
    found = _RULE.fullmatch(text)
    if found is None:
        raise InvalidRule(f"{text!r} is not a rule: write TOOL or TOOL(PATTERN)")
    tool, pattern = found[1], found[2]
    if pattern is None:
        return Rule(tool)
    try:
        return Rule(tool, _parse_pattern(tool, pattern))
    except InvalidRule as error:
        raise InvalidRule(f"{text}: {error}") from None


def _parse_pattern(tool: str, text: str) -> Pattern:
    if tool in COMMAND_TOOLS:
        return parse_command(text)
    if tool in PATH_TOOLS:
        return parse_path(text)
    if tool in URL_TOOLS:
        return UrlPattern.parse(text)
    return ArgumentsPattern.parse(text)


def _is_harmless_operand(word: str, root: str, surroundings: Surroundings) -> bool:
    """Whether `word`, and each part of it as in `HEAD:file` or `file::test`, is nothing outside
    `root` and nothing private, taken as a path."""
    for part in {word, *re.split("[:,@]", word)}:
        if not part:
            continue
        try:
            place = surroundings.place(part, Path(root))
        except InvalidArguments:
            return False
        if not place.inside or place.secret or place.guarded:
            return False
    return True
