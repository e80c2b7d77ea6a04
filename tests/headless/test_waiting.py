"""What is said while nothing comes, and how long that may last."""

from __future__ import annotations

import asyncio
import re
import signal

import pytest

from chatglass.headless.waiting import Waiting
from chatglass.models.demo.script import Reply
from headless.program import Program, finish


def waiting(said: asyncio.Queue[str]) -> Waiting:
    return Waiting(said.put_nowait, gives_up_s=9, way_out="So it ends.", first_s=0.02)


async def test_it_is_said_once_soon_and_then_ever_more_seldom() -> None:
    said: asyncio.Queue[str] = asyncio.Queue()
    silence = waiting(said)
    silence.begin("a", " It has 9 s.")
    lines = [await said.get() for _ in range(3)]
    silence.end()
    assert all(line.startswith("for a, ") for line in lines)
    assert all(line.endswith(" s so far. It has 9 s. So it ends.") for line in lines)
    times = [float(found) for line in lines for found in re.findall(r", ([\d.]+) s so far", line)]
    assert times[1] >= 0.07
    assert times[2] >= 0.25


async def test_what_comes_begins_the_silence_anew() -> None:
    said: asyncio.Queue[str] = asyncio.Queue()
    silence = waiting(said)
    silence.begin("a", in_s=1_000)
    silence.begin("b")
    assert (await said.get()).startswith("for b, 0.0")
    silence.begin("c")
    assert (await said.get()).startswith("for c, 0.0")
    silence.end()
    assert silence._timer is None


async def test_a_mute_server_is_told_of_and_given_up(
    chatglass: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatglass.headless.run.FIRST_S", 0.05)
    chatglass.demo.script(Reply(gates={-1: asyncio.Event()}))
    done = await chatglass.here("-p", "hello", "--timeout", "0.4")
    assert (done.code, done.out) == (1, "")
    assert "Waiting for demo-fast on test, 0." in done.err
    assert "It has 0.4 s to begin; --timeout changes that. Ctrl+C ends it." in done.err
    assert "did not begin to answer in 0.4 s." in done.err


async def test_the_settings_say_how_long_a_server_may_be_silent(chatglass: Program) -> None:
    config = chatglass.folder / "config.toml"
    config.write_text(config.read_text() + "\n[timeouts]\nfirst_byte = 0.3\n")
    chatglass.demo.script(Reply(gates={-1: asyncio.Event()}))
    done = await chatglass.here("-p", "hello")
    assert (done.code, done.out) == (1, "")
    assert "did not begin to answer in 0.3 s." in done.err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_it_before_the_turn(chatglass: Program, number: int) -> None:
    asked = asyncio.Event()

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        asked.set()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(mute, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        process = await chatglass.start(
            "-p", "hello", "--no-save", "--base-url", f"http://127.0.0.1:{port}/v1"
        )
        assert process.stdin is not None
        process.stdin.close()
        await asked.wait()
        process.send_signal(number)
        done = await finish(process)
    assert (done.code, done.out, done.err) == (130, "", "")


async def test_a_signal_ends_a_turn_that_waits_for_its_first_word(chatglass: Program) -> None:
    chatglass.demo.script(Reply(gates={-1: asyncio.Event()}))
    process = await chatglass.start("-p", "hello")
    assert process.stdin is not None
    process.stdin.close()
    await chatglass.demo.wait_received(1)
    process.send_signal(signal.SIGINT)
    done = await finish(process)
    assert (done.code, done.out) == (130, "")
