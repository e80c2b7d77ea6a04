"""Ways on: actions that an advice offers, named as each front end calls them.

An advice is written where nothing is known of keys and commands: `Retry{retry}, or choose another
model{model}.` The front end puts its own names in: `Retry (^R), or choose another model (F3).`
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal, cast

Way = Literal["retry", "model", "compact", "clear", "budget"]
NameWay = Callable[[Way], str]
"""The key, command or flag for it; empty where there is none."""

_PLACE = re.compile(r"\{(retry|model|compact|clear|budget)\}")


def unnamed(way: Way) -> str:
    """For a front end without names, and for texts that are read elsewhere."""
    return ""


def named(advice: str, name: NameWay) -> str:
    """The advice as it is shown."""

    def put_in(found: re.Match[str]) -> str:
        known = name(cast(Way, found.group(1)))
        return f" ({known})" if known else ""

    return _PLACE.sub(put_in, advice)
