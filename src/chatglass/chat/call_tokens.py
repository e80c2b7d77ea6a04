"""What a tool call added to the context, and what that has cost since, request by request.

Derived from the rows: a request held the call where its parts name the message with the result
(`RequestRow.parts`); its share of the prompt's cost is that of its estimated tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from chatglass.chat.compaction.stubs import LEAST_CHARS
from chatglass.models.estimates import CALL_TOKENS, MESSAGE_TOKENS, estimate_text
from chatglass.store.protocol import SessionStore, StoreError
from chatglass.store.records import MessageRow, RequestRow, ToolCallRow

_PICO = Decimal("1e-12")


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBy:
    """A request whose prompt held the call. `cost` is its share, None where no price is known."""

    request: RequestRow
    place: int
    """Among the session's requests, from 1."""
    tokens: int
    cost: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallTokens:
    arguments: int
    """Estimated tokens of the call in the assistant's message."""
    result: int
    """Of the result as the model saw it."""
    held_by: tuple[HeldBy, ...] = ()
    left_out: int = 0
    """Later requests of the same path that no longer held it, after a compaction."""

    @property
    def added(self) -> int:
        return self.arguments + self.result

    @property
    def sent(self) -> int:
        """All tokens that were sent because of it."""
        return sum(each.tokens for each in self.held_by)

    @property
    def cost(self) -> Decimal | None:
        """What the priced ones come to; None where none of them is priced."""
        priced = [each.cost for each in self.held_by if each.cost is not None]
        return sum(priced, Decimal(0)) if priced else None

    @property
    def unpriced(self) -> int:
        return sum(each.cost is None for each in self.held_by)


async def call_tokens(
    store: SessionStore,
    call: ToolCallRow,
    seen: str,
    shown_path: Sequence[MessageRow],
    calibrated: Callable[[int], int],
) -> CallTokens:
    """`seen` is the result as the model got it; `shown_path` all that is on screen. Raises
    StoreError."""
    arguments = calibrated(CALL_TOKENS + estimate_text(call.name) + estimate_text(call.arguments))
    result = calibrated(MESSAGE_TOKENS + estimate_text(seen))
    tree = _Tree(store, call.session_id, shown_path)
    held_by: list[HeldBy] = []
    left_out = 0
    for place, row in enumerate(await store.requests(call.session_id), 1):
        if row.id == call.request_id or row.started_at < call.proposed_at:
            continue
        if row.message_id is None or not await tree.leads_through(row.message_id, call):
            continue
        if not await _holds(store, tree, row, call, has_stub=len(seen) >= LEAST_CHARS):
            left_out += 1
            continue
        tokens = arguments + result
        held_by.append(HeldBy(request=row, place=place, tokens=tokens, cost=_share(row, tokens)))
    return CallTokens(arguments=arguments, result=result, held_by=tuple(held_by), left_out=left_out)


def _share(row: RequestRow, tokens: int) -> Decimal | None:
    """The part of the prompt's cost; as `RequestRow.tool_shares` counts it."""
    if row.usage is None or row.prompt_cost is None:
        return None
    whole = max(row.usage.prompt_tokens, sum(count for _, count in row.tool_tokens), tokens, 1)
    return (row.prompt_cost * tokens / whole).quantize(_PICO)


async def _holds(
    store: SessionStore, tree: _Tree, row: RequestRow, call: ToolCallRow, *, has_stub: bool
) -> bool:
    """Whether the request sent the message with the result, as it stands or in another form.
    `has_stub`: a stub stands for it where old results are left out."""
    for kind, ref in await store.request_parts(row.id):
        if kind != "blob":
            first, last = ref.split()
            if await tree.is_between(first, last, call):
                return kind == "path" or not has_stub
        elif call.call_id in await store.get_blob(ref):
            return True
    return False


class _Tree:
    """The places of the session's messages on their paths, read as far as they are asked for."""

    def __init__(
        self, store: SessionStore, session_id: str, shown_path: Sequence[MessageRow]
    ) -> None:
        self._store = store
        self._session_id = session_id
        self._depths: dict[str, int] = {}
        self._through: dict[str, int | None] = {}
        """For each message, the place of the call's message on the path to it."""
        self._shown = shown_path

    async def leads_through(self, message_id: str, call: ToolCallRow) -> bool:
        """Whether the message that made the call is on the path to that one."""
        await self._know(message_id, call)
        return self._through.get(message_id) is not None

    async def is_between(self, first: str, last: str, call: ToolCallRow) -> bool:
        """Whether the stretch of the path holds the answer to the call, which comes right behind
        the message that made it."""
        await self._know(last, call)
        at = self._through.get(last)
        if at is None:
            return False
        return self._depths[first] <= at + 1 + call.position <= self._depths[last]

    async def _know(self, message_id: str, call: ToolCallRow) -> None:
        if not self._depths:
            self._take(self._shown, call)
        if message_id not in self._depths:
            try:
                self._take(await self._store.path(self._session_id, message_id), call)
            except StoreError:
                self._depths[message_id], self._through[message_id] = 0, None

    def _take(self, path: Sequence[MessageRow], call: ToolCallRow) -> None:
        through: int | None = None
        for depth, row in enumerate(path):
            if row.id == call.message_id:
                through = depth
            self._depths[row.id] = depth
            self._through[row.id] = through
