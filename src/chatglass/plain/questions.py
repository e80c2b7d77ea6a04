"""Questions: numbered choices, answered by a line."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from chatglass.chat.approvals import SessionPolicy
from chatglass.chat.ports import Decision, EndTurn, GoOn, Pause, PendingCall, TellModel
from chatglass.chat.saved_rules import SavedRules
from chatglass.config.errors import ConfigError
from chatglass.plain.line_reader import LineReader
from chatglass.plain.voice import Voice
from chatglass.spending.budgets import BudgetAnswer, BudgetQuestion
from chatglass.tools.approval import describe_grant
from chatglass.tools.places import Surroundings
from chatglass.tools.rules.rule_book import SavedRule
from chatglass.tools.rules.suggestions import Suggestion, suggestions
from chatglass.values.figures import counted
from chatglass.values.text import one_line

_NOBODY = "Nobody answered: the input has ended."


class Questions:
    """Asks one at a time, whatever number of calls wait.

    On a terminal a line that was typed before the question stood there is no answer to it: it is
    kept, and taken for a prompt later. Piped lines are taken in order.
    """

    def __init__(self, voice: Voice, reader: LineReader) -> None:
        self._voice = voice
        self._reader = reader
        self._asking = asyncio.Lock()
        self.kept: list[str] = []
        """Lines that were typed before a question, in order."""

    @property
    def asking(self) -> bool:
        """Whether the user is about to answer."""
        return self._asking.locked()

    async def choose(self, choices: Sequence[tuple[str, str]], label: str = "Answer") -> str | None:
        """The number of one of `choices` (number, what it does); None at the end of the input."""
        for number, meaning in choices:
            self._voice.line(f"{number} {meaning}")
        numbers = [number for number, _ in choices]
        while True:
            self._voice.ask(f"{label}, {', '.join(numbers[:-1])} or {numbers[-1]}")
            line = await self._reader.next()
            if line is None:
                self._voice.line("Notice", _NOBODY)
                return None
            self._voice.heard(line, echo=not self._reader.is_terminal)
            answer = line.strip().rstrip(".)")
            if answer in numbers:
                return answer
            self._voice.line("Notice", f"{answer or 'An empty line'} is none of these numbers.")

    async def text(self, label: str) -> str | None:
        """A line of text; None at the end of the input."""
        self._voice.ask(label)
        line = await self._reader.next()
        if line is not None:
            self._voice.heard(line, echo=not self._reader.is_terminal)
        return line

    def _keep_what_was_typed(self) -> None:
        if self._reader.is_terminal and (lines := self._reader.take_waiting()):
            self.kept += lines
            count = counted(len(lines), "line")
            self._voice.line("Notice", f"{count} typed before this question: kept for later.")

    # -- approval

    async def approve(
        self, call: PendingCall, number: int, offered: Sequence[Suggestion] = ()
    ) -> tuple[Decision, bool | Suggestion]:
        """The user's decision, and whether it holds for the session, or the rule to save for it."""
        async with self._asking:
            self._keep_what_was_typed()
            return await self._approve(call, number, offered)

    def tell(self, text: str) -> None:
        self._voice.line("Notice", text)

    async def _approve(
        self, call: PendingCall, number: int, offered: Sequence[Suggestion]
    ) -> tuple[Decision, bool | Suggestion]:
        server = f" of the server {call.spec.server}" if call.spec.server else ""
        which = f", call {number}" if number else ""
        say = self._voice.line
        say(f"Question: may {one_line(call.spec.name, 80)}{server} run{which}?")
        say("Why it asks", call.assessment.why)
        for name, value in call.arguments.items():
            # Where the model may choose the name, too, it must not pass for a line of the question.
            say(name if name.isidentifier() else f"Argument {one_line(name, 80)}", _told(value))
        for name, value in call.assessment.details.items():
            if call.arguments.get(name) != value:
                say(one_line(name, 80), _told(value))
        choices = [("1", "Allow once")]
        if not call.assessment.always_ask:
            choices.append(("2", f"Allow in this session: {one_line(describe_grant(call), 300)}"))
        if offered:
            choices.append(("3", "Allow always: shows the rules that can be saved"))
        choices += [("4", "Deny"), ("5", "Deny and say why")]
        match await self.choose(choices):
            case "1":
                return Decision(verdict="allow", decided_by="user"), False
            case "2":
                return Decision(verdict="allow", decided_by="user"), True
            case "3":
                rule = await self._choose_rule(offered)
                return Decision(verdict="allow", decided_by="user"), rule or False
            case "5":
                why = await self.text("Why not? The model reads this")
                return Decision(
                    verdict="deny", decided_by="user", reason=(why or "").strip()
                ), False
            case "4":
                return Decision(verdict="deny", decided_by="user"), False
            case _:
                return Decision(verdict="deny", decided_by="plain mode", reason=_NOBODY), False

    async def _choose_rule(self, offered: Sequence[Suggestion]) -> Suggestion | None:
        """The rule to save; None saves none."""
        choices = [
            (str(number), f"Save {each.rule}: {each.means}")
            for number, each in enumerate(offered, start=1)
        ]
        choices.append((str(len(offered) + 1), "Save none, allow this once"))
        chosen = await self.choose(choices, "Rule")
        number = int(chosen or 0)
        return offered[number - 1] if 0 < number <= len(offered) else None

    async def ask_to_go_on(self, pause: Pause) -> GoOn | EndTurn | TellModel:
        async with self._asking:
            self._keep_what_was_typed()
            self._voice.line("Question: go on?")
            self._voice.line("Why it asks", pause.words)
            if pause.kind == "loop":
                self._voice.line("Arguments", _told(pause.arguments))
            choices = [
                ("1", f"Go on, {pause.more} more"),
                ("4", "End the turn"),
                ("5", "Tell the model something, and go on"),
            ]
            chosen = await self.choose(choices)
            if chosen == "1":
                return GoOn()
            text = await self.text("What should the model know") if chosen == "5" else None
            return TellModel(text.strip()) if text and text.strip() else EndTurn()

    # -- budgets

    async def ask_budget(self, question: BudgetQuestion) -> BudgetAnswer:
        async with self._asking:
            self._keep_what_was_typed()
            self._voice.line("Question: send the next request?")
            for line in question.words.split("\n"):
                self._voice.line(line)
            choices = [
                ("1", "Send this request"),
                ("2", "Send, and ask no more about this limit"),
                ("3", "Do not send"),
            ]
            answers: dict[str | None, BudgetAnswer] = {"1": "once", "2": "lift"}
            return answers.get(await self.choose(choices), "stop")


class PlainApproval:
    """Answers of the user to the questions of one session; `policy` has spoken before."""

    def __init__(
        self,
        questions: Questions,
        policy: SessionPolicy,
        rules: SavedRules,
        surroundings: Surroundings,
    ) -> None:
        self._questions = questions
        self._grants = policy.grants
        self._rules = rules
        self._surroundings = surroundings
        self.number_of = _no_number
        """The number of a call, as it was announced."""

    async def decide(self, call: PendingCall) -> Decision:
        offered = suggestions(call, self._surroundings)
        number = self.number_of(call.tool_call_id)
        decision, granted = await self._questions.approve(call, number, offered)
        if granted is True:
            self._grants.grant(call)
        elif isinstance(granted, Suggestion):
            return await self._save(granted, decision)
        return decision

    async def _save(self, chosen: Suggestion, decision: Decision) -> Decision:
        saved = SavedRule("allow", chosen.rule, self._grants.root)
        try:
            await asyncio.to_thread(self._rules.save, saved)
        except ConfigError as error:
            self._questions.tell(f"{error} The call runs this once.")
            return decision
        self._questions.tell(f"Saved in {self._rules.file}: {chosen.rule}")
        return replace(decision, decided_by=f"user, who saved the rule {chosen.rule}")


def _no_number(tool_call_id: str) -> int:
    return 0


def _told(value: Any) -> str:
    """Strings as they are, the rest as JSON. Where there are several lines each stands on one of its
    own, behind a mark: none of them can pass for a line of the question."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    lines = text.split("\n")
    return "".join(f"\n| {line}" for line in lines) if len(lines) > 1 else text or "(empty)"
