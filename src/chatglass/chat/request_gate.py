"""RequestGate: what has to be so before a request is sent, and what is done where it is not.

A prompt that can't be sent is refused before it is stored; a request that would pass the limit has
old messages left out first, and then `before_request` (budgets) is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from chatglass.chat.attachments import Attachment
from chatglass.chat.chat_context import ChatContext
from chatglass.chat.compactor import Compactor
from chatglass.chat.context_size import WARNING_FRACTION, window_learned
from chatglass.chat.ports import BeforeRequest, Compact, Proceed, RequestPlan, Stop
from chatglass.chat.turn_events import TurnEvents
from chatglass.models.endpoints import table_of
from chatglass.models.wire import ModelError
from chatglass.values.usage import Usage

_LEAST_ALLOWANCE = 1_000
"""Tokens that a budget sets aside for an answer where none was longer yet."""

Refusal = tuple[str, str, str]
"""Cause, advice and kind of a notice."""


class RequestGate:
    """For the requests of one session, one at a time."""

    def __init__(
        self, context: ChatContext, compactor: Compactor, before_request: BeforeRequest
    ) -> None:
        self._context = context
        self._compactor = compactor
        self._before_request = before_request
        self._warned = False

    # -- a prompt

    async def refusal(self, text: str, attachments: Sequence[Attachment]) -> Refusal | None:
        """Why a prompt is not taken at all, so that its draft can be kept: it does not fit, or has
        images, which the model is known not to take (an answer that is asked for again goes without
        them)."""
        context = self._context
        if too_large := self._never_fits(text, attachments):
            return too_large
        if not any(one.is_image for one in attachments):
            return None
        ref = context.model
        if await context.models.takes_images(ref) is not False:
            return None
        return (
            f"{ref.model} on {ref.endpoint} takes no images, so the prompt was not sent.",
            "Choose another model{model}, or take the image out of the prompt. If it does take "
            f"them, set images = true in {table_of(ref.endpoint)}.",
            "images",
        )

    def _never_fits(self, text: str, attachments: Sequence[Attachment]) -> Refusal | None:
        """Why the prompt is too large, whatever may be left out."""
        context = self._context
        limit, parts = context.limit(), context.context_parts()
        draft = context.draft_tokens(text, attachments)
        always = parts.system + parts.tools
        if always > limit:
            return (
                f"The system prompt and the tools alone have {always:,} tokens; the limit is {limit:,}.",
                "Shorten the system prompt, switch tools off, or choose a model with a larger window{model}.",
                "context",
            )
        if always + draft > limit:
            return (
                f"With this prompt alone the request would have {always + draft:,} tokens; the limit is "
                f"{limit:,}, and nothing more can be left out.",
                "Shorten the prompt, attach less, or choose a model with a larger window{model}.",
                "context",
            )
        if not context.infinite and parts.total + draft > limit:
            return (
                f"The next request would have {parts.total + draft:,} tokens; the limit is {limit:,}.",
                "Shorten the prompt, clear{clear} the conversation, or set context.infinite = true.",
                "context",
            )
        return None

    # -- a request

    async def prepare(self, events: TurnEvents, number: int) -> Stop | None:
        """Compact if the request would pass the limit, warn, and ask `before_request`."""
        context = self._context
        if context.infinite and context.next_request_tokens() > context.limit():
            await self._compactor.run(events)
        while True:
            tokens, limit = context.next_request_tokens(), context.limit()
            if tokens > limit:
                return self._too_large(tokens, limit)
            self._warn(tokens, limit, events)
            plan = self._plan(tokens, limit, number, events.turn_id)
            answer = await self._before_request(plan)
            if isinstance(answer, Proceed) and answer.warning:
                events.notice("warning", answer.warning, answer.advice, "budget")
            if not isinstance(answer, Compact):
                return answer if isinstance(answer, Stop) else None
            # Each compaction leaves out at least one turn, so that this comes to an end.
            if not await self._compactor.run(events, limit=tokens):
                return Stop("The request is to be smaller, and nothing more can be left out.")

    def _too_large(self, tokens: int, limit: int) -> Stop:
        size = f"The next request would have {tokens:,} tokens; the limit is {limit:,}"
        if not self._context.infinite:
            return Stop(
                f"{size}.",
                "Clear the conversation{clear}, choose a model with a larger window{model}, or set "
                "context.infinite = true.",
            )
        return Stop(
            f"{size}, and nothing more can be left out: the last turn is kept.",
            "Ask for less at once, or choose a model with a larger window{model}.",
        )

    def _plan(self, tokens: int, limit: int, number: int, turn_id: str) -> RequestPlan:
        context = self._context
        usage = Usage(prompt_tokens=tokens, source="estimated")
        answered = replace(usage, completion_tokens=self._answer_allowance())
        price = context.models.price(context.model, usage)
        return RequestPlan(
            session_id=context.session.id,
            turn_id=turn_id,
            endpoint=context.session.endpoint,
            model=context.session.model,
            messages=context.get_messages_for_llm(),
            estimated_tokens=tokens,
            limit=limit,
            cost=price.usd,
            request_number=number,
            cost_with_answer=context.models.price(context.model, answered).usd,
            price_source=price.source,
        )

    def _answer_allowance(self) -> int:
        """Tokens that the next answer may well have."""
        longest = max(self._context.requests.figures.longest_answer, _LEAST_ALLOWANCE)
        most = self._context.session.parameters.max_output_tokens
        return longest if most is None else min(longest, most)

    def _warn(self, tokens: int, limit: int, events: TurnEvents) -> None:
        """Once per crossing of 80 %."""
        over = tokens >= WARNING_FRACTION * limit
        if over and not self._warned:
            events.notice(
                "warning",
                f"Token usage: {tokens}/{limit} ({WARNING_FRACTION:.0%} threshold)",
                "Old messages will be left out at the limit."
                if self._context.infinite
                else "At the limit requests are refused.",
                "context",
            )
        self._warned = over

    # -- a request that was too large

    async def after_overflow(self, error: ModelError, tokens: int, events: TurnEvents) -> bool:
        """The window is smaller than was known: smaller than the `tokens` that were just sent. Leave
        something out, and say what becomes of it. False where nothing can be left out."""
        events.request_id = None
        window = await self._learned_window()
        # What the refusal told may make the same request count for more than when it was sent.
        limit = max(tokens, self._context.next_request_tokens())
        done = await self._compactor.run(events, limit=limit)
        if done:
            again = "Older messages are left out now, and it is asked once more."
            events.notice("warning", error.cause, f"{again} {window}".rstrip(), error.kind)
        else:
            events.notice("error", error.cause, f"{error.advice} {window}".rstrip(), error.kind)
        return done

    async def _learned_window(self) -> str:
        """Take over what the refusal said of the window; what is new of it, as a sentence."""
        context = self._context
        before = context.size.window
        await context.find_window()
        window = context.size.window
        return window_learned(context.model, before, window)
