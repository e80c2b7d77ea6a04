"""FlagApproval: the answer to `decide_tool` where nobody can be asked (`-p`)."""

from __future__ import annotations

from collections.abc import Callable, Collection

from chatglass.chat.ports import Decision, PendingCall


class FlagApproval:
    """Allows what the flags name, denies the rest and says so. What only a person may answer
    (`Assessment.always_ask`) no flag covers.
    """

    def __init__(
        self, allowed: Collection[str], *, everything: bool, tell: Callable[[str], None]
    ) -> None:
        self._allowed = frozenset(allowed)
        self._everything = everything
        self._tell = tell

    async def decide(self, call: PendingCall) -> Decision:
        name, assessment = call.spec.name, call.assessment
        if not assessment.always_ask:
            if self._everything:
                return Decision(verdict="allow", decided_by="flag --yolo")
            if name in self._allowed:
                return Decision(verdict="allow", decided_by=f"flag --allow-tool {name}")
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
