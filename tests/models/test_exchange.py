"""What goes over the wire is kept as it was, of every attempt, and never with a key in it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatglass.models import exchange as exchange_module
from chatglass.models.client import OpenAIClient
from chatglass.models.exchange import Exchange
from chatglass.models.retries import RetryPolicy
from chatglass.models.wire import ModelError, ModelRequest, Sent
from models.loopback import (
    HELLO,
    PROMPT,
    Reply,
    chunked,
    delta,
    endpoint,
    error_reply,
    finish,
    json_reply,
    loopback,
    sse,
    stalls,
)

FAST = RetryPolicy(base_s=0.001)
KEY = "sk-secret-0123456789"
WHOLE = sse(delta(content="Hello"), finish())


def received(exchange: Exchange) -> bytes:
    return zlib.decompress(exchange.body().compressed)


async def exchanges(
    *replies: Reply, request: ModelRequest = PROMPT, **fields: Any
) -> tuple[list[Exchange], str]:
    """Those of one request that `replies` answer, and the port of the server."""
    seen: list[Exchange] = []
    async with loopback(*replies) as server:
        client = OpenAIClient(endpoint(server, **fields), retries=FAST)
        with contextlib.suppress(ModelError):
            await collect_exchanges(client, seen, request=request)
        await client.close()
    return seen, str(server.port)


async def collect_exchanges(
    client: OpenAIClient,
    seen: list[Exchange],
    came: asyncio.Event | None = None,
    request: ModelRequest = PROMPT,
) -> None:
    """`came` is set when a piece of an answer has come."""
    async for event in client.stream(request):
        if isinstance(event, Sent):
            assert event.exchange is not None
            seen.append(event.exchange)
        elif came is not None:
            came.set()


HABITS = {
    "events": [WHOLE],
    "line ends of all kinds": [
        b'data: {"choices":[{"delta":{"content":"a"}}]}\r\n\r\n',
        b": keep-alive\r\r",
        b"event: message\ndata: [DONE]\n\n",
    ],
    "a byte order mark, comments, ids": [b"\xef\xbb\xbfid: 1\nretry: 5\n: x\n\n", WHOLE],
    "cut within a character": [sse(delta(content="ä"))[:-12], sse(delta(content="ä"))[-12:], WHOLE],
    "byte by byte": [WHOLE[at : at + 1] for at in range(len(WHOLE))],
    "no end": [sse(delta(content="Hel"), done=False)],
    "what comes after the end": [WHOLE, b": bye\n\n"],
    "an error among the events": [
        sse(delta(content="x"), done=False),
        sse({"error": {"message": "no"}}),
    ],
    "a line that is no JSON": [sse(delta(content="x"), done=False), b"data: {oops\n\n"],
    "no event stream": [b"<html>not here</html>"],
    "nothing": [b""],
}


@pytest.mark.parametrize("habit", HABITS)
async def test_what_a_server_sent_is_kept_byte_for_byte(habit: str) -> None:
    pieces = HABITS[habit]
    (only,), port = await exchanges(chunked(*(piece for piece in pieces if piece)))
    assert received(only) == b"".join(pieces)
    body = only.body()
    assert body.kept == body.received == len(b"".join(pieces))
    assert only.status == 200
    assert only.url == f"http://127.0.0.1:{port}/v1/chat/completions"
    assert ("content-type", "text/event-stream") in [(n.lower(), v) for n, v in only.headers]


async def test_a_connection_that_breaks_keeps_what_came() -> None:
    half = sse(delta(content="Hel"), done=False)
    (only,), _ = await exchanges(chunked(half, end=False))
    assert received(only) == half
    assert only.failure


async def test_every_attempt_has_its_answer_and_its_failure() -> None:
    seen, _ = await exchanges(
        error_reply(429, "slow down"), error_reply(400, "Unknown parameter: 'tools'", param="tools"),
        HELLO, request=ModelRequest(model="m", messages=PROMPT.messages, tools=[{"type": "function", "function": {"name": "f", "parameters": {}}}]),
    )  # fmt: skip
    assert [each.status for each in seen] == [429, 400, 200]
    assert json.loads(received(seen[0]))["error"]["message"] == "slow down"
    assert "slow down" in seen[0].failure
    assert "tools" in seen[1].failure
    assert received(seen[2]).endswith(b"[DONE]\n\n")
    assert seen[2].failure == ""


async def test_nobody_listens() -> None:
    async with loopback(HELLO) as server:
        gone = endpoint(server)
    client = OpenAIClient(gone, retries=RetryPolicy(attempts=1))
    seen: list[Exchange] = []
    with pytest.raises(ModelError):
        await collect_exchanges(client, seen)
    await client.close()
    assert seen[0].status is None
    assert seen[0].body().received == 0
    assert seen[0].failure


async def test_a_stream_that_is_left_keeps_what_came_until_then() -> None:
    started = asyncio.Event()
    first = sse(delta(content="Hello"), done=False)
    async with loopback(stalls(first, started=started)) as server:
        client = OpenAIClient(endpoint(server))
        seen: list[Exchange] = []
        came = asyncio.Event()
        task = asyncio.create_task(collect_exchanges(client, seen, came))
        await started.wait()
        await came.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await client.close()
    assert received(seen[0]) == first


async def test_no_key_is_kept_wherever_it_stands() -> None:
    """A server that repeats the key in its headers, its error and its stream."""
    said = f"Incorrect API key provided: {KEY}. token-in-a-header".encode()
    echo = sse(delta(content=f"your key is {KEY}, you know"), finish())
    secrets = {"api-key": "token-in-a-header", "HTTP-Referer": "https://a.example"}
    seen, _ = await exchanges(
        json_reply({"error": {"message": said.decode()}}, 500, X_Echo=KEY, Set_Cookie="session=1", OpenAI_Organization="acme-corp"),
        chunked(*(echo[at : at + 7] for at in range(0, len(echo), 7))),
        key=KEY, headers=secrets,
    )  # fmt: skip
    assert len(seen) == 2
    for each in seen:
        everything = repr((each.url, each.request_headers, each.headers)).encode() + received(each)
        assert KEY.encode() not in everything
        assert b"token-in-a-header" not in everything
        assert b"session=1" not in everything
        assert b"acme-corp" not in everything
        assert b"[key]" in received(each)
        names = {name.lower(): value for name, value in each.request_headers}
        assert names["authorization"] == names["api-key"] == "(kept secret)"
        assert names["content-type"] == "application/json"


@given(st.lists(st.binary(max_size=6)), st.data())
def test_a_key_is_found_however_the_chunks_are_cut(
    around: list[bytes], data: st.DataObject
) -> None:
    secret = b"secret-1"
    whole = secret.join(around)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=8)))
    kept = Exchange("http://x", [secret.decode(), "other-secret-22"])
    for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True):
        kept.add(whole[start:end])
    assert secret not in received(kept)
    assert received(kept) == whole.replace(secret, b"[key]")
    assert kept.body().received == len(whole)


def test_a_body_beyond_the_bound_is_cut_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange_module, "MOST_BYTES", 100)
    kept = Exchange("http://x")
    for _ in range(30):
        kept.add(b"0123456789")
    body = kept.body()
    assert (body.kept, body.received) == (100, 300)
    assert received(kept) == b"0123456789" * 10


async def test_a_name_and_a_query_of_the_address_stay_out() -> None:
    async with loopback(HELLO) as server:
        at = server.base_url.replace("http://", "http://me:pw@")
        client = OpenAIClient(endpoint(server, base_url=at), retries=FAST)
        async for event in client.stream(PROMPT):
            if isinstance(event, Sent) and event.exchange:
                assert event.exchange.url == f"{server.base_url}/chat/completions"
        await client.close()


async def test_other_forms_of_a_key_are_neither_kept_nor_told() -> None:
    """A key without its `Bearer`, in a JSON that escapes slashes, in a URL, and a login in base64."""
    bearer, gateway = "gw/tokenvalue+0123456789", "part/of-a-gateway-key-77"
    told = ["gw\\/tokenvalue+0123456789", "gw%2Ftokenvalue%2B0123456789", bearer, gateway]
    login = "bWU6cGFzcy93b3JkLTQy"  # me:pass/word-42
    body = f'{{"error":{{"message":"refused: {" and ".join([*told, login])}"}}}}'.encode()
    async with loopback(chunked(body, status=400)) as server:
        at = server.base_url.replace("http://", "http://me:pass%2Fword-42@")
        headers = {"X-Auth": f"Bearer {bearer}", "X-Gateway-Key": gateway}
        client = OpenAIClient(endpoint(server, base_url=at, headers=headers), retries=FAST)
        seen: list[Exchange] = []
        with pytest.raises(ModelError) as failed:
            await collect_exchanges(client, seen)
        await client.close()
    everything = (
        received(seen[0]).decode() + seen[0].failure + str(failed.value) + failed.value.cause
    )
    for secret in (*told, login, "pass/word-42", "tokenvalue", "of-a-gateway"):
        assert secret not in everything, secret
