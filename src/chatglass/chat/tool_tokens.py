"""How many tokens of a request are results of which tool."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chatglass.models.deltas import as_list, as_object, as_text
from chatglass.models.estimates import estimate_message


class ToolTokens:
    """Counts the messages of a session's requests, each result once as long as it is sent unchanged."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[int, int]] = {}
        """Of the newest request, by the id of the call: characters of its result, and its tokens."""

    def of(self, messages: Sequence[Mapping[str, Any]]) -> dict[str, int]:
        """Estimated tokens of the tool messages in a request, by the name of the tool. Calibrated
        to no model."""
        before, self._known = self._known, {}
        names: dict[str, str] = {}
        tokens: dict[str, int] = {}
        for message in messages:
            for item in as_list(message.get("tool_calls")):
                call = as_object(item)
                function = as_object(call.get("function"))
                names[as_text(call.get("id"))] = as_text(function.get("name"))
            if message.get("role") == "tool":
                call_id = as_text(message.get("tool_call_id"))
                name = names.get(call_id) or "unknown"
                tokens[name] = tokens.get(name, 0) + self._of_result(call_id, message, before)
        return tokens

    def _of_result(
        self, call_id: str, message: Mapping[str, Any], before: Mapping[str, tuple[int, int]]
    ) -> int:
        size = len(as_text(message.get("content")))
        known = before.get(call_id)
        if known is None or known[0] != size:
            known = (size, estimate_message(message))
        self._known[call_id] = known
        return known[1]
