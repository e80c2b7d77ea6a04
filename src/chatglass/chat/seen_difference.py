"""What the model saw against what a tool produced: where text was left out, and what stands instead.

Both may be large (64 MB against 30,000 characters), so nothing here looks at each line of what was
produced: equal stretches are found by comparing whole slices, and after a difference the next line
that both have is searched for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["same", "cut", "redacted", "note", "other"]
"""`cut`: left out, a note of ours may stand for it; `redacted`: a key was taken out; `note`: in what
was seen alone; `other`: one text for another."""

REDACTED = "[key removed]"
_NEAR = 65_536
"""Characters in which every line is searched for; only a few are searched for beyond."""
_TRIED_FAR = 4
_TRIED = 200
_SHORTEST = 4
"""Characters of a line that may tell where both go on; a shorter one is found everywhere."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """`produced` and `seen` are (start, end) in the one and the other text."""

    kind: Kind
    produced: tuple[int, int]
    seen: tuple[int, int]


def difference(produced: str, seen: str) -> list[Stretch]:
    """The stretches of both texts, in order and without gaps."""
    found: list[Stretch] = []
    p = s = 0
    while p < len(produced) or s < len(seen):
        same = _common(produced, p, seen, s)
        if same:
            found.append(Stretch("same", (p, p + same), (s, s + same)))
            p, s = p + same, s + same
            continue
        p_next, s_next = _resume(produced, p, seen, s)
        found.append(_stretch(produced, (p, p_next), seen, (s, s_next)))
        p, s = p_next, s_next
    return found


def _stretch(produced: str, p: tuple[int, int], seen: str, s: tuple[int, int]) -> Stretch:
    text = seen[s[0] : s[1]]
    kind: Kind = "other"
    if REDACTED in text or (text and text in REDACTED):
        kind = "redacted"
    elif p[0] == p[1]:
        kind = "note"
    elif s[0] == s[1] or p[1] - p[0] > 2 * (s[1] - s[0]):
        kind = "cut"
    return Stretch(kind, p, s)


def _common(produced: str, p: int, seen: str, s: int) -> int:
    """How many characters are the same from there on."""
    low, high = 0, min(len(produced) - p, len(seen) - s)
    if produced[p : p + high] == seen[s : s + high]:
        return high
    while low < high:
        middle = (low + high + 1) // 2
        if produced[p + low : p + middle] == seen[s + low : s + middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _resume(produced: str, p: int, seen: str, s: int) -> tuple[int, int]:
    """Where both go on with the same text, at or behind `p` and `s`; their ends if nowhere."""
    if (within := _resume_in_line(produced, p, seen, s)) is not None:
        return within
    start, far = s, 0
    for _ in range(_TRIED):
        end = seen.find("\n", start)
        line = seen[start:] if end < 0 else seen[start:end]
        # Behind a key that was taken out, what stands before it in its line tells the place.
        line = line.partition(REDACTED)[0]
        if len(line.strip()) >= _SHORTEST:
            at = produced.find(line, p, p + _NEAR)
            if at < 0 and far < _TRIED_FAR and len(produced) > p + _NEAR:
                far += 1
                at = _last_or_only(produced, line, p, seen, start)
            if at >= 0:
                return at, start
        if end < 0:
            break
        start = end + 1
    return _common_end(produced, p, seen, s)


def _resume_in_line(produced: str, p: int, seen: str, s: int) -> tuple[int, int] | None:
    """Where the rest of both lines is the same, as behind a key that was taken out."""
    p_end, s_end = produced.find("\n", p), seen.find("\n", s)
    p_line = produced[p:] if p_end < 0 else produced[p:p_end]
    s_line = seen[s:] if s_end < 0 else seen[s:s_end]
    if len(p_line) > _NEAR or not s_line.startswith(REDACTED):
        return None
    rest = s_line[len(REDACTED) :]
    until = rest[:_SHORTEST] if len(rest) >= _SHORTEST else rest
    at = p_line.find(until, 1) if until else len(p_line)
    return None if at < 0 else (p + at, s + len(REDACTED))


def _last_or_only(produced: str, line: str, p: int, seen: str, start: int) -> int:
    """Far away: where the rest of both texts is the same if there is such a place, else the first."""
    from_end = len(produced) - (len(seen) - start)
    if from_end >= p and produced.startswith(line, from_end):
        return from_end
    return produced.find(line, p)


def _common_end(produced: str, p: int, seen: str, s: int) -> tuple[int, int]:
    """Where the end that both have in common begins."""
    low, high = 0, min(len(produced) - p, len(seen) - s)
    while low < high:
        middle = (low + high + 1) // 2
        if produced[len(produced) - middle :] == seen[len(seen) - middle :]:
            low = middle
        else:
            high = middle - 1
    return len(produced) - low, len(seen) - low
