"""Forking in the app: from any message, into a tab of its own that leads back."""

from __future__ import annotations

from pathlib import Path

from chatglass.models.demo import DemoServer
from chatglass.tui.sessions.screen import SessionsScreen
from chatglass.tui.transcript.items import NoticeItem
from tui.conftest import Play
from tui.stage import staged, tools

CALC = tools(("calculate", '{"expression": "6*7"}'))


async def test_a_fork_holds_what_was_said_and_leads_back(play: Play) -> None:
    async with play() as stage:
        await stage.ask("6 * 7?", CALC, "It is 42.")
        await stage.ask("and twice?", "It is 84.")
        origin = stage.session
        spent = stage.chat.meter.stats.total_tokens
        assert spent
        stage.chat.transcript.focus()
        stage.chat.transcript.select(stage.answers[1].id)
        await stage.press("f")
        await stage.until(lambda: stage.session is not origin)
        await stage.sees("⑂ Forked here from “6 * 7?”.")
        await stage.sees("here it begins at 0")
        assert [item.text for item in stage.prompts] == ["6 * 7?"]
        assert stage.answers[0].cards[0].state == "ok"
        (call,) = stage.session.view.calls.values()
        result = await stage.session.engine.context.store.tool_result(call.id)
        assert result is not None
        assert "42" in result.seen
        await stage.until(lambda: stage.chat.meter.stats.total_tokens == 0)
        assert stage.focused(stage.chat.composer)
        await stage.until(lambda: stage.session.engine.state == "idle")

        fork = stage.session
        await stage.ask("thrice?", "It is 126.")
        notices = [
            n for n, i in enumerate(stage.chat.transcript.items) if i.id.startswith("origin")
        ]
        kinds = [type(item).__name__ for item in stage.chat.transcript.items]
        assert kinds[notices[0] :] == ["NoticeItem", "PromptItem", "AnswerItem"]
        live = kinds
        await stage.chat.reload(fork)
        assert [type(item).__name__ for item in stage.chat.transcript.items] == live
        assert [prompt.text for prompt in stage.prompts] == ["6 * 7?", "thrice?"]
        await stage.command("/origin")
        await stage.until(lambda: stage.session is origin)
        assert [prompt.text for prompt in stage.prompts] == ["6 * 7?", "and twice?"]
        await stage.until(lambda: stage.chat.meter.stats.total_tokens == spent)
        await stage.command("/origin")
        await stage.told("This session is no fork.")


async def test_a_fork_at_a_prompt_lets_it_be_said_anew(play: Play) -> None:
    async with play() as stage:
        await stage.ask("first", "ok")
        await stage.ask("second", "ok too")
        origin = stage.session
        stage.chat.transcript.focus()
        stage.chat.transcript.select(stage.prompts[1].id)
        await stage.press("f")
        await stage.until(lambda: stage.session is not origin)
        assert [item.text for item in stage.prompts] == ["first"]
        assert stage.draft == "second"
        # The notice opens by a click, too.
        notice = stage.chat.transcript.items[-1]
        assert isinstance(notice, NoticeItem)
        transcript = stage.chat.transcript
        line = next(n for n, row in enumerate(stage.screen_text.splitlines()) if "⑂ Forked" in row)
        await stage.pilot.click(transcript, offset=(10, line - transcript.region.y))
        await stage.until(lambda: stage.session is origin)


async def test_a_fork_outlives_its_origin_and_says_so(
    play: Play, folder: Path, server: DemoServer
) -> None:
    async with play() as stage:
        await stage.ask("only question", "ok")
        origin = stage.session
        await stage.command("/fork")
        await stage.until(lambda: stage.session is not origin)
        await stage.press("ctrl+s")
        screen = stage.app.screen
        assert isinstance(screen, SessionsScreen)
        await stage.until(lambda: len(screen.listing.sessions) == 2)
        await stage.sees("⑂")
        await stage.press("escape")
        fork_id = stage.session.id
        await stage.app.tabs.close(origin)
        await stage.app.tabs.ended()
        assert stage.app.workspace is not None
        await stage.app.workspace.store.delete_session(origin.id)
    from chatglass.config.options import Options

    async with staged(folder, server, Options(model="demo-fast", resume=fork_id)) as again:
        await again.sees("Forked here from a session that was deleted.")
        await again.command("/origin")
        await again.told("There is no session")
