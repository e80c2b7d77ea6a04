"""Where the time of a session's turns went: requests and calls in order, each cut into phases.

Times are milliseconds since the epoch; what still goes on has no end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from chatglass.chat.calls.rerun_row import RerunRow
from chatglass.store.records import RequestRow, ToolCallRow

Phase = Literal["approval", "queue", "run", "return", "wait", "stream"]
"""Of a call: `approval` while a person is asked, `queue` for all else before it begins, `run`, and
`return` until the next request takes its result along. Of a request: `wait` for its first token,
and `stream`."""

RERUNS = "reruns"
"""The group of the calls that the user ran again."""
_OPEN = ("proposed", "asking", "approved", "running")


@dataclass(frozen=True, slots=True)
class Span:
    phase: Phase
    start: int
    end: int | None


@dataclass(frozen=True, slots=True)
class CallLine:
    """`beside` tells the place among calls that were made at once: first, middle, last; or alone."""

    call: ToolCallRow
    spans: tuple[Span, ...]
    beside: Literal["alone", "first", "middle", "last"] = "alone"

    @property
    def id(self) -> str:
        return self.call.id


@dataclass(frozen=True, slots=True)
class RequestLine:
    request: RequestRow
    spans: tuple[Span, ...]

    @property
    def id(self) -> str:
        return f"request:{self.request.id}"


@dataclass(frozen=True, slots=True)
class Shares:
    """Milliseconds of a turn in which the model worked, tools ran (and no model), a person was
    asked (and nothing else happened), and nothing of these."""

    model: int
    tools: int
    asked: int
    other: int


@dataclass(slots=True)
class Group:
    """A turn, or what the user ran again (`turn_id` is RERUNS)."""

    turn_id: str
    number: int
    """1 for the session's first turn; 0 for what the user ran again."""
    start: int
    end: int | None
    """None while something of it goes on."""
    lines: list[CallLine | RequestLine] = field(default_factory=list[CallLine | RequestLine])
    """Those that are listed."""
    spans: tuple[Span, ...] = ()
    """Of all its requests and calls, listed or not."""

    @property
    def id(self) -> str:
        return f"turn:{self.turn_id}"

    def shares(self, now: int) -> Shares:
        """Where its time went so far."""
        spans = self.spans
        model = _union(spans, ("wait", "stream"), now)
        tools = _union(spans, ("run",), now)
        asked = _union(spans, ("approval",), now)
        busy = _length(_merged([*model, *tools]))
        all_of_it = _length(_merged([*model, *tools, *asked]))
        whole = (self.end if self.end is not None else now) - self.start
        return Shares(
            model=_length(model),
            tools=busy - _length(model),
            asked=all_of_it - busy,
            other=max(0, whole - all_of_it),
        )


def groups(
    calls: Iterable[ToolCallRow],
    requests: Iterable[RequestRow],
    accepts: Callable[[ToolCallRow], bool] | None = None,
) -> list[Group]:
    """The turns in order of time. With `accepts` only these calls, and the requests that made them."""
    parts: dict[str, tuple[list[RequestRow], list[ToolCallRow]]] = {}
    for request in requests:
        parts.setdefault(request.turn_id, ([], []))[0].append(request)
    for call in calls:
        turn_id = RERUNS if isinstance(call, RerunRow) else call.turn_id
        parts.setdefault(turn_id, ([], []))[1].append(call)
    begun = {turn_id: _begin(*part) for turn_id, part in parts.items()}
    # What the user ran again may be older than the newest turn; it stands below all of them.
    order = sorted(parts, key=lambda turn_id: (turn_id == RERUNS, begun[turn_id]))
    found: list[Group] = []
    for number, turn_id in enumerate(order, 1):
        group = _group(turn_id, 0 if turn_id == RERUNS else number, *parts[turn_id], accepts)
        if group.lines:
            found.append(group)
    return found


def _begin(requests: Sequence[RequestRow], calls: Sequence[ToolCallRow]) -> int:
    return min([*(each.started_at for each in requests), *(each.proposed_at for each in calls)])


def _group(
    turn_id: str,
    number: int,
    requests: list[RequestRow],
    calls: list[ToolCallRow],
    accepts: Callable[[ToolCallRow], bool] | None,
) -> Group:
    requests = sorted(requests, key=lambda each: each.started_at)
    made_by: dict[str, list[ToolCallRow]] = {each.id: [] for each in requests}
    strays: list[ToolCallRow] = []
    for call in calls:
        made_by.get(call.request_id, strays).append(call)
    group = Group(turn_id, number, _begin(requests, calls), None)
    spans: list[Span] = []
    for place, request in enumerate(requests):
        following = requests[place + 1].started_at if place + 1 < len(requests) else None
        made = _call_lines(made_by[request.id], following, spans, accepts)
        line = RequestLine(request, request_spans(request))
        spans += line.spans
        if made or accepts is None:
            group.lines += [line, *made]
    group.lines += _call_lines(strays, None, spans, accepts)
    group.spans = tuple(spans)
    ends = [*map(_end_of_request, requests), *map(_end_of_call, calls)]
    known = [end for end in ends if end is not None]
    group.end = max(known) if len(known) == len(ends) else None
    return group


def _call_lines(
    calls: Sequence[ToolCallRow],
    following: int | None,
    spans: list[Span],
    accepts: Callable[[ToolCallRow], bool] | None,
) -> list[CallLine]:
    """The calls of one answer; `following` is when the next request of the turn began. Adds the
    spans of all of them to `spans`."""
    settled = [_end_of_call(call) for call in calls]
    returned = following
    if returned is None and all(end is not None for end in settled):
        # There is no next request: the last of them to end is what the others waited for.
        returned = max((end for end in settled if end is not None), default=None)
    shown: list[CallLine] = []
    for call in calls:
        own = call_spans(call, _end_of_call(call) if isinstance(call, RerunRow) else returned)
        spans += own
        if accepts is None or accepts(call):
            shown.append(CallLine(call, own))
    if len(shown) < 2 or isinstance(shown[0].call, RerunRow):
        return shown
    first, *middle, last = shown
    return [
        replace(first, beside="first"),
        *(replace(line, beside="middle") for line in middle),
        replace(last, beside="last"),
    ]


def call_spans(call: ToolCallRow, returned: int | None) -> tuple[Span, ...]:
    """The phases of a call; `returned` is when its result went on, None where it waits still."""
    spans: list[Span] = []
    settled = call.state not in _OPEN
    end = _end_of_call(call)
    decided = call.decided_at if call.decided_at is not None else call.started_at
    asked = call.state == "asking" or call.decided_by.startswith("user")
    if asked:
        spans.append(Span("approval", call.proposed_at, end if decided is None else decided))
    since = decided if asked else call.proposed_at
    if since is not None:
        spans.append(Span("queue", since, end if call.started_at is None else call.started_at))
    if call.started_at is not None:
        spans.append(Span("run", call.started_at, end))
    if settled and end is not None:
        spans.append(Span("return", end, returned if returned is None else max(end, returned)))
    return tuple(span for span in spans if span.end is None or span.end > span.start) or (
        Span("run", call.proposed_at, end),
    )


def request_spans(request: RequestRow) -> tuple[Span, ...]:
    """The phases of a request."""
    end = _end_of_request(request)
    first = request.first_token_at
    if first is None or (end is not None and first > end):
        return (Span("wait", request.started_at, end),)
    return (Span("wait", request.started_at, first), Span("stream", first, end))


def _end_of_request(request: RequestRow) -> int | None:
    if request.finished_at is not None:
        return max(request.started_at, request.finished_at)
    return None if request.status == "running" else request.first_token_at or request.started_at


def _end_of_call(call: ToolCallRow) -> int | None:
    """When it was settled; None while it is open. One that a crash ended has no other time."""
    if call.finished_at is not None:
        return max(call.proposed_at, call.finished_at)
    if call.state in _OPEN:
        return None
    times = (call.proposed_at, call.decided_at, call.started_at)
    return max(time for time in times if time is not None)


def _union(spans: Iterable[Span], phases: Sequence[Phase], now: int) -> list[tuple[int, int]]:
    return _merged(
        [
            (span.start, span.end if span.end is not None else max(now, span.start))
            for span in spans
            if span.phase in phases
        ]
    )


def _merged(stretches: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same time as stretches that don't overlap."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(stretches):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def _length(stretches: Iterable[tuple[int, int]]) -> int:
    return sum(end - start for start, end in stretches)
