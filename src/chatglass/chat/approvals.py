"""SessionPolicy: which calls of a session run without a question, and what said so.

From the strongest to the weakest: what the tool itself denies; rules that deny; what always asks;
rules that ask; `--allow-tool`; the mode `ask`; rules that allow; what was granted for the session;
the mode `all`; the policy of the tool; the tool's own word.
"""

from __future__ import annotations

from collections.abc import Callable

from chatglass.chat.ports import Ask, Decision, PendingCall
from chatglass.config.settings import ApprovalMode
from chatglass.tools.approval import SessionGrants
from chatglass.tools.rules.rule_book import RuleBook, Ruling

MODES: tuple[ApprovalMode, ...] = ("default", "ask", "all")
"""In the order in which a key goes through them: the first step from the default asks for more."""

MODE_WORDS: dict[ApprovalMode, str] = {
    "ask": "every call asks",
    "default": "what only reads runs, the rest asks",
    "all": "every call runs unasked",
}


def by_assessment(call: PendingCall) -> Decision | Ask:
    """What the tool itself says of a call, where there is no policy beside it."""
    assessment = call.assessment
    if assessment.verdict == "deny":
        return _denied(assessment.rule, assessment.why)
    if assessment.verdict == "allow":
        return Decision(verdict="allow", decided_by=assessment.rule)
    return Ask(assessment.rule)


class SessionPolicy:
    """`rules` gives what holds in a working directory now; `allowed` is `--allow-tool`."""

    def __init__(
        self,
        root: str,
        *,
        rules: Callable[[str], RuleBook],
        mode: ApprovalMode = "default",
        allowed: frozenset[str] = frozenset(),
        by_yolo: bool = False,
    ) -> None:
        """With `by_yolo` it begins in the mode `all`, whatever `mode` says."""
        self.grants = SessionGrants(root)
        self._rules = rules
        self._allowed = allowed
        self._mode: ApprovalMode = "all" if by_yolo else mode
        self._everything_by = "flag --yolo" if by_yolo else "mode all"

    @property
    def mode(self) -> ApprovalMode:
        return self._mode

    @mode.setter
    def mode(self, mode: ApprovalMode) -> None:
        if mode != self._mode:
            self._mode = mode
            self._everything_by = "mode all"

    def judge(self, call: PendingCall) -> Decision | Ask:
        """May resolve paths: for a thread."""
        assessment, name = call.assessment, call.spec.name
        if assessment.verdict == "deny":
            return _denied(assessment.rule, assessment.why)
        ruling = self._rules(call.root).ruling(call)
        if ruling is not None and ruling.verdict == "deny":
            return _denied(ruling.by, "The user's settings say that it never runs.")
        if assessment.always_ask:
            return Ask(assessment.rule)
        if ruling is not None and ruling.verdict == "ask" and ruling.speaker != "tool":
            return Ask(ruling.by)
        if name in self._allowed:
            return _allowed(f"flag --allow-tool {name}")
        if self._mode == "ask":
            return Ask("mode ask")
        return self._unless_asked(call, ruling)

    def _unless_asked(self, call: PendingCall, ruling: Ruling | None) -> Decision | Ask:
        if ruling is not None and ruling.verdict == "allow":
            return _allowed(ruling.by)
        if self.grants.covers(call):
            return _allowed("session grant")
        if self._mode == "all":
            return _allowed(self._everything_by)
        return Ask(ruling.by) if ruling is not None else by_assessment(call)


def _allowed(by: str) -> Decision:
    return Decision(verdict="allow", decided_by=by)


def _denied(by: str, why: str) -> Decision:
    return Decision(verdict="deny", decided_by=by, reason=why)


class NobodyToAsk:
    """Answers `decide_tool` where nobody can be asked (`-p`): denies, and says so."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell

    async def decide(self, call: PendingCall) -> Decision:
        name, assessment = call.spec.name, call.assessment
        why = assessment.why if call.asked_by in ("", assessment.rule) else f"{call.asked_by}."
        if assessment.always_ask:
            way_on = "Only a person may allow this; run it in the full screen."
        elif call.asked_by.startswith("rule "):
            way_on = "That rule stands in the settings."
        else:
            way_on = f"Allow it with --allow-tool {name}."
        self._tell(f"Denied {name}: {why} {way_on}")
        return Decision(
            verdict="deny", decided_by="print mode", reason=f"{why} Nobody can be asked here."
        )
