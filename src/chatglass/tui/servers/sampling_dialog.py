"""SamplingDialog: a server wants an answer of the user's model; may it have this one?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from chatglass.chat.sampling import SamplingPlan
from chatglass.tui.dialogs.dialogs import DIALOG_CSS
from chatglass.tui.servers.question import QuestionDialog
from chatglass.values.figures import counted, money
from chatglass.values.text import one_line, visible
from chatglass.values.usage import FREE_SOURCES

_ANSWERS = "1  Answer this once; what the model says goes to the server\n2  No (Esc)"
_SHOWN = 20_000
"""Characters of the messages that are shown; how many more there are is said."""


class SamplingDialog(QuestionDialog[bool]):
    """True: this one request may be sent."""

    AUTO_FOCUS = "VerticalScroll"  # so that it is read from its top
    BINDINGS = [
        Binding("1", "answer(True)", "Answer", show=False),
        Binding("2", "answer(False)", "No", show=False),
        Binding("escape,ctrl+c", "close", "No", show=False),
    ]
    DEFAULT_CSS = (
        DIALOG_CSS.format(name="SamplingDialog", width=100, height="auto")
        + """
        SamplingDialog > Vertical { border: round $warning; }
        SamplingDialog VerticalScroll { height: auto; max-height: 50vh; margin-bottom: 1; }
        SamplingDialog .words { height: auto; }
        SamplingDialog .facts { height: auto; margin-bottom: 1; }
        """
    )

    def __init__(self, server: str, plan: SamplingPlan, wanted: Mapping[str, Any]) -> None:
        super().__init__()
        self._server = one_line(server, 60)
        self._plan = plan
        self._wanted = wanted

    def compose(self) -> ComposeResult:
        with Vertical() as panel:
            panel.border_title = Content(f"{self._server} asks your model")  # pyright: ignore[reportAttributeAccessIssue]
            yield Static(facts(self._plan, self._wanted), classes="facts", markup=False)
            with VerticalScroll():
                yield Static(messages_text(self._plan.messages), classes="words", markup=False)
            yield Static(_ANSWERS, classes="hint", markup=False)

    def action_answer(self, yes: bool) -> None:
        if self.hears():
            self.dismiss(yes)


def facts(plan: SamplingPlan, wanted: Mapping[str, Any]) -> str:
    """Which model, how many tokens and what they cost, and what the server wishes."""
    if plan.price_source in FREE_SOURCES:
        cost = "free"
    elif plan.cost is None:
        cost = "its cost is unknown"
    else:
        cost = f"up to {money(plan.cost, about=True)}"
    lines = [
        f"The MCP server sends its own messages to {plan.model} ({plan.endpoint}), at your cost.",
        f"about {plan.prompt_tokens:,} tokens, and {plan.most_tokens:,} of answer at most: {cost}",
    ]
    hints = _model_hints(wanted)
    if hints:
        lines.append(f"It wishes for {hints}; the session's model answers.")
    return visible("\n".join(one_line(line, 300) for line in lines))


def messages_text(messages: Sequence[Mapping[str, Any]]) -> str:
    parts: list[str] = []
    for message in messages:
        content: Any = message["content"]
        if isinstance(content, list):
            content = "\n".join(
                part["text"] if part["type"] == "text" else "[an image]" for part in content
            )
        parts.append(f"{str(message['role']).capitalize()}: {content}")
    text = "\n\n".join(parts)
    if len(text) > _SHOWN:
        text = f"{text[:_SHOWN]}\n… and {counted(len(text) - _SHOWN, 'character')} more"
    return visible(text)


def _model_hints(wanted: Mapping[str, Any]) -> str:
    preferences: Any = wanted.get("modelPreferences")
    hints: Any = preferences.get("hints") if isinstance(preferences, dict) else None
    names = [hint.get("name") for hint in hints or () if isinstance(hint, dict)]
    return ", ".join(name for name in names if isinstance(name, str))
