"""Short notices: one for each subject, gone when they are no longer true, and never in the way."""

from __future__ import annotations

from textual.widgets._toast import Toast, ToastHolder

from chatglass.models.demo import Reply
from tui.conftest import Play
from tui.stage import Stage, tools

ECHO = ("run_command", '{"command": "echo hi"}')


async def shown(stage: Stage, text: str) -> Toast:
    """The toast that says `text`, once it has its place."""
    found: list[Toast] = []

    def look() -> bool:
        found[:] = [
            toast
            for toast in stage.app.screen.query(Toast)
            if text in toast._notification.message and toast.region.area
        ]
        return bool(found)

    await stage.until(look, f"the toast {text!r}")
    return found[0]


async def test_the_mode_is_told_by_one_toast_that_leaves_with_its_session(play: Play) -> None:
    async with play() as stage:
        await stage.press("shift+tab", "shift+tab", "shift+tab")
        assert stage.toasts == ["Mode default: what only reads runs, the rest asks."]
        await shown(stage, "Mode default")
        # Nothing of the replaced ones is left in the tree, either.
        assert len(stage.app.screen.query(ToastHolder)) == 1
        await stage.ask("hello", "ok")
        await stage.press("shift+tab")
        await stage.told("Mode ask")
        await stage.press("ctrl+n")
        await stage.until(lambda: not stage.toasts, "the toast of the other session gone")


async def test_what_a_command_says_takes_the_place_of_what_the_last_one_said(play: Play) -> None:
    async with play() as stage:
        stage.chat.say("from elsewhere")
        await stage.command("/budget")
        await stage.told("This session: $0.00, no limit")
        await stage.command("/budget session 0.50")
        await stage.told("$0.00 of $0.50")
        await stage.command("/rules")
        await stage.told("There are no rules yet")
        assert [toast[:9] for toast in stage.toasts] == ["from else", "There are"]


async def test_a_tab_that_asks_is_told_with_its_key_until_it_is_answered(play: Play) -> None:
    async with play() as stage:
        await stage.ask("first", "ok")
        first = stage.session
        stage.server.script(
            Reply(calls=tools(ECHO).calls, gates={-1: "go"}), Reply(text="a b", gates={1: "end"})
        )
        await stage.send("echo")
        await stage.until(lambda: first.working)
        await stage.press("ctrl+n")
        stage.server.gate("go").set()
        await stage.told("first asks about a tool call. Alt+1 shows it.")
        first.approval.answer(first.approval.waiting[0], _once())
        await stage.until(lambda: not stage.toasts, "the question withdrawn")
        stage.server.gate("end").set()
        await stage.told("first has finished. Alt+1 shows it.")
        await stage.press("alt+1")
        await stage.until(lambda: not stage.toasts, "what was seen withdrawn")


async def test_toasts_leave_the_headers_and_the_composer_free_at_80x24(play: Play) -> None:
    async with play(size=(80, 24)) as stage:
        await stage.ask("hello", "ok")
        for number in range(3):
            stage.chat.say(f"{number} " + "some words about something that happened " * 3)
        lowest = await shown(stage, "2 some")
        first = await shown(stage, "0 some")
        panel = stage.chat.conversation.region
        assert first.region.y > panel.y  # the frame with its title stays
        assert lowest.region.bottom <= stage.chat.composer.region.y
        assert all(toast.region.width <= 50 for toast in stage.app.screen.query(Toast))
        await stage.ask("more", "ok")
        await stage.press("ctrl+n")
        stage.chat.say("a frame below the tabs")
        toast = await shown(stage, "below the tabs")
        assert toast.region.y > stage.chat.conversation.region.y


async def test_what_answered_a_key_does_not_cover_another_screen(play: Play) -> None:
    async with play() as stage:
        stage.chat.say("the other chatglass has let it go")
        await stage.press("shift+tab")
        await shown(stage, "Mode ask")
        await stage.press("f1")
        await stage.until(lambda: stage.app.screen is not stage.chat)
        assert stage.toasts == ["the other chatglass has let it go"]
        await stage.press("escape")
        assert len(stage.chat.query(ToastHolder)) == 1


async def test_a_click_takes_a_toast_away(play: Play) -> None:
    async with play() as stage:
        stage.chat.say("something")
        toast = await shown(stage, "something")
        await stage.pilot.click(toast)
        await stage.until(lambda: not stage.toasts)
        assert not stage.app.screen.query(ToastHolder)


def _once() -> object:
    from chatglass.chat.ports import Decision

    return Decision(verdict="allow", decided_by="user")
