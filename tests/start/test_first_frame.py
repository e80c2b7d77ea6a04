"""What stands between the start and the first frame: modules and widgets, counted."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from typing import Any

FRAME = """
import asyncio, json, sys
from textual.css.stylesheet import Stylesheet
from chatglass.cli import parse
from chatglass.config.first_look import FirstLook
from chatglass.tui.app import ChatglassApp

async def seen(self):
    found = {"first": len(list(self.screen.walk_children(with_self=True)))}
    found["modules"] = sorted(sys.modules)
    found["restyled"] = len(restyled)
    await self.chat.complete()
    found["complete"] = len(list(self.screen.walk_children(with_self=True)))
    print(json.dumps(found))
    self.exit()

restyled = []
update = Stylesheet.update_nodes
def counted(self, nodes, *rest, **options):
    nodes = list(nodes)
    restyled.extend(nodes)
    return update(self, nodes, *rest, **options)
Stylesheet.update_nodes = counted
ChatglassApp._begin = seen

async def run():
    app = ChatglassApp(parse([]), FirstLook())
    async with app.run_test(size=(160, 48)) as pilot:
        while app.is_running:
            await pilot.pause(0.01)

asyncio.run(run())
"""
HEAVY = ("pydantic", "openai", "httpx", "sqlite3", "genai_prices", "chuk_ai_session_manager")
HEAVY += ("markdown_it", "pygments.lexer", "pygments.lexers", "tomllib", "decimal._pydecimal")
LATER = ("chatglass.store", "chatglass.models", "chatglass.tools", "chatglass.transfer")
LATER += ("chatglass.spending", "chatglass.chat.events", "chatglass.chat.ports")
LATER += (
    "chatglass.tui.markdown.document",
    "chatglass.tui.session_view",
    "chatglass.tui.inspector.inspector",
)
LATER += ("chatglass.tui.approval.panel", "chatglass.tui.sessions", "chatglass.tui.dashboard")


@cache
def first_frame() -> dict[str, Any]:
    ran = subprocess.run([sys.executable, "-c", FRAME], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def test_nothing_heavy_and_nothing_of_a_session_is_imported_before_the_first_frame() -> None:
    modules: list[str] = first_frame()["modules"]
    too_early = [
        module
        for module in modules
        for early in (*HEAVY, *LATER)
        if module == early or module.startswith(f"{early}.")
    ]
    assert not too_early


def test_the_first_frame_has_few_widgets_and_the_whole_screen_not_many() -> None:
    frame = first_frame()
    assert frame["first"] <= 16
    assert frame["first"] < frame["complete"] <= 30


def test_widgets_are_hardly_styled_twice_before_the_first_frame() -> None:
    # Again: those around the first focus, for :focus-within.
    assert first_frame()["restyled"] <= 1.5 * first_frame()["first"]
