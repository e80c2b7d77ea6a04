"""ContentsScreen: what the result of a server's tool holds, each content as what it is."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content as Words
from textual.screen import ModalScreen
from textual.widgets import Static

from chatglass.tools.mcp.contents import Content, contents_of
from chatglass.tools.threads import in_thread
from chatglass.tui.actions.registry import ACTIONS
from chatglass.tui.contents.files import CannotKeep, open_in_viewer, save
from chatglass.tui.contents.picture import Picture
from chatglass.tui.dialogs.choice_list import Choice, ChoiceList
from chatglass.tui.dialogs.dialogs import TextDialog
from chatglass.tui.inspector.json_view import JsonView
from chatglass.values.figures import size
from chatglass.values.text import one_line, visible

if TYPE_CHECKING:
    from textual.notifications import SeverityLevel

    from chatglass.store.records import ToolCallRow
    from chatglass.tui.inspector.call_source import CallSource

_KEYS = "o open · s save · y copy · Tab the text · Esc back"


async def show_contents(app: App[None], source: CallSource, call: ToolCallRow) -> None:
    """Read the result of `call` and show what it holds. Raises StoreError."""
    result = await source.result(call.id)
    contents = None
    if result is not None:
        produced = result.produced
        contents = await in_thread(lambda stop: contents_of(produced))
    if contents:
        await app.push_screen(ContentsScreen(call.name, contents))
    else:
        app.notify("Its result is one text, which the inspector shows.", markup=False)


class ContentsScreen(ModalScreen[None]):
    ACTION_PLACE = "contents"
    AUTO_FOCUS = "ChoiceList"
    DEFAULT_CSS = """
    ContentsScreen {
        background: $background;
        .contents--panel {
            border: round $accent; border-title-color: $text-accent; padding: 0 1; height: 1fr;
        }
        ChoiceList { height: auto; max-height: 40%; margin-bottom: 1; }
        .contents--view { border-top: solid $accent 40%; height: 1fr; }
        .contents--note { height: auto; color: $text-muted; }
        .contents--foot { height: 1; padding: 0 2; color: $foreground 60%; }
        Picture, JsonView { display: none; }
        .-picture Picture, .-text JsonView { display: block; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        *ACTIONS.bindings("contents"),
        Binding("escape", "close", "Back", show=False),
        Binding("f1", "app.do('help.keys')", "Keys", show=False),
        Binding("ctrl+c", "app.do('app.interrupt')", "Close", show=False),
        Binding("ctrl+q", "app.do('app.quit')", "Quit", show=False),
    ]

    def __init__(self, tool: str, contents: Sequence[Content]) -> None:
        super().__init__()
        self._tool = tool
        self._contents = contents
        self._list = ChoiceList(
            [
                Choice(str(place), f"{place + 1}  {content.words()}", _pixels(content))
                for place, content in enumerate(contents)
            ]
        )
        self.view = JsonView()
        self.picture = Picture()
        self._note = Static("", classes="contents--note", markup=False)
        self._panel = Vertical(classes="contents--panel")
        self._below = Vertical(classes="contents--view")

    def compose(self) -> ComposeResult:
        with self._panel:
            yield self._list
            with self._below:
                yield self._note
                yield self.picture
                yield self.view
        yield Static(_KEYS, classes="contents--foot", markup=False)

    def on_mount(self) -> None:
        self._panel.border_title = Words(f"Contents of {one_line(self._tool, 60)}")
        self._show()

    @property
    def chosen(self) -> Content | None:
        current = self._list.current
        return self._contents[int(current.value)] if current else None

    @on(ChoiceList.Highlighted)
    def _highlighted(self, event: ChoiceList.Highlighted) -> None:
        event.stop()
        self._show()

    @on(ChoiceList.Chosen)
    def _taken(self, event: ChoiceList.Chosen) -> None:
        event.stop()
        if self.view.display:
            self.view.focus()

    def _show(self) -> None:
        content = self.chosen
        if content is None:
            return
        is_picture = content.is_binary and content.mime.startswith("image/")
        self._below.set_class(is_picture, "-picture")
        self._below.set_class(not content.is_binary, "-text")
        self._note.update(_note(content))
        if is_picture:
            self.picture.show(content.bytes)
        elif not content.is_binary:
            self.view.load(content.text, "auto" if content.kind == "structured" else "text")

    @on(Picture.NotShown)
    def _not_shown(self, event: Picture.NotShown) -> None:
        event.stop()
        self._note.update(visible(event.reason))

    # -- keys

    async def action_open(self) -> None:
        content = self.chosen
        if content is None:
            return
        try:
            await asyncio.to_thread(open_in_viewer, content)
        except CannotKeep as error:
            self._say(str(error), "warning")
        else:
            self._say("Opened with the system's viewer.")

    def action_save(self) -> None:
        content = self.chosen
        if content is None:
            return
        place = self._contents.index(content) + 1
        name = "".join(
            letter if letter.isalnum() or letter in "-_" else "_" for letter in self._tool
        )
        proposed = Path.cwd() / f"{name[:60]}-{place}{content.extension}"

        async def taken(text: str | None) -> None:
            if text and text.strip():
                await self._save(content, text.strip())

        hint = f"{size(content.size)}. A new file; what is there is not replaced."
        self.app.push_screen(TextDialog("Save as", str(proposed), hint=hint), taken)

    async def _save(self, content: Content, path: str) -> None:
        try:
            written = await asyncio.to_thread(save, content, path)
        except CannotKeep as error:
            self._say(str(error), "error")
        else:
            self._say(f"Saved {size(content.size)} in {written}.")

    async def action_copy(self) -> None:
        from chatglass.tui.clipboard import copy

        content = self.chosen
        if content is None:
            return
        if content.is_binary:
            self._say("Only text is copied. s saves it.", "warning")
            return
        told = await copy(self.app, content.text or content.uri)
        self._say(f"The text was {told}.")

    def _say(self, text: str, severity: SeverityLevel = "information") -> None:
        self.app.notify(visible(text), severity=severity, markup=False)

    def action_close(self) -> None:
        self.dismiss(None)


def _pixels(content: Content) -> str:
    found = content.dimensions()
    return f"{found[0]:,} × {found[1]:,} pixels" if found else ""


def _note(content: Content) -> str:
    if content.kind == "link":
        return visible(f"A link to a resource; it was not read. {one_line(content.text, 300)}")
    if content.is_binary and not content.mime.startswith("image/"):
        return "o opens it, s saves it."
    return ""
