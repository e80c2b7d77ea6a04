"""Reading: what is stored of a session, read out: messages, calls, cost."""

from __future__ import annotations

import json
from collections.abc import Sequence

from chatglass.chat.engine import Engine
from chatglass.models.deltas import as_list, as_object, as_text
from chatglass.plain.voice import Voice
from chatglass.store.records import MessageRow, SessionRow, ToolCallRow
from chatglass.values import figures
from chatglass.values.text import one_line


def title_of(row: SessionRow) -> str:
    return one_line(row.title or row.excerpt or "untitled", 100)


class Reading:
    def __init__(self, voice: Voice, engine: Engine) -> None:
        self._voice = voice
        self._engine = engine

    # -- messages

    async def last_exchange(self) -> None:
        """The last prompt and what was answered to it."""
        rows = await self._engine.context.messages.whole_path()
        start = max((place for place, row in enumerate(rows) if row.role == "user"), default=0)
        self._messages(rows[start:])

    async def history(self, count: int) -> None:
        """The last `count` prompts and their answers."""
        rows = await self._engine.context.messages.whole_path()
        starts = [place for place, row in enumerate(rows) if row.role == "user"]
        self._messages(rows[starts[-count:][0] :] if starts else rows)

    def _messages(self, rows: Sequence[MessageRow]) -> None:
        for row in rows:
            match row.role:
                case "user":
                    self._voice.line("You", _text_of(row))
                case "assistant":
                    if row.content:
                        self._voice.line("Assistant", row.content)
                    for name, arguments in _calls_of(row):
                        self._voice.line(f"Tool {name}", arguments)
                    if row.status == "interrupted":
                        self._voice.line("Notice", "this answer was interrupted.")
                    if row.error:
                        self._voice.line("Error", row.error)
                case _:
                    pass

    # -- calls

    async def calls(self) -> None:
        rows = await self._calls()
        if not rows:
            self._voice.line("Calls", "none in this session.")
        for number, row in enumerate(rows, 1):
            self._voice.line(
                f"Call {number}", f"{one_line(row.name, 80)}, {_facts(row)}. {_short(row)}"
            )

    async def call(self, number: int) -> None:
        """All of one call: arguments, decision, result."""
        rows = await self._calls()
        if not 0 < number <= len(rows):
            self._voice.line("Notice", f"There is no call {number}; this session has {len(rows)}.")
            return
        row, say = rows[number - 1], self._voice.line
        server = f" of the server {row.server}" if row.server else ""
        say(f"Call {number}", f"{one_line(row.name, 80)}{server}, {_facts(row)}.")
        say("Arguments", row.arguments or "none")
        if row.edited_arguments is not None:
            say("Ran with", row.edited_arguments)
        if row.decided_by:
            say("Decided by", row.decided_by + (f": {row.reason}" if row.reason else ""))
        result = await self._engine.context.store.tool_result(row.id)
        if result is None:
            say("Result", "none yet")
            return
        say("Result", f"\n{result.produced}")
        if result.seen != result.produced:
            say("The model saw", f"\n{result.seen}")
        say("End of call", str(number))

    async def _calls(self) -> list[ToolCallRow]:
        context = self._engine.context
        return await context.store.tool_calls(context.session.id) if context.stored else []

    # -- cost

    async def cost(self) -> None:
        stats = await self._engine.context.get_token_stats()
        say = self._voice.line
        requests = figures.counted(stats.requests, "request")
        say(
            "Cost of this session",
            f"{stats.cost_words}, {stats.total_tokens:,} tokens in {requests}, "
            f"{figures.counted(stats.tool_calls, 'tool call')}.",
        )
        say(
            "Tokens",
            f"input {stats.input_tokens:,}, of it cached {stats.cached_tokens:,}; output "
            f"{stats.output_tokens:,}, of it reasoning {stats.reasoning_tokens:,}; {stats.source}.",
        )
        limit = (
            f" of {stats.limit:,}, {figures.percent(stats.context_fraction)}" if stats.limit else ""
        )
        say("Context", f"about {stats.context_tokens:,} tokens{limit}.")
        for each in stats.by_model:
            money = figures.cost(each.cost, about=each.estimated, unpriced=each.unpriced)
            say(f"Model {one_line(each.name, 60)}", f"{money}, {each.tokens:,} tokens.")
        if stats.today is not None:
            today = stats.today
            money = figures.cost(today.cost, about=today.estimated, unpriced=today.unpriced)
            say("All sessions today", f"{money}, {today.tokens:,} tokens.")


def _text_of(row: MessageRow) -> str:
    """A prompt's own text; what is attached is named."""
    if not row.content_is_json:
        return row.content
    parts = [as_object(part) for part in as_list(json.loads(row.content))]
    text = str(parts[0].get("text") or "") if parts else ""
    return f"{text} (with {len(parts) - 1} attached)" if len(parts) > 1 else text


def _calls_of(row: MessageRow) -> list[tuple[str, str]]:
    functions = [
        as_object(as_object(call).get("function"))
        for call in as_list(json.loads(row.tool_calls or "[]"))
    ]
    return [
        (one_line(as_text(each.get("name")), 80), one_line(as_text(each.get("arguments")), 300))
        for each in functions
    ]


def _facts(row: ToolCallRow) -> str:
    if row.finished_at is None:
        return row.state
    return f"{row.state}, {figures.duration(row.duration_ms)}, {figures.size(row.result_bytes)}"


def _short(row: ToolCallRow) -> str:
    return one_line(row.edited_arguments or row.arguments, 200)
