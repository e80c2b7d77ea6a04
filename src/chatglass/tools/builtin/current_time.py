"""current_time: now, here or in a time zone."""

from __future__ import annotations

import difflib
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from chatglass.tools import policy
from chatglass.tools.function_tool import CallContext, FunctionTool
from chatglass.tools.threads import in_thread
from chatglass.tools.tool import ToolOutput


def current_time_tool() -> FunctionTool:
    async def current_time(
        context: CallContext,
        timezone: Annotated[
            str, "IANA name such as Europe/Berlin or UTC; empty for the local one."
        ] = "",
    ) -> ToolOutput:
        """The current date and time."""
        try:
            now = datetime.now(ZoneInfo(timezone)) if timezone else datetime.now().astimezone()
        except (ZoneInfoNotFoundError, ValueError, OSError):
            # Reading the list of zones takes 80 ms.
            return ToolOutput.error(await in_thread(lambda _: _unknown(timezone)))
        name = timezone or now.tzname() or "local time"
        text = f"{now.isoformat(timespec='seconds')} ({now:%A}, {name})"
        return ToolOutput("ok", text, text)

    return FunctionTool(
        current_time,
        lambda arguments, root: policy.harmless("It only reads the clock."),
        read_only=True,
        timeout_s=10.0,
        output_limit=2_000,
    )


def _unknown(name: str) -> str:
    zones = sorted(available_timezones())
    by_case = {zone.casefold(): zone for zone in zones}
    wanted = name.strip().replace(" ", "_").casefold()
    nearest = difflib.get_close_matches(wanted, by_case, n=3, cutoff=0.5)
    # `berlin` is far from `Europe/Berlin` letter by letter.
    cities = [zone for zone in zones if wanted and wanted == zone.rpartition("/")[2].casefold()]
    found = list(dict.fromkeys([*cities, *(by_case[zone] for zone in nearest)]))[:3]
    advice = (
        f"Did you mean {' or '.join(found)}?"
        if found
        else "Use an IANA name such as Europe/Berlin."
    )
    return f"There is no time zone {name!r}. {advice}"
