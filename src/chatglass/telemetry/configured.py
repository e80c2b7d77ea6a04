"""Whether telemetry is wanted, by `[otel]` and the standard variables; and starting it.

OpenTelemetry is imported only where it is, in a thread.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec

from chatglass.chat.workspace import Workspace
from chatglass.config.errors import ConfigError
from chatglass.config.settings import OtelSettings

_ENDPOINTS = (
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
)
_CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
_MODULES = ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")
_LOGGERS = ("chatglass.telemetry", "opentelemetry", "urllib3")
_MISSING = "OpenTelemetry is not installed here. Install chatglass[otel]"


@dataclass(frozen=True, slots=True)
class Wanted:
    """`endpoint`: the base address of the settings; None leaves it to the variables."""

    endpoint: str | None
    capture_content: bool
    traces: bool = True
    metrics: bool = True


def wanted(settings: OtelSettings, environment: Mapping[str, str]) -> Wanted | None:
    """What is to be sent, and where; None: nothing."""
    if settings.enabled is False or _value(environment, "OTEL_SDK_DISABLED") == "true":
        return None
    named = settings.endpoint or any(environment.get(name) for name in _ENDPOINTS)
    if not named and settings.enabled is None:
        return None
    traces = _value(environment, "OTEL_TRACES_EXPORTER") != "none"
    metrics = _value(environment, "OTEL_METRICS_EXPORTER") != "none"
    if not traces and not metrics:
        return None
    capture = _value(environment, _CAPTURE) in ("true", "span_only", "span_and_event")
    return Wanted(settings.endpoint, settings.capture_content or capture, traces, metrics)


def _value(environment: Mapping[str, str], name: str) -> str:
    return environment.get(name, "").strip().lower()


def obstacle(environment: Mapping[str, str]) -> str | None:
    """Why what is wanted can't be sent."""
    if not all(_is_installed(module) for module in _MODULES):
        return _MISSING
    protocol = _value(environment, "OTEL_EXPORTER_OTLP_PROTOCOL")
    if protocol not in ("", "http/protobuf"):
        return (
            f"OTEL_EXPORTER_OTLP_PROTOCOL is {protocol}; chatglass speaks http/protobuf, which "
            "collectors take at port 4318"
        )
    return None


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


async def start_telemetry(workspace: Workspace) -> None:
    """Watch the turns of that workspace, where this is configured. Raises ConfigError where the
    settings ask for what can't be; variables alone may be meant for other programs."""
    settings = workspace.settings.otel
    asked = wanted(settings, os.environ)
    if asked is None:
        return
    for name in _LOGGERS:
        # Without any handler, as with --no-save, Python would print their warnings over the screen.
        logging.getLogger(name).addHandler(logging.NullHandler())
    objection = await asyncio.to_thread(obstacle, os.environ)
    if objection is None:
        from chatglass.telemetry.sending import Sending

        workspace.telemetry = await asyncio.to_thread(Sending, asked, workspace.models.key_values)
    elif settings.endpoint or settings.enabled:
        raise ConfigError(f"{objection}, or take [otel] out of {workspace.paths.config_file}.")
    else:
        logging.getLogger(__name__).warning("%s. Nothing is sent.", objection)
