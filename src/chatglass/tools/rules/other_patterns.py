"""What rules say of pages and of arguments: `https://example.org`, `{"zone": "UTC"}`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chatglass.tools.addresses import origin, split_url
from chatglass.tools.rules.match import InvalidRule, Match
from chatglass.tools.tool import InvalidArguments

_ADDRESS = re.compile(r"https?://[!-)+-~]+")
"""Without `*`, which would look like a wildcard."""


@dataclass(frozen=True, slots=True)
class UrlPattern:
    """A page, letter for letter; or with `whole_site` every page of its origin (scheme, host, port)."""

    url: str
    whole_site: bool

    @classmethod
    def parse(cls, text: str) -> UrlPattern:
        """Raises InvalidRule."""
        if not _ADDRESS.fullmatch(text):
            raise InvalidRule(f"{text!r} is not an http or https address")
        try:
            site = origin(*split_url(text))
        except InvalidArguments as error:
            raise InvalidRule(str(error)) from None
        whole = "/" not in text.partition("://")[2]
        if whole and text != site:
            raise InvalidRule(f"write the origin as {site}")
        return cls(text, whole)

    @classmethod
    def site_of(cls, url: str) -> UrlPattern | None:
        site = _origin(url)
        return cls(site, whole_site=True) if site else None

    def __str__(self) -> str:
        return self.url

    def allows(self, url: str) -> bool:
        return _origin(url) == self.url if self.whole_site else url == self.url

    def concerns(self, url: str) -> Match:
        if self.allows(url):
            return "yes"
        # Servers read one page's address in many ways.
        return "perhaps" if _origin(url) == _origin(self.url) else "no"


@dataclass(frozen=True, slots=True)
class ArgumentsPattern:
    """Exactly these arguments, as canonical JSON: keys in order, `1` and `1.0` and `true` apart."""

    canonical: str

    @classmethod
    def parse(cls, text: str) -> ArgumentsPattern:
        """Raises InvalidRule."""
        try:
            value: Any = json.loads(text)
        except ValueError as error:
            raise InvalidRule(
                "this tool is none of the built-in ones, so its arguments stand as JSON, "
                f'as TOOL({{"number": 7}}); {text} is not JSON: {error}'
            ) from None
        if not isinstance(value, dict):
            raise InvalidRule(f"{text} is not an object of arguments")
        return cls.of(value)  # pyright: ignore[reportUnknownArgumentType]

    @classmethod
    def of(cls, arguments: Mapping[str, Any]) -> ArgumentsPattern:
        """Raises InvalidRule for what JSON can't hold."""
        try:
            return cls(_canonical(arguments))
        except ValueError as error:
            raise InvalidRule(f"the arguments can't be written as JSON: {error}") from None

    def __str__(self) -> str:
        return self.canonical

    def allows(self, arguments: Mapping[str, Any]) -> bool:
        try:
            return _canonical(arguments) == self.canonical
        except ValueError:
            return False

    def concerns(self, arguments: Mapping[str, Any]) -> Match:
        return "yes" if self.allows(arguments) else "no"


def _canonical(value: Mapping[str, Any]) -> str:
    # ASCII, so that letters which look alike or can't be seen are told apart in the file.
    return json.dumps(dict(value), sort_keys=True, allow_nan=False)


def _origin(url: str) -> str:
    try:
        return origin(*split_url(url))
    except InvalidArguments:
        return ""
