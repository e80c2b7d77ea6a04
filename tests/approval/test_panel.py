"""The approval panel: what it shows, what answers it, what does not."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual import on
from textual.app import App, ComposeResult
from textual.widgets import Input, Static

from chatglass.chat.ports import Decision, EndTurn, GoOn, Pause, PendingCall, TellModel
from chatglass.tools.rules.rule import parse_rule
from chatglass.tools.rules.suggestions import Suggestion
from chatglass.tools.tool import Assessment, ToolSpec
from chatglass.tui.approval.panel import ApprovalPanel
from chatglass.tui.approval.question import Line, fitted, grant_words, question_lines
from chatglass.tui.dialogs.deafness import DEAF_SECONDS


def call(
    call_id: str = "c1",
    name: str = "run_command",
    arguments: dict[str, Any] | None = None,
    details: dict[str, str] | None = None,
    server: str = "",
    always_ask: bool = False,
) -> PendingCall:
    return PendingCall(
        session_id="s",
        turn_id="t",
        tool_call_id=call_id,
        spec=ToolSpec(name=name, description="", parameters={}, server=server),
        arguments={"command": "pytest -k parse"} if arguments is None else arguments,
        assessment=Assessment(
            verdict="ask",
            why="Running a command asks.",
            rule="default",
            details=details or {},
            always_ask=always_ask,
        ),
        root="/work",
    )


class Words:
    """Two rules for a command, none for anything else; `bad` in an argument doesn't fit."""

    def suggestions(self, call: PendingCall) -> list[Suggestion]:
        if call.spec.name != "run_command":
            return []
        return [
            Suggestion(parse_rule("run_command(pytest -k parse)"), "exactly this command"),
            Suggestion(parse_rule("run_command(pytest [-k] *)"), "with or without"),
        ]

    def why_none(self, call: PendingCall) -> str:
        return "no rule can cover it"

    def place(self, call: PendingCall) -> str:
        return "In config.toml, for sessions in /work"

    def objection(self, call: PendingCall, arguments: dict[str, Any]) -> str:
        return "bad: there is no such argument" if "bad" in arguments else ""


class Host(App[None]):
    CSS = "#transcript { height: 1fr; } ApprovalPanel { border: round yellow; }"
    BINDINGS = [("escape", "stop", "Stop")]

    def __init__(self) -> None:
        super().__init__()
        self.now = 100.0
        self.decided: list[tuple[str, str, bool, str]] = []
        self.answers: list[ApprovalPanel.Answered] = []
        self.stopped = 0

    def compose(self) -> ComposeResult:
        yield Static("transcript", id="transcript")
        yield ApprovalPanel(Words(), clock=lambda: self.now)
        yield Input(id="composer")

    def on_mount(self) -> None:
        self.query_one("#composer").focus()

    @property
    def panel(self) -> ApprovalPanel:
        return self.query_one(ApprovalPanel)

    def action_stop(self) -> None:
        self.stopped += 1

    @on(ApprovalPanel.Answered)
    def hear(self, message: ApprovalPanel.Answered) -> None:
        self.answers.append(message)
        decision = message.answer
        if isinstance(decision, Decision):
            assert decision.decided_by.startswith("user")
            self.decided.append(
                (message.question.tool_call_id, decision.verdict, message.grant, decision.reason)
            )

    def later(self) -> None:
        self.now += DEAF_SECONDS + 0.01

    def rows(self) -> str:
        return "\n".join(
            "".join(segment.text for segment in strip)
            for strip in self.screen._compositor.render_strips()
        )


async def test_each_key_answers_the_one_that_is_shown() -> None:
    app = Host()
    async with app.run_test(size=(80, 24)) as pilot:
        for number in range(3):
            app.panel.ask(call(f"c{number}"))
        for key in "124":
            app.later()
            await pilot.press(key)
        assert app.decided == [
            ("c0", "allow", False, ""),
            ("c1", "allow", True, ""),
            ("c2", "deny", False, ""),
        ]
        assert not app.panel.display
        assert app.focused is app.query_one("#composer")


async def test_keys_are_deaf_at_first_and_after_every_change_of_question() -> None:
    app = Host()
    async with app.run_test() as pilot:
        app.panel.ask(call("a"))
        app.panel.ask(call("b"))
        app.now += DEAF_SECONDS - 0.01
        await pilot.press("1", "2", "3", "4", "D")
        assert app.decided == []
        app.later()
        await pilot.press("1", "1", "1")
        assert [each[0] for each in app.decided] == ["a"]
        app.later()
        await pilot.press("1")
        assert [each[0] for each in app.decided] == ["a", "b"]


async def test_other_keys_and_escape_never_answer() -> None:
    app = Host()
    async with app.run_test() as pilot:
        app.panel.ask(call())
        app.later()
        await pilot.press("escape", "enter", "y", "a", "space", "6", "d")
        assert app.decided == []
        assert "answer nothing here: 1 says yes to this one, 4 says no" in " ".join(
            app.rows().split()
        )
        assert app.stopped == 1
        assert app.panel.display


async def test_denying_all_is_the_only_answer_to_all() -> None:
    app = Host()
    async with app.run_test(size=(80, 24)) as pilot:
        for number in range(3):
            app.panel.ask(call(f"c{number}"))
        await pilot.pause()
        assert "1 of 3" in app.rows()
        assert "deny all 3" in app.rows()
        app.later()
        await pilot.press("1")
        await pilot.pause()
        assert "2 of 3" in app.rows()
        app.later()
        await pilot.press("D")
        assert [(each[0], each[1]) for each in app.decided] == [
            ("c0", "allow"),
            ("c1", "deny"),
            ("c2", "deny"),
        ]


async def test_a_denial_may_say_why() -> None:
    app = Host()
    async with app.run_test(size=(80, 24)) as pilot:
        app.panel.ask(call())
        app.later()
        await pilot.press("5", *"use 1 tool", "escape")
        assert app.decided == []
        assert app.stopped == 0
        app.later()
        await pilot.press("5", *"no 2", "enter")
        assert app.decided == [("c1", "deny", False, "no 2")]


async def test_a_question_taken_back_decides_nothing() -> None:
    app = Host()
    async with app.run_test() as pilot:
        first, second = call("a"), call("b")
        app.panel.ask(first)
        app.panel.ask(second)
        app.panel.ask(second)
        app.later()
        app.panel.withdraw(first)
        await pilot.press("1")
        assert app.decided == []
        assert [each.tool_call_id for each in app.panel.waiting] == ["b"]
        app.panel.withdraw_all()
        await pilot.pause()
        assert not app.panel.display
        assert app.decided == []
        assert app.focused is app.query_one("#composer")


async def test_it_does_not_take_the_focus_from_someone_who_types() -> None:
    app = Host()
    async with app.run_test() as pilot:
        app.panel.ask(call(), take_focus=False)
        app.later()
        await pilot.press("1")
        assert app.decided == []
        assert app.query_one("#composer", Input).value == "1"


async def test_it_shows_everything_as_data_and_never_over_the_transcript() -> None:
    app = Host()
    async with app.run_test(size=(80, 24)) as pilot:
        app.panel.ask(
            call(
                arguments={"command": "echo [red]\x1b[2J", "options": {"a": [1]}},
                details={"resolved path": "/etc/[b]passwd"},
                server="files [x]",
            )
        )
        await pilot.pause()
        rows = app.rows()
        assert "[red]␛[2J" in rows
        assert "/etc/[b]passwd" in rows
        assert "files [x]" in rows
        assert "\x1b" not in rows
        assert "transcript" in rows
        assert app.query_one("#transcript").region.bottom <= app.panel.region.y


async def test_long_arguments_scroll_and_say_how_much_is_hidden() -> None:
    app = Host()
    async with app.run_test(size=(80, 24)) as pilot:
        app.panel.ask(call(arguments={"content": "\n".join(f"line {n}" for n in range(100))}))
        await pilot.pause()
        await pilot.pause()
        assert "lines 1–" in app.rows()
        assert app.query_one("#transcript").region.height >= 5
        assert "deny, why…" in app.rows()
        await pilot.press(*["pagedown"] * 40)
        await pilot.pause()
        assert "line 99" in app.rows()
        assert "–103 of 103" in app.rows()


async def click(pilot: Any, panel: ApprovalPanel, label: str) -> None:
    """Click on the answer with that label."""
    answers = panel._answers
    for y, row in enumerate(answers.rows(answers.size.width)):
        x = 0
        for answer in row:
            if label in answer.label:
                await pilot.click(answers, offset=(x + 2, y))
                return
            x += answer.cells + 2
    raise AssertionError(f"no answer {label}")


async def test_a_click_answers_too() -> None:
    app = Host()
    async with app.run_test(size=(80, 24)) as pilot:
        app.panel.ask(call())
        await pilot.pause()
        await click(pilot, app.panel, "once")
        assert app.decided == []
        app.later()
        await click(pilot, app.panel, "deny")
        assert app.decided == [("c1", "deny", False, "")]


def test_the_grant_says_what_it_covers() -> None:
    assert "the same command, word for word" in grant_words(call())
    assert "same arguments" in grant_words(call(name="own__x", server="own"))
    page = call(name="fetch_url", details={"origin": "https://example.org"})
    assert "every page of https://example.org" in grant_words(page)


def test_nothing_of_an_argument_is_cut() -> None:
    text = "x" * 500 + "END\tä" + "界" * 50
    lines = question_lines(call(arguments={"text": text}), 40)
    shown = "".join(line.text for line in lines)
    assert text.expandtabs(4)[-30:] in shown
    assert "END" in shown
    from rich.cells import cell_len

    assert all(cell_len(line.text) + line.indent <= 40 for line in lines)


def test_a_diff_is_coloured() -> None:
    lines = question_lines(call(details={"diff": "@@ -1 +1 @@\n-old\n+new\n same"}), 60)
    tones = {line.text: line.tone for line in lines}
    assert (tones["@@ -1 +1 @@"], tones["-old"], tones["+new"], tones[" same"]) == (
        "hunk",
        "removed",
        "added",
        "",
    )


async def test_the_focus_goes_on_when_the_panel_was_reached_by_tab() -> None:
    app = Host()
    async with app.run_test() as pilot:
        app.panel.ask(call(), take_focus=False)
        app.later()
        await pilot.press("shift+tab")
        assert app.focused is app.panel
        await pilot.press("4")
        await pilot.pause()
        assert app.decided == [("c1", "deny", False, "")]
        assert app.focused is app.query_one("#composer")


# -- always


async def test_always_shows_the_rule_before_it_is_saved() -> None:
    app = Host()
    async with app.run_test(size=(80, 24)) as pilot:
        app.panel.ask(call())
        app.later()
        await pilot.press("3")
        await pilot.pause()
        assert app.decided == []
        rows = app.rows()
        assert "› run_command(pytest -k parse)" in rows
        assert "run_command(pytest [-k] *)" in rows
        assert "In config.toml, for sessions in /work" in rows
        await pilot.press("3", "enter", "1")
        assert app.decided == [], "the keys came too soon"
        app.later()
        await pilot.press("1", "2", "4", "D", "e")
        assert app.decided == [], "none of them means a rule"
        await pilot.press("down", "enter")
        assert [(each[0], each[1]) for each in app.decided] == [("c1", "allow")]
        assert str(app.answers[0].rule) == "run_command(pytest [-k] *)"
        assert app.answers[0].answer.decided_by == (
            "user, who saved the rule run_command(pytest [-k] *)"
        )


async def test_escape_goes_back_from_the_rule_to_the_question() -> None:
    app = Host()
    async with app.run_test(size=(80, 24)) as pilot:
        app.panel.ask(call())
        app.later()
        await pilot.press("3", "escape")
        assert app.stopped == 0
        app.later()
        await pilot.press("enter")
        assert app.decided == []
        await pilot.press("1")
        assert app.answers[0].rule is None
        await pilot.press("escape")
        assert app.stopped == 1


async def test_a_click_chooses_among_rules() -> None:
    app = Host()
    async with app.run_test(size=(80, 24)) as pilot:
        app.panel.ask(call())
        app.later()
        await pilot.press("3")
        await pilot.pause()
        app.later()
        await pilot.click(app.panel._view, offset=(6, 3))
        await pilot.pause()
        assert "› run_command(pytest [-k] *)" in app.rows()
        await click(pilot, app.panel, "save it")
        assert str(app.answers[0].rule) == "run_command(pytest [-k] *)"


async def test_where_no_rule_can_cover_it_it_says_why() -> None:
    app = Host()
    async with app.run_test(size=(80, 24)) as pilot:
        app.panel.ask(call(name="other"))
        app.later()
        await pilot.press("3")
        await pilot.pause()
        assert "Not always: no rule can cover it." in app.rows()
        await pilot.press("1")
        assert app.decided == [("c1", "allow", False, "")]


async def test_what_always_asks_offers_neither_session_nor_always() -> None:
    app = Host()
    async with app.run_test(size=(80, 24)) as pilot:
        app.panel.ask(call(always_ask=True))
        app.later()
        await pilot.press("2", "3")
        await pilot.pause()
        assert "2 session" not in app.rows()
        assert "always…" not in app.rows()
        assert app.decided == []


# -- editing


async def test_the_command_is_edited_as_it_is() -> None:
    app = Host()
    async with app.run_test(size=(80, 24)) as pilot:
        app.panel.ask(call(arguments={"command": "pytest", "timeout_s": 5}))
        app.later()
        await pilot.press("e", *" -x 1")
        assert app.decided == []
        await pilot.press("ctrl+s")
        [answer] = app.answers
        assert answer.answer.verdict == "edited"
        assert answer.answer.arguments == {"command": "pytest -x 1", "timeout_s": 5}


async def test_all_arguments_are_edited_as_json_and_must_fit() -> None:
    app = Host()
    async with app.run_test(size=(80, 24)) as pilot:
        app.panel.ask(call(arguments={"command": "pytest", "timeout_s": 5}))
        app.later()
        await pilot.press("e", "x", "ctrl+t")
        editor = app.panel._editor
        assert '"command": "pytestx"' in editor.text
        for text, problem in (("{", "This is not JSON"), ("[1]", "object"), ('{"bad": 1}', "bad:")):
            editor.load_text(text)
            await pilot.press("ctrl+s")
            await pilot.pause()
            assert problem in app.rows()
            assert app.answers == []
        editor.load_text('{"command": "ls"}')
        await pilot.press("ctrl+s")
        assert app.answers[0].answer.arguments == {"command": "ls"}


async def test_control_characters_are_edited_as_escapes() -> None:
    app = Host()
    async with app.run_test(size=(80, 24)) as pilot:
        app.panel.ask(call(arguments={"command": "echo \x1b[2J"}))
        app.later()
        await pilot.press("e")
        await pilot.pause()
        assert app.panel._editor.text == '{\n  "command": "echo \\u001b[2J"\n}'
        await pilot.press("escape")
        app.later()
        await pilot.press("e", "ctrl+s")
        assert app.answers[0].answer.verdict == "allow", "nothing was changed"


# -- pauses


def pause(kind: Any = "loop") -> Pause:
    return Pause(
        session_id="s", turn_id="t", kind=kind, count=3, more=3, tool_call_id="p", name="calculate",
        arguments={"expression": "1+1"},
    )  # fmt: skip


async def test_a_pause_is_answered_by_going_on_ending_or_telling() -> None:
    app = Host()
    async with app.run_test(size=(80, 24)) as pilot:
        for keys, expected in (
            (["1"], GoOn()),
            (["4"], EndTurn()),
            (["5", *"try 2", "enter"], TellModel("try 2")),
        ):
            app.panel.ask(pause())
            await pilot.pause()
            assert "the turn pauses" in app.rows()
            assert "calculate was called with the same arguments 3 times" in app.rows()
            assert "go on, 3 more calls" in app.rows()
            await pilot.press(*keys[:1])
            assert not app.answers
            app.later()
            await pilot.press("2", "3", "e", *keys)
            assert [each.answer for each in app.answers] == [expected]
            app.answers.clear()


async def test_a_diff_is_shown_once_and_the_arguments_on_demand() -> None:
    app = Host()
    diff = "--- now\n+++ after\n@@ -0,0 +1 @@\n+hello there\n"
    async with app.run_test(size=(80, 24)) as pilot:
        app.panel.ask(
            call(
                name="write_file",
                arguments={"path": "a.txt", "content": "hello there\n"},
                details={"path": "/work/a.txt", "exists": "no", "diff": diff},
            )
        )
        await pilot.pause()
        assert app.rows().count("hello there") == 1
        assert app.rows().count("a.txt") == 1
        app.later()
        await pilot.press("a")
        await pilot.pause()
        assert '"content": "hello there\\n"' in app.rows()
        assert app.decided == []


async def test_most_of_a_small_screen_is_the_question() -> None:
    app = Host()
    async with app.run_test(size=(80, 24)) as pilot:
        app.panel.ask(call(details={"diff": "\n".join(f"+line {n}" for n in range(100))}))
        await pilot.pause()
        await pilot.pause()
        assert sum("+line" in row for row in app.rows().split("\n")) >= 7
        assert "↑↓ PgUp PgDn" in app.rows()
        assert len(app.panel._answers.rows(app.panel.size.width)) == 1


def test_sentences_are_cut_between_words_and_code_is_not() -> None:
    text = "the server says: only reads, stays inside"
    assert [line.text for line in fitted([Line(text, "label")], 20)] == [
        "the server says: ",
        "only reads, stays ",
        "inside",
    ]
    assert [line.text for line in fitted([Line(text)], 20)] == [text[:20], text[20:40], text[40:]]


@given(st.text("ab 字 \u0301", max_size=60), st.integers(4, 20))
def test_no_letter_of_a_sentence_is_lost_or_beyond_the_edge(text: str, width: int) -> None:
    lines = [line.text for line in fitted([Line(text, "why")], width)]
    assert max(map(cell_len, lines), default=0) <= width
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
