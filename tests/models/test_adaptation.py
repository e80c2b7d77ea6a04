"""What servers refuse is dropped or renamed, once, and remembered."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chatglass.models.adaptation import Adaptation, adapt, refused, short_id
from chatglass.models.client import OpenAIClient
from chatglass.models.retries import RetryPolicy
from chatglass.models.wire import Adapted, ModelError, ModelRequest, Sent
from models.loopback import HELLO, Reply, collect, endpoint, error_reply, json_reply, loopback

TOOL = {"type": "function", "function": {"name": "f", "parameters": {}}}
MESSAGES: list[dict[str, Any]] = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "hi"},
    {
        "role": "assistant",
        "content": None,
        "reasoning_content": "hm",
        "tool_calls": [
            {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
        ],
    },
    {"role": "tool", "tool_call_id": "call_1", "content": "42"},
]
FULL = ModelRequest(
    model="m1",
    messages=MESSAGES,
    tools=[TOOL],
    temperature=0.5,
    max_output_tokens=50,
    reasoning_effort="low",
)
FAST = RetryPolicy(base_s=0.001)


def fastapi(*loc: str) -> Reply:
    detail = [
        {"type": "extra_forbidden", "loc": list(loc), "msg": "Extra inputs are not permitted"}
    ]
    return json_reply({"detail": detail}, 422)


@pytest.mark.parametrize(
    ("reply", "field"),
    [
        (error_reply(400, "registry.ollama.ai/library/gemma3:4b does not support tools"), "tools"),
        (error_reply(400, "Unsupported parameter: 'tools' is not supported with this model.", param="tools"), "tools"),
        (error_reply(400, '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'), "tools"),
        (error_reply(500, "tools param requires --jinja flag"), "tools"),
        (error_reply(404, "No endpoints found that support tool use."), "tools"),
        (error_reply(400, "Unrecognized request argument supplied: stream_options"), "stream_options"),
        (fastapi("body", "stream_options"), "stream_options"),
        (json_reply({"object": "error", "message": {"detail": [
            {"type": "extra_forbidden", "loc": ["body", "stream_options"], "msg": "Extra inputs are not permitted"}]}}, 422),
         "stream_options"),
        (error_reply(400, "Unsupported value: 'temperature' does not support 0.5 with this model."
                     " Only the default (1) value is supported.", param="temperature", code="unsupported_value"), "temperature"),
        (error_reply(400, "Unknown parameter: 'reasoning_effort'.", param="reasoning_effort"), "reasoning_effort"),
        (fastapi("body", "messages", "2", "assistant", "reasoning_content"), "messages.reasoning_content"),
        (error_reply(400, "property 'messages.2.reasoning_content' is unsupported"), "messages.reasoning_content"),
        (error_reply(400, "System role not supported"), "system"),
        (error_reply(400, "Cannot use tools with stream"), "stream"),
        (error_reply(400, "Tool call id was call_1 but must be a-z, A-Z, 0-9, with a length of 9."), "tool_call_id"),
    ],
)  # fmt: skip
async def test_a_refused_field_is_dropped_once_and_remembered(reply: Reply, field: str) -> None:
    async with loopback(reply, HELLO) as server:
        client = OpenAIClient(endpoint(server), retries=FAST)
        first = await collect(client.stream(FULL))
        second = await collect(client.stream(FULL))
        await client.close()
    (adapted,) = first.of(Adapted)
    assert adapted.field == field
    assert adapted.note.startswith("m1 on here ")
    assert first.text == second.text == "Hello"
    assert second.of(Adapted) == []
    assert len(server.received) == 3
    before, after, later = (r.json for r in server.received)
    assert after == later == first.of(Sent)[1].body
    differing = {k for k in {*before, *after} if before.get(k) != after.get(k)}
    expected = {
        "tools": {"tools", "messages"},
        "messages.reasoning_content": {"messages"},
        "system": {"messages"},
        "stream": {"stream", "stream_options"},
        "tool_call_id": {"messages"},
    }
    assert differing == expected.get(field, {field})
    assert "reasoning_content" in json.dumps(before)


async def test_the_output_limit_is_renamed_then_dropped() -> None:
    async with loopback(
        error_reply(
            400,
            "Unsupported parameter: 'max_tokens' is not supported with this model."
            " Use 'max_completion_tokens' instead.",
            param="max_tokens",
            code="unsupported_parameter",
        ),
        error_reply(400, "Unrecognized request argument supplied: max_completion_tokens"),
        HELLO,
    ) as server:
        client = OpenAIClient(endpoint(server))
        got = await collect(client.stream(FULL))
        await client.close()
    assert [a.field for a in got.of(Adapted)] == ["max_tokens", "max_completion_tokens"]
    names = [[k for k in r.json if k.startswith("max_")] for r in server.received]
    assert names == [["max_tokens"], ["max_completion_tokens"], []]


async def test_openai_itself_takes_max_completion_tokens() -> None:
    async with loopback(HELLO) as server:
        client = OpenAIClient(endpoint(server, kind="openai"))
        await collect(client.stream(FULL))
        await client.close()
    assert server.received[0].json["max_completion_tokens"] == 50
    assert "max_tokens" not in server.received[0].json


async def test_several_fields_one_after_another() -> None:
    async with loopback(
        error_reply(400, "m1 does not support tools"),
        error_reply(400, "Unknown parameter: 'stream_options'"),
        error_reply(400, "Unknown parameter: 'temperature'"),
        HELLO,
    ) as server:
        client = OpenAIClient(endpoint(server))
        got = await collect(client.stream(FULL))
        await client.close()
    assert [a.field for a in got.of(Adapted)] == ["tools", "stream_options", "temperature"]


async def test_what_is_learned_of_one_model_says_nothing_of_another() -> None:
    async with loopback(error_reply(400, "m1 does not support tools"), HELLO) as server:
        client = OpenAIClient(endpoint(server))
        await collect(client.stream(FULL))
        await collect(client.stream(ModelRequest(model="m2", messages=MESSAGES, tools=[TOOL])))
        await client.close()
    assert server.received[-1].json["tools"] == [TOOL]


@pytest.mark.parametrize(
    "reply",
    [
        error_reply(400, "Invalid schema for function 'f'", param="tools[0].function.parameters"),
        error_reply(400, "Invalid 'tools': array too long. Expected at most 128.", param="tools"),
        error_reply(400, "temperature must be between 0 and 1", param="temperature"),
        error_reply(400, "messages[1].content: this image is not supported", param="messages[1].content"),
        error_reply(500, "Unknown parameter: 'temperature'"),
        error_reply(401, "tools are not supported for this key"),
    ],
)  # fmt: skip
async def test_an_error_about_a_value_is_shown_not_adapted(reply: Reply) -> None:
    async with loopback(reply) as server:
        client = OpenAIClient(endpoint(server), retries=RetryPolicy(attempts=1))
        events: list[Any] = []
        with pytest.raises(ModelError):
            await collect(client.stream(FULL), events)
        await client.close()
    assert not [e for e in events if isinstance(e, Adapted)]
    assert len(server.received) == 1


async def test_the_same_refusal_again_ends() -> None:
    async with loopback(error_reply(400, "Unknown parameter: 'temperature'")) as server:
        client = OpenAIClient(endpoint(server))
        with pytest.raises(ModelError):
            await collect(client.stream(FULL))
        await client.close()
    assert len(server.received) == 2


def test_without_tools_calls_and_results_are_text() -> None:
    body = adapt(FULL, Adaptation(dropped=frozenset({"tools", "messages.reasoning_content"})))
    assert body["messages"][2:] == [
        {"role": "assistant", "content": "[called f({})]"},
        {"role": "user", "content": "[result of f]\n42"},
    ]
    assert "tools" not in body
    assert MESSAGES[2]["content"] is None


def test_without_system_role_it_goes_into_the_first_prompt() -> None:
    body = adapt(FULL, Adaptation(dropped=frozenset({"system"})))
    assert body["messages"][0] == {"role": "user", "content": "Be brief.\n\nhi"}


def test_short_ids_stay_paired() -> None:
    body = adapt(FULL, Adaptation(dropped=frozenset({"tool_call_id"})))
    call, result = body["messages"][2:]
    assert call["tool_calls"][0]["id"] == result["tool_call_id"] == short_id("call_1")
    assert len(short_id("call_1")) == 9
    assert short_id("abcDEF123") == "abcDEF123"


def test_nothing_is_refused_that_was_not_sent() -> None:
    plain = adapt(ModelRequest(model="m", messages=MESSAGES[:2]), Adaptation())
    for words in ("m does not support tools", "Unknown parameter: 'temperature'"):
        assert refused(400, json.dumps({"error": {"message": words}}), plain, Adaptation()) is None
