"""Turns as a user sees them: streaming, tools, stopping, queueing, errors, branches."""

from __future__ import annotations

import json
from pathlib import Path

from chatglass.models.demo import Call, Reply
from chatglass.models.demo import script as scripts
from chatglass.tui.transcript.items import AnswerItem, PromptItem
from tui.conftest import Play
from tui.stage import tools

TWO_TOOLS = tools(("calculate", '{"expression": "6*7"}'), ("current_time", "{}"))


async def test_an_answer_streams_into_the_transcript(play: Play) -> None:
    async with play() as stage:
        stage.server.script(Reply(text="one two three", gates={3: "more"}))
        await stage.send("count")
        await stage.sees("one two")
        assert "three" not in stage.screen_text
        assert stage.answers[0].status == "streaming"
        await stage.sees("working")
        stage.server.gate("more").set()
        await stage.idle()
        await stage.sees("one two three")
        await stage.sees("count")
        assert stage.answers[0].status == "complete"
        assert stage.answers[0].footer.startswith("demo-fast · ")


async def test_reasoning_is_shown_while_it_comes_and_then_folded(play: Play) -> None:
    async with play() as stage:
        stage.server.script(Reply(reasoning="let me see", text="done", gates={3: "text"}))
        await stage.send("think")
        await stage.sees("thinking")
        stage.server.gate("text").set()
        await stage.idle()
        await stage.sees("▸ thought for 1 s")
        assert "let me see" not in stage.screen_text
        stage.chat.transcript.focus()
        await stage.press("up")
        for _ in range(6):
            selected = stage.chat.transcript.selected
            if selected is not None and selected.kind == "reasoning":
                break
            await stage.press("up")
        await stage.press("enter")
        await stage.sees("let me see")


async def test_two_calls_of_one_answer_have_cards_with_states(play: Play) -> None:
    async with play() as stage:
        await stage.ask("six times seven, and the time", TWO_TOOLS, "It is 42.")
        first, last = stage.answers
        assert [(card.name, card.state) for card in first.cards] == [
            ("calculate", "ok"),
            ("current_time", "ok"),
        ]
        assert last.continues
        assert last.text == "It is 42."
        await stage.sees("✓ calculate")
        assert [call.name for call in stage.chat.inspector.calls] == ["calculate", "current_time"]


async def test_esc_stops_in_every_phase(play: Play) -> None:
    async with play() as stage:
        # Connecting.
        stage.server.script(Reply(text="late", gates={-1: "never"}))
        await stage.send("one")
        await stage.server.wait_received(1)
        await stage.press("escape")
        await stage.idle()
        assert stage.answers[-1].status == "interrupted"
        # Streaming: what came stays.
        stage.server.script(Reply(text="kept and lost", gates={2: "never"}))
        await stage.send("two")
        await stage.sees("kept")
        await stage.press("escape")
        await stage.idle()
        assert stage.answers[-1].text == "kept"
        await stage.sees("⊘ interrupted")
        # Asking.
        stage.server.script(tools(("run_command", '{"command": "echo hi"}')), "unsent")
        await stage.send("three")
        await stage.until(lambda: stage.chat.approval.display)
        await stage.press("escape")
        await stage.idle()
        assert stage.answers[-1].cards[0].state == "cancelled"
        assert not stage.chat.approval.display
        assert stage.server.scripted == 1, "no further request is made"


async def test_esc_ends_a_running_command(play: Play) -> None:
    async with play() as stage:
        await stage.command("/inspector")
        await stage.press("escape")
        stage.server.script(tools(("run_command", '{"command": "sleep 100"}')), "unsent")
        await stage.send("sleep")
        await stage.until(lambda: stage.chat.approval.display)
        await stage.until(lambda: not stage.chat.approval.is_deaf)
        await stage.press("1")
        await stage.until(lambda: stage.answers[0].cards[0].state == "running")
        await stage.press("escape")
        await stage.idle()
        assert stage.answers[0].cards[0].state == "cancelled"


async def test_prompts_sent_meanwhile_are_queued_and_answered_in_order(play: Play) -> None:
    async with play() as stage:
        stage.server.script(Reply(text="first", gates={-1: "go"}), "second", "third")
        await stage.send("a")
        await stage.until(lambda: stage.session.working)
        await stage.send("b")
        await stage.send("c")
        await stage.sees("queued")
        assert [prompt.state for prompt in stage.prompts] == ["sent", "queued", "queued"]
        await stage.sees("2 queued")
        stage.server.gate("go").set()
        await stage.until(lambda: len(stage.answers) == 3)
        await stage.idle()
        texts = [item.text for item in stage.chat.transcript.items]
        assert texts == ["a", "first", "b", "second", "c", "third"]
        assert "queued" not in stage.screen_text


async def test_what_is_queued_behind_a_stopped_turn_is_kept_and_offered(play: Play) -> None:
    async with play() as stage:
        stage.server.script(Reply(text="first", gates={-1: "never"}))
        await stage.send("a")
        await stage.until(lambda: stage.session.working)
        await stage.send("b")
        await stage.send("c")
        await stage.press("escape")
        await stage.idle()
        await stage.sees("2 queued: Enter sends")
        assert [prompt.state for prompt in stage.prompts] == ["sent", "queued", "queued"]
        await stage.command("/unqueue")
        assert stage.draft == "c"
        stage.chat.composer.clear()
        stage.server.script("answer to b")
        await stage.press("enter")
        await stage.idle()
        assert stage.answers[-1].text == "answer to b"
        assert [prompt.text for prompt in stage.prompts] == ["a", "b"]


async def test_prompts_queued_during_a_retry_are_answered(play: Play) -> None:
    async with play() as stage:
        await stage.ask("a", "one")
        stage.server.script(Reply(text="two", gates={-1: "go"}), "three")
        await stage.press("ctrl+r")
        await stage.until(lambda: stage.session.working)
        await stage.send("b")
        stage.server.gate("go").set()
        await stage.until(lambda: stage.answers[-1].text == "three")


async def test_a_failed_request_says_cause_and_advice_and_the_session_goes_on(play: Play) -> None:
    async with play() as stage:
        await stage.ask("hello", scripts.unauthorized())
        answer = stage.answers[-1]
        assert answer.status == "error"
        assert "401" in answer.error or "key" in answer.error
        assert answer.advice
        await stage.sees("✗")
        await stage.ask("again", "fine")
        await stage.sees("fine")


async def test_an_advice_names_the_keys_in_force(play: Play, folder: Path) -> None:
    (folder / "config.toml").write_text('[keys]\n"answer.retry" = "f9"\n', encoding="utf-8")
    async with play() as stage:
        await stage.ask("hello", Reply(text="half an answer", cut_before=3))
        assert "Retry (F9), or send another prompt" in stage.answers[-1].advice
        await stage.ask("hello", scripts.context_overflow())
        await stage.sees("Compact (/compact) or clear (/clear)")
        stage.server.script("whole")
        await stage.press("f9")
        await stage.sees("whole")
        await stage.idle()


async def test_a_rate_limit_counts_down_on_screen(play: Play) -> None:
    async with play() as stage:
        stage.server.script(scripts.rate_limited("2"), "at last")
        await stage.send("hello")
        await stage.sees("429 rate limited · attempt 2 in")
        assert stage.chat.countdown.running
        assert "writing" not in stage.screen_text
        await stage.sees("at last")
        await stage.idle()
        assert not stage.chat.countdown.running


async def test_a_cut_stream_keeps_what_came(play: Play) -> None:
    async with play() as stage:
        await stage.ask("hello", Reply(text="half an answer", cut_before=3))
        assert stage.answers[-1].text.startswith("half")
        assert stage.answers[-1].status == "error"
        assert stage.answers[-1].advice


async def test_retry_makes_a_branch_and_keys_switch(play: Play) -> None:
    async with play() as stage:
        await stage.ask("question", "first answer")
        stage.server.script("second answer")
        await stage.press("ctrl+r")
        await stage.sees("second answer")
        await stage.idle()
        await stage.sees("‹2/2›")
        assert "first answer" not in stage.screen_text
        stage.chat.transcript.focus()
        await stage.press("less_than_sign")
        await stage.sees("first answer")
        await stage.sees("‹1/2›")
        await stage.press("greater_than_sign")
        await stage.sees("second answer")


async def test_another_branch_is_shown_where_the_one_before_stood(play: Play) -> None:
    async with play() as stage:
        await stage.ask("opening", "ok")
        long = "\n\n".join(f"paragraph {number}" for number in range(40))
        await stage.ask("the question", long)
        transcript = stage.chat.transcript
        transcript.focus()
        await stage.press("e")
        stage.chat.composer.insert(" anew")
        stage.server.script(long)
        await stage.press("enter")
        await stage.idle()
        second = stage.prompts[1]
        assert second.branch == (2, 2)
        transcript.focus()
        transcript.select(second.id)
        transcript.scroll_to_item(second.id, 3)
        assert transcript.row_of(second.id) == 3
        for key, text, place in (
            ("less_than_sign", "the question", (1, 2)),
            ("greater_than_sign", "the question anew", (2, 2)),
        ):
            await stage.press(key)
            await stage.until(lambda text=text: stage.prompts[1].text == text)
            shown = stage.prompts[1]
            assert shown.branch == place
            assert transcript.row_of(shown.id) == 3
            assert transcript.selected is not None  # the next key goes on from there
        await stage.press("greater_than_sign")
        await stage.told("There is no branch after this one.")
        assert transcript.row_of(stage.prompts[1].id) == 3
        # One whose start is above the screen comes back into view.
        transcript.scroll_lines(12)
        await stage.press("less_than_sign")
        await stage.until(lambda: stage.prompts[1].text == "the question")
        assert transcript.row_of(stage.prompts[1].id) == 0


async def test_r_retries_the_answer_under_the_cursor(play: Play) -> None:
    async with play() as stage:
        await stage.ask("question one", "answer one")
        await stage.ask("question two", "answer two")
        stage.server.script("answer anew")
        stage.chat.transcript.focus()
        stage.chat.transcript.select(stage.answers[0].id)
        await stage.press("r")
        await stage.sees("answer anew")
        await stage.idle()
        assert [item.text for item in stage.chat.transcript.items] == [
            "question one",
            "answer anew",
        ]


async def test_an_edit_changes_nothing_until_it_is_sent(play: Play) -> None:
    async with play() as stage:
        await stage.ask("first question", "first answer")
        stage.chat.composer.insert("unsent")
        stage.chat.transcript.focus()
        await stage.press("e")
        assert stage.draft == "first question"
        await stage.sees("editing an earlier prompt")
        assert "first answer" in stage.screen_text
        await stage.press("escape")
        assert stage.draft == "unsent"
        assert "first answer" in stage.screen_text
        stage.chat.transcript.focus()
        await stage.press("e")
        stage.chat.composer.insert(" anew")
        stage.server.script("second answer")
        await stage.press("enter")
        await stage.sees("second answer")
        await stage.idle()
        await stage.sees("‹2/2›")
        assert [item.text for item in stage.chat.transcript.items] == [
            "first question anew",
            "second answer",
        ]


async def test_a_refused_prompt_goes_back_into_the_composer(play: Play, folder) -> None:
    (folder / "config.toml").write_text(
        "[context]\ninfinite = false\ntoken_threshold = 2000\n", encoding="utf-8"
    )
    async with play() as stage:
        long = "many words " * 2000
        await stage.send(long)
        await stage.until(lambda: stage.chat.composer.text.strip() == long.strip())
        await stage.sees("the limit is")
        assert not stage.prompts
        await stage.idle()
        assert not stage.session.engine.queue


async def test_clear_goes_on_empty_and_leads_back(play: Play) -> None:
    async with play() as stage:
        await stage.ask("before", "answer before")
        await stage.command("/clear")
        assert not stage.chat.transcript.items
        await stage.ask("after", "answer after")
        await stage.sees("‹2/2›")
        stage.chat.transcript.focus()
        await stage.press("less_than_sign")
        await stage.sees("answer before")


async def test_arguments_in_pieces_are_shown_while_they_are_written(play: Play) -> None:
    async with play() as stage:
        call = Call(
            name="calculate",
            arguments=json.dumps({"expression": "1" + "+1" * 40}),
        )
        stage.server.script(Reply(calls=(call,), gates={6: "rest"}), "41")
        await stage.send("sum")
        await stage.sees("writing calculate")
        stage.server.gate("rest").set()
        await stage.idle()
        assert "writing" not in stage.screen_text
        assert isinstance(stage.chat.transcript.items[0], PromptItem)
        assert isinstance(stage.chat.transcript.items[1], AnswerItem)
