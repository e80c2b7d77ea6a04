"""ContentsScreen: what the result of a server's tool holds, each content as what it is."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import App, ComposeResult
from textual.binding import BindingType

from chatglass.tools.mcp.contents import Content, contents_of
from chatglass.tools.threads import in_thread
from chatglass.tui.actions.footer import FooterLine, way_out
from chatglass.tui.actions.registry import ACTIONS
from chatglass.tui.contents.files import CannotKeep, open_in_viewer, save
from chatglass.tui.contents.picture import Picture
from chatglass.tui.dialogs.choice_list import Choice, ChoiceList
from chatglass.tui.dialogs.dialogs import TextDialog
from chatglass.tui.screens.cover_screen import CoverScreen
from chatglass.tui.screens.list_and_text import ListAndText
from chatglass.values.figures import size
from chatglass.values.text import one_line

if TYPE_CHECKING:
    from chatglass.store.records import ToolCallRow
    from chatglass.tui.inspector.call_source import CallSource


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


class ContentsScreen(CoverScreen[None]):
    ACTION_PLACE = "contents"
    AUTO_FOCUS = "ChoiceList"
    BINDINGS: ClassVar[list[BindingType]] = [*ACTIONS.bindings("contents")]

    def __init__(self, tool: str, contents: Sequence[Content]) -> None:
        super().__init__()
        self._tool = tool
        self._contents = contents
        self.picture = Picture()
        self._panel = ListAndText(
            f"Contents of {one_line(tool, 60)}",
            [
                Choice(str(place), f"{place + 1}  {content.words()}", _pixels(content))
                for place, content in enumerate(contents)
            ],
            beside=self.picture,
        )

    def compose(self) -> ComposeResult:
        yield self._panel
        yield FooterLine(place="contents", first=way_out("screen.next"), target=self)

    def on_mount(self) -> None:
        self._show()

    @property
    def chosen(self) -> Content | None:
        current = self._panel.list.current
        return self._contents[int(current.value)] if current else None

    @on(ChoiceList.Highlighted)
    def _show(self) -> None:
        content = self.chosen
        if content is None:
            return
        is_picture = content.is_binary and content.mime.startswith("image/")
        self.picture.display = is_picture
        self._panel.view.display = not content.is_binary
        self._panel.note(_note(content))
        if is_picture:
            self.picture.show(content.bytes)
        elif not content.is_binary:
            self._panel.view.load(content.text, "auto" if content.kind == "structured" else "text")

    @on(Picture.NotShown)
    def _not_shown(self, event: Picture.NotShown) -> None:
        event.stop()
        self._panel.note(event.reason)

    # -- keys

    async def action_open(self) -> None:
        content = self.chosen
        if content is None:
            return
        try:
            await asyncio.to_thread(open_in_viewer, content)
        except CannotKeep as error:
            self.say(str(error), "warning")
        else:
            self.say("Opened with the system's viewer.")

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
            self.say(str(error), "error")
        else:
            self.say(f"Saved {size(content.size)} in {written}.")

    async def action_copy(self) -> None:
        content = self.chosen
        if content is None:
            return
        if content.is_binary:
            self.say("Only text is copied. s saves it.", "warning")
            return
        await self.copy(content.text or content.uri, "text")


def _pixels(content: Content) -> str:
    found = content.dimensions()
    return f"{found[0]:,} × {found[1]:,} pixels" if found else ""


def _note(content: Content) -> str:
    if content.kind == "link":
        return f"A link to a resource; it was not read. {one_line(content.text, 300)}"
    if content.is_binary and not content.mime.startswith("image/"):
        return "o opens it, s saves it."
    return ""
