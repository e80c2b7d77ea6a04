"""Reading and writing files with `mcpServers`, strictly: a key that is ignored would be worse than an error.

A fault of one entry costs that entry, a fault of the file the file; each is a ConfigProblem.
"""

from __future__ import annotations

import difflib
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from chatglass.config.errors import ConfigError
from chatglass.tools.mcp.document import Unusable, load_unique, read_document, servers_in
from chatglass.tools.mcp.naming import server_slug
from chatglass.tools.mcp.values import (
    ConfigProblem,
    ConfiguredServer,
    HttpSpec,
    ServerSpec,
    Source,
    SourceKind,
    StdioSpec,
)

_NAME_LIMIT = 64


class _Entry(BaseModel):
    # strict: `"args": "x"` and numbers in `env` are mistakes, not to be guessed at.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    disabled: bool = False
    timeout_s: float | None = Field(default=None, gt=0)


class _StdioEntry(_Entry):
    type: Literal["stdio"] = "stdio"
    command: str = Field(min_length=1)
    args: list[str] = Field(default_factory=list)
    env: dict[str, str] = Field(default_factory=dict)
    cwd: str | None = None

    def spec(self) -> ServerSpec:
        return StdioSpec(command=self.command, args=tuple(self.args), env=self.env, cwd=self.cwd)


class _HttpEntry(_Entry):
    type: Literal["http", "streamable-http", "sse"] = "http"
    url: str = Field(min_length=1)
    headers: dict[str, str] = Field(default_factory=dict)

    def spec(self) -> ServerSpec:
        return HttpSpec(url=self.url, headers=self.headers, sse=self.type == "sse")


@dataclass(frozen=True, slots=True)
class McpFile:
    """What one file says. `exists` is false where there is no such file."""

    source: Source
    servers: tuple[ConfiguredServer, ...] = ()
    problems: tuple[ConfigProblem, ...] = ()
    exists: bool = True


@dataclass(frozen=True, slots=True)
class FoundServers:
    """The servers of all files, each name once, and what is wrong in the files."""

    servers: tuple[ConfiguredServer, ...] = ()
    problems: tuple[ConfigProblem, ...] = ()
    files: tuple[McpFile, ...] = field(default=())


def find_servers(user_file: Path, root: Path, flag_files: Sequence[Path] = ()) -> FoundServers:
    """The servers of `--mcp-config`, of the user's file and of `root/.mcp.json`, in this order: of
    two with the same name the first counts. Raises ConfigError where a file of the flag is missing.
    """
    files = [read_file(path, "flag") for path in flag_files]
    for file in files:
        if not file.exists:
            raise ConfigError(f"--mcp-config {file.source.path}: there is no such file.")
    files.append(read_file(user_file, "user"))
    project = root / ".mcp.json"
    if all(file.source.path != project.resolve() for file in files):
        files.append(read_file(project, "project"))
    servers: dict[str, ConfiguredServer] = {}
    slugs: set[str] = set()
    problems = [problem for file in files for problem in file.problems]
    for server in (server for file in files for server in file.servers):
        first = servers.get(server.name)
        if first is not None:
            text = f"not used, since {first.source.path} has a server of the same name."
            problems.append(ConfigProblem(server.source.path, server.name, text))
        elif server.slug in slugs:
            text = f"not used: as {server.slug!r} its name is that of another server. Rename it."
            problems.append(ConfigProblem(server.source.path, server.name, text))
        else:
            servers[server.name] = server
            slugs.add(server.slug)
    return FoundServers(tuple(servers.values()), tuple(problems), tuple(files))


def read_file(path: Path, kind: SourceKind) -> McpFile:
    """What `path` says; empty where there is no such file."""
    path = path.resolve()
    try:
        document = read_document(path)
    except FileNotFoundError:
        return McpFile(Source(kind, path, ""), exists=False)
    except OSError as error:
        return _faulty(Source(kind, path, ""), f"can't be read: {error.strerror or error}.")
    source = Source(kind, path, document.hash)
    try:
        return _parsed(source, document.parsed())
    except Unusable as error:
        return _faulty(source, str(error))


def write_server(path: Path, name: str, entry: Mapping[str, Any] | None) -> None:
    """Set the entry `name` of a file, or take it out (None). What else stands there is kept.

    Raises ConfigError.
    """
    source = Source("user", path, "")
    try:
        found: Any = load_unique(path.read_bytes()) if path.exists() else {}
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} can't be changed: {error}.") from error
    document = cast("dict[str, Any]", found if isinstance(found, dict) else {"mcpServers": None})
    if not isinstance(document.setdefault("mcpServers", {}), dict):
        raise ConfigError(f"{path} can't be changed: mcpServers is not an object.")
    servers = cast("dict[str, Any]", document["mcpServers"])
    if entry is None:
        if servers.pop(name, None) is None:
            near = difflib.get_close_matches(name, servers, n=1, cutoff=0.5)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise ConfigError(f"{path} has no server {name!r}.{hint}")
    else:
        found = _server(source, name, entry)
        if isinstance(found, ConfigProblem):
            raise ConfigError(str(found))
        servers[name] = dict(entry)
    _replace(path, json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def _replace(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            if path.exists():
                os.fchmod(handle, path.stat().st_mode & 0o777)
            file.write(text)
        Path(temporary).replace(path)
    except OSError as error:
        raise ConfigError(f"{path} can't be written: {error.strerror or error}.") from error


def _faulty(source: Source, text: str) -> McpFile:
    return McpFile(source, problems=(ConfigProblem(source.path, "", text),))


def _parsed(source: Source, found: dict[str, Any]) -> McpFile:
    """Raises Unusable."""
    entries = servers_in(found)
    problems: list[ConfigProblem] = []
    for key in found:
        if key != "mcpServers":
            near = difflib.get_close_matches(key, ["mcpServers"], cutoff=0.5)
            hint = f" Did you mean {near[0]}?" if near else " Only mcpServers may stand here."
            problems.append(ConfigProblem(source.path, "", f"there is no key {key!r}.{hint}"))
    servers: list[ConfiguredServer] = []
    for name, entry in entries.items():
        server = _server(source, name, entry)
        if isinstance(server, ConfigProblem):
            problems.append(server)
        else:
            servers.append(server)
    return McpFile(source, tuple(servers), tuple(problems))


def _server(source: Source, name: str, entry: Any) -> ConfiguredServer | ConfigProblem:
    def problem(text: str) -> ConfigProblem:
        return ConfigProblem(source.path, name, text)

    if not name or len(name) > _NAME_LIMIT or not name.isprintable() or set(name) & set(":/@"):
        return problem(
            f"a name has up to {_NAME_LIMIT} printable characters, and none of the three : / @."
        )
    if not isinstance(entry, dict):
        return problem("must be an object.")
    given = cast("dict[str, Any]", entry)
    if "command" in given and "url" in given:
        return problem("has both command and url; a server is started or reached, not both.")
    kinds: dict[str, type[_StdioEntry | _HttpEntry]] = {
        "stdio": _StdioEntry,
        "http": _HttpEntry,
        "streamable-http": _HttpEntry,
        "sse": _HttpEntry,
    }
    kind = given.get("type", "http" if "url" in given else "stdio")
    if not isinstance(kind, str) or kind not in kinds:
        return problem(f"type must be one of {', '.join(kinds)}, not {kind!r}.")
    model = kinds[kind]
    try:
        parsed = model.model_validate(given)
    except ValidationError as error:
        return problem(_explain(error, model))
    spec = parsed.spec()
    if isinstance(spec, HttpSpec) and "${" not in spec.url and not is_url(spec.url):
        return problem(f"url must look like https://host/path, not {spec.url!r}.")
    return ConfiguredServer(
        name=name,
        slug=server_slug(name),
        source=source,
        spec=spec,
        disabled=parsed.disabled,
        timeout_s=parsed.timeout_s,
    )


def is_url(url: str) -> bool:
    """Whether `url` is an address that HTTP reaches."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _explain(error: ValidationError, model: type[BaseModel]) -> str:
    lines: list[str] = []
    for fault in error.errors(include_url=False, include_context=False):
        key = ".".join(str(part) for part in fault["loc"])
        if fault["type"] == "extra_forbidden":
            near = difflib.get_close_matches(key, model.model_fields, n=1, cutoff=0.5)
            known = f"Here may stand: {', '.join(model.model_fields)}."
            lines.append(
                f"There is no key {key!r}. " + (f"Did you mean {near[0]}?" if near else known)
            )
        elif fault["type"] == "missing":
            lines.append(f"{key} is missing.")
        else:
            lines.append(f"{key}: {fault['msg'][:1].lower()}{fault['msg'][1:]}.")
    return " ".join(lines)
