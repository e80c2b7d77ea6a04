"""What the author of a tool may say of it, and say while it runs. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeVar, overload

_F = TypeVar("_F", bound=Callable[..., Any])
_MARK = "__chatglass_tool__"

DEFAULT_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """`read_only` is shown in the question, and lowers no guard: only the user's rules do."""

    name: str = ""
    """As the model calls it; empty: the function's own name."""
    timeout_s: float = DEFAULT_TIMEOUT_S
    read_only: bool = False
    parallel: bool = True
    """Whether it may run beside other calls of the same answer."""


@overload
def tool(function: _F) -> _F: ...
@overload
def tool(
    *, name: str = "", timeout_s: float = ..., read_only: bool = False, parallel: bool = True
) -> Callable[[_F], _F]: ...
def tool(function: Any = None, **marks: Any) -> Any:
    """Mark a function, bare or with what differs from the defaults of `Marks`."""

    def mark(marked: Any) -> Any:
        setattr(marked, _MARK, Marks(**marks))
        return marked

    return mark if function is None else mark(function)


def marks_of(function: Callable[..., Any]) -> Marks:
    found = getattr(function, _MARK, None)
    return found if isinstance(found, Marks) else Marks()


def is_marked(function: object) -> bool:
    return isinstance(getattr(function, _MARK, None), Marks)


reporter: ContextVar[Callable[[str, float | None], None] | None] = ContextVar(
    "chatglass_reporter", default=None
)


def report(message: str, fraction: float | None = None) -> None:
    """Say how far the running call is; `fraction` from 0 to 1 where that is known. Outside of a
    call it does nothing."""
    tell = reporter.get()
    if tell is not None:
        tell(message, fraction)
