"""Budgets in the app: the question, its answers, /budget; and /whatif."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from pathlib import Path

from chatglass.models.demo import DemoServer
from chatglass.models.demo.script import Reply
from chatglass.tui.budget.dialog import BudgetDialog
from chatglass.tui.dashboard.what_if_screen import WhatIfScreen
from tui.conftest import Play
from tui.stage import Stage

USAGE = {"prompt_tokens": 10_000, "completion_tokens": 1_000, "total_tokens": 11_000}
PRICES = '[prices."demo-fast"]\ninput = 3\ncached_input = 0.3\noutput = 15\n'
"""$0.045 for USAGE."""
DEAR = Reply(text="Dear.", usage=USAGE)


def settings(folder: Path, budget: str = "") -> None:
    (folder / "config.toml").write_text(f"{PRICES}\n{budget}")


async def asked(stage: Stage, server: DemoServer, *replies: Reply) -> BudgetDialog:
    """Send a prompt that is asked about."""
    server.script(*replies)
    await stage.send("and this?")
    await stage.until(lambda: isinstance(stage.app.screen, BudgetDialog), "the question")
    dialog = stage.app.screen
    assert isinstance(dialog, BudgetDialog)
    dialog.deafness.clock = lambda: float("inf")
    return dialog


async def test_the_question_and_its_answers(play: Play, folder: Path, server: DemoServer) -> None:
    settings(folder, "[budget]\nsession_hard = 0.05\n")
    async with play() as stage:
        await stage.ask("hello", DEAR)
        await asked(stage, server, DEAR)
        assert stage.session.asking
        for words in ("≈ $0.0", "this session: $0.0450 of $0.0500 spent", "1  Send this request"):
            assert words in stage.screen_text, words
        await stage.press("1")
        await stage.until(lambda: len(stage.answers) == 2)
        await stage.idle()
        assert not stage.session.asking
        await asked(stage, server)
        await stage.press("escape")
        await stage.idle()
        assert len(stage.answers) == 2
        assert any("would pass the budget" in notice for notice in stage.notices)
        await asked(stage, server, DEAR)
        await stage.press("2")
        await stage.until(lambda: len(stage.answers) == 3)
        await stage.idle()
        await stage.ask("no more questions", DEAR)
        assert stage.session.stats.estimated_cost is not None
        await stage.until(lambda: stage.session.stats.requests == 4)
        assert stage.session.stats.estimated_cost == 4 * Decimal("0.045")


async def test_keys_that_were_meant_for_the_composer_do_not_answer(
    play: Play, folder: Path, server: DemoServer
) -> None:
    settings(folder, "[budget]\nday_hard = 0.001\n")
    async with play() as stage:
        dialog = await asked(stage, server)
        dialog.deafness.clock = lambda: float("-inf")
        await stage.press("1", "2", "escape")
        assert stage.app.screen is dialog
        stage.session.engine.stop()
        await stage.until(lambda: stage.app.screen is stage.chat, "the dialog went")
        await stage.idle()
        assert not server.requests


async def test_a_question_of_a_session_that_is_not_on_screen_waits(
    play: Play, folder: Path, server: DemoServer
) -> None:
    settings(folder, "[budget]\nday_hard = 0.05\n")
    async with play() as stage:
        await stage.ask("the first", DEAR)
        first = stage.session
        await stage.command("/new")
        await stage.until(lambda: stage.session is not first)
        await stage.idle()
        await first.engine.submit("and then?")
        stage.app.turns.drive(first)
        await stage.told("asks about its budget")
        assert stage.app.screen is stage.chat
        await stage.app.open_session(first.engine.context.session)
        await stage.until(lambda: isinstance(stage.app.screen, BudgetDialog), "the question")
        stage.app.screen.deafness.clock = lambda: float("inf")  # type: ignore[attr-defined]
        await stage.press("3")
        await stage.idle()


async def test_budget_shows_and_sets(play: Play, folder: Path, server: DemoServer) -> None:
    settings(folder, "[budget]\nday_soft = 1\n")
    async with play() as stage:
        await stage.command("/budget")
        await stage.told("This session: $0.00, no limit; today: $0.00, no hard limit (warns")
        await stage.command("/budget session 0.50")
        await stage.told("$0.00 of $0.50")
        await stage.command("/budget session soft 0.40")
        await stage.told("$0.00 of $0.50 (warns at $0.40)")
        parameters = stage.session.engine.context.session.parameters
        assert (parameters.budget_hard, parameters.budget_soft) == ("0.50", "0.40")
        await stage.command("/budget day 5")
        await stage.told("today: $0.00 of $5.00")
        await stage.command("/budget day soft off")
        await stage.until(
            lambda: (
                tomllib.loads((folder / "config.toml").read_text())["budget"] == {"day_hard": 5.0}
            )
        )
        assert stage.app.workspace is not None
        assert stage.app.workspace.budgets.day.hard == 5
        for wrong in ("/budget month 3", "/budget day", "/budget day much"):
            await stage.command(wrong)
            # What was refused stays, to be mended.
            await stage.until(lambda wrong=wrong: stage.chat.composer.text == wrong)
            stage.chat.composer.clear()
        await stage.told("Write it as /budget session 0.50")
        await stage.told("'much' is no sum in USD")


async def test_what_if(play: Play, folder: Path, server: DemoServer) -> None:
    settings(folder)
    async with play() as stage:
        await stage.command("/whatif")
        await stage.told("nothing to compare")
        await stage.ask("hello", DEAR)
        await stage.command("/whatif openai/gpt-5 demo-fast nonesuch")
        await stage.until(lambda: isinstance(stage.app.screen, WhatIfScreen))
        await stage.sees("No price is known for nonesuch.")
        lines = stage.screen_text.splitlines()
        (was,) = [line for line in lines if "as it was: demo-fast" in line]
        (gpt,) = [line for line in lines if "openai/gpt-5" in line]
        assert "$0.0450" in was
        assert "≈ $0.0225" in gpt
        assert "0.50×" in gpt
        await stage.press("escape")
        assert stage.app.screen is stage.chat
