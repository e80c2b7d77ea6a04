"""Talk: the conversation in lines: reads prompts and commands, and tells what the engine does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path

from chatglass.chat.approvals import SessionPolicy
from chatglass.chat.attached_files import AttachError, read_file
from chatglass.chat.attachments import Attachment
from chatglass.chat.engine import Engine
from chatglass.chat.events import Event
from chatglass.chat.ledger import LedgerUnavailable
from chatglass.chat.mentions import find_mentions, may_mention, resolved
from chatglass.chat.workspace import Workspace
from chatglass.headless.ledger_watch import LedgerWatch
from chatglass.headless.waiting import FIRST_S, Waiting
from chatglass.plain.line_reader import LineReader
from chatglass.plain.narrator import Narrator
from chatglass.plain.questions import PlainApproval, Questions
from chatglass.plain.reading_out import Reading, title_of
from chatglass.plain.voice import Voice
from chatglass.store.protocol import StoreError
from chatglass.store.records import SessionRow
from chatglass.values.figures import counted
from chatglass.values.text import one_line

BLOCK = '"""'
"""Alone on a line it begins and ends a prompt of several lines."""


_MODES = {
    "ask": "mode ask: every tool call asks.",
    "default": "mode default: tool calls that only read run unasked, the others ask.",
    "all": "mode all: tool calls run unasked. What rules deny never runs, what always asks still asks.",
}


@dataclass(slots=True)
class Open:
    """The session that is talked in."""

    engine: Engine
    narrator: Narrator
    reading: Reading
    policy: SessionPolicy
    ledger: LedgerWatch


@dataclass(slots=True)
class Lists:
    """What was listed last, so that a number can name it."""

    sessions: list[SessionRow] = field(default_factory=list[SessionRow])
    models: list[str] = field(default_factory=list[str])


class Talk:
    def __init__(
        self, workspace: Workspace, voice: Voice, reader: LineReader, questions: Questions
    ) -> None:
        self.workspace = workspace
        self.voice = voice
        self.questions = questions
        self.lists = Lists()
        self.attached: list[Attachment] = []
        """What goes with the next prompt."""
        self.leaving = False
        self._reader = reader
        self._session: Open | None = None
        self._held: list[str] = []
        """The lines of a prompt that is not whole yet."""
        self._waiting = Waiting(
            self._tell_waiting,
            gives_up_s=workspace.timeouts.first_byte,
            way_out="Ctrl+C stops it.",
            first_s=FIRST_S,
        )

    # -- the session

    @property
    def session(self) -> Open:
        assert self._session is not None
        return self._session

    @property
    def working(self) -> bool:
        return self._session is not None and self._session.engine.state == "working"

    def stop(self) -> None:
        self.session.engine.stop()

    def drop_line(self) -> None:
        """Forget the lines of a prompt that is not whole yet."""
        self._held.clear()

    async def open(self, row: SessionRow) -> None:
        """Talk in that session from now on. Raises StoreError, LedgerUnavailable."""
        if self._session is not None:
            await self._session.engine.close()
            self._session = None
        workspace = self.workspace
        if row.endpoint == "demo":
            await workspace.start_demo()
        policy = self.workspace.session_policy(row.root)
        approval = PlainApproval(
            self.questions, policy, self.workspace.rules, self.workspace.surroundings
        )
        engine = await workspace.engine(
            row,
            decide_tool=approval.decide,
            judge=policy.judge,
            ask_to_go_on=self.questions.ask_to_go_on,
            ask_budget=self.questions.ask_budget,
        )
        await engine.start()
        calls = await engine.context.store.tool_calls(row.id) if engine.context.stored else []
        narrator = Narrator(self.voice, engine, len(calls))
        approval.number_of = narrator.number
        reading = Reading(self.voice, engine)
        self._session = Open(engine, narrator, reading, policy, LedgerWatch(engine))
        await self._introduce(row)

    async def _introduce(self, row: SessionRow) -> None:
        engine, say = self.session.engine, self.voice.line
        model = f"{engine.context.model.model or 'none'} of {engine.context.model.endpoint}"
        say("Model", model + (" (built in, costs nothing)" if row.endpoint == "demo" else ""))
        if self.session.policy.mode != "default":
            self.say_mode()
        if not len(engine.context.path):
            say("Session", "new")
        else:
            say(
                "Session", f"{title_of(engine.context.session)}, {counted(row.messages, 'message')}"
            )
            await self.session.reading.last_exchange()
        if engine.holder is not None:
            say(
                "Warning",
                f"it is open in another chatglass (process {engine.holder.pid}); here it can only "
                "be read. /new begins another.",
            )
        if engine.queue:
            count = len(engine.queue)
            say(
                "Notice",
                f"{count} prompt{'s wait' if count > 1 else ' waits'} from before; /continue sends "
                f"{'them' if count > 1 else 'it'}. The first: {one_line(engine.queue[0].text, 200)}",
            )
        if row.draft:
            say("Draft", f"{one_line(row.draft, 200)} (/draft sends it)")

    def say_mode(self) -> None:
        mode = self.session.policy.mode
        self.voice.line(
            "Warning" if mode == "all" else "Mode", f"{_MODES[mode]} /mode changes that."
        )

    async def close(self) -> None:
        """Store the end of what runs, and say how to come back."""
        if self._session is None:
            return
        engine = self._session.engine
        await engine.close()
        if engine.context.stored and not self.workspace.options.no_save:
            self.voice.line(
                "To go on with this session", f"chatglass --plain -r {engine.session_id}"
            )

    # -- the loop

    async def run(self) -> None:
        """Until /quit or the end of the input."""
        while not self.leaving and (prompt := await self._next_prompt()) is not None:
            if prompt.startswith("//"):
                await self.say_to_model(prompt[1:])
            elif prompt.startswith("/"):
                name, _, argument = prompt[1:].partition(" ")
                await self.command(name, argument.strip())
            elif prompt.strip():
                await self.say_to_model(prompt)

    async def _next_prompt(self) -> str | None:
        """A prompt: one line; or several, of which all but the last end in a backslash, or which
        stand between two lines of three quotes."""
        if self.questions.kept:
            line = self.questions.kept.pop(0)
            self.voice.line("You", line)
            return line
        self._held.clear()
        block = False
        while True:
            self.voice.ask("You" if not self._held and not block else "More")
            line = await self._reader.next()
            if line is None:
                self.voice.close_line()
                return "\n".join(self._held) if self._held else None
            self.voice.heard(line, echo=not self._reader.is_terminal)
            if line.strip() == BLOCK:
                if block:
                    return "\n".join(self._held)
                block = True
            elif not block and line.endswith("\\"):
                self._held.append(line[:-1])
            else:
                self._held.append(line)
                if not block:
                    return "\n".join(self._held)

    async def command(self, name: str, argument: str) -> None:
        """Run a command. What goes wrong with the store or the engine is said."""
        from chatglass.plain.commands import COMMANDS, nearest

        command = COMMANDS.get(name)
        if command is None:
            self.voice.line(
                "Notice",
                f"There is no command /{name}. {nearest(name)} To send it as text, write //{name}.",
            )
            return
        try:
            await command.run(self, argument)
        except (StoreError, LedgerUnavailable) as error:
            self.voice.line("Error", str(error))
            if self._session is None:
                await self.open(await self.workspace.new_session())

    # -- turns

    async def say_to_model(self, text: str) -> None:
        """Send a prompt with what is attached, and tell its turn."""
        engine = self.session.engine
        if not await self._attach_mentioned(text):
            return
        attached, self.attached = self.attached, []
        try:
            await self._tell(engine.answer(text, attached))
            if not engine.conversation.prompt_stored and engine.queue:
                await engine.unqueue(engine.queue[0].id)
                await engine.save_draft(text)
                self.voice.line("Notice", "The prompt was not sent; /draft sends it again.")
        except (StoreError, RuntimeError) as error:
            self.attached = attached
            self.voice.line("Error", f"{error} The prompt was not sent.")

    async def answer_again(self) -> None:
        """Answer the end of the shown path."""
        await self._tell(self.session.engine.go_on())

    async def send_queued(self) -> None:
        await self._tell(self.session.engine.run())

    async def _tell(self, turns: AsyncGenerator[Event]) -> None:
        try:
            async with aclosing(turns) as events:
                async for event in events:
                    self._waiting.take(event)
                    self.session.narrator.take(event)
        finally:
            self._waiting.end()
        if trouble := self.session.ledger.news():
            self.voice.line("Warning", trouble)

    def _tell_waiting(self, text: str) -> None:
        if not self.questions.asking:
            self.session.narrator.say_waiting(text)

    # -- attached files

    async def _attach_mentioned(self, text: str) -> bool:
        """Attach the files that are named as `@path`. False where the prompt is not to be sent."""
        if not may_mention(text):
            return True
        root = self.session.engine.context.root
        for mention in await asyncio.to_thread(find_mentions, text, root, _nothing_else):
            if mention.path is not None:
                if not await self.attach(mention.path, mention.written[1:]):
                    return False
            elif mention.certain:
                self.voice.line("Question", f"{mention.problem} Send the prompt without it?")
                if await self.questions.choose([("1", "Send it"), ("2", "Do not send")]) != "1":
                    return False
            else:
                self.voice.line("Notice", f"{mention.problem} {mention.written} is sent as text.")
        return True

    async def attach_path(self, written: str) -> bool:
        """Attach a file by its path as it was written. False where it was not."""
        root = self.session.engine.context.root
        path = resolved(written, root)
        if path is not None:
            return await self.attach(path, written)
        self.voice.line("Error", f"{written} is no path, so nothing was attached.")
        return False

    async def attach(self, path: Path, name: str) -> bool:
        """Attach a file to the next prompt, after a question where it may not be read unasked."""
        root = self.session.engine.context.root
        reason = await asyncio.to_thread(self.workspace.objection_to_reading, path, root)
        if reason is not None:
            self.voice.line("Question", f"attach {path}? {reason}")
            if await self.questions.choose([("1", "Attach it"), ("2", "Do not")]) != "1":
                return False
        try:
            file = await asyncio.to_thread(read_file, path, name)
        except AttachError as error:
            self.voice.line("Error", str(error))
            return False
        self.attached.append(file.content())
        self.voice.line("Attached", one_line(name, 200))
        return True


def _nothing_else(written: str) -> bool:
    return False
