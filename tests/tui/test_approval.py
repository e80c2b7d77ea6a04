"""Questions about tool calls, where nobody may approve by accident."""

from __future__ import annotations

from pathlib import Path

import pytest

from chatglass.config.options import Options
from chatglass.models.demo import Reply
from chatglass.tui.actions.footer import FooterLine
from tui.conftest import Play
from tui.stage import Stage, tools

ECHO = ("run_command", '{"command": "echo hi"}')
OTHER = ("run_command", '{"command": "echo other"}')


async def asked(stage: Stage) -> None:
    await stage.until(lambda: stage.chat.approval.display, "a question")


async def heard(stage: Stage) -> None:
    """Until keys count."""
    await stage.until(lambda: not stage.chat.approval.is_deaf)


async def test_keys_count_only_after_a_moment(play: Play) -> None:
    async with play() as stage:
        now = [100.0]
        stage.chat.approval.deafness.clock = lambda: now[0]
        stage.server.script(tools(ECHO), "done")
        await stage.send("echo")
        await asked(stage)
        assert stage.chat.approval.has_focus
        await stage.sees("asks you")
        now[0] += 0.29
        await stage.press("1")
        assert stage.session.asking
        now[0] += 0.02
        await stage.press("1")
        await stage.idle()
        assert stage.answers[0].cards[0].state == "ok"
        assert stage.chat.composer.area.has_focus


async def test_a_question_takes_no_focus_from_who_types(play: Play) -> None:
    async with play() as stage:
        stage.server.script(Reply(calls=tools(ECHO).calls, gates={-1: "go"}), "done")
        await stage.send("echo")
        await stage.type("typing 1")
        stage.server.gate("go").set()
        await asked(stage)
        await heard(stage)
        assert stage.chat.composer.area.has_focus
        await stage.type("1")
        assert stage.draft == "typing 11"
        assert stage.session.asking
        await stage.press("f4", "4")
        await stage.idle()
        assert stage.answers[0].cards[0].state == "denied"


async def test_a_question_behind_a_dialog_is_deaf_again_when_it_closes(play: Play) -> None:
    async with play() as stage:
        now = [100.0]
        stage.chat.approval.deafness.clock = lambda: now[0]
        stage.server.script(Reply(calls=tools(ECHO).calls, gates={-1: "go"}), "done")
        await stage.send("echo")
        await stage.until(lambda: stage.session.working)
        await stage.press("ctrl+s")
        stage.server.gate("go").set()
        await stage.until(lambda: stage.session.asking)
        now[0] += 60
        await stage.press("escape")
        await stage.press("1")
        assert stage.session.asking
        now[0] += 1
        await stage.press("1")
        await stage.idle()


async def test_several_questions_come_one_after_the_other(play: Play) -> None:
    async with play() as stage:
        now = [100.0]
        stage.chat.approval.deafness.clock = lambda: now[0]
        stage.server.script(tools(ECHO, OTHER), "done")
        await stage.send("both")
        await stage.until(lambda: len(stage.chat.approval.waiting) == 2)
        await stage.sees("1 of 2")
        # Calls are judged side by side: either may be asked about first.
        first, second = (call.tool_call_id for call in stage.chat.approval.waiting)
        now[0] += 1
        await stage.press("1", "1")
        assert len(stage.session.approval.waiting) == 1, "the second key was for nothing"
        now[0] += 1
        await stage.press("5")
        await stage.type("not that")
        await stage.press("enter")
        await stage.idle()
        calls = stage.session.view.calls
        assert (calls[first].state, calls[second].state) == ("ok", "denied")
        assert calls[second].reason == "not that"
        assert "not that" in stage.server.requests[-1].body.decode()


async def test_this_session_covers_exactly_this_call(play: Play) -> None:
    async with play() as stage:
        now = [100.0]
        stage.chat.approval.deafness.clock = lambda: now[0]
        stage.server.script(tools(ECHO), "done")
        await stage.send("one")
        await asked(stage)
        now[0] += 1
        await stage.press("2")
        await stage.idle()
        await stage.ask("again", tools(ECHO), "done again")
        assert stage.answers[-2].cards[0].state == "ok"
        calls = list(stage.session.view.calls.values())
        assert calls[-1].decided_by == "session grant"
        stage.server.script(tools(OTHER), "done")
        await stage.send("other")
        await asked(stage)
        await stage.press("escape")
        await stage.idle()


async def test_always_holds_in_this_folder_and_says_so(play: Play, folder: Path) -> None:
    async with play() as stage:
        now = [100.0]
        stage.chat.approval.deafness.clock = lambda: now[0]
        stage.server.script(tools(ECHO), "done")
        await stage.send("one")
        await asked(stage)
        now[0] += 1
        await stage.press("3")
        await stage.sees("› run_command(echo hi)")
        await stage.sees(" sessions ")
        assert not (folder / "config.toml").exists()
        now[0] += 1
        await stage.press("enter")
        await stage.idle()
        await stage.sees("by you")
        await stage.ask("again", tools(ECHO), "done again")
        await stage.sees("by rule")
        calls = list(stage.session.view.calls.values())
        assert [call.decided_by for call in calls] == [
            "user, who saved the rule run_command(echo hi)",
            "rule run_command(echo hi)",
        ]
    assert not (folder / "project" / "config.toml").exists()
    async with play() as stage:
        await stage.ask("after a restart", tools(ECHO), "done")
        assert stage.answers[0].cards[0].state == "ok"
        await stage.command("/rules")
        await stage.sees("In this folder")
        await stage.sees("run_command(echo hi)")
        await stage.press("enter")
        await stage.sees("Delete this rule?")
        await stage.press("y")
        await stage.told("Deleted: run_command(echo hi)")
        stage.server.script(tools(ECHO), "done")
        await stage.send("and now")
        await asked(stage)
        await stage.press("escape")
        await stage.idle()


async def test_another_folder_is_not_covered(
    play: Play, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = f'[approval.roots."{folder / "project"}"]\nallow = ["run_command(echo hi)"]\n'
    (folder / "config.toml").write_text(rules)
    (folder / "other").mkdir()
    monkeypatch.chdir(folder / "other")
    async with play() as stage:
        stage.server.script(tools(ECHO), "done")
        await stage.send("one")
        await asked(stage)
        await stage.press("escape")
        await stage.idle()


async def test_modes_by_key_and_by_name(play: Play) -> None:
    async with play(size=(80, 24)) as stage:
        await stage.sees("mode default")
        await stage.press("shift+tab")
        await stage.sees("mode ask: every call asks")
        stage.server.script(tools(("calculate", '{"expression": "1+1"}')), "two")
        await stage.send("sum")
        await asked(stage)
        await stage.sees("mode ask")
        await heard(stage)
        await stage.press("1")
        await stage.idle()
        await stage.press("shift+tab")
        await stage.sees("MODE ALL: tools run unasked")
        assert stage.chat.has_class("-all-allowed")
        await stage.ask("echo", tools(ECHO), "done")
        assert stage.answers[-2].cards[0].state == "ok"
        assert [*stage.session.view.calls.values()][-1].decided_by == "mode all"
        await stage.command("/mode defualt")
        await stage.told("Did you mean default?")
        await stage.command("/mode default")
        await stage.sees("mode default")
        assert not stage.chat.has_class("-all-allowed")
        await stage.press("ctrl+n")
        await stage.until(lambda: stage.session.is_new)
        assert stage.session.approval.policy.mode == "default"


async def test_the_command_line_may_begin_with_all(play: Play) -> None:
    async with play(Options(model="demo-fast", yolo=True)) as stage:
        await stage.sees("MODE ALL: tools run unasked")
        stage.server.script(
            tools(("write_file", '{"path": ".git/config", "content": "x"}')), "done"
        )
        await stage.send("write")
        await asked(stage)
        await stage.sees("writing here always asks")
        await stage.press("escape")
        await stage.idle()


async def test_arguments_are_edited_before_they_run(play: Play, folder: Path) -> None:
    async with play() as stage:
        now = [100.0]
        stage.chat.approval.deafness.clock = lambda: now[0]
        stage.server.script(tools(("write_file", '{"path": "a", "content": "one"}')), "done")
        await stage.send("write")
        await asked(stage)
        now[0] += 1
        await stage.press("e")
        await stage.type(" two")
        await stage.press("ctrl+s")
        await stage.idle()
        assert stage.chat.composer.area.has_focus, "the next prompt is typed at once"
        assert (folder / "project" / "a").read_text() == "one two"
        [row] = stage.session.view.calls.values()
        stored = await stage.session.engine.context.store.tool_calls(stage.session.id)
        assert stored[0].edited_arguments == '{"path": "a", "content": "one two"}'
        assert row.decided_by == "user"


async def test_an_edit_to_what_always_asks_asks_again(play: Play, folder: Path) -> None:
    async with play() as stage:
        now = [100.0]
        stage.chat.approval.deafness.clock = lambda: now[0]
        stage.server.script(tools(("write_file", '{"path": "a", "content": "one"}')), "done")
        await stage.send("write")
        await asked(stage)
        now[0] += 1
        await stage.press("e", "ctrl+t")
        stage.chat.approval._editor.load_text('{"path": ".mcp.json", "content": "x"}')
        await stage.press("ctrl+s")
        await stage.sees("You edited the arguments")
        await stage.sees("always asks")
        await stage.press("1")
        assert stage.session.asking, "the key came too soon"
        now[0] += 1
        await stage.press("4")
        await stage.idle()
        assert not (folder / "project" / ".mcp.json").exists()


async def test_a_loop_pauses_the_turn(play: Play) -> None:
    again = tools(("calculate", '{"expression": "1+1"}'))
    async with play(size=(80, 24)) as stage:
        stage.server.script(again, again, again, "done")
        await stage.send("sum")
        await asked(stage)
        await stage.sees("the turn pauses")
        await stage.sees("go on, 3 more calls")
        await heard(stage)
        await stage.press("1")
        await stage.idle()
        assert [card.state for answer in stage.answers for card in answer.cards] == ["ok"] * 3


async def test_what_is_told_at_the_most_requests_is_a_message(play: Play, folder: Path) -> None:
    (folder / "config.toml").write_text("[turn]\nmax_requests = 1\n")
    async with play(size=(80, 24)) as stage:
        stage.server.script(tools(("calculate", '{"expression": "1+1"}')), "fine, done")
        await stage.send("sum")
        await asked(stage)
        await stage.sees("This turn made 1 request,")
        await heard(stage)
        await stage.press("5")
        await stage.type("come to an end")
        await stage.press("enter")
        await stage.idle()
        assert [prompt.text for prompt in stage.prompts] == ["sum", "come to an end"]
        assert stage.answers[-1].text == "fine, done"
        before = [type(item).__name__ for item in stage.chat.transcript.items]
        await stage.chat.reload(stage.session)
        assert [type(item).__name__ for item in stage.chat.transcript.items] == before


async def test_a_question_of_a_session_behind_waits_for_it(play: Play) -> None:
    async with play() as stage:
        await stage.ask("first", "ok")
        first = stage.session
        stage.server.script(Reply(calls=tools(ECHO).calls, gates={-1: "go"}), "done")
        await stage.send("echo")
        await stage.until(lambda: first.working)
        await stage.press("ctrl+n")
        await stage.until(lambda: stage.session is not first)
        stage.server.gate("go").set()
        await stage.told("asks about a tool call")
        assert not stage.chat.approval.display
        await stage.app.open_session(first.engine.context.session)
        await asked(stage)
        await heard(stage)
        stage.chat.approval.focus()
        await stage.press("1")
        await stage.idle()
        assert stage.answers[-1].text == "done"


async def test_the_inspector_shows_both_calls_of_an_answer(play: Play, folder: Path) -> None:
    (folder / "project" / "notes.txt").write_text("one\ntwo\n", encoding="utf-8")
    for size in ((120, 40), (80, 24)):
        async with play(size=size) as stage:
            await stage.ask(
                "look",
                tools(
                    ("calculate", '{"expression": "6*7"}'), ("read_file", '{"path": "notes.txt"}')
                ),
                "seen",
            )
            stage.chat.transcript.focus()
            for state, seen in (("calculate", '"6*7"'), ("read_file", "notes.txt")):
                card = next(card for card in stage.answers[0].cards if card.name == state)
                await stage.app.action_do("view.inspector", card.tool_call_id)
                await stage.pilot.pause()
                await stage.sees(seen)
                await stage.press("2")
                await stage.sees("42" if state == "calculate" else "two")
                await stage.press("1")
                if stage.app.screen is not stage.chat:
                    await stage.press("escape")


async def test_the_full_inspector_lives_and_leads_back(play: Play) -> None:
    async with play(size=(100, 30)) as stage:
        stage.server.script(
            tools(("calculate", '{"expression": "1+1"}')),
            Reply(calls=tools(("calculate", '{"expression": "2+2"}')).calls, gates={-1: "go"}),
            "four",
        )
        await stage.send("sums")
        await stage.until(lambda: stage.answers and stage.answers[0].cards)
        await stage.press("ctrl+o")
        await stage.until(lambda: stage.app.screen is stage.chat.full_inspector)
        inspector = stage.chat.full_inspector.inspector
        assert len(inspector.calls) == 1
        stage.server.gate("go").set()
        await stage.until(lambda: len(inspector.calls) == 2 and inspector.calls[1].state == "ok")
        inspector.open_call(inspector.calls[0].id)
        await stage.press("y")
        await stage.told("arguments of calculate")
        assert stage.app.clipboard == '{"expression": "1+1"}'
        await stage.press("m")
        await stage.until(lambda: stage.app.screen is stage.chat)
        assert stage.chat.transcript.has_focus
        await stage.idle()


async def test_the_footer_says_what_a_key_does_where_the_focus_is(play: Play) -> None:
    async with play() as stage:
        stage.server.script(tools(("run_command", '{"command": "echo hi"}')), "it said hi")
        await stage.send("echo")
        await stage.until(lambda: stage.chat.approval.has_focus, "the question")
        await heard(stage)
        footer = stage.chat.query_one(FooterLine)

        def line() -> str:
            return footer.render_line(0).text

        assert "^S Sessions" in line()
        assert "Esc Stop" in line()
        await stage.press("e")
        await stage.until(lambda: "^S Run it so" in line(), "what ^S does in the editor")
        assert "Sessions" not in line()
        assert "Esc Back" in line()
        await stage.press("escape")
        await stage.until(lambda: "^S Sessions" in line())
        await heard(stage)
        await stage.press("e")
        await stage.until(lambda: "^S Run it so" in line())
        await stage.pilot.click(footer, offset=(line().index("Run it so"), 0))
        await stage.idle()
        assert stage.answers[-1].text == "it said hi"
