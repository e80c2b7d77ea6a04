from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest

from chatglass.models.demo import Call, DemoServer, Reply
from chatglass.models.demo.script import (
    ScriptError,
    context_overflow,
    html,
    rate_limited,
    reply_from_json,
    server_error,
)
from demo.talk import BUILT_IN, Client, body


def texts(events: list[Any], key: str = "content") -> str:
    deltas = [e["choices"][0]["delta"] for e in events if e != "[DONE]" and e["choices"]]
    return "".join(delta.get(key) or "" for delta in deltas)


def tool_deltas(events: list[Any]) -> list[dict[str, Any]]:
    chunks = [e for e in events if e != "[DONE]" and e["choices"]]
    return [d for e in chunks for d in e["choices"][0]["delta"].get("tool_calls", [])]


async def test_models_and_the_token(demo: DemoServer, client: Client) -> None:
    listed = (await client.http.get("/models")).json()["data"]
    assert [entry["id"] for entry in listed] == ["demo", "demo-fast", "demo-reasoning"]
    assert listed[0]["max_model_len"] == demo.window
    for token in ("", "Bearer wrong"):
        async with httpx2.AsyncClient(trust_env=False) as stranger:
            answer = await stranger.get(f"{demo.base_url}/models", headers={"Authorization": token})
        assert answer.status_code == 401
        assert answer.json()["error"]["code"] == "invalid_api_key"
    assert demo.base_url.startswith("http://127.0.0.1:")


async def test_the_openai_client_gets_a_whole_turn(demo: DemoServer) -> None:
    async with openai.AsyncOpenAI(base_url=demo.base_url, api_key=demo.token) as client:
        listed = await client.models.list()
        assert listed.data[0].id == "demo"
        stream = await client.chat.completions.create(
            **body("think: what time is it and what is 2*3", tools=BUILT_IN),
            stream=True,
            stream_options={"include_usage": True},
        )
        names: dict[int, str] = {}
        arguments: dict[int, str] = {}
        reasons: list[str] = []
        usage = None
        async for chunk in stream:
            for choice in chunk.choices:
                for delta in choice.delta.tool_calls or []:
                    assert delta.function is not None
                    names[delta.index] = names.get(delta.index) or delta.function.name or ""
                    arguments[delta.index] = arguments.get(delta.index, "") + (
                        delta.function.arguments or ""
                    )
                if choice.finish_reason:
                    reasons.append(choice.finish_reason)
            usage = chunk.usage or usage
    assert names == {0: "current_time", 1: "calculate"}
    assert [json.loads(arguments[i]) for i in (0, 1)] == [{}, {"expression": "2*3"}]
    assert reasons == ["tool_calls"]
    assert usage is not None
    assert usage.completion_tokens_details is not None
    assert usage.completion_tokens > (usage.completion_tokens_details.reasoning_tokens or 0) > 0


async def test_usage_comes_after_the_finish_chunk_and_only_if_asked(client: Client) -> None:
    events = await client.stream("hello")
    assert events[-1] == "[DONE]"
    assert events[-2]["choices"] == []
    assert events[-2]["usage"]["total_tokens"] > 0
    assert events[-3]["choices"][0]["finish_reason"] == "stop"
    without = await client.stream("hello", stream_options=None)
    assert not any("usage" in event for event in without if event != "[DONE]")
    assert texts(without) == texts(events)


async def test_totals_are_the_sum_of_what_was_reported(demo: DemoServer, client: Client) -> None:
    usages = [(await client.stream(p))[-2]["usage"] for p in ("hello", "think", "hello")]
    usages.append((await client.post("hello")).json()["usage"])
    await client.stream("hello", stream_options=None)
    assert demo.reported.requests == 4
    assert demo.reported.prompt_tokens == sum(u["prompt_tokens"] for u in usages)
    assert demo.reported.completion_tokens == sum(u["completion_tokens"] for u in usages)
    cached = [u["prompt_tokens_details"]["cached_tokens"] for u in usages]
    assert demo.reported.cached_tokens == sum(cached) > 0
    reasoning = [u["completion_tokens_details"]["reasoning_tokens"] for u in usages]
    assert demo.reported.reasoning_tokens == sum(reasoning) == reasoning[1] > 0


async def test_pieces_streamed_are_the_tokens_reported(client: Client) -> None:
    events = await client.stream("hello")
    text_events = [e for e in events[1:-3] if e["choices"][0]["delta"].get("content")]
    assert len(text_events) == events[-2]["usage"]["completion_tokens"]


async def test_requests_are_kept_as_received(demo: DemoServer, client: Client) -> None:
    raw = b'{ "model":"demo-fast",\n"messages":[{"role":"user","content":"\\u00fc"}]}'
    await client.http.post("/chat/completions", content=raw, headers={"X-Mine": "yes"})
    assert demo.requests[-1].body == raw
    assert demo.requests[-1].header("x-mine") == "yes"


async def test_kept_requests_are_bounded(demo: DemoServer, client: Client) -> None:
    for _ in range(3):
        await client.post("x" * 5_000_000)
    assert demo.received == 3
    assert len(demo.requests) == 2


async def test_a_poisoned_list_is_refused_and_counted(demo: DemoServer, client: Client) -> None:
    call = {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    demo.script("never sent")
    answer = await client.post([{"role": "user", "content": "x"}, message])
    assert answer.status_code == 400
    assert demo.violations == [answer.json()["error"]["message"]]
    assert demo.scripted == 1


async def test_wrong_requests(demo: DemoServer, client: Client) -> None:
    assert (await client.post("x", model="gpt-9")).json()["error"]["code"] == "model_not_found"
    assert (await client.post("x", tools=[])).status_code == 400
    bad = await client.http.post("/chat/completions", content=b"{")
    assert bad.status_code == 400
    assert (await client.http.get("/nothing")).status_code == 404
    demo.window = 10
    full = await client.post("one two three four five six seven eight")
    assert full.json()["error"]["code"] == "context_length_exceeded"


async def test_refused_fields(demo: DemoServer, client: Client) -> None:
    demo.refuse("tools", "stream_options")
    demo.script("plain")
    refused = await client.post("x", tools=BUILT_IN)
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "tools")
    assert (await client.post("x", stream_options={})).status_code == 400
    assert (await client.ask("x"))["content"] == "plain"


@pytest.mark.parametrize(
    ("reply", "status"),
    [(rate_limited("7"), 429), (context_overflow(), 400), (server_error(), 500), (html(), 200)],
)
async def test_scripted_responses(
    demo: DemoServer, client: Client, reply: Reply, status: int
) -> None:
    demo.script(reply)
    answer = await client.post("x", stream=True)
    assert answer.status_code == status
    assert answer.text == reply.body
    assert answer.headers["content-type"] == reply.content_type
    if status == 429:
        assert answer.headers["retry-after"] == "7"


async def test_tool_calls_in_every_shape(demo: DemoServer, client: Client) -> None:
    calls = (Call(name="f", arguments='{"a": "ü"}', id="x"), Call(name="g", pieces=("{", "oops")))
    demo.script(
        Reply(calls=calls, argument_split=1),
        Reply(calls=calls, whole_calls=True, indexed=False),
        Reply(calls=calls, repeat_ids=True),
    )
    pieces = tool_deltas(await client.stream("x"))
    first = [d for d in pieces if d["index"] == 0]
    assert [d.get("id") for d in first] == ["x"] + [None] * 10
    assert "".join(d["function"]["arguments"] for d in first) == '{"a": "ü"}'
    assert [d["function"]["arguments"] for d in pieces if d["index"] == 1] == ["", "{", "oops"]
    whole = tool_deltas(await client.stream("x"))
    assert [d["function"]["arguments"] for d in whole] == ['{"a": "ü"}', "{oops"]
    assert not any("index" in d for d in whole)
    repeated = tool_deltas(await client.stream("x"))
    assert {d["id"] for d in repeated if d["index"] == 0} == {"x"}
    assert len({d["id"] for d in repeated if d["index"] == 1}) == 1


async def test_usage_in_every_place(demo: DemoServer, client: Client) -> None:
    usage = {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}
    demo.script(
        Reply(text="x", usage=usage, usage_place="finish chunk"),
        Reply(text="x", usage=usage, usage_place="beside choices"),
        Reply(text="x", usage=usage, usage_place="none"),
    )
    on_finish = (await client.stream("x"))[-2]
    assert on_finish["choices"][0]["finish_reason"] == "stop"
    assert on_finish["usage"] == usage
    beside = (await client.stream("x"))[-2]
    assert beside["choices"]
    assert beside["usage"] == usage
    none = await client.stream("x")
    assert not any("usage" in e for e in none if e != "[DONE]")
    assert (demo.reported.requests, demo.reported.prompt_tokens) == (2, 14)


async def test_text_cut_where_told_and_bytes_one_by_one(demo: DemoServer, client: Client) -> None:
    demo.script(
        Reply(text="abcdef", split=(1, 4)),
        Reply(text="zwölf 日本", reasoning="ü", reasoning_field="reasoning", byte_by_byte=True),
    )
    events = await client.stream("x")
    deltas = [e["choices"][0]["delta"].get("content") for e in events[1:4]]
    assert deltas == ["a", "bcd", "ef"]
    events = await client.stream("x")
    assert (texts(events), texts(events, "reasoning")) == ("zwölf 日本", "ü")


async def test_cut_malformed_and_unfinished_streams(demo: DemoServer, client: Client) -> None:
    demo.script(
        Reply(text="a b c d", cut_before=3),
        Reply(
            text="a b", inject={2: "data: {oops\n\n", 3: 'event: error\ndata: {"error": {}}\n\n'}
        ),
        Reply(text="a", finish_reason="", done=False),
        Reply(),
    )
    with pytest.raises(httpx2.RemoteProtocolError):
        await client.stream("x")
    malformed = (await client.post("x", stream=True)).text
    assert malformed.count("data: {oops\n\n") == 1
    assert "event: error\n" in malformed
    unfinished = await client.stream("x", stream_options=None)
    assert [e["choices"][0]["finish_reason"] for e in unfinished] == [None, None]
    assert texts(await client.stream("x")) == ""


async def test_gates_hold_a_stream_until_opened(demo: DemoServer, client: Client) -> None:
    first, second = asyncio.Event(), "later"
    demo.script(Reply(text="one two", gates={-1: first, 2: second}))
    request = client.http.stream("POST", "/chat/completions", json=body("x", stream=True))
    task = asyncio.create_task(request.__aenter__())
    await demo.wait_received(1)
    assert not task.done()
    first.set()
    response = await task
    lines = response.aiter_lines()
    seen = ""
    while "one" not in seen:
        seen += await anext(lines)
    demo.gate(second).set()
    rest = [line async for line in lines]
    assert any("two" in line for line in rest)
    await request.__aexit__(None, None, None)


async def test_a_client_that_leaves_ends_the_stream(demo: DemoServer, client: Client) -> None:
    demo.script(Reply(text="one two", gates={2: "never"}))
    async with client.http.stream("POST", "/chat/completions", json=body("x", stream=True)) as r:
        await anext(r.aiter_lines())
    async with asyncio.timeout(5):
        await demo.wait_aborted(1)
    assert (await client.ask("hello"))["content"]


async def test_stopping_ends_open_streams() -> None:
    demo = await DemoServer().start()
    client = Client(demo)
    demo.script(Reply(text="one two", gates={2: "never"}))
    async with client.http.stream("POST", "/chat/completions", json=body("x", stream=True)) as r:
        lines = r.aiter_lines()
        await anext(lines)
        async with asyncio.timeout(5):
            await demo.stop()
            with pytest.raises(httpx2.HTTPError):
                [line async for line in lines]
    await demo.stop()
    await client.http.aclose()


async def test_the_pace_is_the_rate(demo: DemoServer, client: Client) -> None:
    """Only that it waits at all: 20 events at 200 a second are 0.1 s."""
    loop = asyncio.get_running_loop()
    demo.script(Reply(text="x " * 18, rate=200))
    started = loop.time()
    await client.stream("x")
    assert loop.time() - started >= 0.09


def test_scripts_from_json() -> None:
    reply = reply_from_json(
        {
            "calls": [{"name": "f", "pieces": ["{", "}"]}],
            "split": [1, 2],
            "inject": {"3": "x"},
            "gates": {"1": "go"},
        }
    )
    assert reply.calls == (Call(name="f", pieces=("{", "}")),)
    assert (reply.split, reply.inject, reply.gates) == ((1, 2), {3: "x"}, {1: "go"})
    assert reply_from_json("plain") == Reply(text="plain")
    with pytest.raises(ScriptError, match="'text' meant"):
        reply_from_json({"txt": "x"})
    with pytest.raises(ScriptError, match=r"calls\[0\]"):
        reply_from_json({"calls": [{"nam": "f"}]})


async def test_a_process_of_its_own(tmp_path: Path) -> None:
    script = tmp_path / "script.json"
    script.write_text(json.dumps({"replies": ["first", {"text": "a b", "gates": {"2": "go"}}]}))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "chatglass.models.demo", "--script", str(script),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        where = json.loads(await process.stdout.readline())
        root = where["base_url"].removesuffix("/v1")
        headers = {"Authorization": f"Bearer {where['token']}"}
        async with httpx2.AsyncClient(base_url=root, headers=headers, trust_env=False) as http:
            answer = await http.post("/v1/chat/completions", json=body("x"))
            assert answer.json()["choices"][0]["message"]["content"] == "first"
            waiting = http.post("/v1/chat/completions", json=body("x", stream=True))
            opened = await http.post("/control/open", json="go")
            assert opened.json() == {"open": "go"}
            assert (await waiting).text.endswith("data: [DONE]\n\n")
            added = await http.post("/control/script", json=["third"])
            assert added.json() == {"scripted": 1}
            state = (await http.get("/control/state")).json()
            assert (state["received"], state["violations"]) == (2, [])
            assert json.loads(state["bodies"][0]) == body("x")
    finally:
        process.terminate()
        await process.wait()


def test_a_wrong_script_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from chatglass.models.demo.__main__ import main

    script = tmp_path / "s.json"
    script.write_text('{"replis": []}')
    assert main(["--script", str(script)]) == 2
    assert "'replis'" in capsys.readouterr().err
