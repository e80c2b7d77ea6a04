"""The built-in demo endpoint: an OpenAI-compatible server for trying the program, and for tests."""

from __future__ import annotations

from chatglass.models.demo.script import Call, Reply
from chatglass.models.demo.server import DemoServer

__all__ = ["Call", "DemoServer", "Reply"]
