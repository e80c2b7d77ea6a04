"""What came back: each attempt with its headers, the exact stream, and its events."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from chatglass.tui.inspector.marked_text import MarkedText
from chatglass.tui.inspector.sections.section import Shown
from chatglass.tui.wire.facts import WireFacts, WireSection
from chatglass.values.figures import clock, counted, duration, size

if TYPE_CHECKING:
    from chatglass.chat.wire_record import Attempt
    from chatglass.chat.wire_view import WireView


class Received(WireSection):
    """The bytes of the answer, as text."""

    name = "received"
    label = "received"

    def show(self, facts: WireFacts) -> Shown:
        view = facts.view
        assert view is not None
        if not view.attempts:
            return Shown(view.problem, "text", "not kept")
        last = view.attempts[-1]
        return Shown(last.received().decode("utf-8", "replace"), "text", _how_much(last))


def _how_much(attempt: Attempt) -> str:
    body = attempt.body
    if attempt.is_cut:
        return f"cut: the first {size(body.kept)} of {size(body.received)} are kept"
    return f"{size(body.received)}, as it came"


class Events(WireSection):
    """The data of the stream's events as one JSON array, to fold and to search."""

    name = "events"
    label = "events"

    def is_ready(self, facts: WireFacts) -> bool:
        return facts.view is not None and facts.events is not None

    async def read(self, facts: WireFacts) -> None:
        from chatglass.chat.wire_view import events_of

        await facts.read()
        attempts = facts.view.attempts if facts.view else ()
        if attempts:
            # Parsing many megabytes takes its time.
            found = await asyncio.to_thread(lambda: events_of(attempts[-1].received()))
            facts.events = found or ""
        else:
            facts.events = ""

    def show(self, facts: WireFacts) -> Shown:
        view = facts.view
        assert view is not None
        if not view.attempts:
            return Shown(view.problem, "text", "not kept")
        if not facts.events:
            text = view.attempts[-1].received().decode("utf-8", "replace")
            return Shown(text, "auto", "no event stream of JSON")
        return Shown(facts.events, "json", _how_much(view.attempts[-1]))


class Attempts(WireSection):
    """Where it went, with which headers, how often, and how each attempt ended."""

    name = "attempts"
    label = "attempts"

    def show(self, facts: WireFacts) -> Shown:
        view = facts.view
        assert view is not None
        text = MarkedText()
        _add_request(text, view)
        for number, attempt in enumerate(view.attempts, 1):
            text.line()
            _add_attempt(text, number, attempt, is_last=number == len(view.attempts))
        if view.problem:
            text.line().line(view.problem, "note")
        count = max(len(view.attempts), view.request.attempts)
        note = counted(count, "attempt")
        return Shown(text.text, "text", note, marks=text.marks)


def _add_request(text: MarkedText, view: WireView) -> None:
    row = view.request
    text.fact("model", f"{row.model} on {row.endpoint}")
    text.fact("ended", f"{row.status}, {row.finish_reason or 'no finish reason'}")
    if row.error:
        text.fact("error", row.error, "bad")
    text.fact("began", clock(row.started_at))
    if row.first_token_at:
        text.fact("first token", f"after {duration(row.first_token_at - row.started_at)}")
    if row.finished_at:
        text.fact("took", duration(row.finished_at - row.started_at))
    for name, value in view.values.items():
        text.fact(name if name != "model" else "asked for", str(value))


def _add_attempt(text: MarkedText, number: int, attempt: Attempt, *, is_last: bool) -> None:
    text.line(f"attempt {number}", "heading")
    text.fact("POST", attempt.url)
    for name, value in attempt.request_headers:
        text.line(f"  {name}: {value}")
    answered = f"HTTP {attempt.status}" if attempt.status is not None else "no answer"
    good = attempt.status is not None and attempt.status < 400
    text.fact("answered", answered, "good" if good else "bad")
    if attempt.failure:
        text.fact("failed", attempt.failure, "bad")
    for name, value in attempt.headers:
        text.line(f"  {name}: {value}")
    if attempt.first_byte_at:
        text.fact("first byte", f"after {duration(attempt.first_byte_at - attempt.started_at)}")
    text.fact("received", _how_much(attempt))
    if not is_last and attempt.body.kept:
        text.line(attempt.received().decode("utf-8", "replace"))
