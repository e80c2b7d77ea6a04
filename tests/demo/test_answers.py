from __future__ import annotations

import json
from typing import Any

import pytest

from demo.talk import BUILT_IN, Client


def turn(prompt: str, message: dict[str, Any], *results: str) -> list[dict[str, Any]]:
    """The message list after the calls of `message` were answered."""
    answers = [
        {"role": "tool", "tool_call_id": call["id"], "content": result}
        for call, result in zip(message["tool_calls"], results, strict=True)
    ]
    return [{"role": "user", "content": prompt}, message, *answers]


async def test_hello_shows_what_it_is_and_every_kind_of_markdown(client: Client) -> None:
    text = (await client.ask("hello"))["content"]
    assert "demo" in text
    assert "costs nothing" in text
    for mark in ("# ", "\n| ", "\n1. ", "\n> ", "```sh\n"):
        assert mark in text


async def test_an_unknown_prompt_is_quoted_and_answered_plainly(client: Client) -> None:
    text = (await client.ask("why is the sky blue"))["content"]
    assert "> why is the sky blue" in text
    assert "demo" in text


async def test_two_tools_at_once_then_an_answer_from_both(client: Client) -> None:
    prompt = "what time is it and what is 17*23?"
    message = await client.ask(prompt, tools=BUILT_IN)
    names = [call["function"]["name"] for call in message["tool_calls"]]
    assert names == ["current_time", "calculate"]
    answer = await client.ask(turn(prompt, message, "2026-01-01T12:00", "391"), tools=BUILT_IN)
    assert answer.get("tool_calls") is None
    assert "391" in answer["content"]
    assert "2026-01-01T12:00" in answer["content"]


async def test_stages_are_rounds(client: Client) -> None:
    prompt = "list the files, then read a.txt"
    first = await client.ask(prompt, tools=BUILT_IN)
    assert [c["function"]["name"] for c in first["tool_calls"]] == ["list_directory"]
    messages = turn(prompt, first, "a.txt\nb.txt")
    second = await client.ask(messages, tools=BUILT_IN)
    assert json.loads(second["tool_calls"][0]["function"]["arguments"]) == {"path": "a.txt"}
    assert second["tool_calls"][0]["id"] != first["tool_calls"][0]["id"]
    messages += turn(prompt, second, "CONTENT")[1:]
    third = await client.ask(messages, tools=BUILT_IN)
    assert "CONTENT" in third["content"]
    assert "b.txt" in third["content"]


@pytest.mark.parametrize(
    ("result", "says"),
    [
        ("Denied by the user.", "did not allow"),
        ("Error: no such file a.txt", "failed"),
        ("Cancelled by the user.", "stopped"),
        ("", "empty result"),
    ],
)
async def test_bad_results_are_told(client: Client, result: str, says: str) -> None:
    message = await client.ask("read a.txt", tools=BUILT_IN)
    answer = await client.ask(turn("read a.txt", message, result), tools=BUILT_IN)
    assert says in answer["content"]


async def test_a_result_can_not_leave_its_fence(client: Client) -> None:
    message = await client.ask("read a.txt", tools=BUILT_IN)
    result = "one\n```\n# out\n````\nmore" + "\nline" * 40
    answer = (await client.ask(turn("read a.txt", message, result), tools=BUILT_IN))["content"]
    assert "`````text\none\n```\n# out\n````\nmore" in answer
    assert "more lines" in answer


async def test_tools_that_were_not_offered_are_not_called(client: Client) -> None:
    message = await client.ask("what is 17*23?")
    assert "tool_calls" not in message
    assert "`calculate`" in message["content"]


@pytest.mark.parametrize("words", [50, 300, 2_000])
async def test_as_many_words_as_asked(client: Client, words: int) -> None:
    text = (await client.ask(f"write {words} words about the sea"))["content"]
    assert words * 0.9 <= len(text.split()) <= words * 1.05
    assert "the sea" in text


async def test_it_remembers(client: Client) -> None:
    history = [
        {"role": "user", "content": "the first thing"},
        {"role": "assistant", "content": "x"},
        {"role": "user", "content": "the second thing"},
        {"role": "assistant", "content": "x"},
    ]
    first = await client.ask([*history, {"role": "user", "content": "what did I ask first?"}])
    assert "> the first thing" in first["content"]
    last = await client.ask([*history, {"role": "user", "content": "what did I ask last?"}])
    assert "> the second thing" in last["content"]
    alone = await client.ask("what did I ask first?")
    assert "first thing that you" in alone["content"]


async def test_reasoning_only_where_asked_for(client: Client) -> None:
    assert "reasoning_content" not in await client.ask("hello")
    thought = await client.ask("think about the sea")
    assert thought["reasoning_content"]
    assert "the sea" in thought["content"]
    assert (await client.ask("hello", model="demo-reasoning"))["reasoning_content"]
    low = (await client.ask("hello", reasoning_effort="low"))["reasoning_content"]
    high = (await client.ask("hello", reasoning_effort="high"))["reasoning_content"]
    assert 0 < len(low) < len(high)
    quiet = await client.ask("think about the sea", reasoning_effort="none")
    assert "reasoning_content" not in quiet


async def test_the_same_request_has_the_same_answer(client: Client) -> None:
    assert await client.ask("think about code") == await client.ask("think about code")


async def test_most_output_cuts_at_that_many_tokens(client: Client) -> None:
    response = await client.post("think, and write 500 words about x", max_completion_tokens=100)
    answer = response.json()
    assert answer["choices"][0]["finish_reason"] == "length"
    assert answer["usage"]["completion_tokens"] == 100


async def test_a_rate_limit_goes_away_and_other_failures_can_be_seen(client: Client) -> None:
    limited = await client.post("simulate a rate limit")
    assert (limited.status_code, limited.headers["retry-after"]) == (429, "3")
    assert (await client.post("simulate a rate limit")).status_code == 200
    assert (await client.post("simulate a server error")).status_code == 500
    overflow = await client.post("simulate an overflow")
    assert overflow.json()["error"]["code"] == "context_length_exceeded"
