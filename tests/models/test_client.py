"""OpenAIClient over real HTTP on loopback."""

from __future__ import annotations

import asyncio
import json

import pytest

from chatglass.models.client import OpenAIClient, wire_bytes
from chatglass.models.retries import RetryPolicy
from chatglass.models.transport import Timeouts
from chatglass.models.wire import (
    Finished,
    ModelError,
    ModelRequest,
    Sent,
    TextPiece,
    Waiting,
)
from chatglass.values.usage import Usage
from models.loopback import (
    HELLO,
    PROMPT,
    USAGE,
    Reply,
    answer,
    chunked,
    collect,
    delta,
    endpoint,
    error_reply,
    finish,
    head,
    json_reply,
    loopback,
    raw,
    sse,
    stalls,
)

FAST = RetryPolicy(base_s=0.001)


async def fails(reply: Reply, **fields: object) -> ModelError:
    """The ModelError of a request that `reply` answers."""
    async with loopback(reply) as server:
        client = OpenAIClient(endpoint(server, **fields), retries=FAST)
        with pytest.raises(ModelError) as caught:
            await collect(client.stream(PROMPT))
        await client.close()
    assert "127.0.0.1" in caught.value.cause + caught.value.advice
    return caught.value


async def test_an_answer_with_usage() -> None:
    async with loopback(HELLO) as server:
        client = OpenAIClient(endpoint(server), retries=FAST)
        got = await collect(client.stream(PROMPT))
        await client.close()
    assert got.text == "Hello"
    assert got.finished.finish_reason == "stop"
    usage = got.finished.usage
    assert usage is not None
    assert (usage.prompt_tokens, usage.completion_tokens, usage.source) == (11, 7, "reported")
    assert json.loads(usage.raw or "") == USAGE


async def test_the_bytes_that_go_out_are_those_of_sent() -> None:
    request = ModelRequest(
        model="gemma3:13b",
        messages=[
            {"role": "system", "content": 'Größe ✓ \u2028 "quoted" \\ 👍'},
            {"role": "user", "content": "a\x00b\ttab\n"},
        ],
        tools=[{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
        temperature=0.2,
        max_output_tokens=100,
        reasoning_effort="low",
    )
    async with loopback(HELLO) as server:
        client = OpenAIClient(endpoint(server))
        got = await collect(client.stream(request))
        await client.close()
    (sent,) = got.of(Sent)
    body = server.received[0].body
    assert body == wire_bytes(sent.body)
    assert json.loads(body) == sent.body
    assert list(sent.body) == [
        "model", "messages", "tools", "temperature", "max_tokens", "reasoning_effort", "stream",
        "stream_options",
    ]  # fmt: skip
    assert server.received[0].path == "/v1/chat/completions"
    assert server.received[0].headers["content-type"] == "application/json"


def test_wire_bytes_are_those_of_the_sdk() -> None:
    from openai._utils._json import openapi_dumps

    body = {"b": "ü\u2028\x7f", "a": [1, 2.5, None, True, {"x": []}]}
    assert wire_bytes(body) == openapi_dumps(body)


async def test_a_lone_surrogate_does_not_stop_a_request() -> None:
    request = ModelRequest(model="m", messages=[{"role": "user", "content": "a\ud800b"}])
    async with loopback(HELLO) as server:
        client = OpenAIClient(endpoint(server))
        got = await collect(client.stream(request))
        await client.close()
    assert server.received[0].json["messages"][0]["content"] == "a\ufffdb"
    assert got.of(Sent)[0].body["messages"][0]["content"] == "a\ufffdb"


async def test_no_key_of_the_environment_goes_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, "sk-secret-of-another")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv(
        "OPENAI_CUSTOM_HEADERS", "X-Team: sk-secret-of-another\nAuthorization: sk-secret-of-another"
    )
    async with loopback(HELLO) as server:
        server.paths["/v1/models"] = json_reply({"data": [{"id": "a"}, {"id": "b"}, {"id": "a"}]})
        for key in (None, "own-key"):
            client = OpenAIClient(endpoint(server, key=key, headers={"X-Mine": "yes"}))
            await collect(client.stream(PROMPT))
            assert await client.list_models() == ["a", "b"]
            await client.close()
    keyless, listed, keyed, _ = server.received
    for request in server.received:
        assert "sk-secret-of-another" not in str(request)
        assert request.headers["x-mine"] == "yes"
        assert not {"openai-organization", "openai-project", "x-team"} & set(request.headers)
    assert "authorization" not in keyless.headers
    assert "authorization" not in listed.headers
    assert keyed.headers["authorization"] == "Bearer own-key"


async def test_redirects_are_not_followed() -> None:
    async with loopback(HELLO) as other:
        reply = json_reply({}, 307, Location=f"{other.base_url}/chat/completions?key=sekret")
        error = await fails(reply, key="own-key", key_source="MY_KEY")
        assert other.received == []
    assert error.kind == "rejected"
    assert f"127.0.0.1:{other.port}" in error.cause
    assert "sekret" not in str(error)


async def test_reasoning_and_text() -> None:
    reply = answer(
        delta(reasoning_content="think "),
        delta(reasoning="more"),
        delta(content="said"),
        finish(),
    )
    async with loopback(reply) as server:
        client = OpenAIClient(endpoint(server))
        got = await collect(client.stream(PROMPT))
        await client.close()
    assert (got.reasoning, got.text) == ("think more", "said")
    assert got.finished.usage is None


@pytest.mark.parametrize(
    "chunks",
    [
        [delta(content="x"), finish(), {"choices": [], "usage": USAGE}],
        [delta(content="x"), finish(), {**delta(), "usage": USAGE}],
        [delta(content="x"), finish(usage=USAGE)],
        [{**delta(content="x"), "usage": {"prompt_tokens": 11}}, finish(), {"usage": USAGE}],
        [delta(content="x"), finish(), {"choices": None, "x_groq": {"usage": USAGE}}],
    ],
)
async def test_usage_wherever_it_rides(chunks: list[object]) -> None:
    async with loopback(answer(*chunks)) as server:
        client = OpenAIClient(endpoint(server))
        got = await collect(client.stream(PROMPT))
        await client.close()
    usage = got.finished.usage
    assert usage is not None
    assert (usage.prompt_tokens, usage.completion_tokens) == (11, 7)


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (answer(delta(content="x"), finish("length"), done=False), "length"),
        (answer(delta(content="x")), "stop"),
        (
            raw(head(), b'data: {"choices":[{"delta":{"content":"x"},"finish_reason":"stop"}]}'),
            "stop",
        ),
        (raw(head(), sse(delta(content="x"), finish()).replace(b"\n", b"\r\n")), "stop"),
        (raw(head(), sse(delta(content="x"), finish()).replace(b"\n\n", b"\n")), "stop"),
        (
            raw(head(), b"\xef\xbb\xbf: ping\n\n: ping\n\n", sse(delta(content="x"), finish())),
            "stop",
        ),
        (chunked(sse(delta(content="x"), finish("stop"), done=False), end=False), "stop"),
    ],
)
async def test_ends_that_are_whole(reply: Reply, reason: str) -> None:
    async with loopback(reply) as server:
        client = OpenAIClient(endpoint(server))
        got = await collect(client.stream(PROMPT))
        await client.close()
    assert got.text == "x"
    assert got.finished.finish_reason == reason


async def test_a_plain_completion_is_taken() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    message = {"role": "assistant", "content": "whole", "tool_calls": [call]}
    body = {
        "model": "m1-2025",
        "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}],
        "usage": USAGE,
    }
    async with loopback(json_reply(json.dumps(body, indent=2).encode())) as server:
        client = OpenAIClient(endpoint(server))
        got = await collect(client.stream(PROMPT))
        await client.close()
    assert got.text == "whole"
    assert got.finished.model == "m1-2025"
    assert [c.name for c in got.finished.tool_calls] == ["f"]


@pytest.mark.parametrize(
    ("reply", "kind", "words"),
    [
        (json_reply(b"<!doctype html><title>Log in</title>", 200, "text/html"), "malformed", "Log in"),
        (json_reply({"hello": 1}), "malformed", "hello"),
        (json_reply(b""), "empty", "m1"),
        (answer(), "empty", "m1"),
        (answer(finish("stop")), "empty", "stop"),
        (answer(delta(content="x"), done=False), "cut", "m1"),
        (answer(delta(tool_calls=[{"index": 0, "function": {"name": "f", "arguments": "{"}}])), "cut", "m1"),
        (chunked(sse(delta(content="x"), done=False), b'data: {"cho', end=True), "cut", "m1"),
        (chunked(sse(delta(content="x"), done=False), end=False), "cut", "dropped"),
        (chunked(b"data: {oops}\n\n"), "malformed", "oops"),
        (chunked(b'event: error\ndata: {"message": "GPU on fire"}\n\n'), "server", "GPU on fire"),
        (answer({"error": {"message": "Overloaded", "code": 529}}), "server", "Overloaded"),
        (answer({"error": {"message": "slow down", "code": 429}}), "rate_limit", "slow down"),
        (json_reply({"error": "model is loading"}), "server", "model is loading"),
        (error_reply(401, "Incorrect API key provided: sk-abcdef123456"), "auth", "no key was sent"),
        (error_reply(403, "Country not supported"), "auth", "Country"),
        (error_reply(404, "The model `m1` does not exist"), "not_found", "m1"),
        (json_reply(b"404 page not found", 404, "text/plain"), "not_found", "page not found"),
        (error_reply(400, "model 'm1' not found"), "not_found", "m1"),
        (error_reply(400, "Invalid schema for function 'f'"), "rejected", "schema"),
        (error_reply(402, "Insufficient credits"), "rejected", "credit"),
        (error_reply(503, "no capacity"), "server", "no capacity"),
        (error_reply(429, "You exceeded your current quota"), "rate_limit", "quota"),
    ],
)  # fmt: skip
async def test_failures_say_what_and_what_to_do(reply: Reply, kind: str, words: str) -> None:
    error = await fails(reply)
    assert error.kind == kind
    assert words in error.cause
    assert error.cause.endswith((".", "!", "?"))
    assert error.advice


@pytest.mark.parametrize(
    ("status", "message", "fields"),
    [
        (400, "This model's maximum context length is 8192 tokens. However, your messages"
              " resulted in 9000 tokens.", {"code": "context_length_exceeded"}),
        (400, "the request exceeds the available context size (4096)", {"type": "exceed_context_size_error"}),
        (500, "the request exceeds the available context size. try increasing the context size", {}),
        (400, "prompt is too long: 210000 tokens > 200000 maximum", {}),
        (400, "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).", {}),
        (400, "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768"
              " maximum context length", {}),
        (400, "The number of tokens to keep from the initial prompt is greater than the context length.", {}),
        (400, "Please reduce the length of the messages or completion.", {}),
        (413, "Request Entity Too Large", {}),
    ],
)  # fmt: skip
async def test_context_overflow_in_all_its_forms(
    status: int, message: str, fields: dict[str, str]
) -> None:
    error = await fails(error_reply(status, message, **fields))
    assert error.kind == "context_overflow"
    assert not error.retryable
    assert "larger window" in error.advice


async def test_a_key_is_never_in_a_text() -> None:
    key = "very-private-key-value"
    message = f"bad key {key}, or Bearer {key}, or sk-proj-1234567890"
    for reply in (
        error_reply(401, message),
        error_reply(400, message),
        answer({"error": {"message": message}}),
        json_reply(message.encode()),
        json_reply(b"<html><title>" + message.encode() + b"</title>"),
    ):
        error = await fails(reply, key=key, key_source="MY_KEY", headers={"X-Api": key})
        assert key not in str(error)
        assert "sk-proj" not in str(error)
        assert key not in repr(endpoint_of_key(key))


def endpoint_of_key(key: str) -> object:
    from chatglass.models.wire import Endpoint

    return Endpoint(name="e", base_url="http://127.0.0.1", key=key, headers={"X": key})


async def test_a_refused_key_names_its_variable() -> None:
    error = await fails(error_reply(401, "no"), key="abc", key_source="MY_KEY")
    assert "MY_KEY" in error.cause
    assert "MY_KEY" in error.advice
    unset = await fails(error_reply(401, "no"), key=None, key_source="MY_KEY")
    assert "MY_KEY is not set" in unset.cause


async def test_control_characters_of_a_server_are_shown() -> None:
    error = await fails(error_reply(400, "\x1b[31mred\x07"))
    assert "\x1b" not in str(error)
    assert "␛[31mred" in error.cause


async def test_what_came_before_an_error_in_the_same_read_is_kept() -> None:
    body = sse(delta(content="kept"), {"error": {"message": "died"}}, done=False)
    seen: list[object] = []
    async with loopback(chunked(body)) as server:
        client = OpenAIClient(endpoint(server))
        with pytest.raises(ModelError, match="died"):
            await collect(client.stream(PROMPT), seen)  # type: ignore[arg-type]
        await client.close()
    assert TextPiece("kept") in seen


async def test_unreachable_names_address_and_cause() -> None:
    async with loopback(HELLO) as server:
        gone = endpoint(server)
    client = OpenAIClient(gone, retries=FAST)
    events: list[object] = []
    with pytest.raises(ModelError) as caught:
        await collect(client.stream(PROMPT), events)  # type: ignore[arg-type]
    await client.close()
    assert caught.value.kind == "unreachable"
    assert gone.base_url in caught.value.cause
    assert "connection refused" in caught.value.cause
    waits = [e for e in events if isinstance(e, Waiting)]
    assert [(e.attempt, e.reason) for e in waits] == [
        (2, "nothing answers"),
        (3, "nothing answers"),
    ]


async def test_unknown_host() -> None:
    from chatglass.models.wire import Endpoint

    client = OpenAIClient(
        Endpoint(name="x", base_url="http://no-such-host.invalid/v1"), retries=FAST
    )
    with pytest.raises(ModelError) as caught:
        await collect(client.stream(PROMPT))
    await client.close()
    assert caught.value.kind == "unreachable"
    assert "no-such-host.invalid" in caught.value.cause


async def test_retries_then_answers() -> None:
    limited = json_reply({"error": {"message": "slow down"}}, 429, retry_after="0.05")
    async with loopback(limited, error_reply(503, "busy"), HELLO) as server:
        client = OpenAIClient(endpoint(server), retries=FAST)
        got = await collect(client.stream(PROMPT))
        await client.close()
    first, second = got.of(Waiting)
    assert (first.seconds, first.attempt) == (0.05, 2)
    assert "slow down" in first.cause
    assert second.attempt == 3
    assert second.seconds < 0.01
    assert len(got.of(Sent)) == 3
    assert got.text == "Hello"


async def test_retries_are_bounded() -> None:
    async with loopback(error_reply(500, "broken")) as server:
        client = OpenAIClient(endpoint(server), retries=FAST)
        with pytest.raises(ModelError):
            await collect(client.stream(PROMPT))
        await client.close()
    assert len(server.received) == FAST.attempts


@pytest.mark.parametrize(
    "reply",
    [
        json_reply({"error": {"message": "slow"}}, 429, retry_after="3600"),
        error_reply(429, "You exceeded your current quota", code="insufficient_quota"),
        error_reply(400, "no"),
        error_reply(401, "no"),
    ],
)
async def test_what_waiting_cannot_mend_is_not_retried(reply: Reply) -> None:
    async with loopback(reply) as server:
        client = OpenAIClient(endpoint(server), retries=FAST)
        with pytest.raises(ModelError):
            await collect(client.stream(PROMPT))
        await client.close()
    assert len(server.received) == 1


async def test_nothing_is_retried_once_text_came() -> None:
    async with loopback(chunked(sse(delta(content="x"), done=False), end=False)) as server:
        client = OpenAIClient(endpoint(server), retries=FAST)
        with pytest.raises(ModelError):
            await collect(client.stream(PROMPT))
        await client.close()
    assert len(server.received) == 1


async def test_a_wait_can_be_cancelled() -> None:
    async with loopback(json_reply({}, 429, retry_after="100")) as server:
        client = OpenAIClient(endpoint(server))
        waiting = asyncio.Event()

        async def run() -> None:
            async for event in client.stream(PROMPT):
                if isinstance(event, Waiting):
                    waiting.set()

        task = asyncio.create_task(run())
        await waiting.wait()
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await client.close()


async def test_a_stall_is_a_timeout() -> None:
    async with loopback(stalls(sse(delta(content="x"), done=False))) as server:
        client = OpenAIClient(endpoint(server), timeouts=Timeouts(between_chunks=0.05))
        seen: list[object] = []
        with pytest.raises(ModelError) as caught:
            await collect(client.stream(PROMPT), seen)  # type: ignore[arg-type]
        await client.close()
    assert caught.value.kind == "timeout"
    assert TextPiece("x") in seen


async def test_no_first_byte_is_a_timeout() -> None:
    async with loopback(stalls()) as server:
        client = OpenAIClient(endpoint(server), timeouts=Timeouts(first_byte=0.05))
        with pytest.raises(ModelError) as caught:
            await collect(client.stream(PROMPT))
        await client.close()
    assert caught.value.kind == "timeout"
    assert len(server.received) == 1


@pytest.mark.parametrize("how", ["close", "cancel"])
async def test_stopping_closes_the_connection(how: str) -> None:
    started = asyncio.Event()
    async with loopback(stalls(sse(delta(content="x"), done=False), started=started)) as server:
        client = OpenAIClient(endpoint(server))
        if how == "close":
            events = client.stream(PROMPT)
            async for event in events:
                if isinstance(event, TextPiece):
                    break
            await events.aclose()
        else:
            task = asyncio.create_task(collect(client.stream(PROMPT)))
            await started.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        await asyncio.wait_for(server.closed.wait(), 5)
        await client.close()


async def test_a_connection_is_used_again() -> None:
    async with loopback(HELLO) as server:
        client = OpenAIClient(endpoint(server))
        for _ in range(3):
            assert (await collect(client.stream(PROMPT))).text == "Hello"
        await client.close()
    assert server.connections == 1


async def test_a_stream_cut_at_every_byte() -> None:
    call = {"index": 0, "id": "c1", "function": {"name": "f", "arguments": '{"q": "ü👍"}'}}
    chunks = [
        delta(reasoning_content="hm ✓"), delta(content="Grüße "), delta(content="👍"),
        delta(tool_calls=[call]), finish("tool_calls"), {"choices": [], "usage": USAGE},
    ]  # fmt: skip
    body = b"".join(
        b"data: " + json.dumps(c, ensure_ascii=False).encode() + b"\r\n\r\n" for c in chunks
    )
    body += b"data: [DONE]\r\n\r\n"
    async with loopback(chunked(*(body[i : i + 1] for i in range(len(body))))) as server:
        client = OpenAIClient(endpoint(server))
        got = await collect(client.stream(PROMPT))
        await client.close()
    assert (got.reasoning, got.text) == ("hm ✓", "Grüße 👍")
    assert got.finished.tool_calls[0].arguments == '{"q": "ü👍"}'
    assert isinstance(got.finished.usage, Usage)


async def test_what_comes_in_one_read_is_one_piece() -> None:
    body = sse(*(delta(content="ab ") for _ in range(500)), finish())
    async with loopback(json_reply(body, 200, "text/event-stream")) as server:
        client = OpenAIClient(endpoint(server))
        got = await collect(client.stream(PROMPT))
        await client.close()
    assert got.text == "ab " * 500
    assert len(got.of(TextPiece)) < 20


async def test_half_an_argument_is_passed_on_with_length() -> None:
    entry = {"index": 0, "id": "c", "function": {"name": "f", "arguments": '{"path": "a'}}
    async with loopback(answer(delta(tool_calls=[entry]), finish("length"))) as server:
        client = OpenAIClient(endpoint(server))
        got = await collect(client.stream(PROMPT))
        await client.close()
    assert isinstance(got.finished, Finished)
    assert got.finished.finish_reason == "length"
    assert got.finished.tool_calls[0].arguments == '{"path": "a'


async def test_an_empty_answer_keeps_its_usage() -> None:
    error = await fails(answer(finish("length", usage=USAGE)))
    assert error.kind == "empty"
    assert error.usage is not None
    assert error.usage.total_tokens == 18
    assert "output tokens" in error.advice


async def test_an_event_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatglass.models.sse.MAX_EVENT_BYTES", 1000)
    error = await fails(chunked(b"data: " + b"x" * 2000))
    assert error.kind == "malformed"


async def test_a_connection_that_dies_before_the_answer_is_tried_again() -> None:
    async with loopback(raw(), HELLO) as server:
        client = OpenAIClient(endpoint(server), retries=FAST)
        got = await collect(client.stream(PROMPT))
        await client.close()
    assert got.text == "Hello"
    assert len(got.of(Waiting)) == 1
