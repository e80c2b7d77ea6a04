"""`summarise`: a model sums up the older turns; on any failure `extractive` does it instead."""

from __future__ import annotations

import re
from dataclasses import replace

from chatglass.chat.compaction.extractive import KEPT_SHARE, Extractive, summary_tokens
from chatglass.chat.compaction.framing import SUMMARY, body_of, framed
from chatglass.chat.compaction.prompt import instructions, pieces, request_text, transcript
from chatglass.chat.compaction.strategy import (
    CompactionPlan,
    CompactionTask,
    Summariser,
    SummaryFailed,
    first_kept,
)
from chatglass.values.text import one_line

_LEAST_PIECE = 500
"""Tokens; smaller pieces are not worth a request."""
_REFUSAL = re.compile(
    r"\W*(i['’]m |i am |we['’]re )?((very |so )?sorry|unable to|not able to)\b"
    r"|\W*(i|we) (can['’]?t|cannot|can not|won['’]t|will not|must decline)\b"
    r"|\W*as an ai\b",
    re.IGNORECASE,
)
"""How a model begins that will not; a summary begins with a heading or a fact."""
_LONGEST_REFUSAL = 600
"""Characters."""
_LARGER = 2
"""A summary that is more than so many times as long as was asked is cut."""


class Summarise:
    """The newest turns stay; the older ones are summed up, together with the former summary, so
    that what it held survives. What doesn't fit into one request goes piece by piece, each with
    the summary of those before it."""

    name = "summarise"

    async def plan(self, task: CompactionTask) -> CompactionPlan | None:
        if len(task.turns) < 2:
            return None
        kept = max(first_kept(task.turns, task.budget // KEPT_SHARE), 1)
        try:
            summary, note = await self._summary(task, kept)
        except SummaryFailed as error:
            plan = await Extractive().plan(task)
            note = f"The summary failed: {error} Excerpts stand for the older messages instead."
            return plan and replace(plan, strategy=Extractive.name, note=note)
        return CompactionPlan(
            first_kept_id=task.turns[kept].first_message_id,
            summary=framed(SUMMARY, summary),
            note=note,
        )

    async def _summary(self, task: CompactionTask, kept: int) -> tuple[str, str]:
        """The summary, and what is to be said of it."""
        summariser = task.summariser
        if summariser is None:
            raise SummaryFailed("No model may be asked here.")
        most = summary_tokens(task, kept)
        room = summariser.room
        while True:
            try:
                return await self._in_pieces(task, kept, summariser, most, room)
            except SummaryFailed as error:
                # Its window is smaller than was known.
                room = min(room // 2, summariser.room)
                if not error.too_large or room < _LEAST_PIECE + most:
                    raise

    async def _in_pieces(
        self, task: CompactionTask, kept: int, summariser: Summariser, most: int, room: int
    ) -> tuple[str, str]:
        rows = [row for turn in task.turns[:kept] for row in turn.rows]
        asked = instructions(most, task.instructions)
        former = body_of(task.former)
        # A summary may come out longer than was asked.
        carried = max(task.measure(former), _LARGER * most)
        piece = room - task.measure(asked) - carried - 50
        if piece < _LEAST_PIECE:
            raise SummaryFailed(
                f"The window of the summary's model has no room for it ({room:,} tokens)."
            )
        note = ""
        for text in pieces(transcript(rows), piece, task.measure):
            answer = await summariser.ask(asked, request_text(former, text), most=most)
            former = _bounded(answer.strip(), _LARGER * most, task)
            if len(former) < len(answer.strip()):
                note = "The summary was far longer than was asked, so its end was cut off."
            if not former:
                raise SummaryFailed("The model's summary was empty.")
            if _REFUSAL.match(former) and len(former) < _LONGEST_REFUSAL:
                raise SummaryFailed(f"The model refused: {one_line(former, 120)}")
        return former, note


def _bounded(text: str, most: int, task: CompactionTask) -> str:
    """Whole lines of it, at most `most` tokens."""
    tokens = task.measure(text)
    if tokens <= most:
        return text
    return text[: int(len(text) * most / tokens)].rpartition("\n")[0] or text[: most * 2]
