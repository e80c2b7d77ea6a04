"""The heavy imports of this package, in one place.

Nothing in `chatglass.models` imports openai or genai_prices when it is imported itself; the app
runs `preload()` in a thread after its first paint.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import socket

from chatglass.models import prices
from chatglass.models.client import OpenAIClient
from chatglass.models.retries import RetryPolicy
from chatglass.models.wire import Endpoint, ModelError, ModelRequest


def preload() -> None:
    """Import openai and genai_prices and warm what they build lazily (about 1 s of CPU).

    May be called more than once, from any thread that runs no event loop.
    """
    # openai looks for httpx among the loaded modules, and takes one that another thread is still
    # importing (SessionManager and MCP do) for a whole one. After this it is whole.
    with contextlib.suppress(ImportError):
        importlib.import_module("httpx")
    import openai

    # The package exports lazily: taking the names imports what is behind them.
    _ = (openai.AsyncOpenAI, openai.APIStatusError, openai.AsyncStream)
    # Without loopback (a sandbox) the first request does what was not rehearsed.
    with contextlib.suppress(OSError), socket.socket() as bound:
        # Bound and not listening: it is ours, and it refuses.
        bound.bind(("127.0.0.1", 0))
        asyncio.run(_rehearse(bound.getsockname()[1]))
    prices.warm()


async def _rehearse(port: int) -> None:
    """Send a request to nobody: the transport imports its parts at the first one, which would
    hold the event loop for 60 ms."""
    endpoint = Endpoint(name="rehearsal", base_url=f"http://127.0.0.1:{port}", is_local=True)
    client = OpenAIClient(endpoint, retries=RetryPolicy(connect_attempts=1))
    with contextlib.suppress(ModelError):
        async for _ in client.stream(ModelRequest(model="none", messages=())):
            pass
    await client.close()
