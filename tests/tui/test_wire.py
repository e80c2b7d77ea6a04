"""The wire of requests, from the transcript, the inspector and by its command."""

from __future__ import annotations

from chatglass.models.demo.script import rate_limited
from chatglass.tui.wire.screen import WireScreen
from tui.conftest import Play
from tui.stage import tools

CALL = ("calculate", '{"expression": "6*7"}')


async def test_the_wire_of_a_request_by_keys(play: Play) -> None:
    async with play() as stage:
        await stage.ask("look", tools(CALL), rate_limited("0.01"), "seen")
        await stage.ask("again", "more")
        await stage.command("/wire 2")
        screen = stage.app.screen
        assert isinstance(screen, WireScreen)
        await stage.until(lambda: screen.pane.view.is_json and screen.pane.view.ready)
        body = stage.server.requests[-2].body.decode()
        assert screen.pane.view.source == body
        assert "request 2 of 3" in str(screen.pane.border_title)
        await stage.press("2")
        await stage.sees("≈")
        await stage.sees("schemas: ")
        await stage.press("3")
        await stage.sees("Every message was sent as the transcript has it")
        await stage.press("4")
        await stage.sees("what a provider can take from its cache")
        await stage.press("5")
        await stage.until(lambda: screen.pane.view.source.endswith("data: [DONE]\n\n"))
        await stage.press("6")
        await stage.sees("chat.completion.chunk")
        await stage.press("7")
        await stage.until(lambda: "attempt 2" in screen.pane.view.source)
        assert "(kept secret)" in screen.pane.view.source
        await stage.press("right_square_bracket")
        await stage.until(lambda: "request 3 of 3" in str(screen.pane.border_title))
        await stage.press("1")
        await stage.until(
            lambda: screen.pane.view.source == stage.server.requests[-1].body.decode()
        )
        await stage.press("right_square_bracket", "left_square_bracket", "left_square_bracket")
        await stage.until(lambda: "request 1 of 3" in str(screen.pane.border_title))
        await stage.press("m")
        await stage.until(lambda: stage.app.screen is stage.chat)


async def test_the_wire_of_an_answer_and_of_a_call(play: Play) -> None:
    async with play() as stage:
        await stage.ask("one", "first")
        await stage.ask("two", tools(CALL), "second")
        rows = await stage.session.engine.context.store.requests(stage.session.id)
        stage.chat.transcript.select(rows[0].message_id)
        stage.chat.transcript.focus()
        await stage.press("W")
        await stage.until(lambda: isinstance(stage.app.screen, WireScreen))
        assert stage.app.screen.request_id == rows[0].id
        await stage.press("escape")
        (call,) = stage.session.view.calls.values()
        await stage.press("ctrl+o")
        await stage.until(lambda: stage.app.screen is stage.chat.full_inspector)
        await stage.press("W")
        await stage.until(lambda: isinstance(stage.app.screen, WireScreen))
        assert stage.app.screen.request_id == call.request_id == rows[1].id
        await stage.press("escape", "escape")
        await stage.until(lambda: stage.app.screen is stage.chat)
