"""Makes docs/screenshot.svg from the running program.

    python docs/screenshot.py [DIRECTORY]

The whole program runs without a terminal, in a folder of its own and against the built-in demo
model: a question that needs two tools at once is asked, answered and painted.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

SIZE = (132, 38)
FILES = {
    "README.md": "# Tide tables\n\nHigh and low water for any harbour, from a file of constants.\n",
    "tides.py": "def height(t):\n    ...\n",
    "harbours.csv": "name,latitude,longitude\nBrest,48.38,-4.50\nCuxhaven,53.87,8.72\n",
}
QUESTION = "List the files and read README.md"
FONTS = "ui-monospace, SFMono-Regular, Menlo, Consolas, Fira Code, DejaVu Sans Mono, monospace"
SECONDS = 60
"""How long any of the steps may take before the script gives up."""


async def take(target: Path) -> None:
    from chatglass.config.first_look import FirstLook
    from chatglass.config.options import Options
    from chatglass.tui.app import ChatglassApp

    with tempfile.TemporaryDirectory() as data:
        options = Options(demo=True, data_dir=data, config=f"{data}/config.toml")
        app = ChatglassApp(options, FirstLook(reduced_motion=True))
        async with app.run_test(size=SIZE) as pilot:

            def answered() -> bool:
                session = app.current
                return (
                    session is not None
                    and session.engine.state == "idle"
                    and session.engine.context.get_conversation_length() >= 5
                )

            await _until(lambda: app.current is not None, "the program to start")
            await pilot.press(*QUESTION, "enter")
            await _until(answered, "the answer")
            await asyncio.sleep(1)  # the sidebar is painted a few times a second
            _save(app.export_screenshot(title="chatglass"), target / "screenshot.svg")
            await app.leave()


async def _until(true: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + SECONDS
    while not true():
        if time.monotonic() > end:
            raise SystemExit(f"gave up waiting for {what}")
        await asyncio.sleep(0.02)


def _save(svg: str, path: Path) -> None:
    """With fonts that the reader's machine has: Textual's SVG would load its own from elsewhere."""
    svg = re.sub(r"@font-face\s*\{.*?\}\s*|<!--.*?-->\s*", "", svg, flags=re.DOTALL)
    svg = svg.replace("font-family: Fira Code, monospace", f"font-family: {FONTS}")
    path.write_text(svg, encoding="utf-8")
    print(f"wrote {path}")


def main() -> None:
    target = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent).resolve()
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home, "tides")
        folder.mkdir()
        for name, text in FILES.items():
            (folder / name).write_text(text, encoding="utf-8")
        os.chdir(folder)
        asyncio.run(take(target))
        os.chdir(target)


if __name__ == "__main__":
    main()
