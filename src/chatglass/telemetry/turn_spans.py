"""TurnSpans: a session's turns and requests as spans and measurements.

invoke_agent chatglass         a turn
  chat MODEL                   each request: for an answer, a summary, or what an MCP server asked
  execute_tool NAME            each call, after the request that asked for it

A request that a server asked for between two turns stands alone.
"""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass, field
from time import time_ns
from typing import Any, Protocol
from urllib.parse import urlsplit

from opentelemetry.metrics import Histogram
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, set_span_in_context

from chatglass.chat.chat_context import ChatContext
from chatglass.chat.events import (
    Compacted,
    Event,
    Notice,
    ToolCallDecided,
    ToolCallFinished,
    ToolCallProposed,
    ToolCallStarted,
    TurnFinished,
    TurnStarted,
)
from chatglass.chat.request_flight import RequestBegan, RequestEnded, RequestFact, RequestWaits
from chatglass.models.wire import Endpoint
from chatglass.store.records import RequestRow
from chatglass.telemetry import names
from chatglass.telemetry.content import Content, tool_call
from chatglass.telemetry.providers import provider_name
from chatglass.tools.tool import UnknownTool

Attributes = dict[str, Any]


class Instruments(Protocol):
    """Where spans and measurements go."""

    @property
    def tracer(self) -> Tracer: ...
    @property
    def token_usage(self) -> Histogram: ...
    @property
    def duration(self) -> Histogram: ...


@dataclass(frozen=True, slots=True)
class _Request:
    """A request under way."""

    span: Span
    turn_id: str
    about: Attributes
    """What its measurements are told apart by."""


@dataclass(slots=True)
class _Call:
    proposed: ToolCallProposed
    began: int
    """Nanoseconds since 1970."""
    span: Span | None = None
    attributes: Attributes = field(default_factory=Attributes)


class TurnSpans:
    """`content` is None unless what was said is wanted too."""

    def __init__(
        self, context: ChatContext, instruments: Instruments, version: str, content: Content | None
    ) -> None:
        self._context = context
        self._instruments = instruments
        self._version = version
        self._content = content
        self._turn: Span | None = None
        self._requests: dict[str, _Request] = {}
        self._calls: dict[str, _Call] = {}
        self._used = Counter[str]()
        self._error = ""

    def take(self, event: Event | RequestFact) -> None:
        """Raises nothing: telemetry never ends a turn."""
        try:
            self._take(event)
        # Whatever is wrong here or in the SDK, the turn goes on; the log tells.
        except Exception:
            logging.getLogger(__name__).warning("A span was lost.", exc_info=True)

    def _take(self, event: Event | RequestFact) -> None:
        match event:
            case RequestBegan():
                self._begin_request(event)
            case RequestWaits():
                self._retry(event)
            case RequestEnded():
                self._end_request(event)
            case TurnStarted():
                self._begin_turn()
            case Notice(severity="error", kind=kind):
                self._error = kind or "error"
            case ToolCallProposed():
                self._calls[event.tool_call_id] = _Call(event, time_ns())
            case ToolCallDecided():
                self._decide(event)
            case ToolCallStarted():
                self._start_call(self._calls[event.tool_call_id])
            case ToolCallFinished():
                self._end_call(event)
            case Compacted():
                self._compacted(event)
            case TurnFinished():
                self._end_turn(event)
            case _:
                pass

    # -- the turn

    def _begin_turn(self) -> None:
        self._used.clear()
        self._calls.clear()
        self._error = ""
        session = self._context.session
        self._turn = self._instruments.tracer.start_span(
            f"{names.INVOKE_AGENT} {names.AGENT}",
            kind=SpanKind.INTERNAL,
            attributes={
                names.OPERATION: names.INVOKE_AGENT,
                names.PROVIDER: provider_name(self._endpoint(session.endpoint)),
                names.AGENT_NAME: names.AGENT,
                names.AGENT_VERSION: self._version,
                names.CONVERSATION: session.id,
                names.REQUEST_MODEL: session.model,
            },
        )

    def _compacted(self, event: Compacted) -> None:
        if self._turn is not None:
            self._turn.add_event(
                names.COMPACTED_EVENT,
                {
                    names.STRATEGY: event.strategy,
                    names.TOKENS_BEFORE: event.tokens_before,
                    names.TOKENS_AFTER: event.tokens_after,
                },
            )

    def _end_turn(self, event: TurnFinished) -> None:
        self._drop_requests(event.turn_id)
        span, self._turn = self._turn, None
        if span is None:
            return
        span.set_attribute(names.TURN_STATUS, event.status)
        for name in (names.INPUT_TOKENS, names.OUTPUT_TOKENS):
            span.set_attribute(name, self._used[name])
        if event.status == "error":
            _fail(span, self._error or "error")
        span.end()

    # -- a request

    def _begin_request(self, fact: RequestBegan) -> None:
        row, request = fact.row, fact.request
        endpoint = self._endpoint(row.endpoint)
        about: Attributes = {
            names.OPERATION: names.CHAT,
            names.PROVIDER: provider_name(endpoint),
            names.REQUEST_MODEL: row.model,
            **_server(endpoint),
        }
        optional = {
            names.REQUEST_TEMPERATURE: request.temperature,
            names.REQUEST_MAX_TOKENS: request.max_output_tokens,
        }
        span = self._start(
            f"{names.CHAT} {row.model}",
            SpanKind.CLIENT,
            {
                **about,
                names.CONVERSATION: row.session_id,
                names.REQUEST_STREAM: True,
                names.PURPOSE: row.purpose,
                **{name: value for name, value in optional.items() if value is not None},
            },
        )
        self._requests[row.id] = _Request(span, row.turn_id, about)
        if self._content is not None:
            system, messages = self._content.messages(request.messages)
            if system:
                span.set_attribute(names.SYSTEM_INSTRUCTIONS, system)
            span.set_attribute(names.INPUT_MESSAGES, messages)

    def _retry(self, fact: RequestWaits) -> None:
        if (request := self._requests.get(fact.row.id)) is not None:
            waiting = fact.waiting
            request.span.add_event(
                names.RETRY_EVENT,
                {names.RETRY_ATTEMPT: waiting.attempt, names.RETRY_SECONDS: waiting.seconds},
            )

    def _end_request(self, fact: RequestEnded) -> None:
        ending, row = fact.ending, fact.ending.row
        request = self._requests.pop(row.id, None)
        if request is None:
            return
        span, about = request.span, dict(request.about)
        self._usage(request, row)
        span.set_attribute(names.REQUEST_STATUS, ending.status)
        if row.finish_reason:
            span.set_attribute(names.FINISH_REASONS, (row.finish_reason,))
        if (answer := ending.finished) is not None:
            if answer.response_id:
                span.set_attribute(names.RESPONSE_ID, answer.response_id)
            if answer.model:
                span.set_attribute(names.RESPONSE_MODEL, answer.model)
                about[names.RESPONSE_MODEL] = answer.model
        if row.first_token_at is not None:
            span.set_attribute(names.FIRST_CHUNK, (row.first_token_at - row.started_at) / 1000)
        if self._content is not None and (fact.text or ending.calls):
            calls = [tool_call(call.id, call.name, call.arguments) for call in ending.calls]
            said = self._content.answer(fact.text, calls, row.finish_reason)
            span.set_attribute(names.OUTPUT_MESSAGES, said)
        if ending.status == "error":
            kind = ending.error.kind if ending.error else "error"
            about[names.ERROR_TYPE] = kind
            _fail(span, kind)
        seconds = ((row.finished_at or row.started_at) - row.started_at) / 1000
        self._instruments.duration.record(seconds, about)
        span.end()

    def _usage(self, request: _Request, row: RequestRow) -> None:
        usage = row.usage
        if usage is None:
            return
        if self._turn is not None:
            self._used[names.INPUT_TOKENS] += usage.prompt_tokens
            self._used[names.OUTPUT_TOKENS] += usage.completion_tokens
        request.span.set_attributes(
            {
                names.INPUT_TOKENS: usage.prompt_tokens,
                names.OUTPUT_TOKENS: usage.completion_tokens,
                names.CACHE_READ_TOKENS: usage.cached_tokens,
                names.CACHE_WRITE_TOKENS: usage.cache_write_tokens,
                names.REASONING_TOKENS: usage.reasoning_tokens,
                names.USAGE_SOURCE: usage.source,
                names.PRICE_SOURCE: row.price_source,
            }
        )
        if row.cost is not None:
            request.span.set_attribute(names.COST, float(row.cost))
        if usage.source == "reported":
            # By the conventions an estimate is no measurement.
            record = self._instruments.token_usage.record
            record(usage.prompt_tokens, {**request.about, names.TOKEN_TYPE: "input"})
            record(usage.completion_tokens, {**request.about, names.TOKEN_TYPE: "output"})

    def _drop_requests(self, turn_id: str) -> None:
        """Those of a turn that a fault of ours ended."""
        for request_id, request in list(self._requests.items()):
            if request.turn_id == turn_id:
                del self._requests[request_id]
                request.span.set_attribute(names.REQUEST_STATUS, "interrupted")
                request.span.end()

    # -- a tool call

    def _decide(self, event: ToolCallDecided) -> None:
        self._calls[event.tool_call_id].attributes |= {
            names.DECISION: event.decision,
            names.DECIDED_BY: event.decided_by,
        }

    def _start_call(self, call: _Call, start: int | None = None) -> Span:
        event = call.proposed
        call.attributes |= {
            names.OPERATION: names.EXECUTE_TOOL,
            names.TOOL_NAME: event.name,
            names.TOOL_TYPE: "function",
            names.TOOL_CALL_ID: event.call_id,
        }
        try:
            spec = self._context.tool_manager.get(event.name).spec
        except UnknownTool:
            pass
        else:
            call.attributes[names.TOOL_DESCRIPTION] = spec.description
            if spec.server:
                call.attributes[names.MCP_METHOD] = names.MCP_TOOLS_CALL
                call.attributes[names.MCP_SERVER] = spec.server
        if self._content is not None:
            call.attributes[names.TOOL_ARGUMENTS] = self._content.text(event.arguments)
        name = f"{names.EXECUTE_TOOL} {event.name}"
        call.span = self._start(name, SpanKind.INTERNAL, call.attributes, start)
        return call.span

    def _end_call(self, event: ToolCallFinished) -> None:
        call = self._calls.pop(event.tool_call_id)
        # One that was denied, or not valid, never started: its span tells how long that took.
        span = call.span or self._start_call(call, call.began)
        span.set_attribute(names.CALL_STATUS, event.status)
        if self._content is not None:
            span.set_attribute(names.TOOL_RESULT, self._content.text(event.preview))
        if event.status != "ok":
            _fail(span, "tool_error" if event.status == "error" else event.status)
        span.end()

    # -- both

    def _start(
        self, name: str, kind: SpanKind, attributes: Attributes, start: int | None = None
    ) -> Span:
        parent = set_span_in_context(self._turn) if self._turn is not None else None
        return self._instruments.tracer.start_span(
            name, context=parent, kind=kind, attributes=attributes, start_time=start
        )

    def _endpoint(self, name: str) -> Endpoint | None:
        return self._context.models.endpoints.get(name)


def _server(endpoint: Endpoint | None) -> Attributes:
    if endpoint is None:
        return {}
    address = urlsplit(endpoint.base_url)
    if address.hostname is None:
        return {}
    port = address.port or (80 if address.scheme == "http" else 443)
    return {names.SERVER_ADDRESS: address.hostname, names.SERVER_PORT: port}


def _fail(span: Span, kind: str) -> None:
    span.set_attribute(names.ERROR_TYPE, kind)
    span.set_status(Status(StatusCode.ERROR))
