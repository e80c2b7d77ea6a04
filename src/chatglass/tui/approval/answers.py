"""Which answers a question has, with their keys, at each step of answering it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from chatglass.chat.ports import PendingCall
from chatglass.tui.actions.action import key_label
from chatglass.tui.approval.question_view import Answer

if TYPE_CHECKING:
    from chatglass.tui.actions.registry import Actions
    from chatglass.tui.approval.question import Asked

Step = Literal["question", "why", "always", "edit"]
"""`why`: a reason is written; `always`: a rule is chosen; `edit`: the arguments are edited."""

YES_OR_NO = frozenset({"y", "n", "Y", "N", "enter"})
"""What answers other programs' questions. Struck out of habit it must not let a call run."""


def no_answer(registry: Actions) -> str:
    """What to say to one of these."""
    once, deny = (key_label(registry[name].keys[0]) for name in ("approval.once", "approval.deny"))
    return f"y, n and Enter answer nothing here: {once} says yes to this one, {deny} says no."


def possible_answers(
    question: Asked,
    step: Step,
    registry: Actions,
    *,
    waiting: int = 1,
    in_full: bool = False,
    may_edit_all: bool = False,
) -> list[Answer]:
    """`waiting` counts the questions; `in_full`: all arguments are shown; `may_edit_all`: one of
    them is edited, and the others may be."""
    if step == "why":
        told = "denies and says so" if isinstance(question, PendingCall) else "says so and goes on"
        return [Answer("Enter", told, "submit_reason"), Answer("Esc", "goes back", "back")]
    if step == "always":
        return [
            Answer("↑↓", "choose", "move_rule"),
            Answer("Enter", "save it and run the call", "save_rule"),
            Answer("Esc", "go back", "back"),
        ]
    if step == "edit":
        whole = [Answer("^T", "all arguments, as JSON", "edit_all")] if may_edit_all else []
        run = Answer("^S", "run it with these", "run_edited")
        return [run, *whole, Answer("Esc", "leave it as it is", "back")]
    return _of_question(question, registry, waiting, in_full)


def _of_question(question: Asked, registry: Actions, waiting: int, in_full: bool) -> list[Answer]:
    if isinstance(question, PendingCall):
        lasting = [("approval.session", "session"), ("approval.always", "always…")]
        named = [
            ("approval.once", "once"),
            *([] if question.assessment.always_ask else lasting),
            ("approval.deny", "deny"),
            ("approval.deny_why", "deny, why…"),
            ("approval.edit", "edit"),
            ("approval.arguments", "back" if in_full else "arguments"),
        ]
    else:
        more = "calls" if question.kind == "loop" else "requests"
        named = [
            ("approval.once", f"go on, {question.more} more {more}"),
            ("approval.deny", "end the turn"),
            ("approval.deny_why", "tell the model…"),
        ]
    if waiting > 1:
        named.append(("approval.deny_all", f"deny all {waiting}"))
    return [_answer(registry, action_id, label) for action_id, label in named]


def _answer(registry: Actions, action_id: str, label: str) -> Answer:
    action = registry[action_id]
    key = key_label(action.keys[0]) if action.keys else "—"
    return Answer(key, label, action.command)
