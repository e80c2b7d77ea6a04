"""WireScreen: one request as it went over the wire, and the ones before and after it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.screen import Screen

from chatglass.chat.wire_view import WireView
from chatglass.tui.actions.footer import FooterLine, way_out
from chatglass.tui.actions.registry import ACTIONS
from chatglass.tui.inspector.section_pane import SectionPane
from chatglass.tui.inspector.sections.section import Section
from chatglass.tui.wire.changes import Before, Changes
from chatglass.tui.wire.facts import LoadWire, WireFacts
from chatglass.tui.wire.received import Attempts, Events, Received
from chatglass.tui.wire.sent import Messages, Sent
from chatglass.values.figures import clock, counted, duration

SECTIONS: tuple[Section[WireFacts], ...] = (
    Sent(),
    Messages(),
    Changes(),
    Before(),
    Received(),
    Events(),
    Attempts(),
)


class WirePane(SectionPane[WireFacts]):
    DEFAULT_CSS = """
    WirePane { border: round $accent 40%; }
    WirePane:focus-within { border: round $accent; }
    """

    def __init__(self) -> None:
        super().__init__(SECTIONS)
        self.border_title = Content("Wire")


class WireScreen(Screen[None]):
    """Shows a request of `ids`, the session's requests from the oldest to the newest."""

    ACTION_PLACE = "wire"
    BINDINGS: ClassVar[list[BindingType]] = [
        *ACTIONS.bindings("screen"),
        *(
            Binding(str(number), f"section('{section.name}')", section.name, show=False)
            for number, section in enumerate(SECTIONS, 1)
        ),
        Binding("left,comma", "section_by(-1)", "Section before", show=False),
        Binding("right,full_stop", "section_by(1)", "Next section", show=False),
        *ACTIONS.bindings("wire"),
    ]

    class JumpToMessage(Message):
        """Show the message that the request answered into."""

        def __init__(self, message_id: str) -> None:
            super().__init__()
            self.message_id = message_id

    def __init__(
        self, load: LoadWire, ids: Sequence[str], request_id: str, *, section: str = "sent"
    ) -> None:
        super().__init__()
        self._load = load
        self._ids = list(ids)
        self._request_id = request_id
        self.pane = WirePane()
        self.pane.section = section

    @property
    def request_id(self) -> str:
        return self._request_id

    def compose(self) -> ComposeResult:
        yield self.pane
        yield FooterLine(place="wire", first=way_out(), target=self)

    def on_mount(self) -> None:
        self._show()
        self.pane.take_focus()

    def _show(self) -> None:
        self.pane.border_subtitle = Content("")
        self.pane.show_facts(WireFacts(self._request_id, self._load, self._tell))

    def _tell(self, view: WireView) -> None:
        """Say on the frame which request it is."""
        row = view.request
        if row.id != self._request_id:
            return
        title = f"Wire · request {view.place:,} of {view.count:,}"
        if row.purpose != "answer":
            title += f" · {row.purpose}"
        self.pane.border_title = Content(title)
        facts = [row.model, clock(row.started_at), row.status]
        if row.finished_at is not None:
            facts.append(duration(row.finished_at - row.started_at))
        if len(view.attempts) > 1:
            facts.append(counted(len(view.attempts), "attempt"))
        self.pane.border_subtitle = Content(" · ".join(facts))

    # -- keys

    def action_close(self) -> None:
        self.dismiss(None)

    def action_section(self, name: str) -> None:
        self.pane.show_section(name)

    def action_section_by(self, step: int) -> None:
        self.pane.step_section(step)

    def action_request_by(self, step: int) -> None:
        """Show the request before or behind this one, in the same section."""
        place = self._ids.index(self._request_id) + step
        if 0 <= place < len(self._ids):
            self._request_id = self._ids[place]
            self._show()
        else:
            self.app.bell()

    def action_find(self) -> None:
        self.pane.find()

    def action_copy(self) -> None:
        self.pane.copy_section()

    def action_jump_to_message(self) -> None:
        view = self.pane.facts.view if self.pane.facts else None
        if view is not None and view.request.message_id is not None:
            self.post_message(self.JumpToMessage(view.request.message_id))
