"""An error in what the user configured."""

from __future__ import annotations


class ConfigError(Exception):
    """A settings file, variable or flag that can't be used. `str()` names it, the cause and the way on."""
