"""Where own tools come from: files named by `--tools`, and entry points of installed packages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Literal

GROUP = "chatglass.tools"


@dataclass(frozen=True, slots=True)
class OwnSource:
    """`label` names it on screen: the file as it was given, or the package with its version."""

    kind: Literal["file", "package"]
    target: str
    """The absolute path of the file, or `module:object`."""
    label: str


@dataclass(frozen=True, slots=True)
class OwnProblem:
    """What of a source is no tool. `str()` names the source, the function, the cause, the way on."""

    source: str
    text: str

    def __str__(self) -> str:
        return f"{self.source}: {self.text}"


def find_sources(files: Iterable[str]) -> list[OwnSource]:
    """The sources, packages first, each once. Looks through the metadata of all that is installed:
    for a thread."""
    found: dict[tuple[str, str], OwnSource] = {}
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: (entry.name, entry.value)):
        package = f"{entry.dist.name} {entry.dist.version}" if entry.dist else entry.value
        source = OwnSource("package", entry.value, f"{package} ({entry.name})")
        found.setdefault((source.kind, source.target), source)
    for given in files:
        source = OwnSource("file", str(Path(given).expanduser().resolve()), given)
        found.setdefault((source.kind, source.target), source)
    return list(found.values())
