"""Own tools in the full screen: loaded behind the first frame, asked about, listed, explained."""

from __future__ import annotations

from pathlib import Path

from chatglass.config.options import Options
from chatglass.tui.tool_list.screen import ToolsScreen
from tui.conftest import Play
from tui.stage import tools

MINE = '''
from chatglass.tools.own import report


def shout(text: str) -> str:
    """Shouts a text."""
    report("halfway", 0.5)
    return text.upper()


def bare(a) -> str:
    return a
'''


def own(folder: Path) -> str:
    file = folder / "mine.py"
    file.write_text(MINE, encoding="utf-8")
    return str(file)


async def test_an_own_tool_is_told_listed_asked_about_and_run(play: Play, folder: Path) -> None:
    options = Options(model="demo-fast", tools=(own(folder),))
    async with play(options, size=(140, 45)) as stage:

        def loaded() -> bool:
            own = stage.app.workspace.own_tools
            return own is not None and bool(own.problems) and not own.loading

        await stage.until(loaded, "the file imported")
        await stage.command("/tools")
        assert isinstance(stage.app.screen, ToolsScreen)
        await stage.sees("bare: no type hint on a")
        await stage.sees("Built in")
        await stage.press("end")
        await stage.sees("Your own, of")
        await stage.sees("asks · Shouts a text.")
        await stage.sees('"text"')
        await stage.press("y")
        await stage.told("The schema was")
        await stage.press("escape")
        stage.server.script(tools(("shout", '{"text": "round"}')), "done")
        await stage.send("shout it")
        await stage.until(lambda: stage.chat.approval.display, "a question")
        await stage.sees("one of your own tools")
        await stage.until(lambda: not stage.chat.approval.is_deaf)
        await stage.press("1")
        await stage.idle()
        (call,) = stage.session.view.calls.values()
        result = await stage.app.workspace.store.tool_result(call.id)
        assert result is not None
        assert result.seen == "ROUND"


async def test_without_tools_none_are_loaded(play: Play, folder: Path) -> None:
    async with play(Options(model="demo-fast", no_tools=True, tools=(own(folder),))) as stage:
        await stage.command("/tools")
        await stage.sees("No tools")
        assert stage.app.workspace.own_tools is None
