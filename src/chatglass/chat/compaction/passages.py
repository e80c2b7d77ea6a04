"""Passages: a conversation as sentences with their speakers, and how much each of them says.

A passage's weight is the mean rarity of its words among all passages (inverse document frequency),
raised for what a conversation is remembered by: figures, identifiers, paths, decisions, wishes of the
user. All of it is counting; the same text always gets the same weights.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from chatglass.chat.messages import content_text
from chatglass.store.records import MessageRow

MOST_CHARS = 300
"""Of one passage; a longer sentence is cut."""
_MOST_OF_RESULT = 12
"""Lines of one tool result that are looked at."""
_MOST_OF_MESSAGE = 400

_END = re.compile(r"(?<=[.!?…])[\"')\]]*\s+(?=\S)|(?<=[。！？])\s*")
_WORD = re.compile(r"\w+(?:[./:_@-]\w+)*")
_FIGURE = re.compile(r"\d")
_PATH = re.compile(r"(?:[\w.-]+[/\\])+[\w.-]+|\b[\w-]+\.[a-z]{1,5}\b|https?://\S+")
_IDENTIFIER = re.compile(r"\b\w*[a-z][A-Z_]\w*|\b\w+_\w+\b|`[^`]+`|\b[A-Z]{2,}[\w-]*\d\w*\b")
_DECISION = re.compile(
    r"\b(?:decid|agreed|must|never|always|remember|important|note that|instead|prefer|"
    r"we will|we'll|let's|should|todo|open:|next:|fixed|because|caused by|turned out|failed|error|"
    r"from now on|call me|i want|i need|please|don't|do not|avoid|deadline|due (?:on|by)|is called|renamed)",
    re.IGNORECASE,
)
_SMALL_TALK = re.compile(
    r"^(?:ok(?:ay)?|thanks?(?: you)?|sure|great|yes|no|hello|hi|you're welcome|done)\W*$", re.I
)
_RESULT = "result of "
"""What the speaker of a passage from a tool begins with."""
_WEIGHT_OF_ROLE = {"user": 1.3, "assistant": 1.0, "tool": 0.5}


@dataclass(frozen=True, slots=True)
class Passage:
    """One sentence or line. `place` orders passages as they were said."""

    place: int
    speaker: str
    text: str
    role: str
    is_first: bool = False
    """It begins a prompt."""
    is_kept: bool = False
    """It stood in the former selection."""

    @property
    def line(self) -> str:
        return f"- {self.speaker}: {self.text}"


_LINE = re.compile(r"- ([^:\n]{1,80}): (.+)")


def passages_of(former: str, rows: Iterable[MessageRow]) -> list[Passage]:
    """Those of a former text (one a line), then those of the messages."""
    found: list[Passage] = []
    for line in former.splitlines():
        line = line.strip()
        if not line or line.startswith(("#", "```")):
            continue
        match = _LINE.fullmatch(line)
        speaker, text = match.groups() if match else ("earlier", line.removeprefix("- "))
        role = "tool" if speaker.startswith(_RESULT) else speaker
        role = role if role in _WEIGHT_OF_ROLE else "assistant"
        found.append(Passage(len(found), speaker, text[:MOST_CHARS], role, is_kept=True))
    for row in rows:
        _add(found, row)
    return found


def _add(found: list[Passage], row: MessageRow) -> None:
    speaker = f"{_RESULT}{row.tool_name or 'a tool'}" if row.role == "tool" else row.role
    texts = _lines(content_text(row)) if row.role == "tool" else _sentences(content_text(row))
    first = row.role == "user"
    for text in texts:
        found.append(Passage(len(found), speaker, text, row.role, is_first=first))
        first = False


def _sentences(text: str) -> list[str]:
    found: list[str] = []
    for line in text.splitlines():
        for part in _END.split(line):
            if sentence := _tidy(part):
                found.append(sentence)
        if len(found) >= _MOST_OF_MESSAGE:
            break
    return found[:_MOST_OF_MESSAGE]


def _lines(text: str) -> list[str]:
    lines = [line for line in text[:20_000].splitlines() if line.strip()]
    chosen = lines[: _MOST_OF_RESULT // 2] + lines[_MOST_OF_RESULT // 2 :][-_MOST_OF_RESULT // 2 :]
    return [tidy for line in chosen if (tidy := _tidy(line))]


def _tidy(text: str) -> str:
    text = " ".join(text.split()).lstrip("#>*- ").strip()
    if len(text) < 3 or _SMALL_TALK.match(text):
        return ""
    return text if len(text) <= MOST_CHARS else text[: MOST_CHARS - 1] + "…"


def words_of(text: str) -> frozenset[str]:
    return frozenset(word.casefold() for word in _WORD.findall(text))


def telling(words: frozenset[str]) -> frozenset[str]:
    """Those that tell one fact from another in the same words: with figures, or parts of a path."""
    return frozenset(word for word in words if not word.isalpha())


def weights(passages: Sequence[Passage], words: Sequence[frozenset[str]]) -> list[float]:
    """How much each passage says; `words` are those of each."""
    told = Counter(word for each in words for word in each)
    rarity = {word: math.log((1 + len(passages)) / count) for word, count in told.items()}
    most = math.log(1 + len(passages)) or 1.0
    made: list[float] = []
    for passage, own in zip(passages, words, strict=True):
        # Sorted, so that the sum is the same in every process: sets of texts have no order.
        rare = sorted((rarity[word] for word in own), reverse=True)[:8]
        weight = sum(rare) / (most * max(len(rare), 4))
        weight += _bonus(passage)
        made.append(weight * _WEIGHT_OF_ROLE.get(passage.role, 1.0))
    return made


def _bonus(passage: Passage) -> float:
    text = passage.text
    bonus = 0.25 if _FIGURE.search(text) else 0.0
    bonus += 0.25 if _PATH.search(text) else 0.0
    bonus += 0.15 if _IDENTIFIER.search(text) else 0.0
    bonus += 0.6 if _DECISION.search(text) else 0.0
    bonus += 0.3 if passage.is_kept else 0.0
    return bonus
