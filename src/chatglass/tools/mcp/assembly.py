"""The servers of one start, from the files where they are configured."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from pathlib import Path

from chatglass.config.paths import Paths
from chatglass.tools.mcp.config_file import FoundServers, find_servers
from chatglass.tools.mcp.ports import McpPorts
from chatglass.tools.mcp.servers import McpOptions, McpServers, ReplaceTools
from chatglass.tools.mcp.trust import TrustStore
from chatglass.tools.redaction import KnownKeys, worth_hiding


def trust_store(
    paths: Paths, *, known_keys: KnownKeys, key_variables: Collection[str] = (), keep: bool = True
) -> TrustStore:
    """Where trust is kept. Raises ConfigError."""

    def is_key(value: str) -> bool:
        return any(key in value for key in known_keys() if worth_hiding(key))

    return TrustStore(
        paths.mcp_trust if keep else None,
        environment=os.environ,
        key_variables=key_variables,
        is_key=is_key,
    )


def configured_servers(
    paths: Paths,
    root: Path,
    *,
    replace_tools: ReplaceTools,
    known_keys: KnownKeys,
    key_variables: Collection[str] = (),
    flag_files: Sequence[Path] = (),
    ports: McpPorts | None = None,
    keep: bool = True,
    only: Collection[str] | None = None,
    sampling: Collection[str] = (),
) -> McpServers:
    """The servers, not yet started.

    `known_keys` gives the values of endpoint keys, `key_variables` names their variables; `keep`
    false writes nothing to disk (`--no-save`); `only` takes servers of these names; `sampling` names
    those that may ask for answers of the model. Reads a few small files. Raises ConfigError.
    """
    found = find_servers(paths.mcp_file, root, flag_files)
    if only is not None:
        found = _only(found, only)
    options = McpOptions(
        root=root,
        logs=paths.mcp_logs if keep else None,
        tokens=paths.mcp_tokens if keep else None,
        sampling=sampling,
        known_keys=known_keys,
        key_variables=key_variables,
    )
    trust = trust_store(paths, known_keys=known_keys, key_variables=key_variables, keep=keep)
    return McpServers(found, options, trust=trust, replace_tools=replace_tools, ports=ports)


def _only(found: FoundServers, names: Collection[str]) -> FoundServers:
    kept = tuple(server for server in found.servers if server.name in names)
    return FoundServers(kept, found.problems, found.files)
