"""The strategies there are: our own, and those of other packages by entry point."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module, metadata
from typing import Any, cast

from chatglass.chat.compaction.strategy import CompactionStrategy

GROUP = "chatglass.compaction"
"""The entry point group."""
DEFAULT = "summarise"
FALLBACK = "extractive"

_OWN = {
    "summarise": ("summarise", "Summarise"),
    "extractive": ("extractive", "Extractive"),
    "elide-tool-results": ("elide", "ElideToolResults"),
    "trim": ("trim", "Trim"),
}
WHAT: dict[str, str] = {
    "summarise": "a model sums up the older turns (the session's, or context.summary_model)",
    "extractive": "the sentences that say most stand for the older turns; no model is asked",
    "elide-tool-results": "old results of tools become stubs that the model can ask back",
    "trim": "the oldest turns are left out",
}
"""Our own strategies, in words."""


class UnknownStrategy(ValueError):
    """There is no strategy of that name. `str()` says which there are."""


class BrokenStrategy(Exception):
    """A strategy of another package can't be used. `str()` names it and the cause."""


@cache
def _others() -> dict[str, metadata.EntryPoint]:
    # Reads the metadata of every installed package, so not before it is asked for.
    return {point.name: point for point in metadata.entry_points(group=GROUP)}


def names() -> list[str]:
    """Our own first."""
    return [*_OWN, *sorted(set(_others()) - set(_OWN))]


def check_name(name: str) -> None:
    """Raises UnknownStrategy. Loads nothing."""
    if name not in _OWN and name not in _others():
        raise UnknownStrategy(f"There is no strategy {name!r}. There are: {', '.join(names())}.")


def source_of(name: str) -> str:
    """The package that a strategy of others comes from; empty for our own."""
    point = None if name in _OWN else _others().get(name)
    if point is None:
        return ""
    return point.dist.name if point.dist is not None else point.value


def load(name: str) -> CompactionStrategy:
    """Raises UnknownStrategy, BrokenStrategy."""
    if name in _OWN:
        module, made = _OWN[name]
        return cast(CompactionStrategy, getattr(import_module(f"{__package__}.{module}"), made)())
    check_name(name)
    point = _others()[name]
    try:
        make = cast("Callable[[], Any]", point.load())
        strategy = make()
    # Foreign code, which may raise anything when it is imported.
    except Exception as error:
        raise BrokenStrategy(
            f"The compaction strategy {name!r} of {source_of(name)} can't be used: "
            f"{type(error).__name__}: {error}."
        ) from error
    if not callable(getattr(strategy, "plan", None)):
        raise BrokenStrategy(
            f"The compaction strategy {name!r} of {source_of(name)} can't be used: it has no plan()."
        )
    from chatglass.chat.compaction.foreign import Foreign

    return Foreign(name, source_of(name), cast(CompactionStrategy, strategy))
