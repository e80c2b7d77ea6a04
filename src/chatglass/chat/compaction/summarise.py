"""`summarise`: a model sums up the older turns; on any failure `extractive` does it instead."""

from __future__ import annotations

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

_LEAST_PIECE = 500
"""Tokens; smaller pieces are not worth a request."""
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
            summary = await self._summary(task, kept)
        except SummaryFailed as error:
            plan = await Extractive().plan(task)
            note = f"The summary failed: {error} Excerpts stand for the older messages instead."
            return plan and replace(plan, strategy=Extractive.name, note=note)
        return CompactionPlan(
            first_kept_id=task.turns[kept].first_message_id, summary=framed(SUMMARY, summary)
        )

    async def _summary(self, task: CompactionTask, kept: int) -> str:
        summariser = task.summariser
        if summariser is None:
            raise SummaryFailed("No model may be asked here.")
        most = summary_tokens(task.budget)
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
    ) -> str:
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
        for text in pieces(transcript(rows), piece, task.measure):
            answer = await summariser.ask(asked, request_text(former, text), most=most)
            former = _bounded(answer.strip(), _LARGER * most, task)
            if not former:
                raise SummaryFailed("The model's summary was empty.")
        return former


def _bounded(text: str, most: int, task: CompactionTask) -> str:
    """Whole lines of it, at most `most` tokens."""
    tokens = task.measure(text)
    if tokens <= most:
        return text
    return text[: int(len(text) * most / tokens)].rpartition("\n")[0] or text[: most * 2]
