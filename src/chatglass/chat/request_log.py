"""RequestLog: the request rows of a session, from sending to price."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from chatglass.chat.figures import RequestFigures
from chatglass.chat.to_the_end import finished
from chatglass.models.wire import ModelManager, ModelRef
from chatglass.store.protocol import SessionStore
from chatglass.store.records import RequestPurpose, RequestRow, SessionRow
from chatglass.values.clock import now_ms
from chatglass.values.ids import new_id
from chatglass.values.usage import Usage

_KEPT = 64
"""Rows that stay in memory: who shows them takes them as they come."""


class RequestLog:
    """Makes and finishes request rows, and keeps the session's figures by them."""

    def __init__(self, store: SessionStore, models: ModelManager, session_id: str) -> None:
        self._store = store
        self._models = models
        self._session_id = session_id
        self.rows: list[RequestRow] = []
        """The newest requests that are over, oldest first; `all_rows` has the others too."""
        self._has_all = True
        self.figures = RequestFigures()
        self._in_flight: dict[str, int] = {}
        """Estimated tokens of their prompts, by id."""
        self._one = asyncio.Lock()

    @asynccontextmanager
    async def one_at_a_time(self) -> AsyncGenerator[None]:
        """From asking the budgets about a request to its end, as they set aside for one of a
        session; an MCP server may ask for an answer while the model writes another. What was set
        aside for one that is not made after all is given back."""
        async with self._one:
            try:
                yield
            except BaseException:
                await finished(self._store.end_reservation(self._session_id))
                raise

    @property
    def is_under_way(self) -> bool:
        """Whether a request is, from asking the budgets about it to its end."""
        return self._one.locked()

    @property
    def pending(self) -> int:
        """Estimated tokens of what is in flight."""
        return sum(self._in_flight.values())

    async def begin(self, row: RequestRow) -> None:
        """Store a request that starts now."""
        await self._store.add_request(row)
        self._in_flight[row.id] = row.estimated_prompt_tokens

    def forget(self, request_id: str) -> None:
        """It is not in flight any more, however it ended."""
        self._in_flight.pop(request_id, None)

    async def load(self, rows: Sequence[RequestRow], text_of: Callable[[str], str]) -> None:
        """Begin with what is stored. What the process was killed in is estimated, with the text of
        its message, and stored; it may have been billed."""
        torn = [row for row in rows if row.status == "interrupted" and row.finished_at is None]
        self.rows, self._has_all = [row for row in rows if row not in torn], True
        self.figures = RequestFigures(self.rows)
        for row in torn:
            text = text_of(row.message_id) if row.message_id else ""
            ref = ModelRef(row.endpoint, row.model)
            usage = Usage(
                prompt_tokens=row.estimated_prompt_tokens,
                completion_tokens=self._models.estimate_tokens(ref, text) if text else 0,
                source="estimated",
            )
            await self.finish(replace(row, finished_at=row.first_token_at or row.started_at), usage)

    async def all_rows(self) -> Sequence[RequestRow]:
        """All requests of the session that are over, oldest first. Raises StoreError."""
        if self._has_all:
            return self.rows
        stored = await self._store.requests(self._session_id)
        return [row for row in stored if row.status != "running"]

    def let_go(self) -> None:
        """Give back the memory of all but the newest rows."""
        self._has_all = self._has_all and len(self.rows) <= _KEPT
        del self.rows[:-_KEPT]

    def new(
        self,
        session: SessionRow,
        turn_id: str | None,
        message_id: str | None,
        purpose: RequestPurpose = "answer",
        *,
        model: ModelRef | None = None,
    ) -> RequestRow:
        """A row for a request that starts now, to `model` (None: the session's); it is not stored
        yet."""
        ref = model or ModelRef(session.endpoint, session.model)
        endpoint = self._models.endpoints.get(ref.endpoint)
        return RequestRow(
            id=new_id(),
            session_id=session.id,
            turn_id=turn_id or "",
            message_id=message_id,
            purpose=purpose,
            endpoint=ref.endpoint,
            base_url=endpoint.base_url if endpoint else "",
            model=ref.model,
            started_at=now_ms(),
        )

    async def finish(self, row: RequestRow, usage: Usage | None) -> RequestRow:
        """Price and store a request that is over, and count it. Returns the row as stored."""
        row = replace(row, finished_at=row.finished_at or now_ms(), usage=usage)
        if usage is not None:
            ref = ModelRef(row.endpoint, row.model)
            cost = self._models.price(ref, usage, row.started_at)
            row = replace(
                row,
                cost=cost.usd,
                price_source=cost.source,
                prompt_cost=self._models.prompt_cost(ref, usage, cost, row.started_at),
            )
        await self._store.finish_request(row)
        self.forget(row.id)
        self.rows.append(row)
        self.figures.add(row)
        return row
