"""Names that endpoints accept (`[a-zA-Z0-9_-]{1,64}`), made of names that servers gave."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Container, Iterable

_LONGEST = 64
_SLUG_LONGEST = 24
_HASH = 8
_REFUSED = re.compile(r"[^a-zA-Z0-9_-]")
_REFUSED_IN_ARGUMENTS = re.compile(r"[^a-zA-Z0-9_.-]")


def server_slug(name: str) -> str:
    """The prefix of a server's tools. It holds no `__` and does not end with `_`, so that two
    servers with different slugs never give one name to two tools."""
    slug = re.sub(r"_{2,}", "_", _REFUSED.sub("_", name)).strip("_")
    if not slug:
        return f"server-{_hash(name)}"
    if len(slug) > _SLUG_LONGEST:
        slug = f"{slug[: _SLUG_LONGEST - _HASH - 1]}-{_hash(name)}"
    return slug


def tool_names(slug: str, names: Iterable[str]) -> dict[str, str]:
    """The names of a server's tools as a model calls them: adapted name to the server's own.

    Which name a tool gets depends on its own and on those it would clash with, never on the order.
    """
    own = list(dict.fromkeys(names))
    plain = {name: f"{slug}__{_REFUSED.sub('_', name)}" for name in own}
    clashes = Counter(plain.values())
    adapted: dict[str, str] = {}
    for name in own:
        candidate = plain[name]
        kept = candidate == f"{slug}__{name}" and len(candidate) <= _LONGEST
        if len(candidate) > _LONGEST or (clashes[candidate] > 1 and not kept) or not name:
            candidate = f"{candidate[: _LONGEST - _HASH - 1]}_{_hash(name)}"
        adapted[candidate] = name
    return adapted


def fitted_name(name: str, taken: Container[str]) -> str:
    """`name` as the name of an argument (`[a-zA-Z0-9_.-]{1,64}`), other than those `taken`."""
    fitted = _REFUSED_IN_ARGUMENTS.sub("_", name)
    if not fitted or len(fitted) > _LONGEST or fitted in taken:
        fitted = f"{fitted[: _LONGEST - _HASH - 1]}_{_hash(name)}"
    return fitted


def _hash(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:_HASH]
