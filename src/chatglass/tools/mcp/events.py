"""How the servers stand, and what happens to them, for whoever shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from chatglass.tools.mcp.trust import TrustQuestion
from chatglass.tools.mcp.values import (
    ConfigProblem,
    ServerPrompt,
    ServerResource,
    ServerTool,
    SourceKind,
)

ServerState = Literal[
    "untrusted", "disabled", "starting", "ready", "restarting", "failed", "stopped"
]
"""`restarting` waits for its next try, at `retry_at`; `failed` is not tried again by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSnapshot:
    """One server as it stands now. Times are milliseconds since 1970."""

    name: str
    slug: str
    kind: Literal["stdio", "http"]
    source: SourceKind
    where: str
    """The command line as configured, or the address: variables are not expanded."""
    state: ServerState
    error: str = ""
    """Why it failed, or last went away."""
    attempt: int = 0
    """Which try this is since it last was ready for a while; 1 is the first."""
    retry_at: int | None = None
    started_at: int | None = None
    start_ms: int | None = None
    """How long it took to be ready, the last time."""
    title: str = ""
    version: str = ""
    protocol: str = ""
    instructions: str = ""
    running_calls: int = 0
    tools: tuple[tuple[str, ServerTool], ...] = ()
    """By the name the model knows."""
    resources: tuple[ServerResource, ...] = ()
    prompts: tuple[ServerPrompt, ...] = ()


@dataclass(frozen=True, slots=True)
class LogLine:
    """Something a server said: on `stderr`, as a log message (`server`), or we of it (`chatglass`)."""

    at: int
    source: Literal["stderr", "server", "chatglass"]
    level: str
    text: str


@dataclass(frozen=True, slots=True)
class ServerChanged:
    """Its state, tools, resources, prompts or running calls are others now."""

    server: ServerSnapshot


@dataclass(frozen=True, slots=True)
class ServerLogged:
    server: str
    lines: tuple[LogLine, ...]


@dataclass(frozen=True, slots=True)
class ProjectIgnored:
    """A project's file whose servers are not started, and why: it was not trusted, or refused."""

    question: TrustQuestion | None
    file: str
    reason: str


@dataclass(frozen=True, slots=True)
class ConfigFaulty:
    problems: tuple[ConfigProblem, ...]


McpEvent = ServerChanged | ServerLogged | ProjectIgnored | ConfigFaulty
