"""The endpoints there are: from flags, environment and settings, each with the key that is its own."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlsplit, urlunsplit

from chatglass.config.errors import ConfigError
from chatglass.models.keys import KeyCommand, fits_header
from chatglass.models.wire import Endpoint, EndpointKind, ModelRef

OPENAI_URL = "https://api.openai.com/v1"
_OPENAI = "openai"


class EndpointEntry(Protocol):
    """`[endpoints.NAME]` of the settings (`chatglass.config.settings.EndpointSettings`)."""

    @property
    def base_url(self) -> str: ...
    @property
    def api_key_env(self) -> str | None: ...
    @property
    def api_key_cmd(self) -> str | None: ...
    @property
    def models(self) -> tuple[str, ...]: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def context_window(self) -> int | None: ...
    @property
    def images(self) -> bool | tuple[str, ...] | None: ...
    @property
    def free(self) -> bool | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfiguredEndpoint:
    """An endpoint with what the client and the windows need beside it."""

    endpoint: Endpoint
    key_command: KeyCommand | None = None
    context_window: int | None = None
    images: bool | tuple[str, ...] | None = None
    """Whether its models take images, or which do."""


@dataclass(frozen=True, slots=True)
class EndpointChoice:
    """The endpoints by name, and which one flags, environment or settings choose (None: none)."""

    endpoints: Mapping[str, ConfiguredEndpoint] = field(
        default_factory=dict[str, ConfiguredEndpoint]
    )
    chosen: str | None = None


def configured_endpoints(
    environment: Mapping[str, str],
    *,
    base_url: str | None = None,
    settings: Mapping[str, EndpointEntry] | None = None,
    preferred: str | None = None,
) -> EndpointChoice:
    """All endpoints that are configured.

    `base_url` is the `--base-url` flag, `preferred` the `endpoint` of the settings. Chosen is the
    flag's, else `preferred`, else the environment's, else the first of the settings. Raises
    ConfigError for an address or header that can't be used, and where `preferred` is `openai` and
    nothing says with which key: prompts must not go to another endpoint instead.
    """
    found: dict[str, ConfiguredEndpoint] = {}
    from_environment = _from_environment(environment)
    if from_environment is not None:
        found[from_environment.endpoint.name] = from_environment
    for name, entry in (settings or {}).items():
        found[name] = _from_settings(name, entry, environment)
    chosen = from_environment.endpoint.name if from_environment else next(iter(found), None)
    if preferred in found:
        chosen = preferred
    elif preferred == _OPENAI and not base_url:
        raise ConfigError(_no_openai(environment))
    if base_url:
        flagged = _from_flag(base_url, environment, found)
        found[flagged.endpoint.name] = flagged
        chosen = flagged.endpoint.name
    return EndpointChoice(found, chosen)


def _no_openai(environment: Mapping[str, str]) -> str:
    """Why there is no endpoint `openai`, and the ways to one."""
    missing = "OPENAI_API_KEY is not set"
    if elsewhere := environment.get("OPENAI_BASE_URL", "").strip():
        missing = f"OPENAI_BASE_URL names another address, {public_url(elsewhere)}"
    return (
        f'endpoint = "openai" of config.toml: there is no key for {OPENAI_URL}, since {missing}. Set OPENAI_API_KEY '
        f"(without OPENAI_BASE_URL), or write {table_of(_OPENAI)} with base_url = "
        f"{json.dumps(OPENAI_URL)} and api_key_env or api_key_cmd, or choose another endpoint."
    )


def public_url(url: str) -> str:
    """`url` without user, password and query."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))


def checked_url(url: str, source: str) -> str:
    """`url` as a base URL, without the slash at its end. Raises ConfigError, naming `source`."""
    text = url.strip().rstrip("/")
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not fits_header(text) or " " in text:
        raise ConfigError(
            f"{source} is not an address: {url!r}. It must look like"
            " https://api.openai.com/v1 or http://localhost:11434/v1."
        )
    return text.removesuffix("/chat/completions")


def is_loopback(url: str) -> bool:
    """Whether an address is on this machine, by its name or number alone (nothing is resolved)."""
    host = (urlsplit(url).hostname or "").lower().rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def local_address(url: str) -> int | None:
    """The port of an address on this machine, which says which server it is; None elsewhere."""
    if not is_loopback(url):
        return None
    parts = urlsplit(url)
    return parts.port or (443 if parts.scheme == "https" else 80)


def kind_of(url: str) -> EndpointKind:
    """What an address says of the server; `other` where it says nothing."""
    parts = urlsplit(url)
    if (parts.hostname or "").lower() == "api.openai.com":
        return "openai"
    if is_loopback(url) and parts.port == 11434:
        return "ollama"
    return "other"


def name_of(url: str) -> str:
    """The name of an endpoint that was given by its address alone: stable, since sessions keep it."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    if host == "api.openai.com":
        return _OPENAI
    return f"{host}:{parts.port}" if parts.port else host


def _from_environment(environment: Mapping[str, str]) -> ConfiguredEndpoint | None:
    """OPENAI_BASE_URL and OPENAI_API_KEY. They stand side by side, so that the key is meant for
    that address, on this machine too."""
    key = environment.get("OPENAI_API_KEY", "").strip() or None
    url = environment.get("OPENAI_BASE_URL", "").strip()
    if not url and key is None:
        return None
    url = checked_url(url or OPENAI_URL, "OPENAI_BASE_URL")
    headers = {
        header: environment[variable].strip()
        for header, variable in (
            ("OpenAI-Organization", "OPENAI_ORG_ID"),
            ("OpenAI-Project", "OPENAI_PROJECT_ID"),
        )
        if environment.get(variable, "").strip()
    }
    return _by_url(name_of(url), url, key, "OPENAI_API_KEY", _checked(headers, "OPENAI_ORG_ID"))


def _from_flag(
    base_url: str, environment: Mapping[str, str], found: Mapping[str, ConfiguredEndpoint]
) -> ConfiguredEndpoint:
    """`--base-url`: an endpoint that is configured for that address, else a new one with
    OPENAI_API_KEY, which a server on this machine does not get."""
    url = checked_url(base_url, "--base-url")
    for configured in found.values():
        if configured.endpoint.base_url == url:
            return configured
    key = environment.get("OPENAI_API_KEY", "").strip() or None
    if is_loopback(url):
        key = None
    return _by_url(name_of(url), url, key, "OPENAI_API_KEY", {})


def _from_settings(
    name: str, entry: EndpointEntry, environment: Mapping[str, str]
) -> ConfiguredEndpoint:
    place = table_of(name)
    url = checked_url(entry.base_url, f"base_url of {place}")
    key: str | None = None
    source = ""
    command: KeyCommand | None = None
    if entry.api_key_env:
        key = environment.get(entry.api_key_env, "").strip() or None
        # Named also where it is empty: then that is what to mend.
        source = entry.api_key_env
    if key is None and entry.api_key_cmd:
        source = f"api_key_cmd of {place}"
        command = KeyCommand(entry.api_key_cmd, source)
    endpoint = Endpoint(
        name=name,
        base_url=url,
        kind=kind_of(url),
        key=key,
        key_source=source,
        models=tuple(entry.models),
        headers=_checked(entry.headers, place),
        is_local=is_loopback(url),
        free=entry.free,
    )
    return ConfiguredEndpoint(
        endpoint=endpoint,
        key_command=command,
        context_window=entry.context_window,
        images=entry.images,
    )


def _by_url(
    name: str, url: str, key: str | None, source: str, headers: Mapping[str, str]
) -> ConfiguredEndpoint:
    return ConfiguredEndpoint(
        endpoint=Endpoint(
            name=name,
            base_url=url,
            kind=kind_of(url),
            key=key,
            key_source=source if key else "",
            headers=headers,
            is_local=is_loopback(url),
        )
    )


def _checked(headers: Mapping[str, str], place: str) -> dict[str, str]:
    for header, value in headers.items():
        if not fits_header(value) or not fits_header(header) or not header or " " in header:
            raise ConfigError(
                f"The header {header!r} of {place} can't be sent: names and values must be"
                " printable ASCII on one line."
            )
    return dict(headers)


def table_of(name: str) -> str:
    """`[endpoints.NAME]`, as it has to stand in the settings."""
    key = name if re.fullmatch(r"[\w-]+", name, re.ASCII) else json.dumps(name)
    return f"[endpoints.{key}]"


def named_model(endpoints: Mapping[str, Endpoint], current: ModelRef, text: str) -> ModelRef:
    """`endpoint/model` where the first part is an endpoint; else a model of the current one."""
    head, slash, tail = text.partition("/")
    if slash and tail and head in endpoints:
        return ModelRef(head, tail)
    return ModelRef(current.endpoint, text)
