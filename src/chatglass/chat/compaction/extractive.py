"""`extractive`: the sentences that say most stand for the rest; no model is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from chatglass.chat.compaction.framing import EXCERPTS, body_of, framed
from chatglass.chat.compaction.passages import (
    Passage,
    passages_of,
    telling,
    weights,
    words_of,
)
from chatglass.chat.compaction.strategy import CompactionPlan, CompactionTask, first_kept

KEPT_SHARE = 3
"""The newest turns stay as they are while they take at most a third of the budget."""
SUMMARY_SHARE = 6
"""What stands for the others takes at most a sixth of it, and no more than `MOST_TOKENS`."""
MOST_TOKENS = 4_000
LEAST_TOKENS = 120
_ALIKE = 0.8
_FIRST_SHARE = 0.25
"""Of the selection, what the first sentences of prompts may take whatever they say."""


def summary_tokens(task: CompactionTask, kept: int) -> int:
    """How many tokens a summary may have beside the turns from the place `kept` on."""
    beside = task.budget - sum(turn.tokens for turn in task.turns[kept:])
    return max(LEAST_TOKENS, min(task.budget // SUMMARY_SHARE, MOST_TOKENS, beside // 2))


class Extractive:
    """Sentences of the left out turns, weighed by `passages`, in the order in which they were said."""

    name = "extractive"

    async def plan(self, task: CompactionTask) -> CompactionPlan | None:
        if len(task.turns) < 2:
            return None
        kept = max(first_kept(task.turns, task.budget // KEPT_SHARE), 1)
        rows = [row for turn in task.turns[:kept] for row in turn.rows]
        # A hundred thousand tokens take a second.
        text = await asyncio.to_thread(
            extract,
            passages_of(body_of(task.former), rows),
            summary_tokens(task, kept),
            task.measure,
        )
        return CompactionPlan(
            first_kept_id=task.turns[kept].first_message_id, summary=framed(EXCERPTS, text)
        )


def extract(passages: Sequence[Passage], most: int, measure: Callable[[str], int]) -> str:
    """The lines of the passages that say most, at most `most` tokens of them."""
    words = [words_of(passage.text) for passage in passages]
    weight = weights(passages, words)
    order = sorted(range(len(passages)), key=lambda place: (-weight[place], -place))
    # The newest prompts are what the conversation is about, also where they say little.
    firsts = [place for place in reversed(range(len(passages))) if passages[place].is_first]
    chosen = _Selection(passages, words, measure)
    for place in firsts:
        chosen.take(place, round(most * _FIRST_SHARE))
    for place in order:
        if chosen.tokens >= most:
            break
        chosen.take(place, most)
    return "\n".join(passages[place].line for place in sorted(chosen.places))


class _Selection:
    def __init__(
        self,
        passages: Sequence[Passage],
        words: Sequence[frozenset[str]],
        measure: Callable[[str], int],
    ) -> None:
        self._passages = passages
        self._words = words
        self._measure = measure
        self.places: set[int] = set()
        self.tokens = 0
        self._by_word: dict[str, list[int]] = {}

    def take(self, place: int, most: int) -> None:
        """Add a passage where it fits into `most` tokens and says something new."""
        if place in self.places or self.tokens >= most:
            return
        tokens = self._measure(self._passages[place].line) + 1
        if self.tokens + tokens > most or self._is_said(place):
            return
        self.places.add(place)
        self.tokens += tokens
        for word in self._words[place]:
            self._by_word.setdefault(word, []).append(place)

    def _is_said(self, place: int) -> bool:
        own = self._words[place]
        if not own:
            return True
        # One that says the same shares every word but a few, so the rarest few words find it.
        rarest = sorted(own, key=lambda word: (len(self._by_word.get(word, ())), word))
        few = rarest[: len(own) // 4 + 1]
        near = {other for word in few for other in self._by_word.get(word, ())}
        telling_words = telling(own)
        return any(
            len(own & self._words[other]) >= _ALIKE * len(own | self._words[other])
            and telling_words <= self._words[other]
            for other in near
        )
