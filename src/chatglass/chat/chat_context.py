"""ChatContext: the message list, the way in and out of a conversation.

The list here is the one source of truth for what the model gets, in OpenAI's format. Every change
is on disk before the method returns. SessionManager (behind `SessionLedger`) only counts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from chatglass.chat.attachments import Attachment, prompt_content
from chatglass.chat.compaction.log import CompactionChoice, CompactionLog
from chatglass.chat.context_size import ContextSize
from chatglass.chat.ledger import LedgerUnavailable, SessionLedger
from chatglass.chat.message_log import MessageLog
from chatglass.chat.messages import WireMessage, tool_calls_json
from chatglass.chat.new_session import first_model, new_session
from chatglass.chat.open_calls import find_open_calls
from chatglass.chat.request_log import RequestLog
from chatglass.chat.session_head import SessionHead
from chatglass.chat.session_tools import SessionTools
from chatglass.chat.shown_path import Outgoing, ShownPath
from chatglass.chat.stats import ContextParts, TokenStats
from chatglass.chat.to_the_end import unbroken
from chatglass.chat.token_stats import token_stats
from chatglass.chat.tool_call_log import ToolCallLog
from chatglass.models.wire import ModelManager, ModelRef, ProposedCall
from chatglass.store.protocol import SessionStore
from chatglass.store.records import (
    CompactionRow,
    MessageStatus,
    Parameters,
    RequestRow,
    SessionRow,
    ToolCallRow,
    ToolCallState,
    ToolResult,
)
from chatglass.store.sqlite import SqliteStore
from chatglass.tools.tool_manager import ToolManager
from chatglass.values.ids import new_id
from chatglass.values.text import storable
from chatglass.values.usage import Usage


class ChatContext:
    """One session's shown path, its ledger and its figures.

    `token_threshold` is the most tokens of a request where the model's window allows that many;
    at the limit old messages are compacted, or without `enable_infinite_context` a request is
    refused. Without a `store` the session lives in memory; without a `session` it is a new one in
    the current directory. The caller closes the store.
    """

    def __init__(
        self,
        *,
        tool_manager: ToolManager,
        model_manager: ModelManager,
        token_threshold: int = 150_000,
        enable_infinite_context: bool = True,
        store: SessionStore | None = None,
        session: SessionRow | None = None,
        compaction: CompactionChoice | None = None,
    ) -> None:
        store = store or SqliteStore(None)
        self.tool_manager = tool_manager
        self.models = model_manager
        self.infinite = enable_infinite_context
        self.store = store
        self._head = SessionHead(
            store, session or new_session(Path.cwd(), first_model(model_manager))
        )
        self.messages = MessageLog(store, self.session.id)
        self.ledger = SessionLedger()
        self.requests = RequestLog(store, model_manager, self.session.id)
        self.calls = ToolCallLog(store)
        self.tools = SessionTools(tool_manager, self.messages.whole_path)
        self.size = ContextSize(model_manager, self.tools.schemas, token_threshold)
        self.compaction = CompactionLog(self, compaction or CompactionChoice())
        self._loaded = False
        self._ready = False
        self._opening = asyncio.Lock()
        self._path_end = asyncio.Lock()
        """A turn begins at the end of the path that is shown, not of one that is being read."""

    # -- opening

    async def initialize(self) -> None:
        """Read the session from the store (a new one is stored with its first message) and start
        the ledger. Raises LedgerUnavailable, StoreError.
        """
        await self.load()
        await self.find_window()
        await self._start_ledger()
        self._let_go()
        self._ready = True

    async def load(self, *, again: bool = False) -> None:
        """Read the shown path and the figures once, after settling what a crash left; enough to
        show the session, not to send. `again`: another process has written to it. Raises StoreError.
        """
        async with self._opening:
            if again or not self._loaded:
                await self.store.open()
                await self._read()
                self._loaded = True

    async def _read(self) -> None:
        session_id = self.session.id
        if not await self._head.read():
            return
        await self.store.recover(session_id)
        await self.compaction.read()
        await self.messages.take_path(self.session.leaf_id, self.compactions)
        await self.requests.load(await self.store.requests(session_id), self.messages.text_of)
        self.calls.count = self.session.tool_calls

    async def find_window(self) -> None:
        """Ask how much the model takes and what its server is, where that is not known yet: it may
        not have run, or not have loaded the model. Takes up to 3 s; asks for the window at a server
        that did not know once in 30 s."""
        await self.models.recognise(self.model.endpoint)
        model = self.model
        window = await self.models.context_window(model)
        if model == self.model:
            self.size.is_window_asked = True
            if window is not None:
                # One that was known may have turned out to be smaller.
                self.size.window = min(window, self.size.window or window)

    async def _start_ledger(self) -> None:
        await self.ledger.close()
        self.ledger = SessionLedger()
        await self.ledger.initialize(self.requests.figures.totals(), tool_calls=self.calls.count)

    async def _restart_ledger(self) -> None:
        """With the totals so far instead of all the events that led to them."""
        if self._ready:
            try:
                await self._start_ledger()
            except LedgerUnavailable as error:
                # It ran before: as any later error, this one must not keep the session from work.
                self.ledger.degraded = str(error)

    async def close(self) -> None:
        await self.ledger.close()

    @property
    def stored(self) -> bool:
        """Whether the session has a row in the store."""
        return self._head.stored

    async def ensure_stored(self) -> None:
        """Make the session's row, if it has none yet."""
        await self.load()
        await self._head.ensure_stored()

    def _require(self, is_so: bool) -> None:
        if not is_so:
            raise RuntimeError("ChatContext is not initialized: await initialize() first")

    # -- what the session is

    @property
    def session(self) -> SessionRow:
        """The session's row; its totals are those of when it was read."""
        return self._head.row

    @property
    def path(self) -> ShownPath:
        """The shown path: what is on screen, and what the next request is made of."""
        return self.messages.path

    @property
    def compactions(self) -> list[CompactionRow]:
        """All of the session, with their versions, oldest first."""
        return self.compaction.rows

    @property
    def turn_id(self) -> str | None:
        return self.messages.turn_id

    @turn_id.setter
    def turn_id(self, turn_id: str | None) -> None:
        self.messages.turn_id = turn_id

    @property
    def model(self) -> ModelRef:
        return ModelRef(self.session.endpoint, self.session.model)

    @property
    def root(self) -> Path:
        return Path(self.session.root)

    async def set_model(self, ref: ModelRef) -> None:
        self.size.window = None
        self.size.is_window_asked = False
        await self._head.set_model(ref)
        await self.find_window()

    async def set_parameters(self, parameters: Parameters) -> None:
        await self._head.set_parameters(parameters)

    async def rename(self, title: str) -> None:
        await self.ensure_stored()
        await self._head.rename(title)

    # -- the way in

    @unbroken
    async def add_user_message(
        self,
        text: str,
        attachments: Sequence[Attachment] = (),
        *,
        turn_id: str | None = None,
        queued_id: str | None = None,
    ) -> str:
        """Store what the user said and begin a turn with it. Returns the message's id."""
        self._require(self._ready)
        await self.ensure_stored()
        text = storable(text)
        content = prompt_content(text, attachments)
        async with self._path_end:
            self.turn_id = turn_id or new_id()
            row = replace(self.messages.row("user", content), content_is_json=bool(attachments))
            await self.messages.append(row, queued_id=queued_id)
        await self._head.title_from(text)
        await self.ledger.user_said(text)
        return row.id

    @unbroken
    async def add_assistant_message(
        self,
        text: str,
        tool_calls: Sequence[ProposedCall] | None = None,
        usage: Usage | None = None,
    ) -> str:
        """Store a whole answer. Returns its id."""
        message_id = await self.begin_assistant()
        await self.finish_assistant(message_id, text=text, tool_calls=tool_calls or ())
        if tool_calls or usage:
            request = self.requests.new(self.session, self.turn_id, message_id)
            await self.store.add_request(request)
            await self.finish_request(replace(request, status="complete"), usage)
            await self.propose_calls(message_id, request.id, tool_calls or ())
        return message_id

    @unbroken
    async def begin_assistant(self) -> str:
        """Store an empty `partial` answer of the session's model; text comes by `checkpoint`."""
        self._require(self._ready)
        await self.ensure_stored()
        async with self._path_end:
            return await self.messages.begin(self.model)

    async def checkpoint(self, message_id: str, delta: str, *, reasoning: str = "") -> None:
        """Add to the text of a `partial` answer, and store the text so far."""
        await self.messages.checkpoint(message_id, delta, reasoning)

    @unbroken
    async def finish_assistant(
        self,
        message_id: str,
        *,
        text: str | None = None,
        tool_calls: Sequence[ProposedCall] = (),
        status: MessageStatus = "complete",
        reasoning_ms: int = 0,
        error: str | None = None,
    ) -> None:
        """Store the final form of an answer: `text`, or what was checkpointed."""
        calls = [(call.id, storable(call.name), storable(call.arguments)) for call in tool_calls]
        row = await self.messages.finish(
            message_id,
            text=text,
            tool_calls=tool_calls_json(calls) if calls else None,
            status=status,
            reasoning_ms=reasoning_ms,
            error=error,
        )
        await self.ledger.assistant_said(row.content, row.model or "", row.endpoint or "")

    @unbroken
    async def add_tool_response(
        self,
        call_id: str,
        result: str,
        tool_name: str,
        *,
        status: ToolCallState = "ok",
        produced: str | None = None,
    ) -> str:
        """Answer a proposed call: `result` is what the model sees. Returns the message's id."""
        self._require(self._ready)
        seen = storable(result)
        call = self.calls.still_open(call_id)
        if call is not None:
            kept = ToolResult(seen if produced is None else produced, seen)
            await self.settle_call(replace(call, state=status), kept)
        row = self.messages.row("tool", seen)
        return await self.messages.append(replace(row, tool_call_id=call_id, tool_name=tool_name))

    @unbroken
    async def finish_request(self, row: RequestRow, usage: Usage | None) -> RequestRow:
        """Store a request that is over, with its price, and bring the ledger up to it."""
        row = await self.requests.finish(row, usage)
        await self.ledger.true_up(self.requests.figures.totals())
        return row

    # -- tool calls

    async def propose_calls(
        self, message_id: str, request_id: str, calls: Sequence[ProposedCall]
    ) -> list[ToolCallRow]:
        """Store the calls of an answer before anything is decided about them."""
        return await self.calls.propose(
            self.session.id, self.turn_id or "", request_id, message_id, calls
        )

    async def settle_call(self, row: ToolCallRow, result: ToolResult) -> ToolCallRow:
        """Store a call's end and its result, and count it."""
        row = await self.calls.settle(row, result)
        error = None if row.state == "ok" else row.error or row.state
        await self.ledger.tool_used(row.name, row.arguments, result.seen, error)
        return row

    # -- the way out

    def get_messages_for_llm(self) -> list[WireMessage]:
        """System prompt, summary and recent messages: always a valid list."""
        return self.outgoing().messages

    def outgoing(self) -> Outgoing:
        self._require(self._ready)
        return self.path.outgoing(self.session.parameters.system_prompt)

    def get_conversation_length(self) -> int:
        """Messages on the shown path."""
        self._require(self._loaded)
        return len(self.path)

    async def answer_open_calls(self) -> None:
        """Give the calls at the end of the path whose turn was torn the tool messages they lack."""
        for call in await find_open_calls(self.store, self.path.rows):
            self.turn_id = call.turn_id
            await self.add_tool_response(call.call_id, call.answer, call.name)

    @unbroken
    async def clear_conversation_history(self) -> None:
        """Show a new, empty branch. What was said and spent stays."""
        self._require(self._ready)
        await self.show(None)

    @unbroken
    async def show(self, leaf_id: str | None) -> None:
        """Make the path to `leaf_id` the shown one."""
        async with self._path_end:
            await self._head.show(leaf_id)
            await self.messages.take_path(leaf_id, self.compactions)
            self.turn_id = None
        await self._restart_ledger()

    # -- figures

    def limit(self) -> int:
        """The most tokens the next request may have."""
        return self.size.limit(self.session)

    def context_parts(self) -> ContextParts:
        return self.size.parts(self.session, self.path, self.requests.figures)

    def estimate(self, text: str) -> int:
        return self.size.of_text(self.session, text)

    def next_request_tokens(self, draft: str = "", attachments: Sequence[Attachment] = ()) -> int:
        """Estimated tokens of the next request, with `draft` as its newest message."""
        return self.context_parts().total + self.draft_tokens(draft, attachments)

    def draft_tokens(self, draft: str, attachments: Sequence[Attachment] = ()) -> int:
        """Estimated tokens of a prompt that is not sent yet; 0 where there is none."""
        if not draft and not attachments:
            return 0
        content = prompt_content(draft, attachments)
        return self.size.of_message(self.session, content, is_json=bool(attachments))

    async def get_token_stats(self) -> TokenStats:
        """The figures for every screen, in one frozen value."""
        self._require(self._loaded)
        return await token_stats(self)

    # -- compaction

    @unbroken
    async def add_compaction(self, row: CompactionRow) -> None:
        """Store a compaction, which is in force from now on."""
        await self.compaction.add(row)
        self._let_go()
        # Its events are 12 kB a turn, of which no figure needs more than their sums.
        await self._restart_ledger()

    def _let_go(self) -> None:
        """Give back the memory of what is neither sent nor counted any more."""
        self.path.let_go()
        self.requests.let_go()
