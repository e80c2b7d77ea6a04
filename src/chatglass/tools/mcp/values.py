"""Which MCP servers there are, as values: where one is configured, how it is reached, what it offers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

SourceKind = Literal["user", "project", "flag"]
"""The user's `mcp.json`, the project's `.mcp.json`, or a file named by `--mcp-config`."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file that names servers. `content` is the SHA-256 of its bytes, as hex."""

    kind: SourceKind
    path: Path
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StdioSpec:
    """A server that is started as a child process."""

    command: str
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    cwd: str | None = None
    """Where it runs; None: the session's root. Relative to that root."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSpec:
    """A server that is reached by HTTP. `sse`: by the older transport only."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    sse: bool = False


ServerSpec = StdioSpec | HttpSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfiguredServer:
    """One entry of `mcpServers`, its variables not yet expanded."""

    name: str
    slug: str
    """The name as it stands in tool names, `@slug:uri` and `/slug:prompt`; unique."""
    source: Source
    spec: ServerSpec
    disabled: bool = False
    timeout_s: float | None = None
    """The longest that one call may take, where the file says so."""

    @property
    def where(self) -> str:
        """How it is reached, as its file says it: variables are not expanded."""
        if isinstance(self.spec, HttpSpec):
            return self.spec.url
        return " ".join([self.spec.command, *self.spec.args])


@dataclass(frozen=True, slots=True)
class ConfigProblem:
    """What is wrong in a file: in the entry `server`, or in the whole of it where that is empty."""

    path: Path
    server: str
    text: str

    def __str__(self) -> str:
        place = f"mcpServers.{self.server}: " if self.server else ""
        return f"{self.path}: {place}{self.text}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolHints:
    """What a server says of its own tool. Shown, never believed: they lower no guard."""

    read_only: bool | None = None
    destructive: bool | None = None
    idempotent: bool | None = None
    open_world: bool | None = None

    def words(self) -> str:
        """For the screen; empty where the server says nothing."""
        said = (
            (self.read_only, "only reads", "writes"),
            (self.destructive, "may destroy", "destroys nothing"),
            (self.idempotent, "may be repeated", "must not be repeated"),
            (self.open_world, "reaches outside", "stays inside"),
        )
        return ", ".join(yes if hint else no for hint, yes, no in said if hint is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerTool:
    """A tool as its server describes it."""

    name: str
    title: str = ""
    description: str = ""
    input_schema: Mapping[str, Any] = field(default_factory=dict[str, Any])
    output_schema: Mapping[str, Any] | None = None
    hints: ToolHints = ToolHints()


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerResource:
    """Something a server lets one read: at a fixed `uri`, or by a template (RFC 6570)."""

    uri: str
    name: str = ""
    description: str = ""
    mime_type: str = ""
    size: int | None = None
    template: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptArgument:
    name: str
    description: str = ""
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerPrompt:
    """A prompt that the user may call as `/slug:name`."""

    name: str
    description: str = ""
    arguments: tuple[PromptArgument, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerContent:
    """What a call, a resource or a prompt gave: `produced` is its JSON, whole; `seen` text for a model."""

    seen: str
    produced: str
    is_error: bool = False


@dataclass(frozen=True, slots=True)
class PromptMessage:
    """One message of a prompt. `text` says of other content what it is."""

    role: Literal["user", "assistant"]
    text: str
