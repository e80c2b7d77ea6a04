"""The order of a turn's events, as `chatglass.chat.events` documents it, as a checker."""

from __future__ import annotations

import json
from collections.abc import Sequence

from chatglass.chat.events import (
    Compacted,
    Compacting,
    Event,
    Notice,
    ReasoningDelta,
    RequestFinished,
    RequestStarted,
    Retrying,
    TextDelta,
    ToolCallDecided,
    ToolCallDelta,
    ToolCallFinished,
    ToolCallProgress,
    ToolCallProposed,
    ToolCallStarted,
    TurnFinished,
    TurnStarted,
    UsageReported,
    UserSpoke,
    to_json,
)

_STREAMED = (Retrying, ReasoningDelta, TextDelta, ToolCallDelta)


def check_turn(events: Sequence[Event]) -> None:
    """Raises AssertionError where the events of one turn break the documented order."""
    names = [type(event).__name__ for event in events]
    assert [event.seq for event in events] == list(range(1, len(events) + 1)), names
    assert len({(event.session_id, event.turn_id) for event in events}) == 1
    assert isinstance(events[0], TurnStarted), names
    assert isinstance(events[-1], TurnFinished), names
    assert sum(isinstance(event, (TurnStarted, TurnFinished)) for event in events) == 2, names
    for event in events:
        record = json.loads(to_json(event))
        assert record["event"] == type(event).__name__
        assert record["version"] == 1
        assert record["seq"] == event.seq
    request: RequestStarted | None = None
    reported = compacting = False
    open_calls: dict[str, str] = {}
    requests = 0
    for event in events[1:-1]:
        match event:
            case Notice():
                continue
            case UserSpoke():
                assert request is None, names
                assert not open_calls, names
            case Compacting():
                assert request is None, names
                assert not open_calls, names
                compacting = True
            case Compacted():
                assert compacting, names
                assert request is None, names
                compacting = False
            case UsageReported() if request is None:
                assert compacting, names
            case RequestStarted():
                assert request is None, names
                assert not open_calls, f"{open_calls} are open at a new request: {names}"
                request, reported, compacting = event, False, False
                requests += 1
            case RequestFinished():
                assert request is not None, names
                assert event.request_id == request.request_id
                request = None
            case UsageReported():
                assert request is not None, names
                assert not reported, names
                reported = True
            case ToolCallProposed():
                assert request is None, names
                assert all(state == "proposed" for state in open_calls.values()), names
                assert event.position == len(open_calls), names
                open_calls[event.tool_call_id] = "proposed"
            case ToolCallDecided():
                assert open_calls[event.tool_call_id] == "proposed", names
                open_calls[event.tool_call_id] = "decided"
            case ToolCallStarted():
                assert open_calls[event.tool_call_id] == "decided", names
                open_calls[event.tool_call_id] = "started"
            case ToolCallProgress():
                assert open_calls[event.tool_call_id] == "started", names
            case ToolCallFinished():
                assert event.tool_call_id in open_calls, names
                del open_calls[event.tool_call_id]
            case _:
                assert isinstance(event, _STREAMED), event
                assert request is not None, names
                assert not reported, names
                assert event.request_id == request.request_id
    assert request is None, names
    assert not open_calls, f"{open_calls} never finished"
    last = events[-1]
    assert isinstance(last, TurnFinished)
    assert last.requests == requests
