"""The tokens that a call added to the context, and what they have cost since."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatglass.tui.inspector.marked_text import MarkedText
from chatglass.tui.inspector.sections.call_facts import CallFacts
from chatglass.tui.inspector.sections.section import Shown
from chatglass.values.figures import clock, counted, money, share
from chatglass.values.text import one_line

if TYPE_CHECKING:
    from chatglass.chat.call_tokens import CallTokens, HeldBy


class Tokens:
    name = "tokens"
    label = "tokens"
    of_result = False

    def is_ready(self, facts: CallFacts) -> bool:
        return facts.tokens is not None

    async def read(self, facts: CallFacts) -> None:
        await facts.read_result()
        seen = facts.result.seen if facts.result else ""
        facts.tokens = await facts.source.tokens(facts.call, seen)

    def show(self, facts: CallFacts) -> Shown:
        tokens = facts.tokens
        assert tokens is not None
        text = MarkedText()
        text.fact("arguments", f"≈{counted(tokens.arguments, 'token')}")
        text.fact("result", f"≈{counted(tokens.result, 'token')}, as the model saw it")
        text.fact("together", f"≈{counted(tokens.added, 'token')} in the context")
        text.line()
        if not tokens.held_by:
            text.line("No request has sent them yet.")
        else:
            text.line(
                f"{'request':>7}  {'at':<12}{'prompt':>9}{'of it':>16}  {'cost':>10}  model", "note"
            )
        for held in tokens.held_by:
            _add_request(text, held)
        if tokens.held_by:
            text.line()
            text.fact(
                "sent since",
                f"{counted(len(tokens.held_by), 'time')}, ≈{counted(tokens.sent, 'token')}",
            )
            text.fact("cost since", _total(tokens), "heading")
        if tokens.left_out:
            text.fact("left out", f"of {tokens.left_out:,} later requests, after a compaction")
        note = f"≈{counted(tokens.added, 'token')} · {_total(tokens)} since"
        return Shown(text.text, "text", note, marks=text.marks)


def _add_request(text: MarkedText, held: HeldBy) -> None:
    row = held.request
    prompt = row.usage.prompt_tokens if row.usage else None
    of_it = f"≈{held.tokens:,}" + (f" ({share(held.tokens, prompt)})" if prompt else "")
    cost = _cost(held)
    text.line(
        f"{held.place:>7}  {clock(row.started_at):<12}{f'{prompt:,}' if prompt else '—':>9}"
        f"{of_it:>16}  {cost:>10}  {one_line(row.model, 40)}"
    )


def _cost(held: HeldBy) -> str:
    if held.cost is None:
        return "—"
    return money(held.cost) if held.cost else "free"


def _total(tokens: CallTokens) -> str:
    cost = tokens.cost
    if cost is None:
        return "—"
    unpriced = f", and {tokens.unpriced:,} without a price" if tokens.unpriced else ""
    return (money(cost, about=True) if cost else "free") + unpriced
