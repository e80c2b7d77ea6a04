"""Footer, palette, F1 and the dialogs, in a running app."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.binding import BindingsMap
from textual.widgets import Input, OptionList, TextArea

from chatglass.tui.actions.footer import FooterLine
from chatglass.tui.actions.keys_screen import KeysScreen, key_rows, place_of
from chatglass.tui.actions.palette import ActionCommands
from chatglass.tui.actions.registry import ACTIONS
from chatglass.tui.composer.composer import Composer
from chatglass.tui.dialogs.choice_list import Choice, ChoiceList
from chatglass.tui.dialogs.dialogs import ChoiceDialog, Chosen, ConfirmDialog, TextDialog
from chatglass.tui.inspector.call_list import CallList
from chatglass.tui.inspector.timeline import Timeline
from chatglass.tui.lines.line_list import LineList
from chatglass.tui.transcript.widget import Transcript


class Host(App[None]):
    """Records what was run and answered."""

    COMMANDS = {ActionCommands}
    BINDINGS = [*ACTIONS.bindings("app")]
    ENABLE_COMMAND_PALETTE = True

    def __init__(self) -> None:
        super().__init__()
        self.ran: list[str] = []
        self.answers: list[object] = []

    def compose(self) -> ComposeResult:
        yield Composer(id="composer")
        yield FooterLine()

    def on_mount(self) -> None:
        self.query_one(Composer).focus()

    def action_do(self, action_id: str) -> None:
        self.ran.append(action_id)


def rows_on_screen(app: App[None]) -> list[str]:
    return [
        "".join(segment.text for segment in strip)
        for strip in app.screen._compositor.render_strips()
    ]


async def test_keys_of_the_registry_run_their_actions_from_the_composer() -> None:
    app = Host()
    async with app.run_test() as pilot:
        await pilot.press("ctrl+s", "ctrl+n", "f2", "ctrl+e", "escape", "pageup", "ctrl+d", "f3")
        assert app.ran == [
            "session.list",
            "session.new",
            "view.sidebar",
            "composer.editor",
            "turn.stop",
            "transcript.page_up",
            "app.quit",
            "model.choose",
        ]


async def test_ctrl_d_quits_only_when_the_composer_is_empty() -> None:
    app = Host()
    async with app.run_test() as pilot:
        await pilot.press("a", "b", "home", "ctrl+d")
        assert app.ran == []
        assert app.query_one(Composer).text == "b"


async def test_the_keymap_reaches_the_bindings() -> None:
    app = Host()
    async with app.run_test() as pilot:
        app.set_keymap({"session.new": "f9", "composer.send": "f10"})
        submitted: list[str] = []
        app.query_one(Composer).post_message = lambda message: (  # type: ignore[method-assign]
            submitted.append(type(message).__name__),
            Composer.post_message(app.query_one(Composer), message),
        )[1]
        await pilot.press("f9", "ctrl+n")
        assert app.ran == ["session.new"]
        await pilot.press("h", "i", "enter", "f10")
        assert submitted.count("Submitted") == 1


async def test_the_footer_fits_and_each_part_can_be_clicked() -> None:
    for width in (20, 40, 80, 200):
        app = Host()
        async with app.run_test(size=(width, 12)) as pilot:
            line = rows_on_screen(app)[-1] if app.size.height else ""
            shown = [row for row in rows_on_screen(app) if "^S Sessions" in row]
            assert shown, line
            assert len(shown[0]) == width
            footer = app.query_one(FooterLine)
            if width >= 80:
                x = shown[0].index("Sidebar")
                assert footer.action_at(x) is ACTIONS["view.sidebar"]
                assert "F1 Keys" in shown[0]
                await pilot.click(FooterLine, offset=(x, 0))
                assert app.ran == ["view.sidebar"]
            assert footer.action_at(width + 5) is None


async def test_the_palette_finds_and_runs_an_action() -> None:
    app = Host()
    async with app.run_test() as pilot:
        await pilot.press("ctrl+p")
        await pilot.press(*"inspector")
        await pilot.app.workers.wait_for_complete()
        await pilot.pause(0.3)
        await pilot.press("enter")
        await pilot.pause()
        assert app.ran == ["view.inspector"]


async def test_the_palette_has_what_is_called_so_first() -> None:
    app = Host()
    async with app.run_test() as pilot:
        provider = ActionCommands(app.screen)
        for typed, first in (("mode", "Mode"), ("mode a", "Mode a"), ("tab", "Tab")):
            hits = [hit async for hit in provider.search(typed)]
            best = max(hits, key=lambda hit: hit.score)
            assert str(best.text).startswith(first), typed
        await pilot.pause()


async def test_f1_begins_with_where_you_are_and_filters() -> None:
    app = Host()
    async with app.run_test(size=(80, 24)) as pilot:
        focused = app.focused
        assert place_of(focused) == "composer"
        assert key_rows(focused, ACTIONS)[0].group == "Here: in the composer"
        await app.push_screen(KeysScreen(focused), app.answers.append)
        assert any("Here: in the composer" in row for row in rows_on_screen(app))
        await pilot.press(*"sidebar", "enter")
        await pilot.pause()
        assert app.answers == ["view.sidebar"]


async def test_f1_folds_what_moves_and_what_edits_into_a_line_each() -> None:
    app = Host()
    async with app.run_test():
        for widget in (Input(), TextArea(), OptionList("a"), CallList(), Timeline()):
            await app.mount(widget)
            own = [row for row in key_rows(widget, ACTIONS) if not row.value]
            written = [row.detail for row in own]
            assert len(own) == len(set(written)) <= 8, (widget, written)
            assert not {"Delete character left", "Cursor left", "Page up", "Down"} & {*written}
            assert ("Move and delete as you type" in written) is isinstance(
                widget, Input | TextArea
            )
            assert ("Move" in written) is isinstance(widget, LineList)


def test_every_described_key_of_the_transcript_is_an_action() -> None:
    ids = {binding.id for _, binding in BindingsMap(Transcript.BINDINGS)}
    assert [each for each in ids if each not in ACTIONS] == []


async def test_f1_closes_with_escape_and_f1() -> None:
    app = Host()
    async with app.run_test() as pilot:
        for key in ("escape", "f1"):
            await app.push_screen(KeysScreen(app.focused), app.answers.append)
            await pilot.press(key)
        await pilot.pause()
        assert app.answers == [None, None]
        assert len(app.screen_stack) == 1


CHOICES = [
    Choice("openai/gpt-5", "gpt-5", "[b]400k[/b]", "openai"),
    Choice("openai/gpt-5-mini", "gpt-5-mini", "400k", "openai"),
    Choice("ollama/gemma3:13b", "gemma3:13b", "local", "ollama"),
]


async def test_a_choice_is_previewed_filtered_and_taken() -> None:
    app = Host()
    seen: list[str] = []
    async with app.run_test(size=(80, 24)) as pilot:
        dialog = ChoiceDialog(
            "[red]Model", CHOICES, current="openai/gpt-5-mini", on_highlight=seen.append
        )
        await app.push_screen(dialog, app.answers.append)
        await pilot.pause()
        screen = "\n".join(rows_on_screen(app))
        assert "[red]Model" in screen
        assert "[b]400k[/b]" in screen
        assert seen == []
        await pilot.press("up")
        assert seen == ["openai/gpt-5"]
        await pilot.press(*"gemma")
        assert seen[-1] == "ollama/gemma3:13b"
        await pilot.press("enter")
        await pilot.pause()
        assert app.answers == [Chosen("ollama/gemma3:13b", CHOICES[2])]


async def test_closing_a_choice_takes_the_preview_back() -> None:
    app = Host()
    seen: list[str] = []
    async with app.run_test() as pilot:
        dialog = ChoiceDialog("Theme", CHOICES, current="openai/gpt-5", on_highlight=seen.append)
        await app.push_screen(dialog, app.answers.append)
        await pilot.press("down", "escape")
        await pilot.pause()
        assert seen == ["openai/gpt-5-mini", "openai/gpt-5"]
        assert app.answers == [None]


async def test_free_text_is_taken_where_nothing_fits_or_by_its_key() -> None:
    app = Host()
    async with app.run_test() as pilot:
        await app.push_screen(ChoiceDialog("Model", CHOICES, free_text=True), app.answers.append)
        await pilot.press(*"qwen9", "enter")
        await app.push_screen(ChoiceDialog("Model", CHOICES, free_text=True), app.answers.append)
        await pilot.press(*"gpt", "ctrl+s")
        await pilot.pause()
        assert app.answers == [Chosen("qwen9"), Chosen("gpt")]


async def test_an_exact_name_wins_over_the_current_choice() -> None:
    app = Host()
    choices = [Choice("a", "foo:bar", group="demo"), Choice("b", "demo", group="demo")]
    async with app.run_test() as pilot:
        dialog = ChoiceDialog("Model", choices, current="a", free_text=True)
        await app.push_screen(dialog, app.answers.append)
        await pilot.press(*"demo", "enter")
        await pilot.pause()
        assert app.answers == [Chosen("b", choices[1])]


async def test_late_choices_keep_the_current_one() -> None:
    app = Host()
    async with app.run_test() as pilot:
        dialog = ChoiceDialog("Model", CHOICES, current="ollama/gemma3:13b")
        await app.push_screen(dialog, app.answers.append)
        await pilot.pause()
        dialog.set_choices([Choice("x/y", "y", group="x"), *CHOICES])
        await pilot.press("enter")
        await pilot.pause()
        assert app.answers == [Chosen("ollama/gemma3:13b", CHOICES[2])]


async def test_text_dialog_checks_and_answers() -> None:
    app = Host()
    async with app.run_test(size=(80, 24)) as pilot:
        check = lambda text: None if text.isdigit() else f"[{text}] is no number"  # noqa: E731
        await app.push_screen(TextDialog("Most", "x", check=check), app.answers.append)
        await pilot.press("enter")
        assert "[x] is no number" in "\n".join(rows_on_screen(app))
        app.screen.query_one(Input).value = "42"
        await pilot.press("enter")
        await app.push_screen(TextDialog("System", "a\nb", multi_line=True), app.answers.append)
        await pilot.press("enter", "c", "ctrl+s")
        await app.push_screen(TextDialog("System", "a", multi_line=True), app.answers.append)
        await pilot.press("escape")
        await pilot.pause()
        assert app.answers == ["42", "a\nb\nc", None]


async def test_confirming_needs_a_yes() -> None:
    app = Host()
    async with app.run_test() as pilot:
        for key in ("enter", "escape", "n", "y"):
            await app.push_screen(ConfirmDialog("Delete", "Really [bold]?"), app.answers.append)
            await pilot.press(key)
        await pilot.pause()
        assert app.answers == [False, False, False, True]


async def test_a_list_of_10_000_draws_only_what_is_on_screen() -> None:
    class Big(App[None]):
        def compose(self) -> ComposeResult:
            yield ChoiceList(
                [Choice(str(n), f"choice {n}", group=f"g{n // 100}") for n in range(10_000)]
            )

    app = Big()
    async with app.run_test(size=(60, 20)) as pilot:
        drawn = 0
        choices = app.query_one(ChoiceList)
        render = choices.render_line

        def counted(y: int):
            nonlocal drawn
            drawn += 1
            return render(y)

        choices.render_line = counted  # type: ignore[method-assign]
        choices.focus()
        await pilot.press("end")
        assert choices.current == Choice("9999", "choice 9999", group="g99")
        assert drawn <= 60
        choices.filter("choice 77 g0")
        assert [choice.value for choice in choices.shown][:1] == ["77"]


async def test_f1_names_the_id_for_the_settings_and_runs_no_editing_key() -> None:
    app = Host()
    async with app.run_test(size=(80, 24)) as pilot:
        await app.push_screen(KeysScreen(app.focused), app.answers.append)
        await pilot.press(*"composer.newline")
        assert any("[keys] composer.newline" in row for row in rows_on_screen(app))
        await pilot.press("enter", "escape")
        await pilot.pause()
        assert app.answers == [None]
