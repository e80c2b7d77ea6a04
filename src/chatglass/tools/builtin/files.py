"""What the tools that touch files share: how a path is judged before, and again at, the run."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from chatglass.tools import policy
from chatglass.tools.function_tool import Assess, CallContext
from chatglass.tools.places import Place, Surroundings
from chatglass.tools.shown import Shown
from chatglass.tools.tool import Assessment, InvalidArguments, JsonObject, ToolOutput


@dataclass(frozen=True, slots=True)
class FileAccess:
    """Judges paths, and remembers which resolved path each question showed."""

    surroundings: Surroundings
    shown: Shown = field(default_factory=Shown)

    def assess_reading(self, verb: str) -> Assess:
        """The assessment of a tool whose `path` argument is read."""

        def assess(arguments: JsonObject, root: Path) -> Assessment:
            try:
                place = self.surroundings.place(arguments["path"], root)
            except InvalidArguments as error:
                return Assessment(verdict="deny", why=str(error), rule="not a path")
            self.shown.remember(arguments, root, str(place.path))
            return policy.read_place(place, self.surroundings, verb=verb)

        return assess

    def open_place(self, context: CallContext, given: str) -> Place | ToolOutput:
        """The place to read: one that needs no question, or the very one the question showed."""
        try:
            place = self.surroundings.place(given, context.root)
        except InvalidArguments as error:
            return ToolOutput.error(str(error))
        if policy.read_place(place, self.surroundings).verdict == "allow":
            return place
        if self.shown.covers(context.arguments, context.root, str(place.path)):
            return place
        return moved(given, place)


def moved(given: str, place: Place) -> ToolOutput:
    """The refusal of a path that leads elsewhere than when it was approved."""
    return ToolOutput.error(
        f"{given} leads to {place.path} now, which is not what was approved. Nothing was done."
        " Call the tool again to ask anew."
    )
