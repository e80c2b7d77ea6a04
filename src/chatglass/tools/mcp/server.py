"""One configured server as the app knows it: its state, what it offers, requests to it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Awaitable, Callable

from chatglass.tools.mcp.errors import ServerError
from chatglass.tools.mcp.events import LogLine, ServerSnapshot, ServerState
from chatglass.tools.mcp.host_link import ConnectionLost, HostLink, OnProgress
from chatglass.tools.mcp.listed import prompt_of, resource_of, tool_of
from chatglass.tools.mcp.naming import tool_names
from chatglass.tools.mcp.restarts import RestartPolicy
from chatglass.tools.mcp.values import (
    ConfiguredServer,
    HttpSpec,
    PromptMessage,
    ServerContent,
    ServerPrompt,
    ServerResource,
    ServerTool,
)
from chatglass.tools.spool import take
from chatglass.tools.threads import in_thread
from chatglass.tools.tool import JsonObject
from chatglass.values.clock import now_ms

_LOG_LINES = 500

SLOT_SECONDS = 1.5
"""A server in Python or Node takes about 1 s of CPU to start; one that only waits, for the network
or for ever, must not keep the others."""


class MustNotOpen(Exception):
    """Why a server is not started. `state` is the state that follows."""

    def __init__(self, text: str, state: ServerState) -> None:
        super().__init__(text)
        self.state: ServerState = state


class Server:
    """Driven by the event loop: `start`, `stop`, and the frames that the host sends for it.

    `prepare` gives the `open` frame (awaited before every start, so that trust is looked at
    again); it raises MustNotOpen. `changed` is called after every change, `tools_changed` when the
    tools are others. One that starts holds a place in `starting` until it is ready, or for
    SLOT_SECONDS.
    """

    def __init__(
        self,
        configured: ConfiguredServer,
        link: HostLink,
        *,
        policy: RestartPolicy,
        prepare: Callable[[Server], Awaitable[JsonObject]],
        changed: Callable[[Server], None],
        tools_changed: Callable[[Server], None],
        state: ServerState,
        starting: asyncio.Semaphore,
    ) -> None:
        self.configured = configured
        self._link = link
        self._policy = policy
        self._prepare = prepare
        self._changed = changed
        self._tools_changed = tools_changed
        self._starting = starting
        self.state: ServerState = state
        self.error = ""
        self.run = 0
        self.mode = "auto"
        self.tools: dict[str, ServerTool] = {}
        self.log: deque[LogLine] = deque(maxlen=_LOG_LINES)
        self._attempt = 0
        self._retry_at: int | None = None
        self._retry: asyncio.TimerHandle | None = None
        self._opening: asyncio.Task[None] | None = None
        self._opened: set[asyncio.Task[None]] = set()
        """Those that still hold their place in `starting`."""
        self._started_at: int | None = None
        self._start_clock = 0.0
        self._ready_clock = 0.0
        self._start_ms: int | None = None
        self._about: JsonObject = {}
        self._resources: tuple[ServerResource, ...] = ()
        self._prompts: tuple[ServerPrompt, ...] = ()
        self._partial: list[JsonObject] = []
        self._running = 0
        self._settled = asyncio.Event()

    @property
    def name(self) -> str:
        return self.configured.name

    # -- commands

    def start(self) -> None:
        """Connect, unless it is connected or connecting."""
        if self.state in ("starting", "ready") or self._opening is not None:
            return
        self._attempt = 0
        self._open()

    def stop(self, state: ServerState = "stopped", error: str = "") -> None:
        """Disconnect, and stay so."""
        self._cancel_retry()
        if self._opening is not None:
            self._opening.cancel()
            self._opening = None
        # What the host says of this run from here on is of no interest.
        self._link.send({"do": "close", "server": self.name})
        self.run += 1
        self._offer_nothing()
        self._become(state, error)

    async def settle(self) -> None:
        """Wait until it is ready, or is not being started any more."""
        await self._settled.wait()

    async def ready(self, within_s: float) -> None:
        """Wait out a restart. Raises ServerError."""
        try:
            async with asyncio.timeout(within_s):
                while self.state in ("starting", "restarting"):
                    self._settled.clear()
                    await self._settled.wait()
        except TimeoutError:
            raise ServerError(
                f"{self.name} is not connected: {self.error or 'it is still starting'}"
            ) from None
        if self.state != "ready":
            raise ServerError(f"{self.name} is not connected ({self.state}). {self.error}".rstrip())

    # -- requests

    async def call(
        self, tool: str, arguments: JsonObject, limit: int, on_progress: OnProgress | None
    ) -> ServerContent:
        """Raises ServerError. Cancelling cancels it on the server."""
        frame = {"do": "call", "tool": tool, "arguments": arguments, "limit": limit}
        return await self._content(frame, on_progress)

    async def read_resource(self, uri: str, limit: int) -> ServerContent:
        """Raises ServerError."""
        return await self._content({"do": "read", "uri": uri, "limit": limit}, None)

    async def get_prompt(self, name: str, arguments: dict[str, str]) -> tuple[PromptMessage, ...]:
        """Raises ServerError."""
        result = await self._request({"do": "prompt", "prompt": name, "arguments": arguments}, None)
        return tuple(PromptMessage(item["role"], item["text"]) for item in result["messages"])

    async def complete(
        self, template: str, variable: str, value: str, others: dict[str, str]
    ) -> tuple[str, ...]:
        """What it proposes for a variable of a resource template. Raises ServerError."""
        frame = {"do": "complete", "template": template, "variable": variable, "value": value}
        result = await self._request({**frame, "others": others}, None)
        return tuple(result["values"])

    async def _content(self, frame: JsonObject, on_progress: OnProgress | None) -> ServerContent:
        result = await self._request(frame, on_progress)
        folder = self._link.spool
        try:
            seen, produced = await in_thread(
                lambda stop: (
                    take(result["seen"], folder, stop),
                    take(result["produced"], folder, stop),
                )
            )
        except OSError as error:
            raise ServerError(f"{self.name}: its result can't be read: {error}") from error
        return ServerContent(seen=seen, produced=produced, is_error=result["error"])

    async def _request(self, frame: JsonObject, on_progress: OnProgress | None) -> JsonObject:
        self._running += 1
        self._changed(self)
        run = self.run
        try:
            return await self._link.request({**frame, "server": self.name}, on_progress)
        except ConnectionLost as error:
            if run == self.run:
                # Known before the connection is wound up: the next call waits for the restart.
                self.lost(str(error))
            raise ConnectionLost(
                f"{self.name} went away during the request, which may have taken effect. {error}"
            ) from error
        except ServerError as error:
            raise ServerError(f"{self.name}: {error}") from error
        finally:
            self._running -= 1
            self._changed(self)

    # -- what the host says

    def take(self, frame: JsonObject) -> None:
        """An event of the host."""
        if frame["on"] == "log":
            return self._take_log(frame["lines"])
        if frame["run"] != self.run:
            return None
        match frame["on"]:
            case "list":
                self._take_list(frame)
            case "ready":
                self._about = frame
                self._ready_clock = time.monotonic()
                self._start_ms = round((self._ready_clock - self._start_clock) * 1000)
                self._become("ready")
            case "lost":
                self.lost(frame["why"], final=frame["final"])
            case _:
                raise ValueError(f"unknown event {frame['on']!r}")
        return None

    def lost(self, why: str, *, final: bool = False) -> None:
        """The connection ended, or did not come about; `final`: trying again is no use."""
        if self.state not in ("starting", "ready"):
            return
        if self.state == "ready":
            if time.monotonic() - self._ready_clock >= self._policy.stable_s:
                self._attempt = 0
        else:
            # A few old servers end at the first message that is not `initialize`.
            self.mode = "legacy" if self.mode == "auto" else "auto"
        self._attempt = max(self._attempt, 1)
        if final or self._attempt >= self._policy.attempts:
            self._offer_nothing()
            self._become("failed", why)
            return
        delay = self._policy.delay(self._attempt)
        self._retry_at = now_ms() + round(delay * 1000)
        self._retry = asyncio.get_running_loop().call_later(delay, self._open)
        # Its tools stay: a call waits for the restart, and the schemas stay what they were.
        self._become("restarting", why)

    def _take_log(self, lines: list[JsonObject]) -> None:
        self.log.extend(LogLine(**line) for line in lines)

    def _take_list(self, frame: JsonObject) -> None:
        if frame["first"]:
            self._partial = []
        self._partial += frame["items"]
        if not frame["last"]:
            return
        items, self._partial = self._partial, []
        match frame["what"]:
            case "tools":
                found = {item["name"]: tool_of(item) for item in items}
                names = tool_names(self.configured.slug, found)
                self.tools = {adapted: found[own] for adapted, own in names.items()}
                self._tools_changed(self)
            case "resources":
                self._resources = tuple(map(resource_of, items))
            case _:
                self._prompts = tuple(map(prompt_of, items))
        self._changed(self)

    # -- states

    def _open(self) -> None:
        self._cancel_retry()
        self._attempt += 1
        self.run += 1
        self._started_at = now_ms()
        self._start_clock = time.monotonic()
        self._become("starting", self.error)
        self._opening = task = asyncio.create_task(self._send_open(self.run))
        self._opened.add(task)
        task.add_done_callback(self._opened.discard)

    async def _send_open(self, run: int) -> None:
        try:
            frame = await self._prepare(self)
            await self._link.ensure()
        except MustNotOpen as error:
            self._opening = None
            self._offer_nothing()
            self._become(error.state, str(error))
            return
        except ServerError as error:
            self._opening = None
            self.lost(str(error))
            return
        async with self._starting:
            self._opening = None
            self._start_clock = time.monotonic()
            opening = {"do": "open", "server": self.name, "run": run, "mode": self.mode}
            self._link.send({**opening, **frame})
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SLOT_SECONDS):
                    await self._settled.wait()

    def _offer_nothing(self) -> None:
        self._resources, self._prompts = (), ()
        if self.tools:
            self.tools = {}
            self._tools_changed(self)

    def _become(self, state: ServerState, error: str = "") -> None:
        self.state, self.error = state, error
        if state != "starting":
            self._settled.set()
        else:
            self._settled.clear()
        self._changed(self)

    def _cancel_retry(self) -> None:
        self._retry_at = None
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None

    def snapshot(self) -> ServerSnapshot:
        configured, spec = self.configured, self.configured.spec
        return ServerSnapshot(
            name=configured.name,
            slug=configured.slug,
            kind="http" if isinstance(spec, HttpSpec) else "stdio",
            source=configured.source.kind,
            where=configured.where,
            state=self.state,
            error=self.error,
            attempt=self._attempt,
            retry_at=self._retry_at,
            started_at=self._started_at,
            start_ms=self._start_ms,
            title=self._about.get("title", ""),
            version=self._about.get("version", ""),
            protocol=self._about.get("protocol", ""),
            instructions=self._about.get("instructions", ""),
            running_calls=self._running,
            tools=tuple(self.tools.items()),
            resources=self._resources,
            prompts=self._prompts,
        )
