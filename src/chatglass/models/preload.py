"""The heavy imports of this package, in one place.

Nothing in `chatglass.models` imports openai or genai_prices when it is imported itself; the app
runs `preload()` in a thread after its first paint.
"""

from __future__ import annotations


def preload() -> None:
    """Import openai and genai_prices and warm what they build lazily (about 0.8 s of CPU).

    May be called more than once and from any thread.
    """
    import openai

    from chatglass.models import prices

    # The package exports lazily: taking the names imports what is behind them.
    _ = (openai.AsyncOpenAI, openai.APIStatusError, openai.AsyncStream)
    prices.warm()
