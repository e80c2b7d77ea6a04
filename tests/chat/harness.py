"""A real session for tests: SqliteStore on disk, the demo server over HTTP, the real library."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from chat.grammar import check_turn
from chatglass.chat.approvals import by_assessment
from chatglass.chat.chat_context import ChatContext
from chatglass.chat.compaction.log import CompactionChoice
from chatglass.chat.engine import Engine, TurnRules
from chatglass.chat.events import Event
from chatglass.chat.new_session import new_session
from chatglass.chat.ports import AskToGoOn, BeforeRequest, Decision, JudgeCall, PendingCall
from chatglass.config.settings import PriceSettings
from chatglass.models.demo import DemoServer
from chatglass.models.demo.script import Call, Reply
from chatglass.models.endpoints import ConfiguredEndpoint
from chatglass.models.model_manager import Models
from chatglass.models.retries import RetryPolicy
from chatglass.models.wire import Endpoint, ModelRef
from chatglass.store.records import MessageRow, Parameters, RequestRow, SessionRow, ToolCallRow
from chatglass.store.sqlite import SqliteStore
from chatglass.tools.tool import (
    Assessment,
    InvalidArguments,
    JsonObject,
    ReportProgress,
    Tool,
    ToolOutput,
    ToolSpec,
)
from chatglass.tools.tool_manager import ToolManager

E = TypeVar("E", bound=Event)

PRICES = {
    "dear": PriceSettings(
        input=Decimal("3.15"), output=Decimal("15.75"), cached_input=Decimal("0.3")
    )
}
MODELS = ("demo-fast", "dear", "other")


async def allow(call: PendingCall) -> Decision:
    return Decision(verdict="allow", decided_by="test")


@dataclass
class ScriptedTool:
    """A tool whose body is a function of its arguments."""

    body: Callable[[JsonObject], Awaitable[str]]
    spec: ToolSpec
    verdict: str = "allow"
    runs: list[JsonObject] = field(default_factory=list)

    def validate(self, arguments: JsonObject) -> JsonObject:
        for name in arguments:
            if name not in self.spec.parameters["properties"]:
                raise InvalidArguments(f"there is no argument {name!r}")
        return arguments

    def assess(self, arguments: JsonObject, root: Path) -> Assessment:
        return Assessment(verdict=self.verdict, why="The test says so.", rule="policy: test")  # type: ignore[arg-type]

    async def run(self, arguments: JsonObject, root: Path, report: ReportProgress) -> ToolOutput:
        self.runs.append(arguments)
        text = await self.body(arguments)
        return ToolOutput("ok", text, text[:40])


def tool(
    name: str,
    body: Callable[[JsonObject], Awaitable[str]],
    *,
    verdict: str = "allow",
    parallel: bool = True,
    timeout_s: float = 30.0,
) -> ScriptedTool:
    spec = ToolSpec(
        name=name,
        description=f"The tool {name} of a test.",
        parameters={"type": "object", "properties": {"x": {"type": "string"}}},
        parallel=parallel,
        timeout_s=timeout_s,
    )
    return ScriptedTool(body, spec, verdict)


async def echo(arguments: JsonObject) -> str:
    return f"echo {arguments.get('x', '')}"


def calls(*named: tuple[str, JsonObject | str], **fields: Any) -> Reply:
    """An answer that calls tools: (name, arguments as an object or as raw text)."""
    made = [
        Call(name=name, arguments=given if isinstance(given, str) else json.dumps(given))
        for name, given in named
    ]
    return Reply(calls=tuple(made), **fields)


@dataclass
class Bench:
    """What the engines of one test share; `engine()` opens a session."""

    demo: DemoServer
    folder: Path
    store: SqliteStore
    models: Models
    stack: AsyncExitStack

    @property
    def reported_tokens(self) -> int:
        """All tokens of the usage that the server has sent."""
        return self.demo.reported.prompt_tokens + self.demo.reported.completion_tokens

    @property
    def db(self) -> Path:
        return self.folder / "sessions.sqlite3"

    def read(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """What a second connection finds committed."""
        connection = sqlite3.connect(self.db)
        try:
            return connection.execute(sql, values).fetchall()
        finally:
            connection.close()

    def session(self, model: str = "demo-fast", **parameters: Any) -> SessionRow:
        return new_session(self.folder, ModelRef("here", model), Parameters(**parameters))

    def context(
        self,
        session: SessionRow | None = None,
        *,
        tools: Sequence[Tool] = (),
        threshold: int = 150_000,
        infinite: bool = True,
        compaction: CompactionChoice | None = None,
    ) -> ChatContext:
        return ChatContext(
            tool_manager=ToolManager(tools),
            model_manager=self.models,
            token_threshold=threshold,
            enable_infinite_context=infinite,
            store=self.store,
            session=session or self.session(),
            compaction=compaction or CompactionChoice(strategy="trim"),
        )

    async def engine(
        self,
        session: SessionRow | None = None,
        *,
        tools: Sequence[Tool] = (),
        decide: Callable[[PendingCall], Awaitable[Decision]] = allow,
        judge: JudgeCall = by_assessment,
        go_on: AskToGoOn | None = None,
        before: BeforeRequest | None = None,
        rules: TurnRules | None = None,
        threshold: int = 150_000,
        infinite: bool = True,
        compaction: CompactionChoice | None = None,
    ) -> Engine:
        context = self.context(
            session, tools=tools, threshold=threshold, infinite=infinite, compaction=compaction
        )
        engine = Engine(
            context,
            decide_tool=decide,
            judge=judge,
            ask_to_go_on=go_on,
            before_request=before,
            rules=rules,
        )
        await engine.start()
        self.stack.push_async_callback(engine.close)
        return engine

    async def reopened(self, engine: Engine, **options: Any) -> Engine:
        """The session of `engine` again, as a later start finds it."""
        session = await self.store.get_session(engine.session_id)
        await engine.close()
        return await self.engine(session, **options)

    async def rows(self, engine: Engine) -> list[MessageRow]:
        session = await self.store.get_session(engine.session_id)
        return await self.store.path(session.id, session.leaf_id)

    async def requests(self, engine: Engine) -> list[RequestRow]:
        return await self.store.requests(engine.session_id)

    async def calls(self, engine: Engine) -> list[ToolCallRow]:
        return await self.store.tool_calls(engine.session_id)


@asynccontextmanager
async def bench(
    folder: Path, *, window: int = 1_000_000, retries: RetryPolicy | None = None
) -> AsyncIterator[Bench]:
    async with AsyncExitStack() as stack:
        demo = await stack.enter_async_context(DemoServer(models=MODELS, rate=0, window=window))
        store = SqliteStore(folder / "sessions.sqlite3")
        await store.open()
        stack.push_async_callback(store.close)
        endpoint = Endpoint(
            name="here", base_url=demo.base_url, key=demo.token, models=MODELS, kind="vllm"
        )
        models = Models(
            {"here": ConfiguredEndpoint(endpoint=endpoint)},
            price_settings=PRICES,
            retries=retries or RetryPolicy(base_s=0.01),
        )
        stack.push_async_callback(models.close)
        yield Bench(demo, folder, store, models, stack)


class Turn:
    """The events of one turn, checked against the documented order."""

    def __init__(self, events: Sequence[Event]) -> None:
        self.events = list(events)
        check_turn(self.events)

    def of(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]

    def one(self, kind: type[E]) -> E:
        found = self.of(kind)
        assert len(found) == 1, f"{len(found)} {kind.__name__} in {self.names}"
        return found[0]

    @property
    def names(self) -> list[str]:
        return [type(event).__name__ for event in self.events]

    @property
    def status(self) -> str:
        return self.events[-1].status  # type: ignore[attr-defined]

    @property
    def text(self) -> str:
        from chatglass.chat.events import TextDelta

        return "".join(event.text for event in self.of(TextDelta))

    @property
    def notices(self) -> dict[str, str]:
        """Kind to cause."""
        from chatglass.chat.events import Notice

        return {event.kind: event.cause for event in self.of(Notice)}


async def collect(
    events: AsyncGenerator[Event], on_event: Callable[[Event], None] | None = None
) -> list[Event]:
    found: list[Event] = []
    async with aclosing(events) as stream:
        async for event in stream:
            found.append(event)
            if on_event is not None:
                on_event(event)
    return found


def turns_of(events: Sequence[Event]) -> list[Turn]:
    """The events of several turns, taken apart."""
    parts: dict[str, list[Event]] = {}
    for event in events:
        parts.setdefault(event.turn_id, []).append(event)
    return [Turn(part) for part in parts.values()]


async def ask(
    engine: Engine, text: str = "hi", on_event: Callable[[Event], None] | None = None
) -> Turn:
    """Submit a prompt and read its turn to the end."""
    await engine.submit(text)
    return Turn(await collect(engine.run(), on_event))


class Watch:
    """Reads an engine's events in a task, and lets a test wait for one of them."""

    def __init__(self, events: AsyncGenerator[Event]) -> None:
        self.events: list[Event] = []
        self._news = asyncio.Condition()
        self.task = asyncio.create_task(self._read(events))

    async def _read(self, events: AsyncGenerator[Event]) -> None:
        async with aclosing(events) as stream:
            async for event in stream:
                async with self._news:
                    self.events.append(event)
                    self._news.notify_all()

    async def until(self, kind: type[Event], count: int = 1) -> Event:
        def there() -> bool:
            return sum(isinstance(event, kind) for event in self.events) >= count

        async with asyncio.timeout(10), self._news:
            await self._news.wait_for(there)
        return [event for event in self.events if isinstance(event, kind)][count - 1]

    async def turn(self) -> Turn:
        async with asyncio.timeout(20):
            await self.task
        return Turn(self.events)


async def watch(engine: Engine, text: str = "hi") -> Watch:
    await engine.submit(text)
    return Watch(engine.run())
