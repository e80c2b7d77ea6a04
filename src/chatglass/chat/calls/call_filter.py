"""Which tool calls of a session are listed: words, and facets such as `tool:read` or `slow>2s`.

`parse_filter` never fails: what it can't use is said in `problems` and left out, since the text is
read while it is typed.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from chatglass.chat.calls.rerun_row import RerunRow
from chatglass.store.records import ToolCallRow

Check = Callable[[ToolCallRow, int], bool]
"""Call and the time now (ms since the epoch), which running calls are measured by."""

FACETS = "tool: server: is: slow> size> (also < <= >= =), and words"
"""All there are, as the screen names them."""
SLOW_MS = 1_000
"""What `is:slow` means."""
_OPEN = ("proposed", "asking", "approved", "running")
STATES: Mapping[str, Check] = {
    "ok": lambda row, _: row.state == "ok",
    "error": lambda row, _: row.state in ("error", "unknown"),
    "failed": lambda row, _: row.state in ("error", "unknown", "denied", "cancelled"),
    "denied": lambda row, _: row.state == "denied",
    "cancelled": lambda row, _: row.state == "cancelled",
    "unknown": lambda row, _: row.state == "unknown",
    "running": lambda row, _: row.state == "running",
    "asking": lambda row, _: row.state == "asking",
    "open": lambda row, _: row.state in _OPEN,
    "slow": lambda row, now: (took_ms(row, now) or 0) > SLOW_MS,
    "edited": lambda row, _: row.edited_arguments is not None,
    "cut": lambda row, _: row.seen_bytes < row.result_bytes,
    "yours": lambda row, _: isinstance(row, RerunRow),
}
"""What may stand behind `is:`."""
BUILT_IN = "built-in"
"""The server of tools that come from none, as `server:` names it."""

_TOKEN = re.compile(
    r"""(?P<name>[A-Za-z]{2,8})(?P<sign><=|>=|[:<>=])(?P<value>"[^"]*"?|\S*)|"[^"]*"?|[^\s"]+"""
)
_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
    "=": operator.eq,
    ":": operator.ge,
}
_FIGURE = re.compile(r"(\d+(?:[.,]\d+)?)\s*([A-Za-z]*)")
_TIMES: Mapping[str, float] = {"": 1_000, "s": 1_000, "ms": 1, "m": 60_000, "min": 60_000}
_SIZES: Mapping[str, float] = {
    **dict.fromkeys(("", "b"), 1),
    **dict.fromkeys(("k", "kb"), 1000.0),
    **dict.fromkeys(("m", "mb"), 1000000.0),
}


class _Unusable(Exception):
    """A facet whose value says nothing; `str()` is what to tell the user."""


@dataclass(frozen=True, slots=True)
class CallFilter:
    """A parsed filter. Each word is looked for in name, server, arguments and error; a caller that
    has looked into the results too gives `found`, the ids of the calls that hold all the words."""

    text: str = ""
    words: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    problems: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.words or self.checks)

    def accepts(self, row: ToolCallRow, now: int, found: frozenset[str] | None = None) -> bool:
        """Whether that call is listed."""
        if not all(check(row, now) for check in self.checks):
            return False
        if not self.words or (found is not None and row.id in found):
            return True
        parts = (row.name, row.server, row.arguments, row.edited_arguments or "", row.error or "")
        text = "\n".join(parts).casefold()
        return all(word in text for word in self.words)


def parse_filter(text: str) -> CallFilter:
    """Facets may stand anywhere; `"quoted: text"` is never one. An unknown one is searched for as
    text, and said."""
    words: list[str] = []
    checks: list[Check] = []
    problems: list[str] = []
    for match in _TOKEN.finditer(text):
        name, sign = (match["name"] or "").lower(), match["sign"]
        value = (match["value"] or "").strip('"').strip()
        if name not in ("tool", "server", "is", "slow", "size") or value[:1] in (":", "/"):
            words += [match.group().strip('"').casefold()]
            if name and sign == ":" and value and value[0] not in ":/\\" and not value.isdigit():
                problems.append(f"There is no facet {name}:, so it is looked for as text. {FACETS}")
            continue
        try:
            checks.append(_facet(name, sign, value))
        except _Unusable as error:
            problems.append(str(error))
    return CallFilter(
        text.strip(), tuple(word for word in words if word), tuple(checks), tuple(problems)
    )


def took_ms(row: ToolCallRow, now: int) -> int | None:
    """How long it ran, or has been running; None if it never did."""
    if row.duration_ms is not None:
        return row.duration_ms
    if row.state == "running" and row.started_at is not None:
        return max(0, now - row.started_at)
    return None


def _facet(name: str, sign: str, value: str) -> Check:
    wanted = value.casefold()
    match name:
        case "tool":
            if not wanted:
                raise _Unusable("tool: wants a part of a tool's name.")
            return lambda row, _: wanted in row.name.casefold()
        case "server":
            if not wanted:
                raise _Unusable(f"server: wants a part of a server's name, or {BUILT_IN}.")
            if wanted in ("builtin", BUILT_IN):
                return lambda row, _: not row.server
            return lambda row, _: wanted in row.server.casefold()
        case "is":
            return STATES[_state(value)]
        case "slow":
            limit, compare = _figure("slow", sign, value, _TIMES), _compare(sign, value)
            return lambda row, now: (took := took_ms(row, now)) is not None and compare(took, limit)
        case _:
            limit, compare = _figure("size", sign, value, _SIZES), _compare(sign, value)
            return lambda row, _: row.finished_at is not None and compare(row.result_bytes, limit)


def _compare(sign: str, value: str) -> Callable[[float, float], bool]:
    # slow:>2s means the same as slow>2s.
    signs = re.match(r"[<>]=?|=|", value)
    return _COMPARE[(signs and signs.group()) or sign]


def _figure(name: str, sign: str, value: str, units: Mapping[str, float]) -> float:
    found = _FIGURE.fullmatch(value.lstrip("<>="))
    factor = units.get(found[2].lower()) if found else None
    if found is None or factor is None:
        wanted = "a time, as slow>2s or slow>500ms" if name == "slow" else "a size, as size>10k"
        raise _Unusable(f"{name}{sign} wants {wanted}.")
    return float(found[1].replace(",", ".")) * factor


def _state(value: str) -> str:
    """The state that `value` is, or the only one it begins."""
    wanted = value.lower()
    found = [state for state in STATES if state == wanted] or [
        state for state in STATES if wanted and state.startswith(wanted)
    ]
    if len(found) != 1:
        raise _Unusable(f"is: wants one of {', '.join(STATES)}.")
    return found[0]
