"""TurnSpans: the events of a session's turns as spans and measurements.

invoke_agent chatglass         a turn
  chat MODEL                   each request
  execute_tool NAME            each call, after the request that asked for it
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
    Compacting,
    Event,
    Notice,
    RequestFinished,
    RequestStarted,
    Retrying,
    TextDelta,
    ToolCallDecided,
    ToolCallFinished,
    ToolCallProposed,
    ToolCallStarted,
    TurnFinished,
    TurnStarted,
    UsageReported,
)
from chatglass.models.wire import Endpoint
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


@dataclass(slots=True)
class _Request:
    """The request under way, or just over: its last facts come after its end."""

    span: Span
    about: Attributes
    """What its measurements are told apart by."""
    text: list[str] = field(default_factory=list[str])
    calls: list[Attributes] = field(default_factory=list[Attributes])
    end: RequestFinished | None = None
    ended_at: int = 0


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
        self._request: _Request | None = None
        self._calls: dict[str, _Call] = {}
        self._used = Counter[str]()
        self._error = ""

    def take(self, event: Event) -> None:
        """Raises nothing: telemetry never ends a turn."""
        try:
            self._take(event)
        # Whatever is wrong here or in the SDK, the turn goes on; the log tells.
        except Exception:
            logging.getLogger(__name__).warning("A span was lost.", exc_info=True)

    def _take(self, event: Event) -> None:
        match event:
            case TextDelta():
                if self._content is not None and self._request is not None:
                    self._request.text.append(event.text)
            case TurnStarted():
                self._begin_turn()
            case RequestStarted():
                self._begin_request(event)
            case Retrying():
                self._retry(event)
            case UsageReported():
                self._usage(event)
            case RequestFinished():
                if self._request is not None:
                    self._request.end, self._request.ended_at = event, time_ns()
            case Notice(severity="error", kind=kind):
                self._error = kind or "error"
            case ToolCallProposed():
                self._propose(event)
            case ToolCallDecided():
                self._decide(event)
            case ToolCallStarted():
                self._end_request()
                self._start_call(self._calls[event.tool_call_id])
            case ToolCallFinished():
                self._end_call(event)
            case Compacting():
                self._end_request()
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
        self._end_request()
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

    def _begin_request(self, event: RequestStarted) -> None:
        self._end_request()
        self._error = ""
        endpoint = self._endpoint(event.endpoint)
        about: Attributes = {
            names.OPERATION: names.CHAT,
            names.PROVIDER: provider_name(endpoint),
            names.REQUEST_MODEL: event.model,
            **_server(endpoint),
        }
        parameters = self._context.session.parameters
        optional = {
            names.REQUEST_TEMPERATURE: parameters.temperature,
            names.REQUEST_MAX_TOKENS: parameters.max_output_tokens,
        }
        span = self._start(
            f"{names.CHAT} {event.model}",
            SpanKind.CLIENT,
            {
                **about,
                names.CONVERSATION: event.session_id,
                names.REQUEST_STREAM: True,
                **{name: value for name, value in optional.items() if value is not None},
            },
        )
        self._request = _Request(span, about)
        if self._content is not None:
            system, messages = self._content.messages(self._context.get_messages_for_llm())
            if system:
                span.set_attribute(names.SYSTEM_INSTRUCTIONS, system)
            span.set_attribute(names.INPUT_MESSAGES, messages)

    def _retry(self, event: Retrying) -> None:
        if self._request is not None:
            self._request.span.add_event(
                names.RETRY_EVENT,
                {names.RETRY_ATTEMPT: event.attempt, names.RETRY_SECONDS: event.seconds},
            )

    def _usage(self, event: UsageReported) -> None:
        request, usage = self._request, event.usage
        self._used[names.INPUT_TOKENS] += usage.prompt_tokens
        self._used[names.OUTPUT_TOKENS] += usage.completion_tokens
        if request is None:
            # Of a summary, which has no span of its own.
            return
        request.span.set_attributes(
            {
                names.INPUT_TOKENS: usage.prompt_tokens,
                names.OUTPUT_TOKENS: usage.completion_tokens,
                names.CACHE_READ_TOKENS: usage.cached_tokens,
                names.CACHE_WRITE_TOKENS: usage.cache_write_tokens,
                names.REASONING_TOKENS: usage.reasoning_tokens,
                names.USAGE_SOURCE: usage.source,
                names.PRICE_SOURCE: event.price_source,
            }
        )
        if event.cost_usd is not None:
            request.span.set_attribute(names.COST, float(event.cost_usd))
        if usage.source == "reported":
            # By the conventions an estimate is no measurement.
            record = self._instruments.token_usage.record
            record(usage.prompt_tokens, {**request.about, names.TOKEN_TYPE: "input"})
            record(usage.completion_tokens, {**request.about, names.TOKEN_TYPE: "output"})

    def _end_request(self) -> None:
        """The span ends when the request did; what belongs to it was told after that."""
        request, self._request = self._request, None
        if request is None:
            return
        end, about = request.end, dict(request.about)
        if end is None:
            request.span.set_attribute(names.REQUEST_STATUS, "interrupted")
            request.span.end()
            return
        span = request.span
        span.set_attribute(names.REQUEST_STATUS, end.status)
        if end.finish_reason:
            span.set_attribute(names.FINISH_REASONS, (end.finish_reason,))
        if end.response_id:
            span.set_attribute(names.RESPONSE_ID, end.response_id)
        if end.response_model:
            span.set_attribute(names.RESPONSE_MODEL, end.response_model)
            about[names.RESPONSE_MODEL] = end.response_model
        if end.first_token_ms is not None:
            span.set_attribute(names.FIRST_CHUNK, end.first_token_ms / 1000)
        if self._content is not None and (request.text or request.calls):
            answer = self._content.answer("".join(request.text), request.calls, end.finish_reason)
            span.set_attribute(names.OUTPUT_MESSAGES, answer)
        if end.status == "error":
            about[names.ERROR_TYPE] = self._error or "error"
            _fail(span, self._error or "error")
        self._instruments.duration.record(end.duration_ms / 1000, about)
        span.end(request.ended_at)

    # -- a tool call

    def _propose(self, event: ToolCallProposed) -> None:
        self._calls[event.tool_call_id] = _Call(event, time_ns())
        if self._content is not None and self._request is not None:
            part = tool_call(event.call_id, event.name, event.arguments)
            self._request.calls.append(part)

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
        self._end_request()
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
