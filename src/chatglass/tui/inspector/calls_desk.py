"""CallsDesk: running calls again, comparing and copying them, for the chat screen."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from chatglass.tui.messages import RerunChanged
from chatglass.values.figures import clock, size
from chatglass.values.text import one_line

if TYPE_CHECKING:
    from textual.worker import Worker

    from chatglass.chat.calls.rerun import Reruns
    from chatglass.chat.calls.rerun_row import RerunRow
    from chatglass.chat.events import Event
    from chatglass.store.records import RequestRow, ToolCallRow, ToolResult
    from chatglass.tui.inspector.compare_screen import CompareScreen
    from chatglass.tui.inspector.inspector import Inspector
    from chatglass.tui.open_session import OpenSession
    from chatglass.tui.screens.chat_screen import ChatScreen

MOST_SENT = 1_000_000
"""Characters of a result that are put into the composer."""


class CallsDesk:
    """Acts on the call that is looked at, wherever that is: beside the transcript, over the whole
    screen, or in a comparison (there the right one)."""

    def __init__(self, chat: ChatScreen) -> None:
        self._chat = chat
        self._pinned: str | None = None
        self._running: dict[str, Worker[RerunRow]] = {}

    # -- what there is

    def rows(self, session: OpenSession) -> list[ToolCallRow]:
        """The session's calls, and those that the user ran again."""
        own = session.reruns.rows if session.reruns is not None else []
        return [*session.view.calls.values(), *own]

    def requests(self, session: OpenSession) -> list[RequestRow]:
        """The session's requests, that which runs included."""
        running = session.view.running_request
        return [*session.view.requests, *([running] if running else [])]

    @property
    def inspector(self) -> Inspector:
        """The one that is on screen."""
        full = self._chat.full_inspector
        return full.inspector if full is not None else self._chat.inspector

    def comparison(self) -> CompareScreen | None:
        """The comparison, where it is on screen."""
        from chatglass.tui.inspector.compare_screen import CompareScreen

        screen = self._chat.app.screen
        return screen if isinstance(screen, CompareScreen) else None

    def _target(self) -> ToolCallRow | None:
        comparison = self.comparison()
        if comparison is not None:
            return comparison.right
        row = self.inspector.detail.call
        if row is None:
            self._chat.say("There is no tool call to do that with.")
        return row

    # -- what happens in the turn

    def events_shown(self, session: OpenSession, batch: Sequence[Event]) -> None:
        """The session on screen has taken these events: bring its requests up to them."""
        from chatglass.chat.events import RequestFinished, RequestStarted, TurnFinished

        if any(isinstance(each, (RequestStarted, RequestFinished, TurnFinished)) for each in batch):
            requests = self.requests(session)
            for inspector in self.inspectors():
                inspector.calls_panel.show_requests(requests)

    def turn_finished(self, session: OpenSession, turn_id: str) -> None:
        """Events tell less than what is stored: the server, edited arguments, exact times."""

        async def take() -> None:
            await self._take_stored(session, turn_id)

        group = f"calls-{session.id}"
        self._chat.run_worker(take, group=group, exclusive=True, exit_on_error=False)

    async def _take_stored(self, session: OpenSession, turn_id: str) -> None:
        from chatglass.store.protocol import StoreError

        try:
            stored = await session.engine.context.store.tool_calls(session.id, turn_id=turn_id)
        except StoreError:
            return  # what the events told stays on screen; the next write says what is wrong
        if session.view.turn_running:
            return
        changed = session.view.take_calls(stored)
        if session is self._chat.session:
            for row in changed:
                self.show_call(row)

    # -- running again

    def _reruns(self, session: OpenSession) -> Reruns:
        from chatglass.chat.calls.rerun import Reruns
        from chatglass.chat.deciding import DecisionPorts

        if session.reruns is None:

            def changed(row: RerunRow) -> None:
                self._chat.app.post_message(RerunChanged(session.id, row))

            session.reruns = Reruns(
                session.engine.context,
                DecisionPorts(session.approval.policy.judge, session.approval.decide),
                changed,
                since=session.opened_at,
            )
        return session.reruns

    async def run_again(self, *, edit: bool = False) -> None:
        """Run the call again; with `edit` the arguments are asked for first."""
        session, row = self._chat.session, self._target()
        if session is None or row is None:
            return
        origin = await self._whole(session, row)
        if not edit:
            self._start(session, origin, None)
            return
        from chatglass.tui.dialogs.dialogs import TextDialog

        reruns = self._reruns(session)

        def given(text: str | None) -> None:
            if text is not None:
                self._start(session, origin, text)

        dialog = TextDialog(
            f"Run {one_line(row.name, 60)} again with",
            _laid_out(_ran(origin)),
            multi_line=True,
            hint="JSON, checked against the tool's schema. What asks when a model calls it asks now.",
            check=partial(reruns.objection, origin.name),
        )
        self._chat.app.push_screen(dialog, given)

    async def _whole(self, session: OpenSession, row: ToolCallRow) -> ToolCallRow:
        """The row as it is stored: what events told of it lacks server and edited arguments."""
        from chatglass.chat.calls.rerun_row import RerunRow
        from chatglass.store.protocol import StoreError

        if isinstance(row, RerunRow):
            return row
        try:
            stored = await session.engine.context.store.tool_calls(session.id)
        except StoreError as error:
            self._chat.say(str(error), "warning")
            return row
        return next((each for each in stored if each.id == row.id), row)

    def _start(self, session: OpenSession, origin: ToolCallRow, arguments: str | None) -> None:
        from chatglass.chat.calls.rerun import CantRunAgain

        reruns = self._reruns(session)
        try:
            row = reruns.begin(origin, arguments, working=session.working)
        except CantRunAgain as error:
            self._chat.say(str(error), "warning")
            return
        self._running[row.id] = self._chat.app.run_worker(
            reruns.run(row, origin), group=f"rerun-{row.id}", exit_on_error=False
        )
        self._compare(origin, row)

    def changed(self, session: OpenSession, row: RerunRow) -> None:
        """A rerun has a new state."""
        if row.finished_at is not None:
            self._running.pop(row.id, None)
        if session is self._chat.session:
            self.show_call(row)

    def show_call(self, row: ToolCallRow) -> None:
        """A call's new state, in the inspectors and where it is compared."""
        from chatglass.tui.inspector.compare_screen import CompareScreen

        for inspector in self.inspectors():
            inspector.update_call(row)
        for screen in self._chat.app.screen_stack:
            if isinstance(screen, CompareScreen):
                screen.update_call(row)

    def stop(self) -> None:
        """End the rerun that is looked at."""
        row = self._target()
        worker = self._running.pop(row.id, None) if row is not None else None
        if worker is not None:
            worker.cancel()
        elif row is not None:
            self._chat.say("That is no call of yours that runs; Esc in the chat stops a turn.")

    async def send(self) -> None:
        """Put a rerun's result into the composer; nothing is sent before the user sends it."""
        from chatglass.chat.attached_files import AttachedText
        from chatglass.chat.calls.rerun_row import RerunRow

        chat, session, row = self._chat, self._chat.session, self._target()
        if session is None or row is None:
            return
        if not isinstance(row, RerunRow):
            chat.say("The model has that result already; only what you ran again can be sent.")
            return
        result = await chat.call_source.result(row.id)
        if result is None:
            chat.say("There is no result yet.")
            return
        text = result.produced
        if len(text) > MOST_SENT:
            text = text[:MOST_SENT]
            chat.say(f"Only the first {MOST_SENT:,} characters of it are attached.", "warning")
        self._close_screens()
        prompt = f"I ran `{row.name}` again with {_inline(_ran(row))}. It gave ({row.state}):"
        name = f"{one_line(row.name, 40)} {clock(row.proposed_at)}"
        chat.composer.restore_prompt(prompt, [AttachedText(name, text)])
        chat.composer.focus()
        chat.say(f"The result ({size(row.result_bytes)}) is in the composer; Enter sends it.")

    def _close_screens(self) -> None:
        from chatglass.tui.inspector.compare_screen import CompareScreen
        from chatglass.tui.inspector.screen import InspectorScreen

        for screen in reversed(list(self._chat.app.screen_stack)):
            if isinstance(screen, (CompareScreen, InspectorScreen)):
                screen.action_close()

    # -- comparing

    def pin(self) -> None:
        """Pin the call; the second one is compared with it, the same again is unpinned."""
        row = self._target()
        if row is None:
            return
        first, self._pinned = self._pinned, None
        before = self.inspector.calls_panel.call(first) if first is not None else None
        if before is None:
            self._pinned = row.id
            self._chat.say(f"{one_line(row.name, 40)} is pinned; p on another one compares them.")
        elif before.id != row.id:
            self._compare(before, row)
        else:
            self._chat.say(f"{one_line(row.name, 40)} is no longer pinned.")
        for inspector in self.inspectors():
            inspector.calls_panel.call_list.show_pinned(self._pinned)

    def inspectors(self) -> Sequence[Inspector]:
        full = self._chat.full_inspector
        return [self._chat.inspector, *([full.inspector] if full is not None else [])]

    def _compare(self, left: ToolCallRow, right: ToolCallRow) -> None:
        from chatglass.tui.inspector.compare_screen import CompareScreen

        app = self._chat.app
        if isinstance(app.screen, CompareScreen):
            app.screen.action_close()
        screen = CompareScreen(
            left, right, self._chat.call_source, words=self._chat.approvals.words
        )
        app.push_screen(screen)
        app.call_after_refresh(self._ask_there)

    def _ask_there(self) -> None:
        session = self._chat.session
        if session is not None:
            self._chat.approvals.changed(session)

    # -- copying

    async def copy(self) -> None:
        """Offer what can be copied of the call."""
        from chatglass.tui.dialogs.choice_list import Choice
        from chatglass.tui.dialogs.dialogs import ChoiceDialog, Chosen

        session, row = self._chat.session, self._target()
        if session is None or row is None:
            return
        choices = [
            Choice("arguments", "Arguments", "as JSON, as they ran"),
            Choice("result", "Result", "all that it produced"),
            Choice("call", "Whole call", "everything that is kept of it, as JSON"),
            Choice("pytest", "Test for pytest", "a file with arguments, result and a test"),
        ]

        def chosen(answer: Chosen | None) -> None:
            if answer is not None:
                self._chat.run_worker(
                    self._copy(session, row, answer.value), group="copy", exit_on_error=False
                )

        title = f"Copy of {one_line(row.name, 60)}"
        self._chat.app.push_screen(ChoiceDialog(title, choices), chosen)

    async def _copy(self, session: OpenSession, row: ToolCallRow, what: str) -> None:
        from chatglass.store.protocol import StoreError

        row = await self._whole(session, row)
        try:
            result = await self._chat.call_source.result(row.id)
        except StoreError as error:
            self._chat.say(str(error), "error")
            return
        match what:
            case "arguments":
                await self._chat.copy(_laid_out(_ran(row)), f"arguments of {row.name}")
            case "result":
                text = result.produced if result else ""
                await self._chat.copy(text, f"result of {row.name}")
            case "call":
                await self._chat.copy(_whole_json(row, result), f"call of {row.name}")
            case _:
                await self._copy_test(session, row, result)

    async def _copy_test(
        self, session: OpenSession, row: ToolCallRow, result: ToolResult | None
    ) -> None:
        from chatglass.chat.calls.pytest_fixture import file_name, fixture

        try:
            root, here = session.engine.context.root, Path.cwd()
            files = [str(here / path) for path in self._chat.app.options.mcp_config]
            text = fixture(row, result, root, mcp_config=files)
        except ValueError as error:
            self._chat.say(str(error), "warning")
            return
        await self._chat.copy(text, f"test, to be saved as {file_name(row)},")


def _ran(row: ToolCallRow) -> str:
    return row.arguments if row.edited_arguments is None else row.edited_arguments


def _laid_out(arguments: str) -> str:
    try:
        return json.dumps(json.loads(arguments or "{}"), indent=2, ensure_ascii=False)
    except ValueError:
        return arguments


def _inline(arguments: str) -> str:
    return f"`{one_line(arguments, 200)}`"


def _whole_json(row: ToolCallRow, result: ToolResult | None) -> str:
    from dataclasses import asdict

    call = asdict(row)
    for name in ("arguments", "edited_arguments"):
        try:
            call[name] = json.loads(call[name]) if call[name] is not None else None
        except ValueError:
            continue  # what the model wrote is no JSON, and stays as it wrote it
    call["result"] = None if result is None else asdict(result)
    return json.dumps(call, indent=2, ensure_ascii=False)
