"""JSON values of others, made fit to be written."""

from __future__ import annotations

from typing import Any, cast

from chatglass.values.text import storable


def storable_json(value: Any) -> Any:
    """`value` with `storable` texts throughout: half a surrogate pair can't be sent as UTF-8."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, list):
        return [storable_json(item) for item in cast("list[Any]", value)]
    if isinstance(value, dict):
        found = cast("dict[str, Any]", value)
        return {storable(key): storable_json(item) for key, item in found.items()}
    return value
