"""The approval panel: one question at a time, about a tool call or a pause, below the transcript."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Static

from chatglass.chat.ports import PendingCall
from chatglass.tui.actions.registry import ACTIONS, Actions
from chatglass.tui.approval.answers import YES_OR_NO, Step, no_answer, possible_answers
from chatglass.tui.approval.arguments_editor import ArgumentsEditor
from chatglass.tui.approval.line_of_questions import LineOfQuestions
from chatglass.tui.approval.question import heading, question_lines
from chatglass.tui.approval.question_view import Answers, QuestionView
from chatglass.tui.approval.rule_choice import RuleChoice
from chatglass.tui.approval.words import CallWords, NoWords
from chatglass.tui.dialogs.deafness import Deafness
from chatglass.values.text import visible

if TYPE_CHECKING:
    from typing import Any

    from chatglass.chat.ports import Decision, EndTurn, GoOn, TellModel
    from chatglass.tools.rules.rule import Rule
    from chatglass.tui.approval.question import Asked

LEFT_OVER = 8
"""Rows of the left side that stay for the transcript and the composer."""

Given = Literal["once", "session", "always", "deny", "why", "edit"]


class ApprovalPanel(Vertical, can_focus=True):
    """Asks one question after the other; hidden while none waits.

    Esc goes back from a step (a reason, a rule, an edit) to the question; at the question it is not
    bound here: it is the app's and stops the turn; it never answers.
    """

    ACTION_PLACE = "approval"
    BINDINGS = [
        *ACTIONS.bindings("approval"),
        Binding("up", "scroll_question(-1)", "Scroll up", show=False),
        Binding("down", "scroll_question(1)", "Scroll down", show=False),
        Binding("pageup", "page_question(-1)", "Page up", show=False),
        Binding("pagedown", "page_question(1)", "Page down", show=False),
        Binding("home", "edge_question(0)", "To its start", show=False),
        Binding("end", "edge_question(1)", "To its end", show=False),
        Binding("enter", "save_rule", show=False),
        Binding("ctrl+s", "run_edited", "Run it so", show=False),
        Binding("ctrl+t", "edit_all", "Edit all as JSON", show=False),
        Binding("escape", "back", "Back", show=False),
    ]
    DEFAULT_CSS = """
    ApprovalPanel { height: auto; display: none; }
    ApprovalPanel > Input { display: none; height: 1; border: none; padding: 0; }
    ApprovalPanel > Input:focus { border: none; }
    ApprovalPanel > .problem { display: none; height: auto; max-height: 6; color: $text-error; }
    """

    @dataclass
    class Answered(Message):
        """The answer to one question. `grant`: the same again in this session needs no question;
        `rule` is to be saved before the call runs."""

        question: Asked
        answer: Decision | GoOn | EndTurn | TellModel
        grant: bool = False
        rule: Rule | None = None

    def __init__(
        self,
        words: CallWords | None = None,
        *,
        registry: Actions = ACTIONS,
        clock: Callable[[], float] = time.monotonic,
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self._words: CallWords = words or NoWords()
        self._registry = registry
        self._questions = LineOfQuestions()
        self._shown: Asked | None = None
        self.deafness = Deafness(clock)
        self._before: Widget | None = None
        self._step: Step = "question"
        self._all_arguments = False
        self._rules: RuleChoice | None = None
        """There only while a rule is chosen."""
        self._view = QuestionView()
        self._answers = Answers()
        self._reason = Input()
        self._editor: ArgumentsEditor | None = None
        """There only while arguments are edited."""
        self._problem = Static(classes="problem", markup=False)

    def compose(self) -> ComposeResult:
        yield self._view
        yield self._problem
        yield self._reason
        yield self._answers

    def on_mount(self) -> None:
        self.watch(self._view, "scroll_y", self._tell_place, init=False)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that mean something in one step only are the chat's in the others."""
        match action:
            case "run_edited":
                return self._step == "edit"
            case "edit_all":
                return self._editor is not None and self._editor.may_edit_all
            case "save_rule":
                return self._step == "always"
            case "back":
                return self._step != "question"
            case _:
                return True

    # -- what the app does

    @property
    def waiting(self) -> tuple[Asked, ...]:
        """What waits, the shown question first."""
        return self._questions.waiting

    def ask(self, question: Asked, *, take_focus: bool = True) -> None:
        """Put a question to the user, after those that wait.

        `take_focus` only where nobody is typing: a `1` in a prompt must not approve anything.
        """
        if not self._questions.add(question):
            return
        self._show_first()
        if take_focus:
            self.take_focus()

    def take_focus(self) -> None:
        """Put the focus here, until the last question is answered."""
        if self._questions and not self.has_focus_within:
            self._before = self.screen.focused
            self.focus()

    def be_deaf(self) -> None:
        """Begin the pause anew: the question was out of sight until now."""
        self.deafness.begin()

    def withdraw(self, question: Asked) -> None:
        """Take a question back (its turn was stopped); nothing is decided."""
        self._questions.withdraw(question)
        self._show_first()

    def withdraw_all(self) -> None:
        self._questions.clear()
        self._show_first()

    # -- showing

    def _show_first(self) -> None:
        first = self._questions.first
        self.display = first is not None
        if first is None:
            self._shown = None
            # Before `_go`, which removes the editor, and its focus with it.
            self._give_focus_back()
            self._go("question")
            return
        if first is not self._shown:
            self._shown = first
            self.be_deaf()
            self._all_arguments = False
            self._go("question")
        title = f"Approval {self._questions.place}".rstrip()
        self.border_title = Content(f"{title} · {heading(first)}")  # pyright: ignore[reportAttributeAccessIssue]
        self._fill()

    def _go(self, step: Step) -> None:
        """Show another step of the question that is shown."""
        editor = self._editor
        had_focus = self._reason.has_focus or (editor is not None and editor.has_focus)
        self._step = step
        self._reason.display = step == "why"
        self._say_problem("")
        self._view.scroll_to(y=0, animate=False)
        if step == "why":
            self._reason.value = ""
            self._reason.focus()
        elif had_focus and self._questions:
            self.focus()
        if step != "always":
            self._rules = None
        if step != "edit" and editor is not None:
            self._editor = None
            editor.remove()
        self._fill()

    def _fill(self) -> None:
        question = self._questions.first
        if question is None or not self.is_attached:
            return
        self._answers.show(
            possible_answers(
                question,
                self._step,
                self._registry,
                waiting=len(self._questions),
                in_full=self._all_arguments,
                may_edit_all=self._editor is not None and self._editor.may_edit_all,
            )
        )
        width = (self.size.width or self.app.size.width - 4) - 1
        if self._rules is not None:
            lines = self._rules.lines(max(20, width))
        else:
            lines = question_lines(question, max(20, width), all_arguments=self._all_arguments)
        self._view.styles.height = min(len(lines), self._most_lines(width))
        self._view.show(lines)
        self.call_after_refresh(self._tell_place)

    def _most_lines(self, width: int) -> int:
        """Lines that there is room for, so that the transcript stays in view."""
        parent = self.parent
        height = parent.size.height if isinstance(parent, Widget) else 0
        height = height or self.app.size.height
        others = len(self._answers.rows(max(20, width + 1))) + 2
        if self._step == "why":
            others += 1
        elif self._step == "edit":
            others += 9
        return max(3, min(height - LEFT_OVER - others, height * 7 // 10))

    def on_resize(self) -> None:
        self._fill()

    def _tell_place(self) -> None:
        first, last = self._view.place
        count = len(self._view.lines)
        words = ""
        if self._questions and count > last - first + 1:
            words = f"lines {first:,}–{last:,} of {count:,} · ↑↓ PgUp PgDn"
        if self.border_subtitle != words:
            self.border_subtitle = words

    def _give_focus_back(self) -> None:
        before, self._before = self._before, None
        if not self.has_focus_within:
            return
        if before is not None and before.is_attached:
            before.focus()
        else:
            self.screen.focus_next()

    # -- answering

    @property
    def is_deaf(self) -> bool:
        """No key answers now."""
        return not self._questions or not self.deafness.is_over

    def action_answer(self, given: Given) -> None:
        """Answer the question that is shown."""
        question = self._questions.first
        if question is None or self.is_deaf or self._step != "question":
            return
        if not isinstance(question, PendingCall):
            self._answer_pause(given)
        elif given == "once":
            self._give(_by_user("allow"))
        elif given == "session":
            if not question.assessment.always_ask:
                self._give(_by_user("allow"), grant=True)
        elif given == "always":
            self._offer_rules(question)
        elif given == "deny":
            self._give(_by_user("deny"))
        elif given == "why":
            self._reason.placeholder = "Why not? The model reads this"
            self._go("why")
        else:
            self._edit(question)

    def on_key(self, event: events.Key) -> None:
        if self._step == "question" and event.key in YES_OR_NO:
            self._say_problem(no_answer(self._registry))

    def _answer_pause(self, given: Given) -> None:
        from chatglass.chat.ports import EndTurn, GoOn

        if given == "once":
            self._give(GoOn())
        elif given == "deny":
            self._give(EndTurn())
        elif given == "why":
            self._reason.placeholder = "What should the model know? It reads this, and goes on"
            self._go("why")

    def action_deny_all(self) -> None:
        """Deny every call that waits, and end the turn of every pause."""
        from chatglass.chat.ports import EndTurn

        if self.is_deaf or self._step != "question":
            return
        while (question := self._questions.first) is not None:
            is_call = isinstance(question, PendingCall)
            self._give(_by_user("deny") if is_call else EndTurn())

    def _give(
        self,
        answer: Decision | GoOn | EndTurn | TellModel,
        *,
        grant: bool = False,
        rule: Rule | None = None,
    ) -> None:
        question = self._questions.take()
        self.post_message(self.Answered(question, answer, grant, rule))
        self._show_first()

    # -- saying why

    @on(Input.Submitted)
    def _reason_given(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_submit_reason()

    def action_submit_reason(self) -> None:
        from chatglass.chat.ports import TellModel

        question = self._questions.first
        if question is None or self._step != "why":
            return
        text = self._reason.value.strip()
        if isinstance(question, PendingCall):
            self._give(_by_user("deny", text))
        elif text:
            self._give(TellModel(text))

    @on(Input.Changed)
    def _reason_typed(self, event: Input.Changed) -> None:
        event.stop()

    # -- always

    def _offer_rules(self, call: PendingCall) -> None:
        offered = self._words.suggestions(call)
        if not offered:
            self._say_problem(f"Not always: {self._words.why_none(call)}.")
            return
        self._rules = RuleChoice(offered, self._words.place(call))
        # The key that led here must not save anything when it is struck twice.
        self.be_deaf()
        self._go("always")

    def action_move_rule(self) -> None:
        if self._rules is not None:
            self._rules.step_round()
            self._fill()

    def action_save_rule(self) -> None:
        """Save the rule that is marked, and let the call run."""
        if self._rules is not None and not self.is_deaf:
            rule = self._rules.rule
            self._give(_by_user("allow", by=f"user, who saved the rule {rule}"), rule=rule)

    @on(QuestionView.LineClicked)
    def _rule_clicked(self, event: QuestionView.LineClicked) -> None:
        event.stop()
        if self._rules is not None:
            self._rules.mark_at(event.row, max(20, self.size.width - 1))
            self._fill()

    # -- editing

    def _edit(self, call: PendingCall) -> None:
        if self._editor is None:
            self._editor = ArgumentsEditor(call)
            self.mount(self._editor, after=self._view)
        self._go("edit")
        self._editor.focus()

    def action_edit_all(self) -> None:
        """Edit all arguments as JSON, with what was edited so far."""
        if self._editor is not None:
            self._editor.edit_all()
            self._say_problem("")
            self._fill()

    def action_run_edited(self) -> None:
        """Answer with the edited arguments, if they fit the schema."""
        question = self._questions.first
        if self._editor is None or not isinstance(question, PendingCall):
            return
        try:
            arguments = self._editor.arguments
        except ValueError as error:
            self._say_problem(str(error))
            return
        if problem := self._words.objection(question, arguments):
            self._say_problem(problem)
        elif arguments == question.arguments:
            self._give(_by_user("allow"))
        else:
            self._give(_edited(arguments))

    def _say_problem(self, text: str) -> None:
        self._problem.update(visible(text))
        self._problem.display = bool(text)

    def action_back(self) -> None:
        """To the question."""
        self.be_deaf()
        self._go("question")
        self.focus()

    def action_arguments(self) -> None:
        """Show the arguments as they are, or the question again."""
        if self._step == "question" and self._questions:
            self._all_arguments = not self._all_arguments
            self._view.scroll_to(y=0, animate=False)
            self._fill()

    @on(Answers.Clicked)
    async def _answer_clicked(self, event: Answers.Clicked) -> None:
        event.stop()
        await self.run_action(event.action)

    # -- scrolling

    def action_scroll_question(self, by: int) -> None:
        if self._rules is not None:
            self._rules.step(by)
            self._fill()
        else:
            self._view.scroll_relative(y=by, animate=False)

    def action_page_question(self, by: int) -> None:
        self._view.scroll_relative(y=by * max(1, self._view.size.height - 1), animate=False)

    def action_edge_question(self, end: int) -> None:
        self._view.scroll_to(y=end * len(self._view.lines), animate=False)


def _by_user(verdict: Literal["allow", "deny"], reason: str = "", *, by: str = "user") -> Decision:
    from chatglass.chat.ports import Decision

    return Decision(verdict=verdict, decided_by=by, reason=reason)


def _edited(arguments: dict[str, Any]) -> Decision:
    from chatglass.chat.ports import Decision

    return Decision(verdict="edited", decided_by="user", arguments=arguments)
