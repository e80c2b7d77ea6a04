"""McpServers: all servers of one start of the app.

`start()` returns at once; everything else happens on the event loop and in the MCP host. The SDK
is imported there only, so that neither it nor a server's output ever holds up the app.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from chatglass.tools.environment import tool_environment
from chatglass.tools.mcp.config_file import FoundServers, McpFile
from chatglass.tools.mcp.errors import ServerError
from chatglass.tools.mcp.events import (
    ConfigFaulty,
    LogLine,
    McpEvent,
    ProjectIgnored,
    ServerChanged,
    ServerLogged,
    ServerSnapshot,
)
from chatglass.tools.mcp.host_link import HostLink
from chatglass.tools.mcp.mcp_tool import McpTool
from chatglass.tools.mcp.opening import CannotOpen, spec_fields
from chatglass.tools.mcp.ports import McpPorts
from chatglass.tools.mcp.project_trust import NotTrusted, ProjectTrust
from chatglass.tools.mcp.questions import answer_question
from chatglass.tools.mcp.restarts import RestartPolicy
from chatglass.tools.mcp.server import MustNotOpen, Server
from chatglass.tools.mcp.trust import TrustStore
from chatglass.tools.mcp.values import ConfigProblem, ConfiguredServer, PromptMessage, ServerContent
from chatglass.tools.redaction import KnownKeys
from chatglass.tools.tool import JsonObject, Tool

ReplaceTools = Callable[[str, Iterable[Tool]], None]
"""`ToolManager.replace_source`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class McpOptions:
    """What is the same for all servers. `logs` and `tokens` None: nothing is kept on disk."""

    root: Path
    logs: Path | None = None
    tokens: Path | None = None
    sampling: Collection[str] = ()
    """The names of servers that may ask for answers of the model."""
    known_keys: KnownKeys = lambda: ()
    key_variables: Collection[str] = ()
    environment: Mapping[str, str] | None = None
    """What variables expand from; this process's own where None."""
    start_timeout_s: float = 60.0
    policy: RestartPolicy = field(default_factory=RestartPolicy)


class McpServers:
    """The servers in `found`. Nothing runs before `start()`."""

    def __init__(
        self,
        found: FoundServers,
        options: McpOptions,
        *,
        trust: TrustStore,
        replace_tools: ReplaceTools,
        ports: McpPorts | None = None,
    ) -> None:
        self._found = found
        self._options = options
        self._trust = ProjectTrust(trust, options.root, (ports or McpPorts()).ask_trust)
        self._replace_tools = replace_tools
        self._ports = ports or McpPorts()
        self._environment = os.environ if options.environment is None else options.environment
        self._listeners: list[Callable[[McpEvent], None]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._asked: dict[int, asyncio.Task[None]] = {}
        self._roots = (options.root,)
        self._link = HostLink(
            self._take,
            self._lost_all,
            environment=self._host_environment,
            log=options.logs / "host.log" if options.logs else None,
        )
        self._link.on_start = self._greet
        # More at once are ready no sooner, and keep the screen from the cores.
        self._starting = asyncio.Semaphore(max(2, os.cpu_count() or 2))
        self._servers = {server.name: self._make(server) for server in found.servers}

    # -- life

    def start(self) -> None:
        """Start all that may start, in the background. Call it on a running event loop."""
        if self._found.problems:
            self._tell(ConfigFaulty(self._found.problems))
        for server in self._servers.values():
            if server.state == "stopped":
                server.start()
        for file in self._found.files:
            ours = any(server.configured.source == file.source for server in self._servers.values())
            if file.source.kind == "project" and ours:
                self._background(self._start_project(file))

    async def close(self, within_s: float = 3.0) -> None:
        """End all servers. What does not end in time is ended from outside."""
        for task in (*self._tasks, *self._asked.values()):
            task.cancel()
        for server in self._servers.values():
            server.stop()
        await self._link.close(within_s)

    async def settled(self, within_s: float) -> None:
        """Wait until no server is being started for the first time, at most so long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await asyncio.gather(*self._tasks)
                for server in self._servers.values():
                    if server.state == "starting":
                        await server.settle()

    def subscribe(self, listener: Callable[[McpEvent], None]) -> Callable[[], None]:
        """`listener` gets every event from now on, on the event loop; the result ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    # -- what there is

    def snapshots(self) -> tuple[ServerSnapshot, ...]:
        return tuple(server.snapshot() for server in self._servers.values())

    def snapshot(self, name: str) -> ServerSnapshot:
        """By name or slug. Raises ServerError."""
        return self._server(name).snapshot()

    def log(self, name: str) -> tuple[LogLine, ...]:
        """The last lines of a server's log; the file has more. Raises ServerError."""
        return tuple(self._server(name).log)

    def log_file(self, name: str) -> Path | None:
        """Raises ServerError."""
        folder = self._options.logs
        return folder / f"{self._server(name).configured.slug}.log" if folder else None

    @property
    def problems(self) -> tuple[ConfigProblem, ...]:
        """What is wrong in the configuration files."""
        return self._found.problems

    def __len__(self) -> int:
        return len(self._servers)

    # -- what the user may do

    def restart(self, name: str) -> None:
        """Connect anew, whatever its state; of an untrusted project the question comes again."""
        server = self._server(name)
        if server.state == "untrusted":
            self._background(self._start_project(self._file_of(server)))
            return
        server.stop()
        server.start()

    def stop(self, name: str) -> None:
        """Disconnect until the next `restart`. Raises ServerError."""
        self._server(name).stop()

    def set_roots(self, roots: Sequence[Path]) -> None:
        """The folders that servers are told the work is in: the roots of the open sessions."""
        self._roots = tuple(roots)
        self._send_roots()

    async def read_resource(self, name: str, uri: str, *, limit: int = 100_000) -> ServerContent:
        """Raises ServerError."""
        server = self._server(name)
        await server.ready(20.0)
        return await server.read_resource(uri, limit)

    async def complete(
        self, name: str, template: str, variable: str, value: str, others: Mapping[str, str]
    ) -> tuple[str, ...]:
        """What a server proposes for a variable of one of its resource templates, with the `others`
        given; it is not waited for while it starts. Raises ServerError."""
        return await self._server(name).complete(template, variable, value, dict(others))

    async def get_prompt(
        self, name: str, prompt: str, arguments: Mapping[str, str]
    ) -> tuple[PromptMessage, ...]:
        """Raises ServerError."""
        server = self._server(name)
        await server.ready(20.0)
        return await server.get_prompt(prompt, dict(arguments))

    # -- starting one

    def _make(self, configured: ConfiguredServer) -> Server:
        state = "stopped"
        if configured.source.kind == "project":
            state = "untrusted"
        return Server(
            configured,
            self._link,
            policy=self._options.policy,
            prepare=self._prepare,
            changed=lambda server: self._tell(ServerChanged(server.snapshot())),
            tools_changed=self._offer,
            state="disabled" if configured.disabled else state,
            starting=self._starting,
        )

    async def _prepare(self, server: Server) -> JsonObject:
        """The fields of the `open` frame. Raises MustNotOpen."""
        configured, options = server.configured, self._options
        readable: Mapping[str, str] = self._environment
        try:
            if configured.source.kind == "project":
                grant = await self._trust.recheck(self._file_of(server))
                readable = {
                    name: value for name, value in readable.items() if name in grant.variables
                }
            fields = spec_fields(
                configured,
                readable=readable,
                environment=self._environment,
                root=options.root,
                known_keys=options.known_keys(),
            )
        except NotTrusted as error:
            raise MustNotOpen(f"Not started: {error}.", "untrusted") from None
        except CannotOpen as error:
            raise MustNotOpen(str(error), "failed") from None
        log = self.log_file(server.name)
        return {
            **fields,
            "timeout_s": options.start_timeout_s,
            "log": str(log) if log else None,
            "sampling": self._ports.sample is not None and server.name in options.sampling,
        }

    async def _start_project(self, file: McpFile) -> None:
        try:
            await self._trust.obtain(file)
        except NotTrusted as error:
            self._tell(ProjectIgnored(error.question, str(file.source.path), str(error)))
            return
        for server in self._servers.values():
            if server.configured.source == file.source and server.state == "untrusted":
                server.start()

    # -- the host

    def _host_environment(self) -> dict[str, str]:
        return tool_environment(
            os.environ,
            known_keys=self._options.known_keys(),
            key_variables=self._options.key_variables,
        )

    def _greet(self) -> None:
        tokens = self._options.tokens
        self._link.send({"do": "settings", "token_file": str(tokens) if tokens else None})
        self._send_roots()

    def _send_roots(self) -> None:
        self._link.send({"do": "roots", "roots": [root.as_uri() for root in self._roots]})

    def _take(self, frame: JsonObject) -> None:
        if frame["on"] == "ask":
            self._ask(frame)
        elif frame["on"] == "withdrawn":
            if task := self._asked.get(frame["ask"]):
                task.cancel()
        elif server := self._servers.get(frame["server"]):
            server.take(frame)
            if frame["on"] == "log":
                lines = tuple(LogLine(**line) for line in frame["lines"])
                self._tell(ServerLogged(server.name, lines))

    def _lost_all(self, why: str) -> None:
        for task in self._asked.values():
            task.cancel()
        for server in self._servers.values():
            server.lost(why)

    def _ask(self, frame: JsonObject) -> None:
        async def ask() -> None:
            value: Any = None
            try:
                value = await answer_question(self._ports_of(frame["server"]), frame)
            finally:
                self._asked.pop(frame["ask"], None)
                # Also where the port failed: the server must not wait for ever.
                self._link.send({"do": "answer", "ask": frame["ask"], "value": value})

        self._asked[frame["ask"]] = asyncio.create_task(ask())

    def _ports_of(self, server: str) -> McpPorts:
        if server in self._options.sampling:
            return self._ports
        return replace(self._ports, sample=None)

    # -- parts

    def _offer(self, server: Server) -> None:
        tools = [McpTool(name, tool, server) for name, tool in server.tools.items()]
        self._replace_tools(server.name, tools)

    def _server(self, name: str) -> Server:
        for server in self._servers.values():
            if name in (server.name, server.configured.slug):
                return server
        known = ", ".join(self._servers) or "none"
        raise ServerError(f"There is no MCP server {name!r}. There are: {known}.")

    def _file_of(self, server: Server) -> McpFile:
        source = server.configured.source
        return next(file for file in self._found.files if file.source == source)

    def _background(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _tell(self, event: McpEvent) -> None:
        for listener in tuple(self._listeners):
            listener(event)
