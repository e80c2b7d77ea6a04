"""OpenSession: a session that is open in this window, on screen or not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from chatglass.chat.events import Compacted, RequestFinished, TurnFinished
from chatglass.chat.stats import TokenStats
from chatglass.tui.budget.asking import SessionBudget
from chatglass.tui.session_view import SessionView
from chatglass.tui.tabs.place import Place
from chatglass.values.clock import now_ms

if TYPE_CHECKING:
    from textual.worker import Worker

    from chatglass.chat.calls.rerun import Reruns
    from chatglass.chat.engine import Engine
    from chatglass.chat.events import Event
    from chatglass.tui.approval.asking import SessionApproval


@dataclass(slots=True, eq=False)
class OpenSession:
    """Its engine, and all the screen knows of it. The app keeps one for each session id."""

    engine: Engine
    approval: SessionApproval
    budget: SessionBudget = field(default_factory=SessionBudget)
    view: SessionView = field(default_factory=SessionView)
    stats: TokenStats = field(default_factory=TokenStats)
    reruns: Reruns | None = None
    """What the user ran again, once something was."""
    opened_at: int = field(default_factory=now_ms)
    draft: str = ""
    inbox: list[Event] = field(default_factory=list)
    """Events that were posted and are not shown yet."""
    free: bool = False
    """It is read-only here, and the process that held it has let it go."""
    unsaved: str = ""
    """Why it goes on in memory alone; empty where it is saved."""
    store_failure: str = ""
    """Why its last turn or prompt could not be saved; asked about before the next is sent."""
    held: bool = False
    """What is queued waits for the user: the turn before it did not end well, or it was queued
    when the program ended."""
    editing: str | None = None
    """The id of the prompt that is written anew in the composer."""
    draft_before_edit: str = ""
    unseen: Literal["", "finished", "failed"] = ""
    """How a turn ended since the session was last on screen."""
    place: Place = field(default_factory=Place)
    """Where it was left, while it is not on screen."""
    starting: Worker[None] | None = None
    """What starts its engine."""

    @property
    def id(self) -> str:
        return self.engine.session_id

    @property
    def title(self) -> str:
        return self.engine.context.session.title

    def take(self, event: Event) -> None:
        """Show an event of its engine, and keep what follows from it."""
        if isinstance(event, (RequestFinished, Compacted, TurnFinished)):
            self.view.take_requests(self.engine.context.requests.rows)
        self.view.apply(event)
        if isinstance(event, TurnFinished):
            self.held = event.status != "complete"

    @property
    def is_blank(self) -> bool:
        """Whether there is nothing in it that anybody would miss."""
        waits = self.draft or self.engine.queue or self.engine.state == "working"
        return self.is_new and not self.title and not waits

    async def close(self) -> None:
        """End what runs in it, and store its end. Raises StoreError."""
        if self.reruns is not None:
            await self.reruns.close()
        await self.engine.close()

    @property
    def is_new(self) -> bool:
        """Whether nothing was said in it, on any branch."""
        return not self.view.items and not self.engine.context.requests.figures.requests

    @property
    def working(self) -> bool:
        return self.engine.state == "working"

    @property
    def asking(self) -> bool:
        return bool(self.approval.waiting) or self.budget.waiting is not None
