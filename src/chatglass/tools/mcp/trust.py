"""Trust in a project's `.mcp.json`: given by the user, for what it said and the scripts it named then.

A server of a project runs with the user's rights. So nothing of it starts before the user has
said yes to this very content and to the content of each command or script inside the project that
it names; when either changes, the question comes again. Variables that the file reads are granted
by name.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from chatglass.config.errors import ConfigError
from chatglass.tools.environment import key_name
from chatglass.tools.mcp.config_file import McpFile
from chatglass.tools.mcp.values import ConfiguredServer, StdioSpec
from chatglass.tools.mcp.variables import expand, variables
from chatglass.values.clock import now_ms

_PIECE = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class VariableUse:
    """A variable that a project's file reads."""

    name: str
    places: tuple[str, ...]
    """As `server.env.TOKEN`."""
    is_set: bool
    looks_secret: bool
    forbidden: bool
    """It is, or holds, the key of an endpoint: it is never given, whatever is answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustQuestion:
    """Everything the user must see before a project's servers may start."""

    file: Path
    content: str
    """SHA-256 of the file."""
    servers: tuple[ConfiguredServer, ...]
    scripts: Mapping[Path, str]
    """Files inside the project that the servers name, each with its SHA-256."""
    variables: tuple[VariableUse, ...]
    changed: tuple[str, ...] = ()
    """What differs from what was trusted before; empty where nothing was."""


@dataclass(frozen=True, slots=True)
class TrustAnswer:
    """`never` is remembered for this content; `not_now` asks again at the next start."""

    verdict: Literal["trust", "not_now", "never"]
    granted: frozenset[str] = frozenset()
    """The variables that may be read."""


AskTrust = Callable[[TrustQuestion], Awaitable[TrustAnswer]]


@dataclass(frozen=True, slots=True)
class Grant:
    """What a trusted file may do."""

    variables: frozenset[str] = field(default=frozenset())


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid")

    content: str
    verdict: Literal["trust", "never"]
    scripts: dict[str, str] = Field(default_factory=dict)
    variables: list[str] = Field(default_factory=list)
    answered_at: int = 0


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid")

    version: Literal[1] = 1
    projects: dict[str, _Record] = Field(default_factory=dict)


class TrustStore:
    """The answers given, in a file of mode 0600 (in memory where `path` is None)."""

    def __init__(
        self,
        path: Path | None,
        *,
        environment: Mapping[str, str],
        key_variables: Collection[str] = (),
        is_key: Callable[[str], bool] = lambda value: False,
    ) -> None:
        """`key_variables` names the variables of endpoint keys, `is_key` says whether a value holds
        one. Raises ConfigError for a file that can't be read."""
        self._path = path
        self._environment = environment
        self._key_variables = frozenset(key_variables) | {"OPENAI_API_KEY"}
        self._is_key = is_key
        self._document = _Document()
        if path is not None and path.exists():
            try:
                self._document = _Document.model_validate_json(path.read_bytes())
            except (OSError, ValidationError) as error:
                raise ConfigError(
                    f"{path}, which keeps the trust in projects' servers, can't be read: {error}."
                    " Remove it to be asked anew."
                ) from error

    def verdict(self, file: McpFile, root: Path) -> Grant | Literal["never"] | TrustQuestion:
        """What holds for `file`: a grant, a refusal for this content, or the question to ask.

        Reads and hashes the scripts: for a thread.
        """
        record = self._document.projects.get(str(file.source.path))
        scripts = script_hashes(file.servers, root, self._environment)
        named = {str(path): digest for path, digest in scripts.items()}
        if record is not None and record.content == file.source.content:
            if record.verdict == "never":
                return "never"
            if record.scripts == named:
                return Grant(frozenset(record.variables) - self._forbidden(record.variables))
        return TrustQuestion(
            file=file.source.path,
            content=file.source.content,
            servers=file.servers,
            scripts=scripts,
            variables=self._uses(file.servers),
            changed=_changes(record, file.source.content, named),
        )

    def answer(self, question: TrustQuestion, answer: TrustAnswer) -> Grant | None:
        """Remember the answer; the grant, if there is one. Raises ConfigError."""
        if answer.verdict == "not_now":
            return None
        asked = {use.name for use in question.variables}
        granted = (answer.granted & asked) - self._forbidden(answer.granted)
        self._document.projects[str(question.file)] = _Record(
            content=question.content,
            verdict=answer.verdict,
            scripts={str(path): digest for path, digest in question.scripts.items()},
            variables=sorted(granted),
            answered_at=now_ms(),
        )
        self._save()
        return Grant(frozenset(granted)) if answer.verdict == "trust" else None

    def forget(self, file: Path) -> bool:
        """Take back what was answered for `file`. Raises ConfigError."""
        known = self._document.projects.pop(str(file.resolve()), None) is not None
        if known:
            self._save()
        return known

    def _forbidden(self, names: Collection[str]) -> frozenset[str]:
        return frozenset(
            name
            for name in names
            if name in self._key_variables or self._is_key(self._environment.get(name, ""))
        )

    def _uses(self, servers: Sequence[ConfiguredServer]) -> tuple[VariableUse, ...]:
        places: dict[str, list[str]] = {}
        for server in servers:
            for key, name in variables(server.spec):
                places.setdefault(name, []).append(f"{server.name}.{key}")
        forbidden = self._forbidden(places)
        return tuple(
            VariableUse(
                name=name,
                places=tuple(found),
                is_set=bool(self._environment.get(name)),
                looks_secret=key_name(name),
                forbidden=name in forbidden,
            )
            for name, found in sorted(places.items())
        )

    def _save(self) -> None:
        if self._path is None:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            # mkstemp makes it 0600.
            handle, name = tempfile.mkstemp(dir=self._path.parent, prefix=self._path.name)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(json.dumps(self._document.model_dump(), indent=2) + "\n")
            Path(name).replace(self._path)
        except OSError as error:
            raise ConfigError(
                f"{self._path} can't be written: {error.strerror or error}."
            ) from error


def script_hashes(
    servers: Sequence[ConfiguredServer], root: Path, environment: Mapping[str, str]
) -> dict[Path, str]:
    """Each command or script inside `root` that the servers name, with its SHA-256.

    A word names a file where one stands there: the command, an argument, what follows `=` in one,
    a value of `env`. What a script in its turn loads is not followed. A link counts where it leads
    and where it stands. Variables are expanded both ways: with `environment`, and with nothing but
    defaults.
    """
    real_root = root.resolve()
    found: dict[Path, str] = {}
    for spec in (spec for server in servers for spec in _expanded(server, environment)):
        folder = real_root / (spec.cwd or "")
        for word in _words(spec):
            path = Path(os.path.normpath(folder / word))
            try:
                target = path.resolve()
                inside = path.is_relative_to(real_root) or target.is_relative_to(real_root)
                if inside and target.is_file():
                    found[path] = _digest(target)
            except (OSError, ValueError):
                # No path at all, or not to be read: then it can't be run either.
                continue
    return dict(sorted(found.items()))


def _expanded(server: ConfiguredServer, environment: Mapping[str, str]) -> list[StdioSpec]:
    names = {name for _, name in variables(server.spec)}
    blank = dict.fromkeys(names, "")
    chosen = {name: value for name, value in environment.items() if name in names}
    both = [expand(server.spec, {**blank, **chosen})]
    if names:
        both.append(expand(server.spec, blank))
    return [spec for spec in both if isinstance(spec, StdioSpec)]


def _words(spec: StdioSpec) -> list[str]:
    words = [spec.command, *spec.args, *spec.env.values()]
    words += [word.partition("=")[2] for word in spec.args if "=" in word]
    return [word for word in words if word and "\0" not in word and len(word) < 4_096]


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def _changes(record: _Record | None, content: str, scripts: Mapping[str, str]) -> tuple[str, ...]:
    if record is None or record.verdict == "never":
        return ()
    changes: list[str] = []
    if record.content != content:
        changes.append("the file itself")
    changes += [path for path, digest in scripts.items() if record.scripts.get(path) != digest]
    changes += [f"{path} (gone)" for path in record.scripts if path not in scripts]
    return tuple(changes)


def question_text(question: TrustQuestion) -> str:
    """The question as plain text, for a terminal without the full screen."""
    lines = [f"{question.file} wants to start these servers with your rights:"]
    for server in question.servers:
        spec = asdict(server.spec)
        shown = spec.get("url") or " ".join([spec["command"], *spec["args"]])
        lines.append(f"  {server.name}: {shown}")
    lines += [f"  it runs {path}" for path in question.scripts]
    for use in question.variables:
        state = "never given: the key of an endpoint" if use.forbidden else "asked for"
        lines.append(f"  it reads {use.name} ({state})")
    lines += [f"  changed since you trusted it: {change}" for change in question.changed]
    return "\n".join(lines)
