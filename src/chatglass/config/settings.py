"""The settings file, `config.toml`: what may stand in it, and reading it strictly.

An unknown key is refused with the nearest right one, since a setting that is silently ignored is
worse than none.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Callable, MutableMapping, MutableSequence, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from chatglass.config.errors import ConfigError
from chatglass.config.first_look import TEXT_WIDTH


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class EndpointSettings(_Table):
    """`[endpoints.NAME]`: an OpenAI-compatible server. NAME is shown beside the model."""

    base_url: str
    """Where it answers, up to and with `/v1`."""
    api_key_env: str | None = None
    """The environment variable that holds the key."""
    api_key_cmd: str | None = None
    """A command that prints the key (run without a shell)."""
    models: tuple[str, ...] = ()
    """Models to offer beside those the server lists; the first is the default."""
    headers: dict[str, str] = Field(default_factory=dict)
    """Extra headers of every request."""
    context_window: int | None = Field(default=None, gt=0)
    """The most tokens its models take, where nothing else says so."""
    images: bool | tuple[str, ...] | None = None
    """Whether its models take images: true, false, or the names of those that do; unset, what the
    server says of a model, else it is tried."""
    free: bool | None = None
    """Whether its requests cost nothing; unset, those to Ollama, LM Studio, llama.cpp and vLLM on this machine do, and nothing else on it is taken to be free: it may be a proxy to a paid API."""


class PriceSettings(_Table):
    """`[prices."MODEL"]`: what a model costs where no price list knows it, in USD per million tokens."""

    input: Decimal = Field(ge=0)
    """Of the prompt."""
    output: Decimal = Field(ge=0)
    """Of the answer, reasoning included."""
    cached_input: Decimal | None = Field(default=None, ge=0)
    """Of prompt tokens that the provider had cached; unset, the price of `input`."""
    cache_write: Decimal | None = Field(default=None, ge=0)
    """Of prompt tokens that the provider writes to its cache; unset, the price of `input`."""


class TimeoutSettings(_Table):
    """`[timeouts]`: how many seconds a server may be silent before a request is given up."""

    connect: float = Field(default=10.0, gt=0)
    """Until it takes the connection."""
    first_byte: float = Field(default=300.0, gt=0)
    """Until it begins to answer, over which a local model may think for minutes; `--timeout` sets it for one start."""
    between_chunks: float = Field(default=180.0, gt=0)
    """Between two pieces of an answer."""


class ContextSettings(_Table):
    """`[context]`: how much is sent."""

    token_threshold: int = Field(default=150_000, gt=0)
    """The most tokens of a request, where the model's window allows that many."""
    infinite: bool = True
    """Compact at the limit; if false, a request over the limit is refused."""
    strategy: str = "summarise"
    """How old messages are compacted at the limit: `summarise` (a model sums them up), `extractive` (the sentences that say most), `elide-tool-results` (old results become stubs), `trim` (the oldest turns are left out), or one of another package."""
    summary_model: str | None = None
    """The model that `summarise` asks, as `MODEL` or `ENDPOINT/MODEL`; unset, the session's own."""


class TurnSettings(_Table):
    """`[turn]`: what one turn may do."""

    max_requests: int = Field(default=50, gt=0)
    """Requests of one turn before it stops."""
    loop_after: int = Field(default=3, gt=1)
    """The same call with the same arguments so many times in a turn is a loop."""


class BudgetSettings(_Table):
    """`[budget]`: how much may be spent, in USD by the prices that are known. At a soft limit it
    warns; before a request that would pass a hard one it asks (with `-p` it ends with exit code 3).
    """

    session_soft: Decimal | None = Field(default=None, gt=0)
    """What a session may cost before it warns."""
    session_hard: Decimal | None = Field(default=None, gt=0)
    """What a session may cost before it asks."""
    day_soft: Decimal | None = Field(default=None, gt=0)
    """What all sessions of a day may cost before it warns; the day is the local one."""
    day_hard: Decimal | None = Field(default=None, gt=0)
    """What all sessions of a day may cost before it asks."""


class McpSettings(_Table):
    """`[mcp]`: what MCP servers may do. The servers themselves are named in `mcp.json`."""

    sampling: tuple[str, ...] = ()
    """Names of servers that may ask for answers of your model, at your cost; each time you are asked."""


ApprovalMode = Literal["ask", "default", "all"]
Policy = Literal["allow", "ask", "deny"]


class RootRules(_Table):
    """`[approval.roots."FOLDER"]`: rules of sessions whose working directory is FOLDER."""

    allow: tuple[str, ...] = ()
    """Calls that run unasked, as `run_command(git status)`; `3` at a question adds one here."""
    ask: tuple[str, ...] = ()
    """Calls that ask in every mode."""
    deny: tuple[str, ...] = ()
    """Calls that never run."""


class ApprovalSettings(_Table):
    """`[approval]`: which tool calls run unasked; [approval.md](approval.md) explains the rules."""

    mode: ApprovalMode = "default"
    """How sessions begin: `ask` asks for all, in `default` built-in tools that only read run unasked, in `all` everything does."""
    tools: dict[str, Policy] = Field(default_factory=dict[str, Policy])
    """`allow`, `ask` or `deny` by tool, where no rule speaks of a call; `deny` comes before every rule."""
    allow: tuple[str, ...] = ()
    """Calls that run unasked, in every folder."""
    ask: tuple[str, ...] = ()
    """Calls that ask in every mode."""
    deny: tuple[str, ...] = ()
    """Calls that never run."""
    roots: dict[str, RootRules] = Field(default_factory=dict[str, RootRules])
    """The same three lists by working directory."""


class NotifySettings(_Table):
    """`[notify]`: how you are called back when a turn ends, fails or asks."""

    when: Literal["unfocused", "always", "never"] = "unfocused"
    """`unfocused` calls while the window does not have the focus (or, where the terminal does not tell, after a minute without a key)."""
    desktop: bool = True
    """Show a desktop notification, in terminals that are known to take one."""
    bell: Literal["fallback", "always", "never"] = "fallback"
    """`fallback` rings where no desktop notification is shown, and in tmux, which marks the window."""
    min_seconds: float = Field(default=5.0, ge=0)
    """A turn that ends well sooner than this calls nobody; failures and questions always do."""


class StoreSettings(_Table):
    """`[store]`: where sessions are kept, if not in a file of the data folder."""

    url: str | None = None
    """A Redis server: `redis://host:port/database`, or `rediss://` for TLS; needs the extra `chatglass[redis]`."""
    password_env: str | None = None
    """The environment variable that holds its password, so that it need not stand in `url`."""


class OtelSettings(_Table):
    """`[otel]`: traces and metrics of turns, requests and tool calls for an OpenTelemetry collector;
    needs the extra `chatglass[otel]`. The standard `OTEL_*` variables count too.
    """

    endpoint: str | None = None
    """Where a collector takes OTLP over HTTP, as `http://localhost:4318`; unset, `OTEL_EXPORTER_OTLP_ENDPOINT`."""
    enabled: bool | None = None
    """Unset: on where an endpoint is named, here or by a variable."""
    capture_content: bool = False
    """Send prompts, answers, arguments and results too, keys taken out."""


class Settings(_Table):
    """Everything that may stand in `config.toml`."""

    endpoint: str | None = None
    """The endpoint to start with: a name of `[endpoints]`, `openai` or `demo`."""
    model: str | None = None
    """The model to start with."""
    theme: str = "chatglass-dark"
    """The colour theme."""
    sidebar: bool = True
    """Whether the sidebar is shown where there is room."""
    inspector_view: Literal["list", "timeline"] = "list"
    """How the inspector shows the calls of a session."""
    reduced_motion: bool = False
    """No spinners, no blinking."""
    text_width: int = Field(default=TEXT_WIDTH, ge=0)
    """The most columns that a line of the transcript takes; 0: as many as there are."""
    restore_tabs: bool = True
    """Whether `-c` opens the tabs again that were open when the program last ended in this directory."""
    image_previews: bool = True
    """Small pictures of attached images in the transcript, with `chatglass[images]` on a terminal of at
    least 256 colours."""
    system_prompt: str | None = None
    """The system prompt of new sessions."""
    temperature: float | None = Field(default=None, ge=0, le=2)
    """The temperature of new sessions; unset, the server's own."""
    max_output_tokens: int | None = Field(default=None, gt=0)
    """The most tokens of an answer in new sessions; unset, the server's own limit."""
    reasoning_effort: str | None = None
    """How much a reasoning model thinks in new sessions, as `low`, `medium` or `high`."""
    timeouts: TimeoutSettings = TimeoutSettings()
    context: ContextSettings = ContextSettings()
    turn: TurnSettings = TurnSettings()
    budget: BudgetSettings = BudgetSettings()
    notify: NotifySettings = NotifySettings()
    store: StoreSettings = StoreSettings()
    mcp: McpSettings = McpSettings()
    otel: OtelSettings = OtelSettings()
    approval: ApprovalSettings = ApprovalSettings()
    endpoints: dict[str, EndpointSettings] = Field(default_factory=dict)
    prices: dict[str, PriceSettings] = Field(default_factory=dict)
    keys: dict[str, str] = Field(default_factory=dict)
    """Keys by action id, as `"session.new" = "ctrl+t"`."""


def load_settings(path: Path) -> Settings:
    """The settings in `path`, or the defaults where there is no such file. Raises ConfigError."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Settings()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"The settings file {path} can't be read: {error}.") from error
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"The settings file {path} is not valid TOML: {error}.") from error
    try:
        return Settings.model_validate(table)
    except ValidationError as error:
        lines = [_describe(fault["loc"], fault["msg"], fault["type"]) for fault in error.errors()]
        raise ConfigError(
            f"The settings file {path} has faults:\n  " + "\n  ".join(lines)
        ) from error


_WORDS = {
    "missing": "is missing; it must be given",
    "string_type": 'must be a text, as "..."',
    "tuple_type": 'must be a list of texts, as ["..."]',
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "decimal_parsing": "must be a number",
    "decimal_type": "must be a number",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "dict_type": "must be a table",
    "model_type": "must be a table",
}
"""What is wrong, by pydantic's name for it, where its own words are those of a programmer."""


def _describe(loc: Sequence[int | str], message: str, kind: str) -> str:
    name = ".".join(str(part) for part in loc)
    if kind != "extra_forbidden":
        return f"{name}: {_WORDS.get(kind, message)}"
    return f"{name}: there is no such setting.{_did_you_mean(loc)}"


def _did_you_mean(loc: Sequence[int | str]) -> str:
    known = _keys_at(loc[:-1])
    near = difflib.get_close_matches(str(loc[-1]), known, n=1, cutoff=0.5)
    if near:
        return f" Did you mean {near[0]}?"
    return f" Here may stand: {', '.join(sorted(known))}." if known else ""


def _keys_at(loc: Sequence[int | str]) -> list[str]:
    """The keys that the table at `loc` may have."""
    tables: dict[str, type[BaseModel]] = {
        "timeouts": TimeoutSettings,
        "context": ContextSettings,
        "turn": TurnSettings,
        "budget": BudgetSettings,
        "notify": NotifySettings,
        "store": StoreSettings,
        "mcp": McpSettings,
        "otel": OtelSettings,
        "approval": ApprovalSettings,
        "endpoints": EndpointSettings,
        "prices": PriceSettings,
    }
    # A table of tables has names of the user's own below it.
    table = tables.get(str(loc[0]), Settings) if loc else Settings
    return list(table.model_fields)


def save_setting(path: Path, keys: Sequence[str], value: Any) -> None:
    """Write one setting (`keys` from the top table down; None takes it out) and keep the rest of the
    file, comments and all. The file is replaced in one step; a link to it stays one. Raises ConfigError.
    """

    def change(table: MutableMapping[str, Any], key: str) -> None:
        if value is None:
            table.pop(key, None)
        else:
            table[key] = value

    _edit(path, keys, change)


def save_in_list(path: Path, keys: Sequence[str], text: str, *, there: bool) -> None:
    """Add `text` to the list that `keys` name, at its end, or take it out (`there` false); the rest
    of the file, and the comments in the list, stay. Raises ConfigError."""

    def change(table: MutableMapping[str, Any], key: str) -> None:
        found: Any = table.get(key)
        if found is None and there:
            table[key] = [text]
        elif isinstance(found, MutableSequence):
            texts = cast(MutableSequence[Any], found)
            if there and text not in texts:
                texts.append(text)
            while not there and text in texts:
                texts.remove(text)
        elif found is not None:
            name = ".".join(keys)
            raise ConfigError(f"The settings file {path} can't be written: {name} is not a list.")

    _edit(path, keys, change)


def _edit(
    path: Path, keys: Sequence[str], change: Callable[[MutableMapping[str, Any], str], None]
) -> None:
    """Let `change` change the last of `keys` in its table, which is made if it is not there."""
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    file = path.resolve()
    try:
        document = (
            tomlkit.parse(file.read_text(encoding="utf-8")) if file.exists() else tomlkit.document()
        )
        table: Any = document
        for depth, key in enumerate(keys[:-1], start=1):
            below: Any = table.setdefault(key, tomlkit.table())
            if not isinstance(below, MutableMapping):
                name = ".".join(keys[:depth])
                raise ConfigError(
                    f"The settings file {path} can't be written: {name} is not a table."
                )
            table = cast(MutableMapping[str, Any], below)
        change(table, keys[-1])
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _replace(file, tomlkit.dumps(document))
    except (OSError, UnicodeDecodeError, TOMLKitError) as error:
        raise ConfigError(f"The settings file {path} can't be written: {error}.") from error


def _replace(file: Path, text: str) -> None:
    """Put `text` in the place of `file`, which is whole at every moment."""
    import os
    import tempfile

    handle, name = tempfile.mkstemp(dir=file.parent, prefix=file.name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as written:
            written.write(text)
        Path(name).replace(file)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
