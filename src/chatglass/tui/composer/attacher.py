"""Attacher: reads what a prompt carries, and keeps a token for it in the editor's text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from textual.message import Message

from chatglass.chat.attached_files import (
    AttachedFile,
    AttachedImage,
    AttachedText,
    AttachError,
    read_file,
)
from chatglass.chat.mentions import Mention, find_mentions, may_mention
from chatglass.tui.composer.dropped import DroppedFile, dropped_file
from chatglass.tui.composer.encoding import Fold, Folds, without_tokens
from chatglass.tui.composer.image_shelf import ImageShelf
from chatglass.values.text import visible

if TYPE_CHECKING:
    from chatglass.tui.composer.attaching import Attaching

MayRead = Callable[[Path], str | None]


class Attacher:
    """For the composer, which gets its messages. `reading` counts what is under way."""

    @dataclass
    class Read(Message):
        """A file was read, or not: `file`, `refused` by the policy, or an `error`. `written` is what
        stands in the text for it."""

        path: Path
        written: str
        file: AttachedFile | None = None
        refused: str = ""
        error: str = ""

    @dataclass
    class Looked(Message):
        """What the text mentions as `@path`, and the resources of servers among it."""

        mentions: list[Mention]
        resources: list[str] = field(default_factory=list)

    @dataclass
    class Dropped(Message):
        """A path was pasted, as terminals do when a file is dropped on them."""

        file: DroppedFile
        written: str

    def __init__(self, composer: Attaching, folds: Folds) -> None:
        self._composer = composer
        self._folds = folds
        self.shelf = ImageShelf()
        self.reading = 0
        self._looked_at = ""
        self._told: set[str] = set()
        """Mentions of this prompt of which was said that they are no file."""
        self._tokens: dict[Fold, int] = {}

    # -- reading

    def read(self, path: Path, name: str, written: str, may_read: MayRead | None) -> None:
        """Read a file under the name that is shown; `may_read` says None or why it must not be read unasked."""

        def work() -> None:
            try:
                reason = may_read(path) if may_read else None
                if reason is not None:
                    told = Attacher.Read(path, written, refused=reason)
                else:
                    told = Attacher.Read(path, written, self._shelved(read_file(path, name)))
            except (AttachError, OSError) as error:
                told = Attacher.Read(path, written, error=str(error))
            self._composer.post_message(told)

        self._start(work)

    def take_image(self, image: Callable[[], AttachedImage]) -> None:
        """Attach what `image` gives, which is called in a thread and may raise AttachError."""

        def work() -> None:
            try:
                told = Attacher.Read(Path("image"), "", self._shelved(image()))
            except AttachError as error:
                told = Attacher.Read(Path("image"), "", error=str(error))
            self._composer.post_message(told)

        self._start(work)

    def _start(self, work: Callable[[], None]) -> None:
        self.reading += 1
        self._composer.run_worker(work, thread=True, group="attach", exit_on_error=False)

    def _shelved(self, file: AttachedFile) -> AttachedFile:
        if isinstance(file, AttachedImage):
            self.shelf.put(file.image)  # here, in the thread
        return file

    # -- what is named in the text

    def look(self, text: str) -> bool:
        """Look what files the editor's text names, unless that was done for this very text. Whether
        `Looked` is to follow."""
        plain = without_tokens(text)
        if plain == self._looked_at or not may_mention(plain):
            return False
        self._looked_at = plain
        offers, root = self._composer.offers, self._composer.root
        resources = {one.value for one in offers.resources()}
        self.reading += 1

        def work() -> None:
            known: list[str] = []

            def is_known(name: str) -> bool:
                if name in resources:
                    known.append(name)
                return name in resources

            mentions = find_mentions(plain, root, is_known)
            self._composer.post_message(Attacher.Looked(mentions, known))

        self._composer.run_worker(work, thread=True, group="attach", exit_on_error=False)
        return True

    def untold(self, mentions: list[Mention]) -> list[Mention]:
        """The mentions without a file, each once for a prompt."""
        found = [one for one in mentions if one.path is None and one.written not in self._told]
        self._told.update(one.written for one in found)
        return found

    def begin_anew(self) -> None:
        """The prompt was sent: what was told of it is told of the next one again."""
        self._told.clear()
        self._looked_at = ""

    def looked_at(self, text: str) -> None:
        """What this text of the editor names is known, and has been dealt with."""
        self._looked_at = without_tokens(text)

    def look_at_paste(self, text: str) -> None:
        """Whether a paste is the path of a file; then `Dropped` follows."""
        root = self._composer.root

        def work() -> None:
            file = dropped_file(text, root)
            if file is not None:
                self._composer.post_message(Attacher.Dropped(file, text))

        self._composer.run_worker(
            work, thread=True, group="dropped", exclusive=True, exit_on_error=False
        )

    # -- tokens

    def token(self, file: AttachedFile) -> str:
        """What stands for a file in the editor."""
        kind = "image" if isinstance(file, AttachedImage) else "file"
        content = self.shelf.put(file.image) if isinstance(file, AttachedImage) else file.text
        return self._folds.add(Fold(kind, f"{kind}: {visible(file.name)}", content))

    def files(self, text: str) -> list[AttachedFile]:
        """The files whose tokens stand in the editor's text, in order. Raises AttachError where the
        image of an old draft is gone."""
        return [self._file_of(fold) for fold in self._folds.files(text)]

    def tokens(self, text: str) -> int:
        """Estimated tokens of the files whose tokens stand in the editor's text; each is estimated
        once."""
        folds = self._folds.files(text)
        self._tokens = {fold: self._tokens.get(fold) or self._estimate(fold) for fold in folds}
        return sum(self._tokens.values())

    def _estimate(self, fold: Fold) -> int:
        from chatglass.models.estimates import IMAGE_TOKENS, estimate_text, image_tokens

        if fold.kind == "file":
            return estimate_text(fold.content)
        image = self.shelf.get(fold.content)
        return image_tokens(image.facts.width, image.facts.height) if image else IMAGE_TOKENS

    def _file_of(self, fold: Fold) -> AttachedFile:
        name = fold.label.removeprefix(f"{fold.kind}: ")
        if fold.kind == "file":
            return AttachedText(name, fold.content)
        image = self.shelf.get(fold.content)
        if image is None:
            raise AttachError(f"The image {name} of this draft is gone: attach it again.")
        return AttachedImage(name, image)
