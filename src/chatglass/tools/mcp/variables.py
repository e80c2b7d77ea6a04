"""`${VAR}` and `${VAR:-default}` in server entries; nothing else is expanded."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from chatglass.tools.mcp.values import HttpSpec, ServerSpec, StdioSpec

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")


class UnsetVariable(Exception):
    """A variable without a value and without a default. `str()` names the key and the variable."""


def variables(spec: ServerSpec) -> Iterator[tuple[str, str]]:
    """Each place of `spec` that reads a variable: the key (`env.TOKEN`) and the variable's name."""
    for key, text in _texts(spec):
        for match in _VARIABLE.finditer(text):
            yield key, match[1]


def expand(spec: ServerSpec, environment: Mapping[str, str]) -> ServerSpec:
    """`spec` with the values of `environment`; an empty one counts as unset where a default stands.

    Raises UnsetVariable.
    """

    def text(key: str, value: str) -> str:
        def found(match: re.Match[str]) -> str:
            name, default = match[1], match[2]
            given = environment.get(name)
            if given or (given is not None and default is None):
                return given
            if default is not None:
                return default
            raise UnsetVariable(
                f"{key} reads ${{{name}}}, which is not set here. Set it, or write"
                f" ${{{name}:-default}}."
            )

        return _VARIABLE.sub(found, value)

    return _mapped(spec, text)


def _texts(spec: ServerSpec) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []

    def collect(key: str, value: str) -> str:
        found.append((key, value))
        return value

    _mapped(spec, collect)
    return found


def _mapped(spec: ServerSpec, text: Callable[[str, str], str]) -> ServerSpec:
    if isinstance(spec, HttpSpec):
        headers = {name: text(f"headers.{name}", value) for name, value in spec.headers.items()}
        return replace(spec, url=text("url", spec.url), headers=headers)
    assert isinstance(spec, StdioSpec)
    return replace(
        spec,
        command=text("command", spec.command),
        args=tuple(text(f"args.{place}", value) for place, value in enumerate(spec.args)),
        env={name: text(f"env.{name}", value) for name, value in spec.env.items()},
        cwd=None if spec.cwd is None else text("cwd", spec.cwd),
    )
