"""Spans and measurements of turns, as a collector gets them."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import pytest

from chatglass.config.settings import OtelSettings
from chatglass.models.demo.script import Call, Reply, rate_limited, unauthorized
from chatglass.models.wire import Endpoint
from chatglass.telemetry.configured import obstacle, wanted
from chatglass.telemetry.providers import provider_name
from headless.program import Done, Program, finish
from telemetry.receiver import Received, receiver

USAGE = {
    "prompt_tokens": 120,
    "completion_tokens": 30,
    "total_tokens": 150,
    "prompt_tokens_details": {"cached_tokens": 100},
    "completion_tokens_details": {"reasoning_tokens": 7},
}
SECRET = "zebra crossing"


def calls(*made: Call) -> Reply:
    return Reply(text="I look.", calls=made, usage=USAGE)


def script(chatglass: Program) -> None:
    chatglass.demo.script(
        rate_limited("0.01"),
        calls(
            Call(name="calculate", arguments='{"expression": "6*7"}', id="c1"),
            Call(name="run_command", arguments='{"command": "echo hi"}', id="c2"),
        ),
        Reply(text=f"It is 42, {SECRET}.", usage=USAGE),
    )


async def run(chatglass: Program, received: Received, *flags: str, **environment: str) -> Done:
    """As a child process, its telemetry on by the standard variable alone."""
    return await chatglass.run(
        *("-p", f"6*7? {SECRET}", "--model", "dear", *flags),
        **{"OTEL_EXPORTER_OTLP_ENDPOINT": received.url, **environment},
    )


async def test_the_spans_of_a_turn_nest_and_say_what_was_used(chatglass: Program) -> None:
    script(chatglass)
    with receiver() as received:
        done = await run(chatglass, received)
    assert done.code == 0
    turn = received.one("invoke_agent")
    first, second = received.named("chat")
    calculate, command = (received.one(f"execute_tool {name}") for name in ("calc", "run"))
    assert len(received.spans) == 5
    assert {span.parent for span in (first, second, calculate, command)} == {turn.id}
    assert turn.parent == b""
    assert (turn.name, first.name) == ("invoke_agent chatglass", "chat dear")
    # In order, and inside the turn.
    assert turn.start <= first.start < first.end <= calculate.end <= second.start < turn.end
    assert (turn.kind, first.kind, calculate.kind) == (1, 3, 1)  # internal, client, internal
    assert (first.status, calculate.status, command.status) == (0, 0, 2)
    assert first.schema == "https://opentelemetry.io/schemas/1.41.0"
    assert received.resource["service.name"] == "chatglass"

    about = first.attributes
    assert about["gen_ai.operation.name"] == "chat"
    assert about["gen_ai.provider.name"] == "openai"
    assert about["gen_ai.request.model"] == about["gen_ai.response.model"] == "dear"
    assert about["gen_ai.response.id"].startswith("chatcmpl")
    assert about["gen_ai.response.finish_reasons"] == ["tool_calls"]
    assert about["gen_ai.usage.input_tokens"] == 120
    assert about["gen_ai.usage.output_tokens"] == 30
    assert about["gen_ai.usage.cache_read.input_tokens"] == 100
    assert about["gen_ai.usage.reasoning.output_tokens"] == 7
    assert about["chatglass.cost.usd"] == pytest.approx((120 * 3 + 30 * 15) / 1e6)
    assert about["server.address"] == "127.0.0.1"
    assert about["server.port"] == int(chatglass.demo.base_url.split(":")[2].split("/")[0])
    assert about["gen_ai.conversation.id"] == turn.attributes["gen_ai.conversation.id"]
    assert first.events == ["chatglass.retry"]
    assert turn.attributes["gen_ai.usage.input_tokens"] == 240
    assert turn.attributes["chatglass.turn.status"] == "complete"
    assert calculate.attributes["gen_ai.tool.call.id"] == "c1"
    assert command.attributes["error.type"] == "denied"

    assert received.sums("gen_ai.client.token.usage") == {"input": 240, "output": 60}
    ((attributes, seconds, count),) = [
        point for name, *point in received.points if name == "gen_ai.client.operation.duration"
    ]
    assert count == 2
    assert 0 < seconds < 30
    assert attributes["gen_ai.operation.name"] == "chat"

    # Nothing that was said leaves unasked.
    sent = b"".join(received.bodies)
    for text in (SECRET, "6*7", "I look", "echo hi", "42,", chatglass.demo.token):
        assert text.encode() not in sent


async def test_an_estimate_is_no_measurement(chatglass: Program) -> None:
    chatglass.demo.script(Reply(text="Hello.", usage_place="none"))
    with receiver() as received:
        await run(chatglass, received)
    assert received.one("chat").attributes["chatglass.usage.source"] == "estimated"
    assert received.sums("gen_ai.client.token.usage") == {}


async def test_a_request_that_fails(chatglass: Program) -> None:
    chatglass.demo.script(unauthorized())
    with receiver() as received:
        done = await run(chatglass, received)
    assert done.code == 1
    for span in (received.one("chat"), received.one("invoke_agent")):
        assert (span.status, span.attributes["error.type"]) == (2, "auth")
    ((_, attributes, _, _),) = received.points
    assert attributes["error.type"] == "auth"


async def test_content_where_it_is_asked_for_but_never_a_key(chatglass: Program) -> None:
    chatglass.demo.script(
        calls(Call(name="calculate", arguments='{"expression": "6*7"}', id="c1")),
        Reply(text=f"It is 42. Your key is {chatglass.demo.token}.", usage=USAGE),
    )
    with receiver() as received:
        config = chatglass.folder / "config.toml"
        telemetry = f'[otel]\nendpoint = "{received.url}"\ncapture_content = true\n'
        config.write_text(config.read_text() + telemetry)
        prompt = f"6*7? {SECRET} {chatglass.demo.token}"
        await chatglass.run("-p", prompt, "--system-prompt", "Be brief.")
    first, second = received.named("chat")

    def messages(span: Any, name: str) -> Any:
        return json.loads(span.attributes[name])

    assert messages(first, "gen_ai.system_instructions") == [
        {"type": "text", "content": "Be brief."}
    ]
    ((asked,),) = (messages(first, "gen_ai.input.messages"),)
    assert asked["role"] == "user"
    assert SECRET in asked["parts"][0]["content"]
    call = {"type": "tool_call", "id": "c1", "name": "calculate"}
    assert messages(first, "gen_ai.output.messages") == [
        {
            "role": "assistant",
            "parts": [
                {"type": "text", "content": "I look."},
                {**call, "arguments": {"expression": "6*7"}},
            ],
            "finish_reason": "tool_calls",
        }
    ]
    response = messages(second, "gen_ai.input.messages")[-1]
    assert response["parts"] == [{"type": "tool_call_response", "id": "c1", "response": "42"}]
    tool = received.one("execute_tool").attributes
    assert tool["gen_ai.tool.call.arguments"] == '{"expression": "6*7"}'
    assert tool["gen_ai.tool.call.result"] == "42"
    assert chatglass.demo.token.encode() not in b"".join(received.bodies)


async def test_a_collector_that_takes_nothing_changes_nothing(chatglass: Program) -> None:
    chatglass.demo.script("Hello.")
    with receiver(503) as received:
        began = time.monotonic()
        done = await run(chatglass, received, "--no-save")
    assert (done.code, done.out, done.err) == (0, "Hello.\n", "")
    assert received.bodies
    assert time.monotonic() - began < 20


async def test_unless_it_is_configured_nothing_of_it_is_imported(chatglass: Program) -> None:
    chatglass.demo.script("Hello.")
    code = (
        "import sys; from chatglass.__main__ import main; code = main(['-p', 'hi']);"
        "print(code, [m for m in sys.modules if m.startswith('opentelemetry.exporter')"
        " or m.startswith('chatglass.telemetry.s')])"
    )
    done = await finish(await chatglass.start_python("-c", code))
    assert done.out == "Hello.\n0 []\n"


def test_what_turns_it_on() -> None:
    variable = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4318"}
    unset = OtelSettings()
    assert wanted(unset, {}) is None
    assert wanted(unset, variable) is not None
    assert wanted(unset, {**variable, "OTEL_SDK_DISABLED": "true"}) is None
    assert wanted(OtelSettings(enabled=False), variable) is None
    named = wanted(OtelSettings(endpoint="http://x"), {})
    assert named is not None
    assert not named.capture_content
    capture = {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "true"}
    by_variable = wanted(unset, {**variable, **capture})
    assert by_variable is not None
    assert by_variable.capture_content
    only = wanted(unset, {**variable, "OTEL_METRICS_EXPORTER": "none"})
    assert only is not None
    assert (only.traces, only.metrics) == (True, False)


async def test_settings_that_can_not_be_met_are_refused(chatglass: Program) -> None:
    config = chatglass.folder / "config.toml"
    config.write_text(config.read_text() + '[otel]\nendpoint = "http://localhost:4317"\n')
    done = await chatglass.run("-p", "hi", OTEL_EXPORTER_OTLP_PROTOCOL="grpc")
    assert (done.code, done.out) == (2, "")
    assert "http/protobuf" in done.err
    assert str(config) in done.err


def test_without_the_extra_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert obstacle({}) is None
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk", None)
    objection = obstacle({})
    assert objection is not None
    assert "chatglass[otel]" in objection


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://api.openai.com/v1", "openai"),
        ("https://api.anthropic.com/v1", "anthropic"),
        ("https://api.x.ai/v1", "x_ai"),
        ("https://max.ai/v1", "openai"),
    ],
)
def test_the_provider_is_named_by_the_address(url: str, name: str) -> None:
    assert provider_name(Endpoint(name="e", base_url=url)) == name
