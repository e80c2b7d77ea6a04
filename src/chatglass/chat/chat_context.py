"""ChatContext: the message list, the way in and out of a conversation.

The list here is the one source of truth for what the model gets, in OpenAI's format. Every change
is on disk before the method returns. SessionManager (behind `SessionLedger`) only counts.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from chatglass.chat.compaction import STRATEGIES, CompactionStrategy
from chatglass.chat.context_size import ContextSize
from chatglass.chat.ledger import SessionLedger
from chatglass.chat.messages import WireMessage, tool_calls_json
from chatglass.chat.request_log import RequestLog
from chatglass.chat.shown_path import Outgoing, ShownPath
from chatglass.chat.stats import ContextParts, TokenStats
from chatglass.chat.tool_call_log import ToolCallLog
from chatglass.models.wire import ModelManager, ModelRef, ProposedCall
from chatglass.store.protocol import SessionGone, SessionStore
from chatglass.store.records import (
    CompactionRow,
    MessageRow,
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
from chatglass.values.clock import now_ms
from chatglass.values.ids import new_id
from chatglass.values.text import one_line, storable
from chatglass.values.usage import Usage

_TITLE_CHARS = 80


@dataclass(frozen=True, slots=True)
class Attachment:
    """Something that goes with a prompt: an OpenAI content part, and its label on screen."""

    label: str
    part: dict[str, Any]


def new_session(root: Path, model: ModelRef, parameters: Parameters | None = None) -> SessionRow:
    """The row of a session that begins now in the working directory `root`; it is not stored."""
    now = now_ms()
    return SessionRow(
        id=new_id(),
        title="",
        root=str(root),
        endpoint=model.endpoint,
        model=model.model,
        created_at=now,
        updated_at=now,
        parameters=parameters or Parameters(),
    )


def _first_model(models: ModelManager) -> ModelRef:
    """The first model of the first endpoint."""
    endpoint = next(iter(models.endpoints.values()))
    return ModelRef(endpoint.name, endpoint.models[0] if endpoint.models else "")


class ChatContext:
    """One session's shown path, its ledger and its figures.

    `token_threshold` is the most tokens of a request where the model's window allows that many;
    with `enable_infinite_context` old messages are compacted at the limit, without it a request
    over the limit is refused. Without a `store` the session lives in memory; without a `session`
    it is a new one in the current directory. The caller opens and closes a store that it gives.
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
        strategy: CompactionStrategy | None = None,
    ) -> None:
        store = store or SqliteStore(None)
        self.tool_manager = tool_manager
        self.models = model_manager
        self.infinite = enable_infinite_context
        self.store = store
        self.session = session or new_session(Path.cwd(), _first_model(model_manager))
        self.strategy = strategy or STRATEGIES["trim"]
        self.path = ShownPath()
        self.ledger = SessionLedger()
        self.requests = RequestLog(store, model_manager)
        self.calls = ToolCallLog(store)
        self.size = ContextSize(model_manager, tool_manager, token_threshold)
        self.turn_id: str | None = None
        self.compactions: list[CompactionRow] = []
        self._saved = False
        self._loaded = False
        self._ready = False

    # -- opening

    async def initialize(self) -> None:
        """Read the session from the store (a new one is stored with its first message) and start
        the ledger. Raises LedgerUnavailable, StoreError.
        """
        if not self._loaded:
            await self.load()
        await self._start_ledger()
        self._ready = True

    async def load(self) -> None:
        """Read the shown path and the figures, after settling what a crash left; enough to show
        the session, not to send. Raises StoreError.
        """
        session_id = self.session.id
        await self.store.open()
        self._loaded = True
        try:
            self.session, self._saved = await self.store.get_session(session_id), True
        except SessionGone:
            self._saved = False
        if self._saved:
            await self.store.recover(session_id)
            rows = await self.store.path(session_id, self.session.leaf_id)
            self.compactions = await self.store.compactions(session_id)
            self.path = ShownPath(rows, self.compactions)
            self.requests.load(await self.store.requests(session_id))
            self.calls.count = self.session.tool_calls
        self.size.window = await self.models.context_window(self.model)

    async def _start_ledger(self) -> None:
        await self.ledger.close()
        self.ledger = SessionLedger()
        await self.ledger.initialize(self.requests.figures.totals(), tool_calls=self.calls.count)

    async def close(self) -> None:
        await self.ledger.close()

    @property
    def stored(self) -> bool:
        """Whether the session has a row in the store."""
        return self._saved

    async def ensure_stored(self) -> None:
        """Make the session's row, if it has none yet."""
        if not self._saved:
            await self.store.create_session(self.session)
            self._saved = True

    def _require_ready(self) -> None:
        if not self._ready:
            raise RuntimeError(
                "ChatContext is not initialized: await initialize() before anything else"
            )

    # -- what the session is

    @property
    def model(self) -> ModelRef:
        return ModelRef(self.session.endpoint, self.session.model)

    @property
    def root(self) -> Path:
        return Path(self.session.root)

    async def set_model(self, ref: ModelRef) -> None:
        self.session = replace(self.session, endpoint=ref.endpoint, model=ref.model)
        if self._saved:
            await self.store.set_model(self.session.id, ref.endpoint, ref.model)
        self.size.window = await self.models.context_window(ref)

    async def set_parameters(self, parameters: Parameters) -> None:
        self.session = replace(self.session, parameters=parameters)
        if self._saved:
            await self.store.set_parameters(self.session.id, parameters)

    async def rename(self, title: str) -> None:
        title = one_line(storable(title), _TITLE_CHARS)
        self.session = replace(self.session, title=title, title_by_user=True)
        await self.ensure_stored()
        await self.store.rename_session(self.session.id, title, by_user=True)

    # -- the way in

    async def add_user_message(
        self,
        text: str,
        attachments: Sequence[Attachment] = (),
        *,
        turn_id: str | None = None,
        queued_id: str | None = None,
    ) -> str:
        """Store what the user said and begin a turn with it. Returns the message's id."""
        self._require_ready()
        await self.ensure_stored()
        text = storable(text)
        self.turn_id = turn_id or new_id()
        content = text
        if attachments:
            parts = [{"type": "text", "text": text}, *(one.part for one in attachments)]
            content = json.dumps(parts, ensure_ascii=False)
        row = self._row("user", content, content_is_json=bool(attachments))
        await self.store.append_message(row, queued_id=queued_id)
        self.path.append(row)
        if not self.session.title:
            await self._title_from(text)
        await self.ledger.user_said(text)
        return row.id

    async def _title_from(self, text: str) -> None:
        title = one_line(text.strip(), _TITLE_CHARS)
        self.session = replace(self.session, title=title)
        await self.store.rename_session(self.session.id, title, by_user=False)

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

    async def begin_assistant(self) -> str:
        """Store an empty `partial` answer of the session's model; text comes by `checkpoint`."""
        self._require_ready()
        await self.ensure_stored()
        row = replace(
            self._row("assistant", ""),
            status="partial",
            endpoint=self.session.endpoint,
            model=self.session.model,
        )
        await self.store.append_message(row)
        self.path.append(row)
        return row.id

    async def checkpoint(self, message_id: str, delta: str, *, reasoning: str = "") -> None:
        """Add to the text of a `partial` answer, and store the text so far."""
        row = self._row_of(message_id)
        row = replace(
            row,
            content=row.content + storable(delta),
            reasoning=row.reasoning + storable(reasoning),
        )
        self.path.replace(row)
        await self.store.checkpoint_message(row.id, row.content, row.reasoning)

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
        row = self._row_of(message_id)
        calls = [(call.id, storable(call.name), storable(call.arguments)) for call in tool_calls]
        row = replace(
            row,
            content=row.content if text is None else storable(text),
            tool_calls=tool_calls_json(calls) if calls else None,
            status=status,
            reasoning_ms=reasoning_ms,
            error=error,
        )
        await self.store.finish_message(row)
        self.path.replace(row)
        await self.ledger.assistant_said(row.content, row.model or "", row.endpoint or "")

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
        self._require_ready()
        seen = storable(result)
        call = self.calls.still_open(call_id)
        if call is not None:
            await self.settle_call(replace(call, state=status), ToolResult(produced or seen, seen))
        row = replace(self._row("tool", seen), tool_call_id=call_id, tool_name=tool_name)
        await self.store.append_message(row)
        self.path.append(row)
        return row.id

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
        answer = ToolCallRow(
            id="",
            session_id=self.session.id,
            turn_id=self.turn_id or "",
            request_id=request_id,
            message_id=message_id,
            call_id="",
            position=0,
            name="",
            arguments="",
            proposed_at=0,
        )
        return await self.calls.propose(answer, calls)

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
        self._require_ready()
        return self.path.outgoing(self.session.parameters.system_prompt)

    def get_conversation_length(self) -> int:
        """Messages on the shown path."""
        return len(self.path)

    async def clear_conversation_history(self) -> None:
        """Show a new, empty branch. What was said and spent stays."""
        self._require_ready()
        if self._saved:
            await self.store.set_leaf(self.session.id, None)
        await self.show(None)

    async def show(self, leaf_id: str | None) -> None:
        """Make the path to `leaf_id` the shown one (it is stored as such already)."""
        rows = await self.store.path(self.session.id, leaf_id) if self._saved else []
        self.path = ShownPath(rows, self.compactions)
        self.session = replace(self.session, leaf_id=leaf_id)
        self.turn_id = None
        await self._start_ledger()

    # -- figures

    def limit(self) -> int:
        """The most tokens the next request may have."""
        return self.size.limit(self.session)

    def context_parts(self) -> ContextParts:
        return self.size.parts(self.session, self.path, self.requests.figures)

    def estimate(self, text: str) -> int:
        return self.size.of_text(self.session, text)

    def next_request_tokens(self, draft: str = "") -> int:
        """Estimated tokens of the next request, with `draft` as its newest message."""
        extra = self.size.of_message(self.session, draft) if draft else 0
        return self.context_parts().total + extra

    async def get_token_stats(self) -> TokenStats:
        """The figures for every screen, in one frozen value."""
        ledger = await self.ledger.stats()
        figures = self.requests.figures
        turn_requests, turn_tokens, turn_cost = figures.turn(self.turn_id)
        cost = figures.known_cost()
        if cost is not None and ledger is not None:
            cost = ledger.estimated_cost
        return TokenStats(
            total_tokens=ledger.total_tokens if ledger else figures.usage.total_tokens,
            estimated_cost=cost,
            tool_calls=ledger.tool_calls if ledger else self.calls.count,
            segments=1 + len(self.compactions),
            requests=figures.requests,
            unpriced_requests=figures.unpriced,
            input_tokens=figures.usage.prompt_tokens,
            output_tokens=figures.usage.completion_tokens,
            cached_tokens=figures.usage.cached_tokens,
            reasoning_tokens=figures.usage.reasoning_tokens,
            source=figures.usage.source,
            turn_requests=turn_requests,
            turn_tokens=turn_tokens,
            turn_cost=turn_cost,
            context=self.context_parts(),
            limit=self.limit(),
            window=self.size.window,
            pending=self.requests.pending,
            cost_by_turn=figures.cost_by_turn(),
            tokens_per_second=figures.tokens_per_second(),
            first_token_ms=figures.first_token_ms(),
            free=figures.requests > 0 and figures.free,
            degraded=self.ledger.degraded,
        )

    # -- compaction

    async def compact(self) -> CompactionRow | None:
        """Leave old turns out of what is sent, by the session's strategy. None if none can be."""
        turns = self.size.turns(self.session, self.path)
        before = self.next_request_tokens()
        overhead = max(before - sum(turn.tokens for turn in turns), 0)
        plan = await self.strategy.plan(turns, max(self.limit() - overhead, 1))
        anchor = self.path.leaf_id
        if plan is None or anchor is None:
            return None
        row = CompactionRow(
            id=new_id(),
            session_id=self.session.id,
            anchor_id=anchor,
            first_kept_id=plan.first_kept_id,
            strategy=self.strategy.name,
            created_at=now_ms(),
            summary=plan.summary,
            tokens_before=before,
        )
        after = ShownPath(self.path.rows, [*self.compactions, row])
        parts = self.size.parts(self.session, after, self.requests.figures)
        row = replace(row, tokens_after=parts.total)
        await self.store.add_compaction(row)
        self.compactions.append(row)
        self.path = ShownPath(self.path.rows, self.compactions)
        return row

    # -- inside

    def _row(self, role: Any, content: str, *, content_is_json: bool = False) -> MessageRow:
        return MessageRow(
            id=new_id(),
            session_id=self.session.id,
            parent_id=self.path.leaf_id,
            turn_id=self.turn_id or "",
            role=role,
            content=content,
            created_at=now_ms(),
            content_is_json=content_is_json,
        )

    def _row_of(self, message_id: str) -> MessageRow:
        row = self.path.get(message_id)
        if row is None:
            raise KeyError(f"message {message_id} is not on the shown path")
        return row
