"""What flags decide about tool calls, and the answer to `decide_tool` where nobody can be asked."""

from __future__ import annotations

from collections.abc import Callable

from chatglass.chat.ports import Decision, PendingCall


def by_flag(call: PendingCall, allowed: frozenset[str], *, everything: bool) -> Decision | None:
    """What `--yolo` and `--allow-tool` say of a call. None where it must be asked about: what only
    a person may answer (`Assessment.always_ask`) no flag covers.
    """
    if call.assessment.always_ask:
        return None
    if everything:
        return Decision(verdict="allow", decided_by="flag --yolo")
    if call.spec.name in allowed:
        return Decision(verdict="allow", decided_by=f"flag --allow-tool {call.spec.name}")
    return None


class FlagApproval:
    """Allows what the flags name, denies the rest and says so (`-p`)."""

    def __init__(
        self, allowed: frozenset[str], *, everything: bool, tell: Callable[[str], None]
    ) -> None:
        self._allowed = allowed
        self._everything = everything
        self._tell = tell

    async def decide(self, call: PendingCall) -> Decision:
        flagged = by_flag(call, self._allowed, everything=self._everything)
        if flagged is not None:
            return flagged
        name, assessment = call.spec.name, call.assessment
        way_on = (
            "Only a person may allow this; run it in the full screen."
            if assessment.always_ask
            else f"Allow it with --allow-tool {name}."
        )
        self._tell(f"Denied {name}: {assessment.why} {way_on}")
        return Decision(
            verdict="deny",
            decided_by="print mode",
            reason=f"{assessment.why} Nobody can be asked here.",
        )
