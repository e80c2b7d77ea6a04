"""What a user types to find sessions: words for the full-text search, and facets such as `tag:work`.

`parse_search` never fails: what it can't use is said in `problems` and left out, since the text is
read while it is typed.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Literal

from chatglass.store.records import SessionRow

Use = tuple[Literal["tool", "model"], str]
"""What `SessionStore.sessions_using` is asked."""
Uses = Mapping[Use, frozenset[str]]
Check = Callable[[SessionRow, Uses], bool]

FACETS = (
    "model: tool: tag: root: is: before: after: cost> tokens> messages> calls> (also < <= >= =)"
)
"""All there are, as the screen names them."""
STATES: Mapping[str, str] = {
    "pinned": "pinned",
    "interrupted": "its last answer was interrupted",
    "error": "its last answer ended in an error",
    "archived": "archived; these are only listed so",
    "forked": "forked from another session",
    "here": "of this directory",
}
"""What may stand behind `is:`."""

_TOKEN = re.compile(
    r"""(?P<name>[A-Za-z]{2,12})(?P<sign><=|>=|[:<>=])(?P<value>"[^"]*"?|\S*)|"[^"]*"?|[^\s"]+"""
)
_COMPARE: Mapping[str, Callable[[Decimal, Decimal], bool]] = {
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
    "=": operator.eq,
    ":": operator.eq,
}
_FIGURES: Mapping[str, Callable[[SessionRow], Decimal]] = {
    "cost": lambda row: row.cost,
    "tokens": lambda row: Decimal(row.total_tokens),
    "messages": lambda row: Decimal(row.messages),
    "calls": lambda row: Decimal(row.tool_calls),
}
_AGO = re.compile(r"(\d{1,4})([dwmy])")
_DAYS = {"d": 1, "w": 7, "m": 30, "y": 365}


class _Unusable(Exception):
    """A facet whose value says nothing; `str()` is what to tell the user."""


@dataclass(frozen=True, slots=True)
class SessionSearch:
    """A parsed search. `words` is the text for `SessionStore.matches` and `search_words`."""

    words: str = ""
    checks: tuple[Check, ...] = ()
    uses: tuple[Use, ...] = ()
    """What has to be asked of the store before `accepts` can answer."""
    wants_archived: bool = False
    problems: tuple[str, ...] = ()

    def accepts(self, row: SessionRow, uses: Uses) -> bool:
        """Whether the facets let that session pass. Archived ones only pass by `is:archived`."""
        if row.archived and not self.wants_archived:
            return False
        return all(check(row, uses) for check in self.checks)


def parse_search(text: str, *, root: str = "", now: datetime | None = None) -> SessionSearch:
    """`root` is what `here` means, `now` what dates such as `today` are counted from.

    Facets may stand anywhere; `"quoted: text"` is never one. An unknown one is searched for as
    text, and said.
    """
    words: list[str] = []
    checks: list[Check] = []
    uses: list[Use] = []
    problems: list[str] = []
    wants_archived = False
    for match in _TOKEN.finditer(text):
        name, sign = (match["name"] or "").lower(), match["sign"]
        value = (match["value"] or "").strip('"').strip()
        if not name or not _is_facet(name, sign, value):
            words.append(match.group())
            if name and sign == ":" and value and value[0] not in ":/\\" and not value.isdigit():
                problems.append(f"There is no facet {name}:, so it is looked for as text. {FACETS}")
            continue
        try:
            check, use = _facet(name, sign, value, root, (now or datetime.now()).date())
        except _Unusable as error:
            problems.append(str(error))
            continue
        checks.append(check)
        uses += [use] if use else []
        wants_archived |= name == "is" and _state(value) == "archived"
    return SessionSearch(
        " ".join(words), tuple(checks), tuple(uses), wants_archived, tuple(problems)
    )


def _is_facet(name: str, sign: str, value: str) -> bool:
    if name in _FIGURES:
        # `cost=low` in a text is no question about money.
        return sign in "<>" or not value or value.lstrip("$<>=")[:1].isdigit()
    known = name in ("model", "tool", "tag", "root", "is", "before", "after")
    return known and sign == ":" and value[:1] not in (":", "/" if name != "root" else ":")


def _facet(name: str, sign: str, value: str, root: str, today: date) -> tuple[Check, Use | None]:
    if name in _FIGURES:
        return _figure(name, sign, value), None
    if not value:
        raise _Unusable(f"{name}: {_WANTED[name]}")
    wanted = value.casefold()
    match name:
        case "model":
            return _model(wanted), ("model", wanted)
        case "tool":
            tool: Use = ("tool", wanted)
            return lambda row, uses: row.id in uses[tool], tool
        case "tag":
            return (
                lambda row, _: any(tag.casefold().startswith(wanted) for tag in row.tags),
                None,
            )
        case "root":
            if wanted in (".", "here"):
                return lambda row, _: row.root == root, None
            return lambda row, _: wanted in row.root.casefold(), None
        case "is":
            return _is(_state(value), root), None
        case "before":
            until = _day(name, value, today)
            return lambda row, _: row.updated_at < until, None
        case _:
            since = _day(name, value, today)
            return lambda row, _: row.updated_at >= since, None


_DATES = "wants a day: 2026-01-31, 2026-01, 2026, today, yesterday, or 7d, 2w, 3m ago."
_WANTED = {
    "model": "wants a part of a model's name.",
    "tool": "wants a part of a tool's name.",
    "tag": "wants a tag, or how it begins.",
    "root": "wants a part of the directory, or `here`.",
    "is": f"wants one of {', '.join(STATES)}.",
    "before": _DATES,
    "after": _DATES,
}


def _figure(name: str, sign: str, value: str) -> Check:
    if sign == ":" and value[:1] in ("<", ">", "="):
        # cost:>0.10 means the same.
        length = 2 if value[1:2] == "=" else 1
        sign, value = value[:length], value[length:]
    try:
        limit = Decimal(value.lstrip("$").replace(",", "") or "?")
        if not limit.is_finite():
            raise InvalidOperation
    except InvalidOperation:
        wanted = "dollars, as cost>0.10" if name == "cost" else f"a number, as {name}>100"
        raise _Unusable(f"{name}{sign} wants {wanted}.") from None
    figure, compare = _FIGURES[name], _COMPARE[sign]
    return lambda row, _: compare(figure(row), limit)


def _model(wanted: str) -> Check:
    use: Use = ("model", wanted)
    return lambda row, uses: wanted in row.model.casefold() or row.id in uses[use]


def _state(value: str) -> str:
    """The state that `value` is, or the only one it begins."""
    found = [state for state in STATES if state.startswith(value.lower())]
    if len(found) != 1:
        raise _Unusable(f"is: {_WANTED['is']}")
    return found[0]


def _is(state: str, root: str) -> Check:
    match state:
        case "pinned":
            return lambda row, _: row.pinned
        case "archived":
            return lambda row, _: row.archived
        case "forked":
            return lambda row, _: row.forked_from is not None
        case "here":
            return lambda row, _: row.root == root
        case "error":
            return lambda row, _: row.last_status == "error"
        case _:
            return lambda row, _: row.last_status in ("interrupted", "partial")


def _day(name: str, value: str, today: date) -> int:
    """When that day begins here, in milliseconds since the epoch."""
    try:
        day = _date(value.lower(), today)
        return int(datetime(day.year, day.month, day.day).timestamp() * 1_000)
    except (ValueError, OverflowError, OSError):
        raise _Unusable(f"{name}: {_DATES}") from None


def _date(value: str, today: date) -> date:
    if value in ("today", "yesterday"):
        return today - timedelta(days=value == "yesterday")
    if ago := _AGO.fullmatch(value):
        return today - timedelta(days=int(ago[1]) * _DAYS[ago[2]])
    year, month, day = ([int(part) for part in value.split("-")] + [1, 1])[:3]
    if value.count("-") > 2 or year < 1970:
        raise ValueError(value)
    return date(year, month, day)
