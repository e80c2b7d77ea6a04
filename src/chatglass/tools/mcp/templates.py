"""Resource templates (RFC 6570, levels 1 and 2): what of one is typed, and what comes next.

`{name}` stands for text without `/`, `{+name}` for any text. Of a template with anything else
(`{?query}`, `{/a,b}`) only the text before it is completed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, unquote

_EXPRESSION = re.compile(r"\{(\+?)([A-Za-z0-9_.]+)\}")
_RESERVED = ":/?#[]@!$&'()*+,;="


@dataclass(frozen=True, slots=True)
class Variable:
    name: str
    any_text: bool


@dataclass(frozen=True, slots=True)
class Typed:
    """How far a URI has been typed by a template.

    `variable` is being typed, `value` of it so far; None: what follows is text, or it is whole.
    """

    before: str
    """The part that is settled, as it stands in the URI."""
    values: Mapping[str, str] = field(default_factory=dict[str, str])
    """Variables that are settled."""
    variable: Variable | None = None
    value: str = ""
    after: str = ""
    """Text that follows the variable, or completes what is typed, up to the next variable."""
    is_last: bool = False
    """With that the URI is whole."""

    def with_value(self, value: str) -> str:
        """The URI so far with `value` for the variable, and the text behind that."""
        assert self.variable
        safe = _RESERVED if self.variable.any_text else ""
        return self.before + quote(value, safe=safe) + self.after


class UriTemplate:
    def __init__(self, text: str) -> None:
        self.text = text
        self._parts: list[str | Variable] = []
        self.is_simple = True
        """All of it is understood."""
        at = 0
        for match in _EXPRESSION.finditer(text):
            self._add(text[at : match.start()])
            if not self.is_simple:
                break
            self._parts.append(Variable(match[2], bool(match[1])))
            at = match.end()
        else:
            self._add(text[at:])
        if not self._parts or isinstance(self._parts[0], Variable):
            self._parts.insert(0, "")

    def _add(self, literal: str) -> None:
        plain, brace, _ = literal.partition("{")
        self.is_simple = self.is_simple and not brace
        if plain:
            self._parts.append(plain)

    @property
    def start(self) -> str:
        """The text before the first variable."""
        first = self._parts[0]
        return first if isinstance(first, str) else ""

    def typed(self, uri: str) -> Typed | None:
        """What of `uri` is settled and what is being typed; None where it does not fit."""
        values: dict[str, str] = {}
        rest, before = uri, ""
        for place, part in enumerate(self._parts):
            if isinstance(part, str):
                if not rest.startswith(part):
                    if not part.startswith(rest):
                        return None
                    is_last = self.is_simple and place == len(self._parts) - 1
                    return Typed(before, values, after=part, is_last=is_last)
                before, rest = before + part, rest[len(part) :]
                continue
            following = self._text_at(place + 1)
            end = rest.find(following) if following else -1
            value = rest if end < 0 else rest[:end]
            if "/" in value and not part.any_text:
                return None
            if end < 0:
                last = self._is_last(place)
                return Typed(before, values, part, unquote(value), following, last)
            values[part.name] = unquote(value)
            before, rest = before + value, rest[end:]
        return None if rest else Typed(before, values, is_last=self.is_simple)

    def is_whole(self, uri: str) -> bool:
        """Whether `uri` is one that the template stands for, no variable empty."""
        found = self.typed(uri)
        if found is None or not found.is_last or not all(found.values.values()):
            return False
        if found.variable is None:
            return found.before == uri
        return bool(found.value) and not found.after

    def _text_at(self, place: int) -> str:
        part = self._parts[place] if place < len(self._parts) else ""
        return part if isinstance(part, str) else ""

    def _is_last(self, place: int) -> bool:
        rest = self._parts[place + 1 :]
        return self.is_simple and not any(isinstance(part, Variable) for part in rest)
