"""What can go wrong with a server, beside faults of its configuration (`ConfigError`)."""

from __future__ import annotations


class ServerError(Exception):
    """A request to a server that gave no result. `str()` names the server and the cause."""
