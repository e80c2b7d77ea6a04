"""A `Reply` in the form of the wire: the events of a stream, or one whole object.

Format: https://platform.openai.com/docs/api-reference/chat-streaming and, for reasoning text,
the `reasoning_content` of DeepSeek and vLLM (https://docs.vllm.ai/en/latest/features/reasoning_outputs.html).
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from chatglass.models.demo.counting import PER_MESSAGE, PromptCount, count, pieces
from chatglass.models.demo.script import Call, Reply
from chatglass.models.wire import JsonObject


@dataclass(frozen=True, slots=True)
class Envelope:
    """What every chunk of one response repeats."""

    id: str
    model: str
    created: int


def encode(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(
        "utf-8", "surrogatepass"
    )


def finish_reason(reply: Reply) -> str:
    if reply.finish_reason is not None:
        return reply.finish_reason
    return "tool_calls" if reply.calls else "stop"


def counted_usage(reply: Reply, prompt: PromptCount) -> JsonObject:
    """OpenAI's usage object by the rule of `counting`; reasoning is part of the completion."""
    reasoning = count(reply.reasoning)
    calls = sum(PER_MESSAGE + count(call.name) + count(_arguments(call)) for call in reply.calls)
    completion = count(reply.text) + reasoning + calls
    return {
        "prompt_tokens": prompt.prompt,
        "completion_tokens": completion,
        "total_tokens": prompt.prompt + completion,
        "prompt_tokens_details": {"cached_tokens": prompt.cached},
        "completion_tokens_details": {"reasoning_tokens": reasoning},
    }


def whole(reply: Reply, envelope: Envelope, usage: JsonObject | None) -> JsonObject:
    """The `chat.completion` object of a request without `stream`."""
    message: JsonObject = {"role": "assistant", "content": reply.text or None}
    if reply.reasoning:
        message[reply.reasoning_field] = reply.reasoning
    if reply.calls:
        message["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": _arguments(call)},
            }
            for call in reply.calls
        ]
    answer: JsonObject = {
        "id": envelope.id,
        "object": "chat.completion",
        "created": envelope.created,
        "model": envelope.model,
        "choices": [{"index": 0, "message": message, "finish_reason": finish_reason(reply)}],
    }
    if usage is not None:
        answer["usage"] = usage
    return answer


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """One event of a stream as it goes out; `usage` is what it reports, where it does."""

    data: bytes
    usage: JsonObject | None = None


def stream(reply: Reply, envelope: Envelope, usage: JsonObject | None) -> Iterator[StreamEvent]:
    """The events in order. `usage` None: none is reported."""

    def chunk(choices: list[JsonObject], reported: JsonObject | None = None) -> StreamEvent:
        body: JsonObject = {
            "id": envelope.id,
            "object": "chat.completion.chunk",
            "created": envelope.created,
            "model": envelope.model,
            "choices": choices,
        }
        if reported is not None:
            body["usage"] = reported
        return StreamEvent(b"data: " + encode(body) + b"\n\n", reported)

    def delta(fields: JsonObject) -> StreamEvent:
        return chunk([{"index": 0, "delta": fields, "finish_reason": None}])

    yield delta({"role": "assistant", "content": ""})
    for piece in cut(reply.reasoning, reply.split):
        yield delta({reply.reasoning_field: piece})
    for piece in cut(reply.text, reply.split):
        yield delta({"content": piece})
    for position, call in enumerate(reply.calls):
        for entry in _call_deltas(reply, position, call):
            yield delta({"tool_calls": [entry]})
    reason = finish_reason(reply)
    if reason:
        last: JsonObject = {"index": 0, "delta": {}, "finish_reason": reason}
        yield chunk([last], usage if reply.usage_place == "finish chunk" else None)
    if usage is not None and reply.usage_place == "own chunk":
        yield chunk([], usage)
    elif usage is not None and reply.usage_place == "beside choices":
        yield chunk([{"index": 0, "delta": {"content": ""}, "finish_reason": None}], usage)
    if reply.done:
        yield StreamEvent(b"data: [DONE]\n\n")


def cut(text: str, split: int | tuple[int, ...] | None) -> Sequence[str]:
    """`text` in pieces: by tokens, of a fixed length, or cut at the given places."""
    if not text:
        return ()
    if split is None:
        return pieces(text)
    if isinstance(split, int):
        return [text[at : at + split] for at in range(0, len(text), split)]
    edges = [0, *split, len(text)]
    return [text[start:end] for start, end in itertools.pairwise(edges) if start < end]


def _arguments(call: Call) -> str:
    return call.arguments if call.pieces is None else "".join(call.pieces)


def _call_deltas(reply: Reply, position: int, call: Call) -> Iterator[JsonObject]:
    """The entries of `delta.tool_calls` that make up one call."""
    if reply.whole_calls:
        parts: Sequence[str] = [_arguments(call)]
    elif call.pieces is not None:
        parts = ["", *call.pieces]
    else:
        parts = ["", *cut(call.arguments, reply.argument_split)]
    for number, part in enumerate(parts):
        entry: JsonObject = {"index": position} if reply.indexed else {}
        function: JsonObject = {"arguments": part}
        if number == 0 or reply.repeat_ids:
            entry |= {"id": call.id, "type": "function"}
            function = {"name": call.name, **function}
        yield {**entry, "function": function}
