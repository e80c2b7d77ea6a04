"""RuleBook: the rules that hold in one working directory, and what they say of a call.

What denies comes before what asks, and that before what allows. In doubt (a command that is not
modelled, a name that may be the same file) a rule that denies or asks makes the call ask.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from chatglass.tools.places import Surroundings
from chatglass.tools.rules.rule import JudgedCall, Rule
from chatglass.tools.tool import Verdict

Speaker = Literal["rule", "tool", "doubt"]


@dataclass(frozen=True, slots=True)
class SavedRule:
    """A rule with what it says; `root` is the working directory it holds in, empty for everywhere."""

    verdict: Verdict
    rule: Rule
    root: str = ""


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the rules say of a call. `by` names the rule; `speaker` `tool` is a policy of `[approval.tools]`,
    `doubt` a rule of which it can't be told whether it means the call."""

    verdict: Verdict
    by: str
    speaker: Speaker


@dataclass(frozen=True, slots=True)
class RuleBook:
    """`tools` says what holds for a tool where no rule speaks of a call."""

    surroundings: Surroundings
    rules: tuple[SavedRule, ...] = ()
    tools: Mapping[str, Verdict] = field(default_factory=dict[str, Verdict])

    def ruling(self, call: JudgedCall) -> Ruling | None:
        """None where nothing speaks of the call. What always asks, no rule allows."""
        policy = self.tools.get(call.spec.name)
        if policy == "deny":
            return Ruling("deny", f"policy {call.spec.name} = deny", "tool")
        doubtful = ""
        for saved in self._of("deny"):
            concerned = saved.rule.concerns(call)
            if concerned == "yes":
                return Ruling("deny", f"rule {saved.rule}", "rule")
            if concerned == "perhaps":
                doubtful = doubtful or str(saved.rule)
        for saved in self._of("ask"):
            concerned = saved.rule.concerns(call)
            if concerned == "yes":
                return Ruling("ask", f"rule {saved.rule}", "rule")
            if concerned == "perhaps":
                doubtful = doubtful or str(saved.rule)
        allowing = self._allowing(call)
        if doubtful and not (allowing and allowing.rule.is_word_for_word):
            return Ruling("ask", f"rule {doubtful}, which may mean this call", "doubt")
        if allowing is not None:
            return Ruling("allow", f"rule {allowing.rule}", "rule")
        return Ruling(policy, f"policy {call.spec.name} = {policy}", "tool") if policy else None

    def _allowing(self, call: JudgedCall) -> SavedRule | None:
        found = (each for each in self._of("allow") if each.rule.allows(call, self.surroundings))
        return next(found, None)

    def _of(self, verdict: Verdict) -> Iterable[SavedRule]:
        return (saved for saved in self.rules if saved.verdict == verdict)
