"""An OTLP/HTTP receiver on loopback, which decodes what it gets."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True)
class Span:
    id: bytes
    parent: bytes
    name: str
    kind: int
    status: int
    start: int
    end: int
    attributes: dict[str, Any]
    events: list[str]
    schema: str


@dataclass
class Received:
    """Filled by the server's threads; read after the program has closed."""

    url: str = ""
    bodies: list[bytes] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    points: list[tuple[str, dict[str, Any], float, int]] = field(default_factory=list)
    """(metric, attributes, sum, count)"""
    resource: dict[str, Any] = field(default_factory=dict)

    def named(self, start: str) -> list[Span]:
        found = [span for span in self.spans if span.name.startswith(start)]
        return sorted(found, key=lambda span: span.start)

    def one(self, start: str) -> Span:
        (span,) = self.named(start)
        return span

    def sums(self, metric: str) -> dict[str, float]:
        """Of the points of a metric, by `gen_ai.token.type` where they have one."""
        return {
            attributes.get("gen_ai.token.type", ""): total
            for name, attributes, total, _ in self.points
            if name == metric
        }

    def take(self, path: str, body: bytes) -> None:
        self.bodies.append(body)
        if path == "/v1/traces":
            self._take_traces(ExportTraceServiceRequest.FromString(body))
        elif path == "/v1/metrics":
            self._take_metrics(ExportMetricsServiceRequest.FromString(body))

    def _take_traces(self, request: ExportTraceServiceRequest) -> None:
        for group in request.resource_spans:
            self.resource = _attributes(group.resource.attributes)
            for scope in group.scope_spans:
                self.spans += [
                    Span(
                        id=span.span_id,
                        parent=span.parent_span_id,
                        name=span.name,
                        kind=span.kind,
                        status=span.status.code,
                        start=span.start_time_unix_nano,
                        end=span.end_time_unix_nano,
                        attributes=_attributes(span.attributes),
                        events=[event.name for event in span.events],
                        schema=scope.schema_url,
                    )
                    for span in scope.spans
                ]

    def _take_metrics(self, request: ExportMetricsServiceRequest) -> None:
        for group in request.resource_metrics:
            for scope in group.scope_metrics:
                for metric in scope.metrics:
                    for point in metric.histogram.data_points:
                        attributes = _attributes(point.attributes)
                        self.points.append((metric.name, attributes, point.sum, point.count))


def _attributes(pairs: Any) -> dict[str, Any]:
    found = {}
    for pair in pairs:
        kind = pair.value.WhichOneof("value")
        value = getattr(pair.value, kind)
        if kind == "array_value":
            value = [each.string_value for each in value.values]
        found[pair.key] = value
    return found


@contextmanager
def receiver(status: int = 200) -> Iterator[Received]:
    """With another `status` it takes nothing."""
    received = Received()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            if status == 200:
                received.take(self.path, body)
            else:
                received.bodies.append(body)
            self.send_response(status)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    received.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield received
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
