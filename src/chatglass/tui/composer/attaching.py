"""Attaching: the part of the composer that has to do with files, images and resources."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from textual import on
from textual.containers import Vertical
from textual.message import Message

from chatglass.chat.attached_files import AttachedFile, AttachedImage, AttachedText
from chatglass.tui.composer.attacher import Attacher, MayRead
from chatglass.tui.composer.completer import Completer
from chatglass.tui.composer.encoding import Folds
from chatglass.tui.composer.files import PathIndex
from chatglass.tui.composer.image_shelf import ImageShelf
from chatglass.tui.composer.offers import Offers
from chatglass.tui.composer.prompt_area import PromptArea
from chatglass.values.text import visible


class Attaching(Vertical):
    """Puts a token into the editor's text for each file, in the place of what named it."""

    @dataclass
    class ResourceAsked(Message):
        """A resource of a server (`server:uri`) is to be attached: `resource_read` is to follow."""

        name: str

    @dataclass
    class AttachmentRefused(Message):
        """`may_read` objected. `Composer.attach(path, written, approved=True)` attaches it all the
        same."""

        path: Path
        reason: str
        written: str = ""

    def __init__(
        self,
        area: PromptArea,
        folds: Folds,
        completer: Completer,
        clock: Callable[[], float],
        may_read: MayRead,
        *,
        send: Callable[[], None],
        id: str | None = None,
    ) -> None:
        """`send` sends what is written; it is called when files that a prompt waited for are read."""
        super().__init__(id=id)
        self.may_read = may_read
        self._area = area
        self._folds = folds
        self._completer = completer
        self._clock = clock
        self._attacher = Attacher(self, folds)
        self._send_prompt = send
        self._send_when_read = False

    @property
    def attached_tokens(self) -> int:
        """Estimated tokens of the attached files, uncalibrated."""
        return self._attacher.tokens(self._area.text)

    # -- what the composer is asked to do
    def refuse(self, reason: str) -> None:
        """Say why something is not done; what was written stays."""
        self.notify(visible(reason)[:600], severity="warning", markup=False)

    @property
    def root(self) -> Path:
        return self._completer.index.root

    @root.setter
    def root(self, root: Path) -> None:
        if root != self.root:
            self._completer.index = PathIndex(root, self._clock)

    @property
    def shelf(self) -> ImageShelf:
        """Where images lie that are not sent yet."""
        return self._attacher.shelf

    @property
    def offers(self) -> Offers:
        return self._completer.offers

    @on(Completer.PathTaken)
    def _path_taken(self, event: Completer.PathTaken) -> None:
        event.stop()
        self.attach(self.root / event.path)

    @on(Completer.ResourceTaken)
    def _resource_taken(self, event: Completer.ResourceTaken) -> None:
        event.stop()
        self._ask_resource(event.name)

    def _ask_resource(self, name: str) -> None:
        self._attacher.reading += 1
        self.post_message(self.ResourceAsked(name))

    def resource_read(self, name: str, text: str | None, error: str = "") -> None:
        """The text of a resource that was asked for, or why there is none."""
        file = None if text is None else AttachedText(name, text)
        self.post_message(Attacher.Read(Path(name), f"@{name}", file, error=error))

    # -- files
    def attach(self, path: Path, written: str = "", *, approved: bool = False) -> None:
        """Attach a file: its token takes the place of what is `written` for it (`@path`, where that
        is not given), else it stands at the cursor.

        Where `may_read` objects, posts `AttachmentRefused` instead; `approved` does not ask it.
        """
        name = written[1:] if written.startswith("@") else self._name_of(path)
        may_read = None if approved else self.may_read
        self._attacher.read(path, name, written or f"@{name}", may_read)

    def attach_image(self, image: Callable[[], AttachedImage]) -> None:
        """Attach what `image` gives, which is called in a thread and may raise AttachError."""
        self._attacher.take_image(image)

    def _name_of(self, path: Path) -> str:
        try:
            return str(path.relative_to(self.root))
        except ValueError:
            return str(path)

    @on(Attacher.Read)
    def _file_read(self, event: Attacher.Read) -> None:
        event.stop()
        self._attacher.reading = max(0, self._attacher.reading - 1)
        if event.file is not None:
            self._insert_token(event.file, event.written)
            self._go_on_sending()
            return
        self._send_when_read = False
        if event.refused:
            self.post_message(self.AttachmentRefused(event.path, event.refused, event.written))
        else:
            self.refuse(event.error)

    @on(Attacher.Looked)
    def _looked(self, event: Attacher.Looked) -> None:
        """Attach what the text names; where a file was meant that is not there, it is not sent until
        Enter is pressed again."""
        event.stop()
        self._attacher.reading = max(0, self._attacher.reading - 1)
        missing = self._attacher.untold(event.mentions)
        certain = [one.problem for one in missing if one.certain]
        if certain:
            self._send_when_read = False
            told = " ".join(certain)
            self.refuse(f"{told} Correct it, or press Enter again to send it as text.")
        for one in missing:
            if not one.certain:
                self.refuse(f"{one.problem} {one.written} is sent as text.")
        for one in event.mentions:
            if one.path is not None:
                self.attach(one.path, one.written)
        for name in event.resources:
            self._ask_resource(name)
        self._go_on_sending()

    def _go_on_sending(self) -> None:
        if self._send_when_read and not self._attacher.reading:
            self._send_when_read = False
            self._attacher.looked_at(self._area.text)
            self._send_prompt()

    @on(PromptArea.Pasted)
    def _pasted(self, event: PromptArea.Pasted) -> None:
        event.stop()
        self._attacher.look_at_paste(event.text)

    @on(Attacher.Dropped)
    def _dropped(self, event: Attacher.Dropped) -> None:
        event.stop()
        if self._folds.encode(event.written) in self._area.text:
            self._completer.offer_drop(event.file.path, event.file.about, event.written)

    @on(Completer.DropTaken)
    def _drop_taken(self, event: Completer.DropTaken) -> None:
        event.stop()
        self.attach(event.path, event.written)

    def _insert_token(self, file: AttachedFile, written: str) -> None:
        """Put the token of a file in the place of what is `written` for it, else at the cursor."""
        token = self._attacher.token(file)
        area = self._area
        typed = self._folds.encode(written)
        at = area.text.rfind(typed) if typed else -1
        if at >= 0:
            start = (area.text.count("\n", 0, at), at - (area.text.rfind("\n", 0, at) + 1))
            end = (start[0], start[1] + len(typed))
            area.replace(token, start, end)
        else:
            row, column = max(area.selection)
            is_apart = area.document.get_line(row)[column : column + 1].isspace()
            token += "" if is_apart else " "  # what is written next is another word
            area.replace(token, *area.selection, maintain_selection_offset=False)
