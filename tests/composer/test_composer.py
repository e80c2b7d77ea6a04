"""The composer in a running app: sending, folding, recalling, completing, attaching."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual import events, on
from textual.app import App, ComposeResult
from textual.message import Message
from textual.widgets import Static

from chatglass.chat.attached_files import AttachedText
from chatglass.tui.composer.completion import CompletionList
from chatglass.tui.composer.composer import Composer
from chatglass.tui.composer.encoding import token_spans
from chatglass.tui.composer.prompt_area import BLINKS, PromptArea


class Host(App[None]):
    CSS = "#filler { height: 1fr; } Composer { border: round blue; }"

    def __init__(self, root: Path | None = None) -> None:
        super().__init__()
        self.root = root or Path("/nonexistent")
        self.heard: list[Message] = []
        self.refused: set[str] = set()

    def compose(self) -> ComposeResult:
        yield Static(id="filler")
        yield Composer(root=self.root, may_read=self.may_read)
        yield Static("footer")

    def may_read(self, path: Path) -> str | None:
        return "it is a secret" if path.name in self.refused else None

    def on_mount(self) -> None:
        self.composer.focus()

    @property
    def composer(self) -> Composer:
        return self.query_one(Composer)

    @on(Composer.Submitted)
    @on(Composer.CommandEntered)
    @on(Composer.DraftChanged)
    @on(Composer.AttachmentRefused)
    def hear(self, message: Message) -> None:
        self.heard.append(message)

    @property
    def sent(self) -> list[str]:
        return [message.text for message in self.heard if isinstance(message, Composer.Submitted)]

    @property
    def drafts(self) -> list[str]:
        return [
            message.text for message in self.heard if isinstance(message, Composer.DraftChanged)
        ]

    @property
    def commands(self) -> list[tuple[str, str]]:
        return [
            (message.action_id, message.argument)
            for message in self.heard
            if isinstance(message, Composer.CommandEntered)
        ]

    def rows(self) -> list[str]:
        return [
            "".join(segment.text for segment in strip)
            for strip in self.screen._compositor.render_strips()
        ]

    def paste(self, text: str) -> None:
        self.composer.area.post_message(events.Paste(text))

    @contextlib.contextmanager
    def suspend(self) -> Iterator[None]:
        yield

    async def settle(self, pilot) -> None:
        """Until threads have answered and their messages are handled."""
        await pilot.pause()
        await self.workers.wait_for_complete()
        await pilot.pause()


async def test_enter_sends_and_two_keys_break_the_line() -> None:
    app = Host()
    async with app.run_test() as pilot:
        await pilot.press("a", "ctrl+j", "b", "shift+enter", "c", "enter")
        await pilot.press("space", "enter", "ctrl+j", "enter")
        assert app.sent == ["a\nb\nc"]


async def test_it_grows_to_a_third_of_the_screen() -> None:
    app = Host()
    async with app.run_test(size=(80, 30)) as pilot:
        assert app.composer.area.size.height == 1
        await pilot.press("a", *["ctrl+j"] * 3)
        assert app.composer.area.size.height == 4
        await pilot.press(*["ctrl+j"] * 20)
        assert 8 <= app.composer.area.size.height <= 10
        await pilot.press("x", "enter")
        assert app.composer.area.size.height == 1


async def test_a_large_paste_is_one_token_that_goes_whole() -> None:
    app = Host()
    text = "\r\n".join(f"line {n}" for n in range(240))
    async with app.run_test() as pilot:
        await pilot.press("a")
        app.paste(text)
        await pilot.press("b")
        assert any("a[pasted 240 lines]b" in row for row in app.rows())
        await pilot.press("left", "backspace")
        assert app.composer.text == "ab"
        await pilot.press("ctrl+underscore")
        await pilot.press("enter")
        assert app.sent == ["a" + text.replace("\r\n", "\n") + "b"]


async def test_the_cursor_steps_over_a_token() -> None:
    app = Host()
    async with app.run_test() as pilot:
        app.paste("x\n" * 20)
        await pilot.press("left")
        assert app.composer.area.cursor_location == (0, 0)
        await pilot.press("right")
        line = app.composer.area.document[0]
        assert app.composer.area.cursor_location == (0, len(line))
        await pilot.press("ctrl+left")
        assert token_spans(line)[0][0] == app.composer.area.cursor_location[1]
        await pilot.press("delete")
        assert app.composer.is_empty


async def test_a_token_can_be_unfolded() -> None:
    app = Host()
    text = "\n".join(f"line {n}" for n in range(20))
    async with app.run_test() as pilot:
        app.paste(text)
        await pilot.press("ctrl+t")
        assert app.composer.area.text == text
        await pilot.press("ctrl+underscore")
        assert app.composer.area.document.line_count == 1
        assert app.composer.text == text


async def test_a_megabyte_is_folded_without_ever_being_wrapped(monkeypatch) -> None:
    app = Host()
    async with app.run_test() as pilot:
        seen: list[int] = []
        area = app.composer.area
        wrap = type(area.wrapped_document).wrap_range
        monkeypatch.setattr(
            type(area.wrapped_document),
            "wrap_range",
            lambda self, *args: (seen.append(len(self.document.text)), wrap(self, *args))[1],
        )
        text = "some words \x1b[31m here\n" * 50_000
        app.paste(text)
        await pilot.press("x")
        assert max(seen) < 40
        await pilot.press("enter")
        assert app.sent == [text + "x"]


async def test_control_characters_are_data_and_are_shown() -> None:
    app = Host()
    async with app.run_test() as pilot:
        app.paste("a\x1b[31m\x0cb\x85c\rd")
        await pilot.pause()
        rows = "\n".join(app.rows())
        assert "a␛[31m␌b\ufffdc" in rows
        assert not set(rows) & {"\x1b", "\x0c", "\x85"}
        await pilot.press("enter")
        assert app.sent == ["a\x1b[31m\x0cb\x85c\nd"]


async def test_markup_is_text() -> None:
    app = Host()
    async with app.run_test() as pilot:
        app.paste("[red]x[/] [/nope]")
        await pilot.pause()
        assert any("[red]x[/] [/nope]" in row for row in app.rows())


async def test_earlier_prompts_at_the_edges_and_the_unsent_text_kept() -> None:
    app = Host()
    async with app.run_test() as pilot:
        app.composer.set_history(["first", "second\nof two lines"])
        await pilot.press(*"new", "up")
        assert app.composer.text == "second\nof two lines"
        assert app.composer.area.cursor_location[0] == 0
        await pilot.press("down")
        assert app.composer.area.cursor_location[0] == 1
        await pilot.press("up", "up")
        assert app.composer.text == "first"
        await pilot.press("up")
        assert app.composer.text == "first"
        await pilot.press("down", "down", "down")
        assert app.composer.text == "new"
        await pilot.press("enter", "up", "up", "enter")
        assert app.sent == ["new", "second\nof two lines"]


async def test_drafts_are_told_soon_after_a_key_at_blur_and_after_sending() -> None:
    app = Host()
    async with app.run_test() as pilot:
        await pilot.press("a")
        assert app.drafts == []
        await pilot.pause(0.5)
        assert app.drafts == ["a"]
        await pilot.press("b")
        app.screen.set_focus(None)
        await pilot.pause()
        assert app.drafts == ["a", "ab"]
        app.composer.focus()
        await pilot.press("c", "enter")
        assert app.drafts == ["a", "ab", ""]
        order = [type(message).__name__ for message in app.heard[-2:]]
        assert order == ["Submitted", "DraftChanged"]


async def test_a_draft_with_a_paste_is_restored_in_another_composer() -> None:
    app = Host()
    async with app.run_test() as pilot:
        await pilot.press("a")
        app.paste("x\n" * 30)
        await pilot.pause()
        draft = app.composer.draft
        app.composer.set_draft("other")
        assert app.composer.text == "other"
        app.composer.set_draft(draft)
        assert app.composer.draft == draft
        assert app.composer.area.document.line_count == 1
        await pilot.pause(0.5)
        assert app.drafts == []
        await pilot.press("enter")
        assert app.sent == ["a" + ("x\n" * 30).rstrip()]


async def test_a_prompt_is_restored_before_what_was_written_since() -> None:
    app = Host()
    async with app.run_test() as pilot:
        await pilot.press("a")
        app.paste("x\n" * 30)
        await pilot.press("enter", "b")
        [submitted] = [each for each in app.heard if isinstance(each, Composer.Submitted)]
        app.composer.restore(submitted.draft)
        await pilot.press("enter")
        assert app.sent[1] == submitted.text.rstrip() + "\n\n" * 1 + "b" or app.sent[1].endswith(
            "\n\nb"
        )
        assert app.sent[1].startswith("ax\nx\n")


async def test_commands_complete_and_run() -> None:
    app = Host()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("/")
        assert len(app.query_one(CompletionList).rows) > 10
        assert any("/clear" in row for row in app.rows())
        await pilot.press(*"renam")
        assert [row.value for row in app.query_one(CompletionList).rows] == ["/rename"]
        await pilot.press("tab")
        assert app.composer.text == "/rename "
        await pilot.press(*"a title", "enter")
        await pilot.press(*"/new", "enter")
        await pilot.press(*"/ne", "enter")
        assert app.commands == [
            ("session.rename", "a title"),
            ("session.new", ""),
            ("session.new", ""),
        ]
        assert app.sent == []


async def test_the_completion_list_is_above_the_composer_and_escape_closes_only_it() -> None:
    app = Host()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("/", "m")
        completions = app.query_one(CompletionList)
        assert completions.display
        assert completions.region.bottom <= app.composer.region.y + 1
        assert app.composer.region.height == 3
        await pilot.press("escape")
        assert not completions.display
        assert app.composer.text == "/m"
        await pilot.press("o")
        assert completions.display


async def test_a_completion_can_be_clicked_and_walked() -> None:
    app = Host()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("/", "s", "down")
        second = app.query_one(CompletionList).rows[1]
        assert app.query_one(CompletionList).current == second
        await pilot.click(CompletionList, offset=(5, 1))
        assert app.composer.text.rstrip() == second.value


async def test_an_unknown_command_is_refused_with_the_nearest_and_kept() -> None:
    app = Host()
    async with app.run_test() as pilot:
        await pilot.press(*"/sesions now", "enter")
        await pilot.pause()
        assert app.composer.text == "/sesions now"
        [notice] = app._notifications
        assert "/sessions" in notice.message
        assert "//sesions" in notice.message
        app.composer.set_draft("/new now")
        await pilot.press("enter")
        assert app.commands == []


async def test_two_slashes_send_one() -> None:
    app = Host()
    async with app.run_test() as pilot:
        await pilot.press(*"//etc/passwd", "enter")
        assert app.sent == ["/etc/passwd"]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name, text in {
        "src/x.py": "print(1)\n",
        "src/y.py": "2",
        ".git/config": "",
        "key": "k",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


async def test_a_path_completes_and_is_attached(tree: Path) -> None:
    app = Host(tree)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*"see @x.p")
        await app.settle(pilot)
        assert [row.value for row in app.query_one(CompletionList).rows] == ["src/x.py"]
        await pilot.press("enter")
        await app.settle(pilot)
        assert any("see [file: src/x.py]" in row for row in app.rows())
        await pilot.press(*" now")
        draft = app.composer.draft
        await pilot.press("enter")
        [message] = [each for each in app.heard if isinstance(each, Composer.Submitted)]
        assert message.text == "see [file: src/x.py] now"
        assert message.attachments == (AttachedText("src/x.py", "print(1)\n"),)
        app.composer.set_draft(draft)
        await pilot.press("enter")
        assert app.heard[-2] == message


async def test_folders_complete_further_and_ignored_ones_are_not_offered(tree: Path) -> None:
    app = Host(tree)
    async with app.run_test() as pilot:
        await pilot.press("@", "s", "r")
        await app.settle(pilot)
        await pilot.press("tab")
        await app.settle(pilot)
        assert app.composer.text == "@src/"
        assert [row.value for row in app.query_one(CompletionList).rows] == [
            "src/",
            "src/x.py",
            "src/y.py",
        ]
        app.composer.set_draft("")
        await pilot.press(*"@config")
        await app.settle(pilot)
        assert app.query_one(CompletionList).rows == []


async def test_an_address_is_no_path(tree: Path) -> None:
    app = Host(tree)
    async with app.run_test() as pilot:
        await pilot.press(*"me@x.py")
        await app.settle(pilot)
        assert not app.query_one(CompletionList).is_open
        await pilot.press("enter")
        assert app.sent == ["me@x.py"]


async def test_the_policy_is_asked_before_a_file_is_read(tree: Path) -> None:
    app = Host(tree)
    app.refused = {"key"}
    async with app.run_test() as pilot:
        await pilot.press("@", "k", "e", "y")
        await app.settle(pilot)
        await pilot.press("enter")
        await app.settle(pilot)
        [refused] = [each for each in app.heard if isinstance(each, Composer.AttachmentRefused)]
        assert (refused.path, refused.reason) == (tree / "key", "it is a secret")
        assert app.composer.text == "@key"
        app.composer.attach(refused.path, approved=True)
        await app.settle(pilot)
        assert app.composer.text == "[file: key]"


async def test_a_file_that_cannot_be_read_is_said(tree: Path) -> None:
    (tree / "blob").write_bytes(b"\0")
    app = Host(tree)
    async with app.run_test() as pilot:
        app.composer.attach(tree / "blob")
        await app.settle(pilot)
        [notice] = app._notifications
        assert "blob" in notice.message
        assert app.composer.is_empty


async def test_enter_while_a_file_is_read_sends_with_it(tree: Path) -> None:
    app = Host(tree)
    async with app.run_test() as pilot:
        await pilot.press(*"look ")
        app.composer.attach(tree / "key")
        app.composer.area.action_send()
        await app.settle(pilot)
        assert app.sent == ["look [file: key]"]


async def test_the_users_editor_changes_the_text_and_keeps_files(tree: Path, monkeypatch) -> None:
    editor = tree / "ed"
    editor.write_text('#!/bin/sh\nprintf "!\\n\\033" >> "$1"\n')
    editor.chmod(0o700)
    monkeypatch.setenv("VISUAL", str(editor))
    app = Host(tree)
    async with app.run_test() as pilot:
        app.composer.attach(tree / "key")
        await app.settle(pilot)
        app.composer.open_editor()
        await app.settle(pilot)
        await pilot.press("enter")
        [message] = [each for each in app.heard if isinstance(each, Composer.Submitted)]
        assert message.text == "[file: key] !\n\x1b"
        assert message.attachments == (AttachedText("key", "k"),)


async def test_a_failing_editor_keeps_the_text(monkeypatch) -> None:
    monkeypatch.setenv("VISUAL", "false")
    app = Host()
    async with app.run_test() as pilot:
        await pilot.press("a")
        app.composer.open_editor()
        await app.settle(pilot)
        assert app.composer.text == "a"
        assert "code 1" in next(iter(app._notifications)).message


async def test_the_forecast_is_shown_as_it_is() -> None:
    app = Host()
    async with app.run_test() as pilot:
        app.composer.set_forecast("next ≈ $0.0026 [x]")
        await pilot.pause()
        assert any("next ≈ $0.0026 [x]" in row for row in app.rows())


async def test_a_key_joins_the_text_at_most_once_and_draws_one_line(monkeypatch) -> None:
    app = Host()
    async with app.run_test(size=(80, 40)) as pilot:
        app.composer.set_draft("\n".join(["some words"] * 300))
        await pilot.press("a")
        area = app.composer.area
        joins = 0
        document_text = type(area.document).text.fget
        assert document_text is not None

        def counted(self) -> str:
            nonlocal joins
            joins += 1
            return document_text(self)

        monkeypatch.setattr(type(area.document), "text", property(counted))
        await pilot.press("b")
        assert joins <= 1


async def test_the_cursor_blinks_for_some_seconds_after_a_key_and_then_stands() -> None:
    async with Host().run_test() as pilot:
        await pilot.press("a")
        area = pilot.app.query_one(PromptArea)
        timer = area.blink_timer
        assert timer._active.is_set()
        for _ in range(BLINKS + 1):
            area._toggle_cursor_blink_visible()
        assert not timer._active.is_set()
        assert area._cursor_visible
        await pilot.press("b")
        assert timer._active.is_set()
