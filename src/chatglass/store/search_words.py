"""What a search text asks for, and how its words can be found.

An index of trigrams finds words of three characters and more. Chinese, Japanese and Korean words
often have two, so pairs of such characters are indexed too. What is shorter is only looked for in
titles, or in what the other words found.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from chatglass.values.text import storable

LEAST = 3
"""Characters of a word that trigrams can find."""

# Radicals, kana, bopomofo, jamo, ideographs with all extensions, syllables, halfwidth kana.
_CJK = (
    "[\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u3035\u303b\u3040-\u30fa\u30fc-\u31bf"
    "\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff"
    "\uff66-\uff9f\U0001b000-\U0001b16f\U00020000-\U0003ffff]"
)
_RUN = re.compile(f"{_CJK}{{2,}}")
_PAIR = re.compile(_CJK * 2)
_PHRASE_OR_WORD = re.compile(r'"([^"]*)"|([^\s"]+)')

Reach = Literal["nothing", "titles", "everything"]


def cjk_pairs(text: str | None) -> str:
    """All pairs of neighbours in runs of Chinese, Japanese and Korean, once each, with blanks."""
    if not text or text.isascii():
        return ""
    pairs: dict[str, None] = {}
    for run in _RUN.findall(text):
        for at in range(len(run) - 1):
            pairs[run[at : at + 2]] = None
    return " ".join(pairs)


@dataclass(frozen=True, slots=True)
class SearchWords:
    """The words of a search text by how they are found. A text must hold them all."""

    long: tuple[str, ...] = ()
    """By trigrams."""
    pairs: tuple[str, ...] = ()
    """By pairs."""
    short: tuple[str, ...] = ()
    """By reading the text."""

    @property
    def all(self) -> tuple[str, ...]:
        return (*self.long, *self.pairs, *self.short)

    @property
    def reach(self) -> Reach:
        """Where they can be looked for; with nothing but short words it is titles."""
        if self.long or self.pairs:
            return "everything"
        return "titles" if self.short else "nothing"

    @property
    def pattern(self) -> re.Pattern[str]:
        """Finds any of them, the longest first, in either case. Not for `nothing`."""
        words = sorted(self.all, key=len, reverse=True)
        return re.compile("|".join(map(re.escape, words)), re.IGNORECASE)


def search_words(text: str) -> SearchWords:
    """Words and "quoted phrases" of `text`. A lone quotation mark counts for nothing."""
    # FTS5 ends its query at a NUL.
    found: list[tuple[str, str]] = _PHRASE_OR_WORD.findall(storable(text).replace("\0", " "))
    words = [word for pair in found if (word := "".join(pair)).strip()]
    short = [word for word in words if len(word) < LEAST]
    return SearchWords(
        long=tuple(word for word in words if len(word) >= LEAST),
        pairs=tuple(word for word in short if _PAIR.fullmatch(word)),
        short=tuple(word for word in short if not _PAIR.fullmatch(word)),
    )
