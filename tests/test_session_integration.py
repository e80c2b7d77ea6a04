"""The walk through ChatContext that the design begins with; also runs alone.

    python tests/test_session_integration.py

ends with `ALL TESTS PASSED`.
"""

from __future__ import annotations

import asyncio
import inspect
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from chatglass.chat.chat_context import ChatContext
from chatglass.models.demo import DemoServer
from chatglass.models.endpoints import ConfiguredEndpoint
from chatglass.models.model_manager import Models
from chatglass.models.wire import Endpoint, ProposedCall
from chatglass.tools.tool_manager import ToolManager
from chatglass.values.usage import Usage


@asynccontextmanager
async def managers() -> AsyncIterator[tuple[ToolManager, Models]]:
    async with DemoServer() as demo:
        endpoint = Endpoint(
            name="demo", base_url=demo.base_url, key=demo.token, kind="demo", models=("demo",)
        )
        models = Models({"demo": ConfiguredEndpoint(endpoint=endpoint)})
        try:
            yield ToolManager.with_builtins(), models
        finally:
            await models.close()


@asynccontextmanager
async def fresh_context() -> AsyncIterator[ChatContext]:
    async with managers() as (tools, models):
        context = ChatContext(
            tool_manager=tools,
            model_manager=models,
            token_threshold=150_000,
            enable_infinite_context=True,
        )
        try:
            yield context
        finally:
            await context.close()
            await context.store.close()


async def test_before_initialize_it_says_so() -> None:
    async with fresh_context() as context:
        calls: list[Callable[[], object]] = [
            lambda: context.add_user_message("Hello"),
            lambda: context.add_assistant_message("Hi!"),
            lambda: context.add_tool_response("call_1", "42", "calculate"),
            context.get_messages_for_llm,
            context.get_conversation_length,
            context.clear_conversation_history,
            context.get_token_stats,
        ]
        for call in calls:
            with pytest.raises(RuntimeError, match="initialize"):
                await _outcome(call)
        await context.initialize()
        assert context.get_conversation_length() == 0
        assert context.get_messages_for_llm() == []


async def test_a_conversation() -> None:
    async with fresh_context() as context:
        await context.initialize()
        await context.add_user_message("Hello")
        await context.add_assistant_message("Hi!", tool_calls=None, usage=None)
        assert context.get_conversation_length() == 2
        assert context.get_messages_for_llm() == [
            {"role": "user", "content": "Hello"},
            {"role": "assistant", "content": "Hi!"},
        ]
        assert not hasattr(context, "conversation_history")


async def test_a_tool_call() -> None:
    async with fresh_context() as context:
        await context.initialize()
        await context.add_user_message("What is 6*7?")
        call = ProposedCall("call_1", "calculate", '{"expression": "6*7"}')
        usage = Usage(prompt_tokens=20, completion_tokens=10)
        await context.add_assistant_message("", tool_calls=[call], usage=usage)
        await context.add_tool_response("call_1", "42", "calculate")
        await context.add_assistant_message("It is 42.", usage=usage)
        assert [message["role"] for message in context.get_messages_for_llm()] == [
            "user",
            "assistant",
            "tool",
            "assistant",
        ]
        stats = await context.get_token_stats()
        assert stats.total_tokens == 60
        assert stats.tool_calls == 1
        assert stats.segments == 1
        assert stats.estimated_cost == 0
        assert stats.degraded is None


async def test_many_messages_are_counted_right() -> None:
    async with fresh_context() as context:
        await context.initialize()
        for number in range(60):
            await context.add_user_message(f"Question {number}? " + "word " * 50)
            await context.add_assistant_message(
                f"Answer {number}. " + "word " * 50,
                usage=Usage(prompt_tokens=100 + number, completion_tokens=number),
            )
        stats = await context.get_token_stats()
        assert stats.total_tokens == sum(100 + 2 * number for number in range(60))
        assert context.get_conversation_length() == 120
        assert len(context.get_messages_for_llm()) == 120, "nothing is lost between segments"


async def test_clearing_begins_anew_and_forgets_no_cost() -> None:
    async with fresh_context() as context:
        await context.initialize()
        await context.add_user_message("Hello")
        usage = Usage(prompt_tokens=5, completion_tokens=3)
        await context.add_assistant_message("Hi!", usage=usage)
        await context.clear_conversation_history()
        assert context.get_conversation_length() == 0
        assert context.get_messages_for_llm() == []
        stats = await context.get_token_stats()
        assert stats.total_tokens == 8
        assert stats.context_tokens == stats.context.tools
        await context.add_user_message("Anew")
        assert context.get_conversation_length() == 1


async def _outcome(call: Callable[[], object]) -> object:
    """What `call` gives, awaited where it is to be."""
    result = call()
    return await result if inspect.isawaitable(result) else result


TESTS: list[Callable[[], Awaitable[None]]] = [
    test_before_initialize_it_says_so,
    test_a_conversation,
    test_a_tool_call,
    test_many_messages_are_counted_right,
    test_clearing_begins_anew_and_forgets_no_cost,
]


async def _all() -> None:
    for test in TESTS:
        await test()
        print(f"passed: {test.__name__}")


def test_that_it_runs_alone() -> None:
    import subprocess

    done = subprocess.run(
        [sys.executable, __file__], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "ALL TESTS PASSED"


if __name__ == "__main__":
    asyncio.run(_all())
    print("ALL TESTS PASSED")
