"""Where the time of a turn went."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from calls.rows import at, call, request, rerun
from chatglass.chat.calls.waterfall import (
    CallLine,
    Group,
    RequestLine,
    Shares,
    call_spans,
    groups,
)


def phases(line: CallLine | RequestLine) -> list[tuple[str, float, float | None]]:
    return [
        (
            span.phase,
            (span.start - at(0)) / 1_000,
            None if span.end is None else (span.end - at(0)) / 1_000,
        )
        for span in line.spans
    ]


def the_turn() -> Group:
    """A request of 2 s, two calls at once (one approved after 3 s), and the answer."""
    (group,) = groups(
        [
            call("slow", (2, 2, 2, 4)),
            call("asked", (2, 5, 6, 7)),
        ],
        [request(1, 0, 1, 2), request(2, 8, 8.5, 10)],
    )
    return group


def test_each_phase_of_a_call_is_told_apart() -> None:
    first, slow, asked, second = the_turn().lines
    assert phases(first) == [("wait", 0, 1), ("stream", 1, 2)]
    assert phases(slow) == [("run", 2, 4), ("return", 4, 8)]
    assert phases(asked) == [
        ("approval", 2, 5),
        ("queue", 5, 6),
        ("run", 6, 7),
        ("return", 7, 8),
    ]
    assert phases(second) == [("wait", 8, 8.5), ("stream", 8.5, 10)]


def test_calls_of_one_answer_are_beside_each_other() -> None:
    lines = [line for line in the_turn().lines if isinstance(line, CallLine)]
    assert [line.beside for line in lines] == ["first", "last"]
    (alone,) = groups([call("one")], [request(1, -1, None, 0)])
    assert isinstance(alone.lines[1], CallLine)
    assert alone.lines[1].beside == "alone"


def test_where_the_time_of_a_turn_went() -> None:
    turn = the_turn()
    assert (turn.start, turn.end) == (at(0), at(10))
    # model 0-2 and 8-10; tools 2-4 and 6-7; asked alone 4-5; nothing 5-6 and 7-8.
    assert turn.shares(at(99)) == Shares(model=4_000, tools=3_000, asked=1_000, other=2_000)


def test_what_goes_on_has_no_end() -> None:
    (turn,) = groups([call("busy", (2, 2, 3, None))], [request(1, 0, 1, 2)])
    assert turn.end is None
    assert phases(turn.lines[1]) == [("queue", 2, 3), ("run", 3, None)]
    assert turn.shares(at(5)).tools == 2_000
    (asking,) = groups([call("asks", (2, None, None, None))], [request(1, 0, 1, 2)])
    assert phases(asking.lines[1]) == [("approval", 2, None)]
    (writing,) = groups([], [request(1, 0, None, None)])
    assert writing.end is None
    assert phases(writing.lines[0]) == [("wait", 0, None)]


def test_a_result_waits_for_the_call_beside_it() -> None:
    (turn,) = groups(
        [call("quick", (2, 2, 2, 3)), call("busy", (2, 2, 2, None))], [request(1, 0, 1, 2)]
    )
    assert phases(turn.lines[1]) == [("run", 2, 3), ("return", 3, None)]


def test_denied_crashed_and_instant_calls_have_a_place() -> None:
    denied = call("no", (2, 4, None, 4), state="denied")
    crashed = call("gone", (2, 2, 3, None), state="unknown")
    instant = call("now", (2, 2, 2, 2))
    (turn,) = groups([denied, crashed, instant], [request(1, 0, 1, 2)])
    assert turn.end == at(4)
    assert phases(turn.lines[1]) == [("approval", 2, 4)]
    assert phases(turn.lines[2]) == [("queue", 2, 3), ("return", 3, 4)]
    assert phases(turn.lines[3]) == [("return", 2, 4)]


def test_turns_stand_in_order_and_what_the_user_ran_again_below() -> None:
    old = call("old", (1, 1, 1, 2))
    rows = [
        old,
        rerun(old, (50, 50, 50, 51)),
        call("new", (101, 101, 101, 102), turn_id="turn-2", request_id="request-2"),
    ]
    requests = [request(2, 100, None, 101, turn="turn-2"), request(1, 0, None, 1)]
    found = groups(rows, requests)
    assert [group.number for group in found] == [1, 2, 0]
    assert [line.id for line in found[2].lines] == ["again-call-old"]


def test_a_filter_leaves_calls_and_the_requests_that_made_them() -> None:
    rows = [
        call("one", (1, 1, 1, 2)),
        call("two", (1, 1, 1, 3)),
        call("other", (101, 101, 101, 102), turn_id="turn-2", request_id="request-3"),
    ]
    requests = [
        request(1, 0, None, 1),
        request(2, 3, None, 4),
        request(3, 100, None, 101, turn="turn-2"),
    ]
    found = groups(rows, requests, lambda row: row.name == "other")
    assert [group.number for group in found] == [2], "a turn keeps its number"
    assert [line.id for line in found[0].lines] == ["request:request-3", "call-other"]
    (turn,) = groups(rows, requests, lambda row: row.name == "two")
    assert [line.id for line in turn.lines] == ["request:request-1", "call-two"]
    assert (turn.start, turn.end) == (at(0), at(4)), "a turn keeps its time"
    assert turn.shares(at(9)) == groups(rows, requests)[0].shares(at(9)), "and where it went"


def test_calls_without_their_request_are_still_there() -> None:
    (turn,) = groups([call("imported", request_id="gone")], [])
    assert [line.id for line in turn.lines] == ["call-imported"]


@given(
    st.lists(st.one_of(st.none(), st.floats(0, 100)), min_size=4, max_size=4),
    st.sampled_from(("ok", "error", "running", "asking", "unknown")),
    st.one_of(st.none(), st.floats(0, 100)),
)
def test_no_phase_goes_backwards_and_only_the_last_goes_on(
    times: list[float | None], state: str, returned: float | None
) -> None:
    row = call("any", (times[0] or 0, *times[1:]), state=state)
    spans = call_spans(row, None if returned is None else at(returned))
    assert spans
    assert all(span.end is None or span.end >= span.start for span in spans)
    assert all(span.end is not None for span in spans[:-1])
