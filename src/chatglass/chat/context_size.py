"""ContextSize: how large the next request is, and how large it may be."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace

from chatglass.chat.compaction.strategy import ContextTurn
from chatglass.chat.figures import RequestFigures
from chatglass.chat.shown_path import ShownPath
from chatglass.chat.stats import ContextParts
from chatglass.models.endpoints import table_of
from chatglass.models.estimates import MESSAGE_TOKENS, estimate_content, estimate_text
from chatglass.models.wire import ModelManager, ModelRef
from chatglass.store.records import RequestRow, SessionRow
from chatglass.tools.tool import JsonObject

WARNING_FRACTION = 0.8
_FEWEST_TURNS = 3
"""Fewer turns say nothing of those to come."""
_MOST_ROOM_FOR_ANSWER = 8_192


class ContextSize:
    """Measures in tokens. `window` is the model's, None where unknown."""

    def __init__(
        self,
        models: ModelManager,
        schemas: Callable[[ShownPath], Sequence[JsonObject]],
        token_threshold: int,
    ) -> None:
        """`schemas`: the tools that a request of that path offers."""
        self._models = models
        self._schemas_of = schemas
        self.token_threshold = token_threshold
        self.window: int | None = None
        self.is_window_asked = False
        """Whether `window` is what was found out of this model; before, the limit may get smaller."""
        self._schemas: tuple[str, int] = ("", 0)

    def limit(self, session: SessionRow) -> int:
        """The smaller of the threshold and the window less room for the answer."""
        if self.window is None:
            return self.token_threshold
        # Servers refuse a prompt and an output limit that are together more than the window.
        room = self.most_output(session)
        if room is None:
            room = min(_MOST_ROOM_FOR_ANSWER, self.window // 4)
        return min(self.token_threshold, max(self.window - room, 1))

    def most_output(self, session: SessionRow) -> int | None:
        """The output limit that is sent: the session's, as far as it leaves a quarter of the window
        for the prompt."""
        asked = session.parameters.max_output_tokens
        if asked is None or self.window is None:
            return asked
        return max(min(asked, self.window * 3 // 4), 1)

    def of_text(self, session: SessionRow, text: str) -> int:
        return self._models.estimate_tokens(_model_of(session), text)

    def of_message(self, session: SessionRow, content: str, *, is_json: bool = False) -> int:
        """Tokens of a message; `is_json`: `content` is the JSON of its content parts."""
        tokens = estimate_content(json.loads(content) if is_json else content)
        return self._models.calibrated(_model_of(session), tokens) + MESSAGE_TOKENS

    def parts(self, session: SessionRow, path: ShownPath, figures: RequestFigures) -> ContextParts:
        """Tokens of the next request by what they are.

        Where the newest request on the path reported its prompt, that figure stands for all it
        held, and only what came after it is estimated.
        """
        parts = self.estimated_parts(session, path)
        known = self._reported(session, path, figures)
        if known is None:
            return parts
        return replace(parts, history=max(known - parts.total + parts.history, 0))

    def estimated_parts(self, session: SessionRow, path: ShownPath) -> ContextParts:
        """The same by our estimate alone: what calibration compares with the reported figure."""
        parts = path.parts(session.parameters.system_prompt, self._of_schemas(path))
        ref = _model_of(session)
        return ContextParts(
            system=self._models.calibrated(ref, parts.system),
            tools=self._models.calibrated(ref, parts.tools),
            history=self._models.calibrated(ref, parts.history),
            tool_results=self._models.calibrated(ref, parts.tool_results),
            summary=self._models.calibrated(ref, parts.summary),
        )

    def calibrate(self, session: SessionRow, path: ShownPath, figures: RequestFigures) -> None:
        """Learn from the newest reported request what the estimates are worth: nothing of that is
        kept from one start of the program to the next."""
        known = self._reported(session, path, figures)
        if known is not None:
            estimated = self.estimated_parts(session, path).total
            self._models.calibrate(_model_of(session), estimated, known)

    def turns(self, session: SessionRow, path: ShownPath) -> list[ContextTurn]:
        """The turns of what is sent now, oldest first."""
        ref = _model_of(session)
        return [
            replace(turn, tokens=self._models.calibrated(ref, turn.tokens)) for turn in path.turns()
        ]

    def turns_left(
        self, session: SessionRow, path: ShownPath, figures: RequestFigures
    ) -> int | None:
        """About how many turns like the last ones fit before compaction; None with too few to say."""
        recent = path.recent_turns()
        if len(recent) < _FEWEST_TURNS:
            return None
        ref = _model_of(session)
        mean = sum(self._models.calibrated(ref, tokens) for tokens in recent) / len(recent)
        left = self.limit(session) - self.parts(session, path, figures).total
        return max(int(left / mean), 0) if mean > 0 else None

    def _reported(
        self, session: SessionRow, path: ShownPath, figures: RequestFigures
    ) -> int | None:
        last = figures.last
        if last is None or last.usage is None or last.usage.source != "reported":
            return None
        compaction = path.compaction()
        if last.message_id is None or last.model != session.model:
            return None
        if last.compaction_id != (compaction.id if compaction else None):
            return self._after_compaction(session, path, last)
        after = path.tokens_after(last.message_id)
        if after is None:
            return None
        answer = last.usage.completion_tokens - last.usage.reasoning_tokens
        later = self._models.calibrated(_model_of(session), after)
        return last.usage.prompt_tokens + max(answer, 0) + later

    def _after_compaction(
        self, session: SessionRow, path: ShownPath, last: RequestRow
    ) -> int | None:
        """What the newest compaction left, by the request before it, and what was said since."""
        compaction = path.compaction()
        if compaction is None or not compaction.tokens_after:
            return None
        if compaction.created_at < (last.finished_at or 0):
            return None
        later = path.tokens_after(compaction.anchor_id)
        if later is None:
            return None
        return compaction.tokens_after + self._models.calibrated(_model_of(session), later)

    def _of_schemas(self, path: ShownPath) -> int:
        schemas = self._schemas_of(path)
        text = json.dumps(schemas, ensure_ascii=False) if schemas else ""
        if self._schemas[0] != text:
            self._schemas = (text, estimate_text(text))
        return self._schemas[1]


def window_learned(model: ModelRef, before: int | None, window: int | None) -> str:
    """What a refusal told of the window, as a sentence; empty where that is nothing new."""
    if window is None or window == before:
        return ""
    than = f", not {before:,}" if before is not None else ""
    return (
        f"From now on the window of {model.model} counts as {window:,} tokens{than}; context_window in "
        f"{table_of(model.endpoint)} sets it for good."
    )


def _model_of(session: SessionRow) -> ModelRef:
    return ModelRef(session.endpoint, session.model)
