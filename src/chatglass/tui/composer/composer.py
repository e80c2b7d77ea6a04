"""The composer: where prompts are written, completed, recalled and sent."""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from textual import on, work
from textual.app import ComposeResult, SuspendNotSupported
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.worker import Worker, WorkerState

from chatglass.chat.attached_files import (
    AttachedFile,
    AttachedImage,
    AttachError,
)
from chatglass.tui.actions.registry import ACTIONS, Actions
from chatglass.tui.composer.attacher import MayRead
from chatglass.tui.composer.attaching import Attaching
from chatglass.tui.composer.command_line import typed_command
from chatglass.tui.composer.completer import Completer
from chatglass.tui.composer.editor import EditorError, edit
from chatglass.tui.composer.encoding import Folds
from chatglass.tui.composer.files import PathIndex
from chatglass.tui.composer.history import PromptHistory
from chatglass.tui.composer.offers import Offers
from chatglass.tui.composer.prompt_area import PromptArea
from chatglass.tui.composer.writing import Writing
from chatglass.values.text import visible

_log = logging.getLogger(__name__)

DRAFT_DELAY = 0.4
"""Seconds from the first key to the draft: no later than half a second."""


def _may_read_anything(path: Path) -> str | None:
    return None


class Composer(Attaching):
    """A panel with one editor.

    `root` is the session's working directory, against which `@path` completes; `may_read` says
    None or why a file must not be attached unasked, and is called in a thread.
    """

    DEFAULT_CSS = """
    Composer { height: auto; }
    """

    @dataclass
    class Submitted(Message):
        """A prompt to send. `text` has pastes in full and files as `[file: path]`; `draft` is what
        `restore` takes to bring it back as it was."""

        text: str
        attachments: tuple[AttachedFile, ...]
        draft: str

    @dataclass
    class EnteredEmpty(Message):
        """Enter where nothing is written."""

    @dataclass
    class CommandEntered(Message):
        """A slash command, by the id of its action."""

        action_id: str
        argument: str

    @dataclass
    class ServerPromptEntered(Message):
        """A prompt of a server, as `server:prompt`, and what was typed behind it."""

        name: str
        argument: str

    @dataclass
    class DraftChanged(Message):
        """What `set_draft` takes to bring the unsent text back."""

        text: str

    @dataclass
    class Emptied(Message):
        """Nothing is written in it any more."""

    def __init__(
        self,
        *,
        root: Path | None = None,
        may_read: MayRead = _may_read_anything,
        registry: Actions = ACTIONS,
        placeholder: str = "Write a message, / for commands, @ for files",
        id: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        folds = Folds()
        area = PromptArea(folds, placeholder=placeholder)
        completer = Completer(area, registry, PathIndex(root or Path.cwd(), clock))
        super().__init__(area, folds, completer, clock, may_read, send=self.send, id=id)
        self._registry = registry
        self._history = PromptHistory()
        self._draft_timer: Timer | None = None
        self._draft_told = ""
        self._forecast = ""
        self._command = ""

    def compose(self) -> ComposeResult:
        yield self._completer
        yield self._area

    # -- what the app asks and sets
    @property
    def area(self) -> PromptArea:
        """The editor, which has the focus."""
        return self._area

    @property
    def text(self) -> str:
        """The unsent text as it would be sent, without its attached files."""
        return self._folds.sent(self._area.text)

    @property
    def draft(self) -> str:
        """The unsent text as it is stored."""
        return self._folds.draft(self._area.text)

    @property
    def selected_text(self) -> str:
        """What is selected in the editor while it has the focus, as it would be sent."""
        area = self._area
        return self._folds.sent(area.selected_text) if area.has_focus else ""

    @property
    def is_empty(self) -> bool:
        return not self._area.text

    def set_offers(self, offers: Offers) -> None:
        """The prompts and resources that are completed."""
        self._completer.offers = offers

    def focus(self, scroll_visible: bool = True) -> Composer:
        self._area.focus(scroll_visible)
        return self

    def set_forecast(self, text: str) -> None:
        """What the next request will cost, as `next ≈ $0.0026`, in the lower border."""
        if self._forecast != text:
            self._forecast = text
            self.border_subtitle = Content(text)  # pyright: ignore[reportAttributeAccessIssue]

    def leave(self) -> Writing:
        """What is being written, to come back to by `come_back`."""
        return Writing(self.draft, self._history, self._area.cursor_location)

    def come_back(self, writing: Writing) -> None:
        """Show what is being written in another session, where it was left."""
        self._history = writing.history
        # A file that is still being read was meant for the text that leaves the screen.
        self._attacher.reading, self._send_when_read = 0, False
        self._show(writing.draft)
        if writing.cursor is not None:
            self._area.move_cursor(writing.cursor)

    def set_history(self, prompts: Sequence[str]) -> None:
        """Earlier prompts, oldest first."""
        self._history.replace(prompts)

    def set_draft(self, text: str) -> None:
        """Show another draft. Posts no `DraftChanged` for it; undo does not cross it."""
        self._history.rest()
        self._show(text)

    def _show(self, draft: str) -> None:
        self._stop_draft_timer()
        self._folds.clear()
        self._area.load_text(self._folds.restore(draft))
        self._area.move_cursor(self._area.document.end)
        self._draft_told = self.draft
        self._completer.put_away()

    def restore(self, text: str) -> None:
        """Put an unsent prompt (its `draft`) back, before what was written since."""
        restored = self._folds.restore(text)
        if self._area.text:
            restored += "\n\n"
        self._area.replace(restored, (0, 0), (0, 0), maintain_selection_offset=not self.is_empty)
        self._area.move_cursor(self._area.document.end)

    def restore_prompt(self, text: str, files: Sequence[AttachedFile]) -> None:
        """Put a prompt back as it was before it was sent, with its files."""
        self.restore(text)
        for file in files:
            kind = "image" if isinstance(file, AttachedImage) else "file"
            self._insert_token(file, f"[{kind}: {visible(file.name)}]")

    def insert(self, text: str) -> None:
        """Put text at the cursor as if it were typed, such as keys from before the first paint."""
        self._area.insert_outside_text(text)

    def clear(self) -> None:
        """Empty it; undo brings the text back."""
        self._area.clear()

    def flush_draft(self) -> None:
        """Post the draft now, if it has changed."""
        self._stop_draft_timer()
        draft = self.draft
        if draft != self._draft_told:
            self._draft_told = draft
            self.post_message(self.DraftChanged(draft))

    # -- drafts
    @on(PromptArea.Changed)
    def _text_changed(self, event: PromptArea.Changed) -> None:
        event.stop()
        if self._draft_timer is None:
            self._draft_timer = self.set_timer(DRAFT_DELAY, self.flush_draft)
        self._completer.update_for_text()
        if self.is_empty:
            self.post_message(self.Emptied())

    def on_descendant_blur(self) -> None:
        self.flush_draft()
        self._completer.put_away()

    def _stop_draft_timer(self) -> None:
        if self._draft_timer is not None:
            self._draft_timer.stop()
            self._draft_timer = None

    # -- sending
    @on(PromptArea.Sent)
    def _sent(self, event: PromptArea.Sent) -> None:
        event.stop()
        self.send()

    def send(self) -> None:
        text = self.text.rstrip().lstrip("\n")
        if self._attacher.reading:
            self._send_when_read = True
        elif not text:
            self.post_message(self.EnteredEmpty())
        elif text.startswith("/") and not text.startswith("//"):
            self._run_command(text)
        elif self._attacher.look(self._area.text):
            self._send_when_read = True
        else:
            self._submit(text.removeprefix("/") if text.startswith("//") else text)

    def _submit(self, text: str) -> None:
        try:
            attachments = tuple(self._attacher.files(self._area.text))
        except AttachError as error:
            self.refuse(str(error))
            return
        self._attacher.begin_anew()
        message = self.Submitted(text, attachments, self.draft)
        self._empty_after(message.draft)
        self.post_message(message)
        self.flush_draft()

    def _run_command(self, text: str) -> None:
        if (found := self._completer.offers.find_prompt(text[1:])) is not None:
            self._empty_after(self.draft)
            self.post_message(self.ServerPromptEntered(*found))
            self.flush_draft()
            return
        typed = typed_command(text, self._registry)
        if typed.refusal:
            self.refuse(typed.refusal)
            return
        self._command = self.draft
        self._empty_after(self._command)
        self.post_message(self.CommandEntered(typed.action_id, typed.argument))
        self.flush_draft()

    def bring_command_back(self) -> None:
        """Put the command that runs back as it was typed: it was refused, and is to be mended."""
        if self._command and self.is_empty:
            self.restore(self._command)

    def forget_command(self) -> None:
        """The command that was entered has run."""
        self._command = ""

    def _empty_after(self, draft: str) -> None:
        self._history.append(draft)
        self._completer.put_away()
        self._folds.clear()
        self._area.load_text("")

    # -- earlier prompts
    @on(PromptArea.Recalled)
    def _recall(self, event: PromptArea.Recalled) -> None:
        event.stop()
        text = self._history.step(event.by, self.draft)
        if text is None:
            return
        self._folds.clear()
        self._area.load_text(self._folds.restore(text))
        if event.by > 0:
            self._area.move_cursor(self._area.document.end)
        else:
            self._area.move_cursor((0, len(self._area.document[0])))
        self._completer.put_away(until_edited=True)

    # -- completion
    @on(PromptArea.CompletionAsked)
    def _completion_asked(self, event: PromptArea.CompletionAsked) -> None:
        event.stop()
        if event.by:
            self._completer.move(event.by)
        elif event.take:
            self._completer.take(enter=event.enter)
        else:
            self._completer.put_away(until_edited=True)

    @on(Completer.CommandTaken)
    def _command_taken(self, event: Completer.CommandTaken) -> None:
        event.stop()
        self.send()

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """What went wrong unforeseen while reading a file or in the editor is said."""
        if event.state is WorkerState.ERROR:
            error = event.worker.error
            _log.error("worker %s failed", event.worker.group, exc_info=error)
            self._attacher.reading, self._send_when_read = 0, False
            self.refuse(f"{type(error).__name__}: {error}")

    # -- the user's own editor
    @work(exclusive=True, group="editor", exit_on_error=False)
    async def open_editor(self) -> None:
        """Let `$VISUAL` or `$EDITOR` change the text, while turns go on behind it."""
        area = self._area
        before = self.text
        # The terminal sends ^C to the whole process group; a no-op handler is not inherited by
        # the editor, as SIG_IGN would be.
        interrupt = signal.signal(signal.SIGINT, lambda *_: None)
        try:
            with self.app.batch_update(), self.app.suspend():
                edited = await asyncio.to_thread(edit, before)
        except SuspendNotSupported:
            self.refuse("This terminal can't be handed to an editor. Write here instead.")
            return
        except EditorError as error:
            self.refuse(str(error))
            return
        finally:
            signal.signal(signal.SIGINT, interrupt)
            self.screen.refresh(layout=True)
        if edited != before:
            area.replace(
                self._folds.restore_edited(edited, area.text),
                (0, 0),
                area.document.end,
                maintain_selection_offset=False,
            )
            area.move_cursor(area.document.end)
