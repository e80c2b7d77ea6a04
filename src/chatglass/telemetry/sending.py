"""Sending: spans and measurements on their way to a collector, over OTLP/HTTP.

Everything is sent by threads of the SDK that end with the process. What can't be sent is dropped,
and told to the log alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from importlib.metadata import version

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from chatglass.chat.chat_context import ChatContext
from chatglass.chat.turn_events import Observe
from chatglass.telemetry import names
from chatglass.telemetry.configured import Wanted
from chatglass.telemetry.content import Content
from chatglass.telemetry.turn_spans import TurnSpans
from chatglass.tools.redaction import KnownKeys

CLOSE_WITHIN_S = 2.0
"""How long leaving the program may wait for what was not sent yet."""


class Sending:
    """Importing and making it takes a moment: for a thread."""

    def __init__(self, wanted: Wanted, known_keys: KnownKeys) -> None:
        self._version = version("chatglass")
        self._content = Content(known_keys) if wanted.capture_content else None
        # OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES come before what stands here.
        named = Resource({"service.name": names.AGENT, "service.version": self._version})
        created = Resource.create()
        is_named = not str(created.attributes["service.name"]).startswith("unknown_service")
        resource = named.merge(created) if is_named else created.merge(named)
        base = wanted.endpoint.rstrip("/") if wanted.endpoint else None
        self._traces = TracerProvider(resource=resource, shutdown_on_exit=False)
        if wanted.traces:
            exporter = OTLPSpanExporter(endpoint=f"{base}/v1/traces" if base else None)
            self._traces.add_span_processor(BatchSpanProcessor(exporter))
        readers: list[PeriodicExportingMetricReader] = []
        if wanted.metrics:
            sender = OTLPMetricExporter(endpoint=f"{base}/v1/metrics" if base else None)
            readers.append(PeriodicExportingMetricReader(sender))
        self._metrics = MeterProvider(readers, resource=resource, shutdown_on_exit=False)
        self.tracer = self._traces.get_tracer(
            names.SCOPE, self._version, schema_url=names.SCHEMA_URL
        )
        meter = self._metrics.get_meter(names.SCOPE, self._version, schema_url=names.SCHEMA_URL)
        self.token_usage = meter.create_histogram(
            names.TOKEN_USAGE,
            unit="{token}",
            description="Number of input and output tokens used.",
            explicit_bucket_boundaries_advisory=list(names.TOKEN_BUCKETS),
        )
        self.duration = meter.create_histogram(
            names.OPERATION_DURATION,
            unit="s",
            description="GenAI operation duration.",
            explicit_bucket_boundaries_advisory=list(names.DURATION_BUCKETS),
        )

    def observer(self, context: ChatContext) -> Observe:
        return TurnSpans(context, self, self._version, self._content).take

    async def close(self) -> None:
        """Send what is left, for at most `CLOSE_WITHIN_S`."""
        loop = asyncio.get_running_loop()
        done = asyncio.Event()

        def shut_down() -> None:
            try:
                self._traces.shutdown()
                self._metrics.shutdown(timeout_millis=CLOSE_WITHIN_S * 1000)
            finally:
                # A closed loop: nobody waits any more.
                with contextlib.suppress(RuntimeError):
                    loop.call_soon_threadsafe(done.set)

        # A daemon: a collector that does not answer must not keep the program.
        threading.Thread(target=shut_down, name="telemetry-close", daemon=True).start()
        try:
            async with asyncio.timeout(CLOSE_WITHIN_S):
                await done.wait()
        except TimeoutError:
            logging.getLogger(__name__).warning("The last spans could not be sent in time.")
