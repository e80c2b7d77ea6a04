"""TrustDialog: may the servers that a project names be started, and which variables may they read?"""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from chatglass.tools.mcp.trust import TrustAnswer, TrustQuestion, VariableUse
from chatglass.tools.mcp.values import ConfiguredServer, HttpSpec
from chatglass.tui.dialogs.dialogs import DIALOG_CSS
from chatglass.tui.servers.question import QuestionDialog
from chatglass.tui.servers.tick_box import TickBox
from chatglass.values.text import one_line, visible

_KEYS = "↑↓ scroll, Tab goes to the variables, Space ticks one"
_ANSWERS = (
    "1  Trust: start them, with the variables that are ticked\n"
    "2  Not now (Esc): asked again at the next start\n"
    "3  Never, as long as the file stays as it is"
)


class TrustDialog(QuestionDialog[TrustAnswer]):
    """Nothing is ticked beforehand; the keys of endpoints can't be."""

    AUTO_FOCUS = "VerticalScroll"  # so that it is read from its top
    BINDINGS = [
        Binding("1", "answer('trust')", "Trust", show=False),
        Binding("2", "answer('not_now')", "Not now", show=False),
        Binding("3", "answer('never')", "Never", show=False),
        Binding("escape,ctrl+c", "close", "Not now", show=False),
    ]
    DEFAULT_CSS = (
        DIALOG_CSS.format(name="TrustDialog", width=100, height="auto")
        + """
        TrustDialog > Vertical { border: round $warning; }
        TrustDialog VerticalScroll { height: auto; max-height: 60vh; margin-bottom: 1; }
        TrustDialog .words { height: auto; }
        """
    )

    def __init__(self, question: TrustQuestion) -> None:
        super().__init__()
        self.question = question
        self._boxes = {
            use.name: TickBox(Content(_variable_words(use)), compact=True)
            for use in question.variables
            if not use.forbidden
        }

    def compose(self) -> ComposeResult:
        with Vertical() as panel:
            panel.border_title = Content("Start this project's MCP servers?")  # pyright: ignore[reportAttributeAccessIssue]
            with VerticalScroll():
                yield Static(self._words(), classes="words", markup=False)
                yield from self._boxes.values()
            yield Static(_KEYS if self._boxes else "", classes="hint", markup=False)
            yield Static(_ANSWERS, classes="hint", markup=False)

    def _words(self) -> str:
        question = self.question
        lines = [
            f"{question.file}",
            "names servers that would run with your rights.",
        ]
        if question.changed:
            lines += ["", "Changed since you trusted it:"]
            lines += [f"  {one_line(change, 300)}" for change in question.changed]
        for server in question.servers:
            lines += ["", *_server_words(server)]
        if question.scripts:
            lines += ["", "Files of the project that they run (the trust holds for this content):"]
            lines += [f"  {path}  {digest[:12]}…" for path, digest in question.scripts.items()]
        forbidden = [use.name for use in question.variables if use.forbidden]
        if forbidden:
            lines += [
                "",
                f"Never given, since it is the key of an endpoint: {', '.join(forbidden)}",
            ]
        lines.append("")
        if self._boxes:
            lines.append("Variables that they read. Which may they have?")
        elif not forbidden:
            lines.append("They read none of your variables.")
        return visible("\n".join(lines))

    def action_answer(self, verdict: str) -> None:
        if not self.hears():
            return
        granted = frozenset(name for name, box in self._boxes.items() if box.value)
        match verdict:
            case "trust":
                self.dismiss(TrustAnswer("trust", granted))
            case "never":
                self.dismiss(TrustAnswer("never"))
            case _:
                self.dismiss(TrustAnswer("not_now"))


def _server_words(server: ConfiguredServer) -> list[str]:
    spec = server.spec
    lines = [one_line(server.name, 100) + (" (disabled)" if server.disabled else "")]
    if isinstance(spec, HttpSpec):
        lines.append(f"  connects to {one_line(spec.url, 1_000)}")
        lines += [f"  sends {_pair(name, text)}" for name, text in spec.headers.items()]
        return lines
    lines.append(f"  runs {one_line(server.where, 2_000)}")
    if spec.cwd:
        lines.append(f"  in {one_line(spec.cwd, 300)}")
    lines += [f"  with {_pair(name, text)}" for name, text in spec.env.items()]
    return lines


def _pair(name: str, text: str) -> str:
    return f"{one_line(name, 100)}={one_line(text, 300)}"


def _variable_words(use: VariableUse) -> str:
    words = f"{use.name}  for {', '.join(use.places)}"
    if use.looks_secret:
        words += "  (looks like a secret)"
    if not use.is_set:
        words += "  (not set)"
    return one_line(words, 300)
