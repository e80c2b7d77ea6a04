"""`python -m chatglass.models.demo`: the demo server as a process of its own.

Prints one line of JSON, `{"base_url": ..., "token": ...}`, and serves until it is ended.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Any, cast

from chatglass.models.demo.script import Reply, ScriptError, reply_from_json
from chatglass.models.demo.server import MODELS, RATE, WINDOW, DemoServer

_KEYS = ("models", "refuse", "window", "rate", "replies")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m chatglass.models.demo", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0: a free one")
    parser.add_argument("--script", type=Path, help=f"JSON object with any of {', '.join(_KEYS)}")
    parser.add_argument("--rate", type=float, help=f"tokens a second, 0: no limit ({RATE:g})")
    options = parser.parse_args(argv)
    try:
        settings = _read_script(options.script) if options.script else {}
        given = settings.get("replies", [])
        replies = [reply_from_json(r, f"replies[{i}]") for i, r in enumerate(given)]
    except (OSError, ValueError) as cause:
        print(f"{options.script}: {cause}", file=sys.stderr)
        return 2
    if options.rate is not None:
        settings["rate"] = options.rate
    try:
        asyncio.run(_serve(options.port, settings, replies))
    except KeyboardInterrupt:
        return 130
    return 0


def _read_script(path: Path) -> dict[str, Any]:
    value: Any = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(value, dict):
        raise ScriptError("a script is an object.")
    settings = cast("dict[str, Any]", value)
    for key in settings:
        if key not in _KEYS:
            raise ScriptError(f"there is no key {key!r}; there are {', '.join(_KEYS)}.")
    return settings


async def _serve(port: int, settings: dict[str, Any], replies: list[Reply]) -> None:
    demo = DemoServer(
        port=port,
        window=settings.get("window", WINDOW),
        models=settings.get("models", MODELS),
        rate=settings.get("rate", RATE),
        control=True,
    )
    demo.refuse(*settings.get("refuse", ()))
    demo.script(*replies)
    async with demo:
        print(json.dumps({"base_url": demo.base_url, "token": demo.token}), flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    sys.exit(main())
