"""Questions: numbered choices, answered by a line."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from chatglass.chat.approvals import by_flag
from chatglass.chat.ports import Decision, PendingCall
from chatglass.plain.line_reader import LineReader
from chatglass.plain.voice import Voice
from chatglass.spending.budgets import BudgetAnswer, BudgetQuestion
from chatglass.tools.approval import SessionGrants, describe_grant
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
            count = f"{len(lines)} line{'' if len(lines) == 1 else 's'}"
            self._voice.line("Notice", f"{count} typed before this question: kept for later.")

    # -- approval

    async def approve(self, call: PendingCall, number: int) -> tuple[Decision, bool]:
        """The user's decision, and whether it holds for the session."""
        async with self._asking:
            self._keep_what_was_typed()
            return await self._approve(call, number)

    async def _approve(self, call: PendingCall, number: int) -> tuple[Decision, bool]:
        server = f" of the server {call.spec.server}" if call.spec.server else ""
        which = f", call {number}" if number else ""
        say = self._voice.line
        say(f"Question: may {one_line(call.spec.name, 80)}{server} run{which}?")
        say("Why it asks", call.assessment.why)
        for name, value in call.arguments.items():
            say(one_line(name, 80), _told(value))
        for name, value in call.assessment.details.items():
            if call.arguments.get(name) != value:
                say(one_line(name, 80), _told(value))
        choices = [("1", "Allow once")]
        if not call.assessment.always_ask:
            choices.append(("2", f"Allow in this session: {one_line(describe_grant(call), 300)}"))
        choices += [("4", "Deny"), ("5", "Deny and say why")]
        match await self.choose(choices):
            case "1":
                return Decision(verdict="allow", decided_by="user"), False
            case "2":
                return Decision(verdict="allow", decided_by="user"), True
            case "5":
                why = await self.text("Why not? The model reads this")
                return Decision(
                    verdict="deny", decided_by="user", reason=(why or "").strip()
                ), False
            case "4":
                return Decision(verdict="deny", decided_by="user"), False
            case _:
                return Decision(verdict="deny", decided_by="plain mode", reason=_NOBODY), False

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
    """`decide_tool` of one session: flags and grants first, then the user."""

    def __init__(
        self, questions: Questions, root: str, allowed: frozenset[str], *, everything: bool
    ) -> None:
        self._questions = questions
        self._grants = SessionGrants(root)
        self._allowed = allowed
        self._everything = everything
        self.number_of = _no_number
        """The number of a call, as it was announced."""

    async def decide(self, call: PendingCall) -> Decision:
        flagged = by_flag(call, self._allowed, everything=self._everything)
        if flagged is not None:
            return flagged
        if self._grants.covers(call):
            return Decision(verdict="allow", decided_by="session grant")
        decision, granted = await self._questions.approve(call, self.number_of(call.tool_call_id))
        if granted:
            self._grants.grant(call)
        return decision


def _no_number(tool_call_id: str) -> int:
    return 0


def _told(value: Any) -> str:
    """Strings as they are, on lines of their own where they have several; the rest as JSON."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return f"\n{text}" if "\n" in text else text or "(empty)"
