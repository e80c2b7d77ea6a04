"""SectionPane: several looks at one thing, one at a time: its head, its text, a line to find in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Generic, Literal

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.worker import Worker, WorkerState

from chatglass.tui.inspector.find_bar import FindBar
from chatglass.tui.inspector.json_tree import JsonTree
from chatglass.tui.inspector.json_view import JsonView, Kind
from chatglass.tui.inspector.section_head import SectionHead
from chatglass.tui.inspector.sections.section import Facts, Section, Shown
from chatglass.values.figures import counted

Arrangement = Literal["tree", "beside", "raw"]
"""The text laid out, the text laid out beside it as it was, or the text as it was."""

BESIDE_WIDTH = 100
"""Columns from which there is room for two texts side by side."""


class SectionPane(Vertical, Generic[Facts]):
    """Shows the facts that it is given (`show_facts`); what a section needs beside them is read when
    it is looked at, and held with the facts."""

    DEFAULT_CSS = """
    SectionPane {
        & > Horizontal { height: 1fr; }
        & > Horizontal > .-hidden { display: none; }
        & > Horizontal > #raw.-beside { border-left: solid $accent 40%; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "v",
            "arrange",
            "Raw",
            tooltip="Show the text as a tree, as it was, or both side by side",
            id="inspector.raw",
        ),
    ]

    class CopyRequested(Message):
        """Put `text` on the clipboard; `label` says what it is, for the feedback."""

        def __init__(self, text: str, label: str) -> None:
            super().__init__()
            self.text = text
            self.label = label

    def __init__(self, sections: Sequence[Section[Facts]], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._sections = {section.name: section for section in sections}
        self._names = tuple(self._sections)
        self.head = SectionHead([(section.name, section.label) for section in sections])
        self.view = JsonTree()
        self.raw = JsonView(id="raw", classes="-hidden")
        self._wanted: Arrangement | None = None
        """What the user chose; None: both where there is room."""
        self.find_bar = FindBar()
        self.section = self._names[0]
        self.facts: Facts | None = None
        self._nothing = ""
        """What to say where there are no facts."""
        self._shown = Shown("", "text", "")
        self._loaded: tuple[str, Kind] | None = None
        self._generation = 0

    def compose(self) -> ComposeResult:
        yield self.head
        with Horizontal():
            yield self.view
            yield self.raw
        yield self.find_bar

    def on_mount(self) -> None:
        self._show()

    # -- what is shown

    def show_facts(self, facts: Facts | None, nothing: str = "") -> None:
        """Show these; where there are none, say `nothing`."""
        self.facts = facts
        self._nothing = nothing
        self._show()

    @property
    def shows_result(self) -> bool:
        """The section on screen shows a result alone, which other facts leave as it is."""
        return self._sections[self.section].of_result

    def show_again(self) -> None:
        """The facts are others in part."""
        self._show()

    def show_section(self, section: str) -> None:
        if section != self.section:
            self.section = section
            self._show()

    def step_section(self, step: int) -> None:
        """Show the next section, or with -1 the one before; round the ends."""
        self.show_section(self._names[(self._names.index(self.section) + step) % len(self._names)])

    def take_focus(self) -> None:
        self.text.focus()

    # -- tree and raw

    @property
    def arrangement(self) -> Arrangement:
        if self._shown.kind not in ("auto", "json") or not self.view.is_json:
            return "tree"
        if self._wanted == "beside" and self.size.width < BESIDE_WIDTH:
            return "tree"
        if self._wanted is None:
            return "beside" if self.size.width >= BESIDE_WIDTH else "tree"
        return self._wanted

    @property
    def text(self) -> JsonView:
        """The text that find and keys are for."""
        return self.raw if self.arrangement == "raw" or self.raw.has_focus else self.view

    def action_arrange(self) -> None:
        """Tree, tree and raw, raw: as many of them as there is room for."""
        order: list[Arrangement] = ["tree", "raw"]
        if self.size.width >= BESIDE_WIDTH:
            order.insert(1, "beside")
        had_focus = self.view.has_focus or self.raw.has_focus
        self._wanted = order[(order.index(self.arrangement) + 1) % len(order)]
        self._arrange()
        if had_focus:
            self.text.focus()

    def _arrange(self) -> None:
        how = self.arrangement
        had_focus = self.raw.has_focus
        self.view.set_class(how == "raw", "-hidden")
        self.raw.set_class(how == "tree", "-hidden")
        self.raw.set_class(how == "beside", "-beside")
        if how != "tree" and self.raw.source is not self.view.source:
            self.raw.load(self.view.source, "text")
        elif how == "tree" and self.raw.source:
            # Two copies of a large text are held only while both are shown.
            self.raw.load("", "text")
            if had_focus:
                self.view.focus()

    def on_resize(self) -> None:
        self._arrange()

    # -- the section

    def _show(self) -> None:
        if not self.is_attached:
            return
        self._generation += 1
        self.workers.cancel_group(self, "section")
        facts = self.facts
        if facts is None:
            self._take(Shown("", "text", self._nothing))
            return
        section = self._sections[self.section]
        if section.is_ready(facts):
            self._take(section.show(facts))
            return
        self._take(Shown("…", "text", ""))
        generation = self._generation

        # Not a coroutine, which nobody would await where the pane goes before it began.
        async def read() -> None:
            await self._read(facts, generation)

        self.run_worker(read, group="section", exclusive=True, exit_on_error=False)

    async def _read(self, facts: Facts, generation: int) -> None:
        from chatglass.store.protocol import StoreError

        section = self._sections[self.section]
        try:
            await section.read(facts)
        except (StoreError, LookupError) as error:
            if generation == self._generation:
                self._take(Shown(str(error), "text", f"the {section.name} could not be read"))
            return
        if generation == self._generation:
            self._take(section.show(facts))

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """A source that broke must not leave the reader waiting."""
        if event.state is WorkerState.ERROR and event.worker.group == "section":
            words = f"the {self.section} could not be read"
            self._take(Shown(repr(event.worker.error), "text", words))

    def _take(self, shown: Shown) -> None:
        self._shown = shown
        if (shown.text, shown.kind) != self._loaded:
            # The same text again, as when a running call reports, keeps its place on screen.
            self._loaded = (shown.text, shown.kind)
            self.view.load(shown.text, shown.kind, shown.marks)
        self._tell_note()

    # -- facts on the head

    def on_json_view_changed(self, event: JsonView.Changed) -> None:
        event.stop()
        if event.view is self.view:
            self._arrange()
        self._tell_note()

    def _tell_note(self) -> None:
        view = self.text
        facts: list[str] = []
        matches = view.matches
        if matches.sought:
            place = f"{matches.index + 1}/{len(matches):,}" if matches else "not found"
            facts.append(f"find {place}")
        if self._shown.note:
            facts.append(self._shown.note)
        if self.view.has_focus and (path := self.view.path):
            facts.append(path)
        if self._sections[self.section].of_result and view.shown_text and not view.waiting:
            if view.is_json:
                facts.append("JSON")
            facts.append(counted(view.text_lines, "line"))
        self.head.show(self.section, " · ".join(facts))

    def on_json_tree_copy_requested(self, event: JsonTree.CopyRequested) -> None:
        event.stop()
        self.post_message(self.CopyRequested(event.text, event.label))

    def on_descendant_focus(self) -> None:
        self._tell_note()

    def on_descendant_blur(self) -> None:
        self._tell_note()

    def on_section_head_picked(self, event: SectionHead.Picked) -> None:
        event.stop()
        self.show_section(event.section)

    # -- finding and copying

    def find(self) -> None:
        self.find_bar.open()

    def copy_section(self) -> None:
        """Ask for the section's text to be copied, as it was and not as it is laid out."""
        if self.facts is None or not self.view.source:
            return
        copied = self._shown.copied
        text = self.view.source if copied is None else copied
        self.post_message(self.CopyRequested(text, f"{self.section} of {self.facts.title}"))

    def on_find_bar_sought(self, event: FindBar.Sought) -> None:
        event.stop()
        self.text.find(event.sought)

    def on_find_bar_stepped(self, event: FindBar.Stepped) -> None:
        event.stop()
        self.text.action_next_match(event.step)

    def on_find_bar_closed(self, event: FindBar.Closed) -> None:
        event.stop()
        self.view.find("")
        self.raw.find("")
        self.text.focus()
