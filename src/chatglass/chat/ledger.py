"""SessionLedger: the one module that touches chuk_ai_session_manager.

SessionManager tracks tokens, cost and tools, and nothing else: what it would send to a model is
never used, and what it stores is thrown away with the process. What it counts itself is far from
a bill (no re-sent history, no tool schemas, 17 prices), so after every request the ledger adds one
event that brings its totals to ours (`true_up`), and `get_stats()` then shows the true figures.

Measured on chuk-ai-session-manager 0.11.2; the limits below follow from how it behaves there.
"""

# The library ships types for half of what is used here.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

import asyncio
import importlib
import logging
import os
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from chatglass.chat.to_the_end import to_the_end
from chatglass.values.ids import new_id
from chatglass.values.text import storable

# It serialises its whole session as JSON on every event, on the event loop: short texts and small
# segments keep that under 8 ms.
_PREVIEW = 2_000
_EVENTS_PER_SEGMENT = 50

# Digits of a dollar that survive its float sums.
_COST_DIGITS = 12

_LOGGERS = ("chuk_ai_session_manager", "chuk_sessions", "chuk_tool_processor")
_import_lock = threading.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerTotals:
    """The true figures of a session: tokens as reported, cost in USD (0 where unpriced)."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerStats:
    """What `SessionManager.get_stats()` says after the true-up."""

    total_tokens: int
    estimated_cost: Decimal
    tool_calls: int


class LedgerUnavailable(RuntimeError):
    """SessionManager could not be started. `str()` says why."""


def preload() -> None:
    """Import the library with its side effects held back. Blocks for ~1.5 s of CPU: call in a thread.

    At import it loads a `.env` found above site-packages, sets CHUK_SANDBOX_ID, adds a log handler
    on stderr that draws over a full screen, and warns of its own deprecations.
    """
    with _import_lock:
        before = {
            name: os.environ.get(name) for name in ("PYTHON_DOTENV_DISABLED", "CHUK_SANDBOX_ID")
        }
        root_handlers = list(logging.getLogger().handlers)
        os.environ["PYTHON_DOTENV_DISABLED"] = "1"
        try:
            import warnings

            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                importlib.import_module("chuk_ai_session_manager.session_manager")
                tokens = importlib.import_module("chuk_ai_session_manager.models.token_usage")
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value
        # With tiktoken importable and no network `user_says` raises or hangs on a download.
        tokens.TIKTOKEN_AVAILABLE = False  # pyright: ignore[reportAttributeAccessIssue]
        _silence(root_handlers)


def _silence(root_handlers: list[logging.Handler]) -> None:
    root = logging.getLogger()
    for handler in list(root.handlers):
        if handler not in root_handlers:
            root.removeHandler(handler)
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        logger.handlers[:] = [logging.NullHandler()]
        logger.propagate = False


class SessionLedger:
    """One SessionManager, fed in order and kept true.

    A failed `initialize()` raises LedgerUnavailable; any later error of the library sets
    `degraded` and is not raised, since a ledger must not fail a turn.
    """

    def __init__(self) -> None:
        self._manager: Any = None
        self._lock = asyncio.Lock()
        self._totals = LedgerTotals()
        self._ids: set[str] = set()
        """Of the library's sessions, which it would keep for ever."""
        self.degraded: str | None = None

    async def initialize(self, totals: LedgerTotals | None = None, *, tool_calls: int = 0) -> None:
        """Start empty, or with what a resumed session has used so far. Raises LedgerUnavailable."""
        try:
            await asyncio.to_thread(preload)
            async with self._lock:
                manager = self._manager = await self._build(tool_calls)
                self._totals = totals or LedgerTotals()
                await self._true_up(manager)
        # The library documents no errors and raises pydantic's, its own and OSError alike.
        except Exception as error:
            raise LedgerUnavailable(
                f"chuk-ai-session-manager, which counts tokens and cost, could not start: "
                f"{type(error).__name__}: {error}"
            ) from error

    async def _build(self, tool_calls: int) -> Any:
        """A manager whose chain already holds `tool_calls` tool events, in a session of its own
        that no later event serialises again.
        """
        from chuk_ai_session_manager.models.event_type import EventType
        from chuk_ai_session_manager.models.session import Session
        from chuk_ai_session_manager.models.session_event import SessionEvent
        from chuk_ai_session_manager.session_manager import SessionManager
        from chuk_ai_session_manager.session_storage import ChukSessionsStore

        store = ChukSessionsStore()
        parent: str | None = None
        if tool_calls:
            carried: Any = Session(id=new_id())
            self._ids.add(carried.id)
            await store.save(carried)
            # The store hands out the object it was given: so the events, which are only ever
            # counted, can be one and the same, and are never JSON.
            carried.events.extend([SessionEvent(message="", type=EventType.TOOL_CALL)] * tool_calls)
            parent = carried.id
        current: Any = Session(id=new_id(), parent_id=parent)
        self._ids.add(current.id)
        await store.save(current)
        manager = SessionManager(
            session_id=current.id,
            store=store,
            infinite_context=True,
            max_turns_per_segment=_EVENTS_PER_SEGMENT,
            token_threshold=10**12,
        )
        await manager.load_session_chain()
        return manager

    # -- feeding it

    async def user_said(self, text: str) -> None:
        await self._feed(lambda manager: manager.user_says(_slim(text)))

    async def assistant_said(self, text: str, model: str, endpoint: str) -> None:
        await self._feed(
            lambda manager: manager.ai_responds(
                _slim(text), model=storable(model), provider=storable(endpoint)
            )
        )

    async def tool_used(
        self, name: str, arguments: str, result: str, error: str | None = None
    ) -> None:
        await self._feed(
            lambda manager: manager.tool_used(
                storable(name),
                {"arguments": _slim(arguments)},
                _slim(result),
                error=_slim(error) if error else None,
            )
        )

    async def true_up(self, totals: LedgerTotals) -> None:
        """From now on `get_stats()` shows `totals`."""

        async def add(manager: Any) -> None:
            self._totals = totals
            await self._true_up(manager)

        await self._feed(add)

    async def stats(self, totals: LedgerTotals) -> LedgerStats | None:
        """The figures, trued up to `totals`; None where the ledger is degraded or not started."""
        result: list[LedgerStats] = []

        async def read(manager: Any) -> None:
            self._totals = totals
            await self._true_up(manager)
            stats = await manager.get_stats()
            result.append(
                LedgerStats(
                    total_tokens=stats.total_tokens,
                    estimated_cost=Decimal(str(round(stats.estimated_cost, _COST_DIGITS))),
                    tool_calls=stats.tool_calls,
                )
            )

        await self._feed(read)
        return result[0] if result else None

    async def close(self) -> None:
        """Delete what the library kept in memory, which it would keep for ever."""
        if self._manager is None:
            return
        manager, self._manager = self._manager, None
        await to_the_end(self._forget(manager))

    # -- inside

    async def _feed(self, action: Callable[[Any], Awaitable[Any]]) -> None:
        """Run `action` alone and to its end: a cancelled half of it would tear the chain."""
        manager = self._manager
        if manager is None or self.degraded:
            return

        async def run() -> None:
            async with self._lock:
                if self.degraded:
                    return
                try:
                    await action(manager)
                # See initialize(): no narrower base class exists. It is shown in the sidebar.
                except Exception as error:  # noqa: BLE001
                    self.degraded = f"{type(error).__name__}: {error}"

        await to_the_end(run())

    async def _true_up(self, manager: Any) -> None:
        """Add one event that holds our true totals less what the chain's summaries hold."""
        from chuk_ai_session_manager.models.event_type import EventType
        from chuk_ai_session_manager.models.session_event import SessionEvent
        from chuk_ai_session_manager.models.token_usage import TokenUsage

        sessions = await self._chain(manager)
        prompt = self._totals.prompt_tokens
        completion = self._totals.completion_tokens
        cost = float(self._totals.cost)
        for session in sessions:
            summary = session.token_summary
            prompt -= summary.total_prompt_tokens
            completion -= summary.total_completion_tokens
            cost -= summary.total_estimated_cost_usd
        cost = round(cost, _COST_DIGITS)
        if not (prompt or completion or cost):
            return
        usage = TokenUsage(
            prompt_tokens=prompt,
            completion_tokens=completion,
            total_tokens=prompt + completion,
            estimated_cost_usd=cost,
        )
        event: Any = SessionEvent(message="true-up", type=EventType.REFERENCE, token_usage=usage)
        await sessions[-1].add_event_and_save(event)

    async def _chain(self, manager: Any) -> list[Any]:
        from chuk_ai_session_manager.session_storage import ChukSessionsStore

        store = ChukSessionsStore()
        ids: list[str] = await manager.get_session_chain()
        self._ids.update(ids)
        sessions: list[Any] = [await store.get(session_id) for session_id in ids]
        return [session for session in sessions if session is not None]

    async def _forget(self, manager: Any) -> None:
        from chuk_ai_session_manager.session_storage import ChukSessionsStore

        async with self._lock:
            store = ChukSessionsStore()
            try:
                self._ids.update(await manager.get_session_chain())
                for session_id in self._ids:
                    await store.delete(session_id)
            # See initialize(): no narrower base class exists.
            except Exception as error:  # noqa: BLE001
                self.degraded = f"{type(error).__name__}: {error}"


def _slim(text: str) -> str:
    return storable(text[:_PREVIEW])
