"""The approval panel: what it shows, what answers it, what does not."""

from __future__ import annotations

from typing import Any

from textual import on
from textual.app import App, ComposeResult
from textual.widgets import Input, Static

from chatglass.chat.ports import Decision, PendingCall
from chatglass.tools.tool import Assessment, ToolSpec
from chatglass.tui.approval.panel import DEAF_SECONDS, ApprovalPanel
from chatglass.tui.approval.question import question_lines, session_grant


def call(
    call_id: str = "c1",
    name: str = "run_command",
    arguments: dict[str, Any] | None = None,
    details: dict[str, str] | None = None,
    server: str = "",
) -> PendingCall:
    return PendingCall(
        session_id="s",
        turn_id="t",
        tool_call_id=call_id,
        spec=ToolSpec(name=name, description="", parameters={}, server=server),
        arguments={"command": "pytest -k parse"} if arguments is None else arguments,
        assessment=Assessment(
            verdict="ask", why="Running a command asks.", rule="default", details=details or {}
        ),
        root="/work",
    )


class Host(App[None]):
    CSS = "#transcript { height: 1fr; } ApprovalPanel { border: round yellow; }"
    BINDINGS = [("escape", "stop", "Stop")]

    def __init__(self) -> None:
        super().__init__()
        self.now = 100.0
        self.decided: list[tuple[str, str, bool, str]] = []
        self.stopped = 0

    def compose(self) -> ComposeResult:
        yield Static("transcript", id="transcript")
        yield ApprovalPanel(clock=lambda: self.now)
        yield Input(id="composer")

    def on_mount(self) -> None:
        self.query_one("#composer").focus()

    @property
    def panel(self) -> ApprovalPanel:
        return self.query_one(ApprovalPanel)

    def action_stop(self) -> None:
        self.stopped += 1

    @on(ApprovalPanel.Decided)
    def hear(self, message: ApprovalPanel.Decided) -> None:
        decision = message.decision
        assert isinstance(decision, Decision)
        assert decision.decided_by == "user"
        self.decided.append(
            (message.tool_call_id, decision.verdict, message.grant, decision.reason)
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
        for key in "123":
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
        await pilot.press("escape", "enter", "y", "a", "space", "5", "d")
        assert app.decided == []
        assert app.stopped == 1
        assert app.panel.display


async def test_denying_all_is_the_only_answer_to_all() -> None:
    app = Host()
    async with app.run_test(size=(80, 24)) as pilot:
        for number in range(3):
            app.panel.ask(call(f"c{number}"))
        await pilot.pause()
        assert "1 of 3" in app.rows()
        assert "Deny all 3" in app.rows()
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
        await pilot.press("4", *"use 1 tool", "escape")
        assert app.decided == []
        assert app.stopped == 0
        await pilot.press("4", *"no 2", "enter")
        assert app.decided == [("c1", "deny", False, "no 2")]


async def test_a_question_taken_back_decides_nothing() -> None:
    app = Host()
    async with app.run_test() as pilot:
        app.panel.ask(call("a"))
        app.panel.ask(call("b"))
        app.panel.ask(call("b"))
        app.later()
        app.panel.withdraw("a")
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
        assert "more lines" in app.rows()
        assert app.query_one("#transcript").region.height >= 5
        assert "Deny and say why" in app.rows()
        await pilot.press(*["pagedown"] * 40)
        await pilot.pause()
        assert "line 99" in app.rows()
        assert "more line" not in app.rows()


async def test_a_click_answers_too() -> None:
    app = Host()
    async with app.run_test(size=(80, 24)) as pilot:
        app.panel.ask(call())
        await pilot.pause()
        choices = app.panel._choices
        await pilot.click(choices, offset=(4, 0))
        assert app.decided == []
        app.later()
        await pilot.click(choices, offset=(4, 2))
        assert app.decided == [("c1", "deny", False, "")]


async def test_the_grant_says_exactly_what_it_covers() -> None:
    assert session_grant(call()) == 'run_command with exactly command="pytest -k parse"'
    assert session_grant(call(arguments={})) == "run_command with exactly no arguments"
    app = Host()
    async with app.run_test(size=(100, 24)) as pilot:
        app.panel.ask(call())
        await pilot.pause()
        assert 'This session: run_command with exactly command="pytest -k parse"' in app.rows()


def test_nothing_of_an_argument_is_cut() -> None:
    text = "x" * 500 + "END\tä" + "界" * 50
    lines = question_lines(call(arguments={"text": text}), 40)
    shown = "".join(line.text for line in lines)
    assert shown.endswith(text.expandtabs(4)[-30:])
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
        await pilot.press("3")
        await pilot.pause()
        assert app.decided == [("c1", "deny", False, "")]
        assert app.focused is app.query_one("#composer")
