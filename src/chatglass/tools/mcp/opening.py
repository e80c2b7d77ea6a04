"""The `open` frame of a server: its entry with variables expanded, and what a child gets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from chatglass.tools.environment import key_name
from chatglass.tools.mcp.config_file import is_url
from chatglass.tools.mcp.environment import server_environment
from chatglass.tools.mcp.values import ConfiguredServer, HttpSpec, ServerSpec, StdioSpec
from chatglass.tools.mcp.variables import UnsetVariable, expand
from chatglass.tools.tool import JsonObject


class CannotOpen(Exception):
    """The entry can't be used here. `str()` names the file, the server and the key."""


def spec_fields(
    configured: ConfiguredServer,
    *,
    readable: Mapping[str, str],
    environment: Mapping[str, str],
    root: Path,
    known_keys: Iterable[str],
) -> JsonObject:
    """How to reach the server, and what of that must not stand in a log.

    `readable` is what its variables may expand to, `environment` what a child's is made of. Raises
    CannotOpen.
    """
    place = f"{configured.source.path}: mcpServers.{configured.name}"
    try:
        spec = expand(configured.spec, readable)
    except UnsetVariable as error:
        raise CannotOpen(f"{place}: {error}") from None
    if isinstance(spec, HttpSpec):
        if not is_url(spec.url):
            raise CannotOpen(f"{place}: url is no address once its variables are expanded.")
        fields: JsonObject = {
            "kind": "http",
            "url": spec.url,
            "headers": dict(spec.headers),
            "sse": spec.sse,
        }
    else:
        assert isinstance(spec, StdioSpec)
        fields = {
            "kind": "stdio",
            "command": spec.command,
            "args": list(spec.args),
            "cwd": str(root / (spec.cwd or "")),
            "env": server_environment(environment, spec.env),
        }
    return {"spec": fields, "secrets": [*known_keys, *_secrets(spec)]}


def _secrets(spec: ServerSpec) -> list[str]:
    """Values that must not stand in a log: of headers, and of variables that hold keys."""
    if isinstance(spec, HttpSpec):
        values = list(spec.headers.values())
        return values + [value.partition(" ")[2] for value in values if " " in value]
    assert isinstance(spec, StdioSpec)
    return [value for name, value in spec.env.items() if key_name(name)]
