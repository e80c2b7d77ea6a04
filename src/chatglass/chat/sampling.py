"""Sampling: answers of the session's model that an MCP server asked for.

A request of this kind stands beside the conversation: nothing of it is in the context, and all of
it counts. It is priced, kept to the budgets, and stored as a request row of purpose `sampling`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, cast

from chatglass.chat.chat_context import ChatContext
from chatglass.chat.ports import BeforeRequest, Compact, RequestPlan, Stop
from chatglass.chat.request_flight import Departure, HeldAnswer, WatchRequest, lead
from chatglass.models.estimates import MESSAGE_TOKENS, estimate_content
from chatglass.models.wire import ModelRef, ModelRequest
from chatglass.store.records import RequestRow
from chatglass.values.text import storable
from chatglass.values.usage import Usage

MOST_ANSWER_TOKENS = 8_192
"""However many a server asks for."""
_MOST_MESSAGES = 200
_MOST_CHARS = 4_000_000


class SamplingRefused(Exception):
    """The request is not sent, or gave nothing. `str()` is for the user and the server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingPlan:
    """What would be sent. `cost` is of an answer as long as it may be; None where unpriced."""

    messages: tuple[dict[str, Any], ...] = field(repr=False)
    endpoint: str
    model: str
    prompt_tokens: int
    most_tokens: int
    temperature: float | None
    cost: Decimal | None
    price_source: str


@dataclass(frozen=True, slots=True)
class SampledAnswer:
    text: str
    model: str
    finish_reason: str
    row: RequestRow


class Sampler:
    """Sends what servers ask for to the model of one session, between its other requests."""

    def __init__(
        self,
        context: ChatContext,
        before_request: BeforeRequest | None = None,
        watch: WatchRequest | None = None,
        in_turn: Callable[[], bool] = lambda: False,
    ) -> None:
        """`in_turn`: whether a turn of the session runs, which a request then belongs to."""
        self._context = context
        self._in_turn = in_turn
        self._before_request = before_request
        self._watch = watch

    def plan(self, wanted: Mapping[str, Any]) -> SamplingPlan:
        """`wanted`: the parameters of `sampling/createMessage`. Raises SamplingRefused."""
        context = self._context
        messages = tuple(_messages(wanted))
        own_most = context.session.parameters.max_output_tokens or MOST_ANSWER_TOKENS
        asked = wanted.get("maxTokens")
        most = min(asked if isinstance(asked, int) and asked > 0 else own_most, own_most)
        estimated = sum(estimate_content(each["content"]) for each in messages)
        tokens = context.models.calibrated(context.model, estimated)
        tokens += MESSAGE_TOKENS * len(messages)
        limit = context.limit()
        if tokens > limit:
            raise SamplingRefused(f"It would have {tokens:,} tokens; the limit is {limit:,}.")
        usage = Usage(prompt_tokens=tokens, completion_tokens=most, source="estimated")
        cost = context.models.price(context.model, usage)
        temperature = wanted.get("temperature")
        return SamplingPlan(
            messages=messages,
            endpoint=context.session.endpoint,
            model=context.session.model,
            prompt_tokens=tokens,
            most_tokens=most,
            temperature=float(temperature) if isinstance(temperature, int | float) else None,
            cost=cost.usd,
            price_source=cost.source,
        )

    async def answer(self, plan: SamplingPlan) -> SampledAnswer:
        """Send it. Raises SamplingRefused, StoreError; cancelled, what was sent counts all the same."""
        async with self._context.requests.one_at_a_time():
            await self._context.ensure_stored()  # what is set aside is set aside for a row
            await self._within_budget(plan)
            return await self._send(plan)

    def _turn_id(self) -> str | None:
        return self._context.turn_id if self._in_turn() else None

    async def _within_budget(self, plan: SamplingPlan) -> None:
        if self._before_request is None:
            return
        context = self._context
        prompt = Usage(prompt_tokens=plan.prompt_tokens, source="estimated")
        answer = await self._before_request(
            RequestPlan(
                session_id=context.session.id,
                turn_id=self._turn_id() or "",
                endpoint=plan.endpoint,
                model=plan.model,
                messages=plan.messages,
                estimated_tokens=plan.prompt_tokens,
                limit=context.limit(),
                cost=context.models.price(context.model, prompt).usd,
                request_number=1,
                cost_with_answer=plan.cost,
                price_source=plan.price_source,
            )
        )
        if isinstance(answer, Stop):
            raise SamplingRefused(answer.reason)
        if isinstance(answer, Compact):
            raise SamplingRefused("It is too large for the budget, and can't be made smaller.")

    async def _send(self, plan: SamplingPlan) -> SampledAnswer:
        answer = HeldAnswer()
        ending = await lead(self._context, self._open(plan, answer), self._watch)
        if ending.stopped:
            raise asyncio.CancelledError
        if (error := ending.error) is not None:
            raise SamplingRefused(str(error))
        return SampledAnswer(
            answer.said()[0], plan.model, ending.row.finish_reason or "", ending.row
        )

    async def _open(self, plan: SamplingPlan, answer: HeldAnswer) -> Departure:
        context = self._context
        model = ModelRef(plan.endpoint, plan.model)
        row = context.requests.new(context.session, self._turn_id(), None, "sampling", model=model)
        request = ModelRequest(
            model=plan.model,
            messages=plan.messages,
            temperature=plan.temperature,
            max_output_tokens=plan.most_tokens,
        )
        row = replace(row, estimated_prompt_tokens=plan.prompt_tokens)
        return Departure(row=row, request=request, recipient=answer)


# -- the server's messages in the form of endpoints


def _messages(wanted: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Raises SamplingRefused."""
    given = wanted.get("messages")
    if not isinstance(given, list) or not given:
        raise SamplingRefused("It has no messages.")
    entries = cast("list[Any]", given)
    if len(entries) > _MOST_MESSAGES:
        raise SamplingRefused(f"It has {len(entries):,} messages; {_MOST_MESSAGES} are the most.")
    found: list[dict[str, Any]] = []
    system = wanted.get("systemPrompt")
    if isinstance(system, str) and system:
        found.append({"role": "system", "content": storable(system)})
    found += [_message(entry) for entry in entries]
    chars = sum(len(str(message["content"])) for message in found)
    if chars > _MOST_CHARS:
        raise SamplingRefused(f"It has {chars:,} characters; {_MOST_CHARS:,} are the most.")
    return found


def _message(entry: Any) -> dict[str, Any]:
    message = cast("dict[str, Any]", entry)
    role = message.get("role")
    content: Any = message.get("content")
    blocks = cast("list[Any]", content) if isinstance(content, list) else [content]
    parts = [_part(cast("dict[str, Any]", block)) for block in blocks]
    if role not in ("user", "assistant"):
        raise SamplingRefused(f"It has a message of the role {role!r}.")
    if all(part["type"] == "text" for part in parts):
        return {"role": role, "content": "\n".join(part["text"] for part in parts)}
    if role == "assistant":
        raise SamplingRefused("It has an image in an answer, which no endpoint takes.")
    return {"role": role, "content": parts}


def _part(block: Mapping[str, Any]) -> dict[str, Any]:
    match block.get("type"):
        case "text":
            return {"type": "text", "text": storable(str(block.get("text", "")))}
        case "image":
            url = f"data:{block.get('mimeType', '')};base64,{block.get('data', '')}"
            return {"type": "image_url", "image_url": {"url": storable(url)}}
        case other:
            raise SamplingRefused(f"It has {other} content, which is not sent to models here.")
