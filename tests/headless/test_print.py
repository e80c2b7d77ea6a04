"""`chatglass -p`, as a process: what stands on stdout and stderr, and the exit code."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import sys
from pathlib import Path
from typing import Any

import pytest

from chatglass.models.demo.script import Call, Reply, context_overflow, rate_limited, unauthorized
from headless.program import Program, finish, without_waiting


def call(name: str, **arguments: Any) -> Reply:
    return Reply(calls=(Call(name=name, arguments=json.dumps(arguments)),))


async def test_the_answer_alone_on_stdout(chatglass: Program) -> None:
    chatglass.demo.script(Reply(text="Hello — world", reasoning="hm"))
    done = await chatglass.run("-p", "say hello")
    assert (done.code, done.out, done.err) == (0, "Hello — world\n", "")
    sent = json.loads(chatglass.demo.requests[0].body)
    assert sent["messages"] == [{"role": "user", "content": "say hello"}]
    assert sent["tools"]


async def test_everything_else_on_stderr_and_what_stdin_says_is_joined(chatglass: Program) -> None:
    chatglass.demo.script(
        rate_limited("0.01"),
        Reply(
            text="First.",
            calls=(
                Call(name="calculate", arguments='{"expression": "6*7"}'),
                Call(name="run_command", arguments='{"command": "touch x"}'),
            ),
        ),
        Reply(text="Done.", finish_reason="length"),
    )
    done = await chatglass.here("-p", "do it", stdin="piped text\n")
    assert (done.code, done.out) == (0, "First.\n\nDone.\n")
    assert "Trying again in 0.0 s (attempt 2)" in done.err
    assert "--allow-tool run_command" in done.err
    assert "denied" in done.err
    assert "most output tokens" in done.err
    assert not (chatglass.folder / "work" / "x").exists()
    sent = json.loads(chatglass.demo.requests[0].body)
    assert sent["messages"][0]["content"] == "do it\n\npiped text\n"
    results = [
        m for m in json.loads(chatglass.demo.requests[-1].body)["messages"] if m["role"] == "tool"
    ]
    assert results[0]["content"] == "42"
    assert "denied" in results[1]["content"]


async def test_json_has_every_field(chatglass: Program) -> None:
    chatglass.demo.script(
        Reply(
            text="I look.",
            calls=(
                Call(name="calculate", arguments='{"expression": "6*7"}', id="c1"),
                Call(name="calculate", arguments="{", id="c2"),
            ),
        ),
        "It is 42.",
    )
    done = await chatglass.here("-p", "6*7?", "--model", "dear", "--output-format", "json")
    assert done.code == 0
    assert done.out.count("\n") == 1
    found = done.json
    assert list(found) == [
        "session_id",
        "model",
        "status",
        "text",
        "tool_calls",
        "requests",
        "usage",
        "cost_usd",
        "duration_ms",
    ]
    assert found["model"] == "dear"
    assert found["status"] == "complete"
    assert found["text"] == "I look.\n\nIt is 42."
    assert found["requests"] == 2
    reported = chatglass.demo.reported
    assert found["usage"] == {
        "prompt_tokens": reported.prompt_tokens,
        "completion_tokens": reported.completion_tokens,
        "cached_tokens": reported.cached_tokens,
        "reasoning_tokens": reported.reasoning_tokens,
        "total_tokens": reported.prompt_tokens + reported.completion_tokens,
        "source": "reported",
    }
    cost = (3 * reported.prompt_tokens + 15 * reported.completion_tokens) / 1e6
    assert found["cost_usd"] == pytest.approx(cost)
    assert isinstance(found["duration_ms"], int)
    good, bad = found["tool_calls"]
    assert list(good) == ["id", "name", "arguments", "status", "duration_ms", "result"]
    assert (good["id"], good["name"], good["status"]) == ("c1", "calculate", "ok")
    assert (good["arguments"], good["result"]) == ('{"expression": "6*7"}', "42")
    assert (bad["status"], bad["arguments"], bad["duration_ms"]) == ("error", "{", None)


async def test_stream_json_prints_one_event_a_line(chatglass: Program) -> None:
    chatglass.demo.script(call("calculate", expression="1+1"), Reply(text="two\nlines"))
    done = await chatglass.here("-p", "1+1", "--output-format", "stream-json")
    assert done.code == 0
    events = done.events
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert {event["version"] for event in events} == {1}
    names = [event["event"] for event in events]
    assert names[0] == "TurnStarted"
    assert names[-1] == "TurnFinished"
    assert events[-1]["status"] == "complete"
    assert names.count("RequestStarted") == 2
    assert "".join(e["text"] for e in events if e["event"] == "TextDelta") == "two\nlines"
    usage = [event["usage"] for event in events if event["event"] == "UsageReported"]
    reported = chatglass.demo.reported
    assert sum(each["prompt_tokens"] for each in usage) == reported.prompt_tokens


@pytest.mark.parametrize("output", ["text", "json", "stream-json"])
async def test_a_model_failure_is_1(chatglass: Program, output: str) -> None:
    chatglass.demo.script(unauthorized())
    done = await chatglass.here("-p", "x", "--output-format", output)
    assert done.code == 1
    assert "TEST_KEY" in done.err
    assert chatglass.demo.token not in done.err + done.out
    match output:
        case "text":
            assert done.out == ""
        case "json":
            assert (done.json["status"], done.json["text"]) == ("error", "")
        case _:
            assert done.events[-1]["status"] == "error"


@pytest.mark.parametrize("output", ["text", "stream-json"])
async def test_an_advice_names_flags_and_no_keys(chatglass: Program, output: str) -> None:
    chatglass.demo.script(context_overflow())
    done = await chatglass.here("-p", "x", "--output-format", output)
    assert "larger window (--model)." in done.out + done.err
    assert "{" not in done.err


async def test_a_partial_answer_stays_on_stdout(chatglass: Program) -> None:
    chatglass.demo.script(Reply(text="one two", split=4, cut_before=2))
    done = await chatglass.here("-p", "x")
    assert (done.code, done.out) == (1, "one \n")


async def test_a_limit_is_3(chatglass: Program) -> None:
    chatglass.demo.script(*(call("calculate", expression=str(n)) for n in range(5)))
    done = await chatglass.here("-p", "x", "--max-requests", "2", "--output-format", "json")
    assert done.code == 3
    assert (done.json["status"], done.json["requests"]) == ("limit", 2)
    assert "2 requests" in done.err
    assert chatglass.demo.received == 2


async def test_a_prompt_over_the_limit_is_refused_and_kept_as_the_draft(chatglass: Program) -> None:
    config = chatglass.folder / "config.toml"
    config.write_text("[context]\ntoken_threshold = 50\ninfinite = false\n" + config.read_text())
    done = await chatglass.here("-p", "word " * 200, "--no-tools", "--output-format", "json")
    assert done.code == 3
    assert chatglass.demo.received == 0
    rows = sqlite3.connect(chatglass.db).execute(
        "SELECT draft, (SELECT count(*) FROM queued_prompts) FROM sessions"
    )
    assert rows.fetchall() == [("word " * 200, 0)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_the_turn_and_keeps_what_there_is(
    chatglass: Program, number: signal.Signals
) -> None:
    gate = asyncio.Event()
    chatglass.demo.script(Reply(text="one two", split=4, gates={2: gate}))
    process = await chatglass.start("-p", "x", "--output-format", "stream-json")
    assert process.stdout is not None
    assert process.stdin is not None
    process.stdin.close()
    lines: list[bytes] = []
    async with asyncio.timeout(20):
        while not any(b"TextDelta" in line for line in lines):
            lines.append(await process.stdout.readline())
        process.send_signal(number)
        rest = (await process.stdout.read()).decode().splitlines()
        code = await process.wait()
    assert code == 130
    assert json.loads(rest[-1])["status"] == "interrupted"
    found = sqlite3.connect(chatglass.db).execute(
        "SELECT content, status FROM messages WHERE role = 'assistant'"
    )
    assert found.fetchall() == [("one ", "interrupted")]


async def test_kill_9_in_mid_answer_then_continue(chatglass: Program) -> None:
    chatglass.demo.script(Reply(text="one two three", split=4, gates={2: asyncio.Event()}))
    process = await chatglass.start("-p", "count")
    assert process.stdin is not None
    process.stdin.close()
    async with asyncio.timeout(20):
        await chatglass.demo.wait_received(1)
        while not _partial(chatglass):  # noqa: ASYNC110 - what is on disk says it
            await asyncio.sleep(0.02)
        process.kill()
        await process.wait()
    assert _partial(chatglass) == [("one ", "partial")]
    chatglass.demo.script("three")
    done = await chatglass.here("-c", "-p", "go on", "--output-format", "json")
    assert done.code == 0
    assert done.json["text"] == "three"
    assert not chatglass.demo.violations
    messages = json.loads(chatglass.demo.requests[-1].body)["messages"]
    assert [(m["role"], m["content"]) for m in messages] == [
        ("user", "count"),
        ("assistant", "one "),
        ("user", "go on"),
    ]
    states = sqlite3.connect(chatglass.db).execute("SELECT status FROM messages ORDER BY number")
    assert [status for (status,) in states] == ["complete", "interrupted", "complete", "complete"]


def _partial(chatglass: Program) -> list[tuple[str, str]]:
    if not chatglass.db.exists():
        return []
    connection = sqlite3.connect(chatglass.db)
    try:
        return connection.execute(
            "SELECT content, status FROM messages WHERE role = 'assistant' AND content <> ''"
        ).fetchall()
    finally:
        connection.close()


async def test_sessions_are_continued_and_resumed(chatglass: Program) -> None:
    chatglass.demo.script("a", "b", "c", "d")
    first = (await chatglass.here("-p", "1", "--output-format", "json")).json["session_id"]
    second = (await chatglass.here("-p", "2", "--output-format", "json")).json["session_id"]
    assert first != second
    done = await chatglass.here("-c", "-p", "3", "--output-format", "json")
    assert done.json["session_id"] == second
    done = await chatglass.here(
        "-r",
        first,
        "-p",
        "4",
        "--model",
        "dear",
        "--system-prompt",
        "new",
        "--output-format",
        "json",
    )
    assert (done.json["session_id"], done.json["model"]) == (first, "dear")
    sent = json.loads(chatglass.demo.requests[-1].body)
    assert sent["model"] == "dear"
    assert [m["content"] for m in sent["messages"]] == ["new", "1", "a", "4"]


async def test_no_save_leaves_nothing(chatglass: Program) -> None:
    chatglass.demo.script("a")
    done = await chatglass.here("-p", "1", "--no-save", "--output-format", "json")
    assert (done.code, done.json["text"]) == (0, "a")
    assert not (chatglass.folder / "data").exists()


async def test_tools_by_flag(chatglass: Program) -> None:
    work = chatglass.folder / "work"
    for flags, made in ((["--allow-tool", "write_file"], True), (["--yolo"], True), ([], False)):
        chatglass.demo.script(call("write_file", path="a.txt", content="x"), "done")
        done = await chatglass.here("-p", "write", *flags)
        assert (done.code, (work / "a.txt").exists()) == (0, made)
        (work / "a.txt").unlink(missing_ok=True)
    chatglass.demo.script("none")
    await chatglass.here("-p", "x", "--no-tools")
    assert "tools" not in json.loads(chatglass.demo.requests[-1].body)


async def test_tools_by_rule(chatglass: Program) -> None:
    work = chatglass.folder / "work"
    settings = chatglass.folder / "config.toml"
    without = settings.read_text()
    rules = f"""
[approval]
deny = ["run_command(touch **)"]

[approval.roots."{work}"]
allow = ["write_file(a.txt)", "run_command(touch x)"]

[approval.roots."{chatglass.folder}"]
allow = ["write_file(b.txt)"]
"""
    settings.write_text(without + rules)
    calls = [
        Call(name="write_file", arguments='{"path": "a.txt", "content": "x"}'),
        Call(name="write_file", arguments='{"path": "b.txt", "content": "x"}'),
        Call(name="run_command", arguments='{"command": "touch x"}'),
    ]
    for flags, made in (((), ["a.txt"]), (("--yolo",), ["a.txt", "b.txt"])):
        chatglass.demo.script(Reply(calls=tuple(calls)), "done")
        done = await chatglass.here("-p", "write", *flags)
        assert done.code == 0
        assert sorted(path.name for path in work.iterdir()) == made
    assert "denied by rule run_command(touch **)" in done.err
    settings.write_text(without + '[approval]\nmode = "ask"\n')
    chatglass.demo.script(call("calculate", expression="1+1"), "done")
    done = await chatglass.here("-p", "sum")
    assert "Denied calculate: mode ask. Allow it with --allow-tool calculate." in done.err
    settings.write_text(without)


async def test_a_loop_is_denied_and_the_most_requests_end_it(chatglass: Program) -> None:
    again = [call("calculate", expression="1+1") for _ in range(6)]
    chatglass.demo.script(*again)
    done = await chatglass.here("-p", "sum", "--max-requests", "4")
    assert done.code == 3
    assert "called with the same arguments 3 times" in done.err
    assert "This turn made 4 requests, which is the limit." in done.err
    results = [
        m for m in json.loads(chatglass.demo.requests[-1].body)["messages"] if m["role"] == "tool"
    ]
    assert results[1]["content"] == "2"
    assert "denied by print mode" in results[2]["content"]


async def test_a_compaction_is_said(chatglass: Program) -> None:
    chatglass.demo.script("word " * 300, "b", context_overflow(), "the summary", "fits")
    await chatglass.here("-p", "1")
    await chatglass.here("-c", "-p", "2")
    done = await chatglass.here("-c", "-p", "3")
    assert (done.code, done.out) == (0, "fits\n"), done.err
    assert "sums up the older messages" in done.err
    assert "Compacted (summarise)" in done.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["-p", "x", "--allow-tool", "run_comand"], "Did you mean run_command?"),
        (["-p", "x", "-r"], "needs the id"),
        (["-p", "x", "-r", "NOSUCH"], "No session"),
        (["-p", "x", "-c"], "there is no session of"),
        (["-p", ""], "needs a prompt"),
        (["-p", "x", "--output-fromat", "json"], "Did you mean --output-format?"),
        (["-p", "x", "--max-requests", "0"], "not a whole number above 0"),
        (["-p", "x", "--base-url", "nonsense"], "not an address"),
        (["--output-format", "json"], "goes with -p"),
        (["-p", "x", "-c", "-r", "1"], "exclude each other"),
    ],
)
async def test_wrong_usage_is_2(chatglass: Program, arguments: list[str], says: str) -> None:
    done = await chatglass.here(*arguments)
    assert (done.code, done.out) == (2, ""), done
    assert says in done.err
    assert "Traceback" not in done.err
    assert chatglass.demo.received == 0


async def test_no_endpoint_and_no_demo_is_2(chatglass: Program) -> None:
    (chatglass.folder / "config.toml").write_text("")
    done = await chatglass.run("-p", "x")
    assert (done.code, done.out) == (2, "")
    assert "--demo" in done.err
    assert str(chatglass.folder / "config.toml") in done.err
    done = await chatglass.run("-p", "hello", "--demo", "--model", "demo-fast")
    assert done.code == 0
    assert "demo" in done.out


async def test_a_settings_key_that_is_unknown_is_2_and_names_the_nearest(
    chatglass: Program,
) -> None:
    config = chatglass.folder / "config.toml"
    config.write_text("[context]\ntoken_treshold = 5\n")
    done = await chatglass.here("-p", "x")
    assert done.code == 2
    assert "context.token_treshold" in done.err
    assert "Did you mean token_threshold?" in done.err
    assert str(config) in done.err


async def test_a_reader_that_leaves_is_no_traceback(chatglass: Program) -> None:
    gate = asyncio.Event()
    chatglass.demo.script(Reply(text="one two " * 50, split=4, gates={3: gate}))
    process = await chatglass.start("-p", "x")
    assert process.stdout is not None
    assert process.stdin is not None
    process.stdin.close()
    async with asyncio.timeout(20):
        await process.stdout.read(1)
        process.stdout._transport.close()  # type: ignore[attr-defined]
        gate.set()
        assert process.stderr is not None
        err = without_waiting(await process.stderr.read())
        code = await process.wait()
    assert "Traceback" not in err
    assert err == ""
    assert code == 1


async def test_a_session_that_another_process_runs_is_not_touched(chatglass: Program) -> None:
    gate = asyncio.Event()
    chatglass.demo.script(Reply(text="one", gates={-1: gate}))
    process = await chatglass.start("-p", "x")
    assert process.stdin is not None
    process.stdin.close()
    async with asyncio.timeout(20):
        await chatglass.demo.wait_received(1)
    done = await chatglass.run("-c", "-p", "y", "--model", "dear")
    assert done.code == 1
    assert f"pid {process.pid}" in done.err
    assert chatglass.demo.received == 1
    gate.set()
    assert (await finish(process)).out == "one\n"
    models = sqlite3.connect(chatglass.db).execute("SELECT model FROM sessions").fetchall()
    assert models == [("demo-fast",)]


async def test_an_unwritable_folder_is_said(chatglass: Program) -> None:
    (chatglass.folder / "file").write_text("")
    done = await chatglass.here("-p", "x", "--data-dir", str(chatglass.folder / "file" / "data"))
    assert (done.code, done.out) == (2, "")
    assert "can't be used" in done.err


async def test_a_damaged_store_is_said_and_not_overwritten(chatglass: Program) -> None:
    chatglass.db.parent.mkdir()
    chatglass.db.write_bytes(b"not a database " * 400)
    done = await chatglass.run("-p", "x")
    assert (done.code, done.out) == (1, "")
    assert str(chatglass.db) in done.err
    assert "Traceback" not in done.err
    assert chatglass.db.read_bytes() == b"not a database " * 400


async def test_characters_that_the_locale_lacks(chatglass: Program) -> None:
    chatglass.demo.script("é → 💥")
    done = await chatglass.run("-p", "x", PYTHONIOENCODING="ascii")
    assert (done.code, done.out) == (0, "? ? ?\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("form", ["text", "json", "stream-json"])
async def test_an_output_that_takes_no_more_is_said(chatglass: Program, form: str) -> None:
    chatglass.demo.script(Reply(text="An answer."))
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "chatglass", "-p", "hello", "--output-format", form),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=full,
            stderr=asyncio.subprocess.PIPE,
            cwd=chatglass.folder / "work",
            env=chatglass.environment,
        )
    finally:
        os.close(full)
    chatglass.started.append(process)
    _, err = await process.communicate()
    assert process.returncode == 1
    assert err.decode() == "chatglass: the output: No space left on device.\n"


async def test_an_endpoint_that_is_not_there_is_no_other(chatglass: Program) -> None:
    config = chatglass.folder / "config.toml"
    config.write_text('endpoint = "tset"\n' + config.read_text())
    done = await chatglass.here("-p", "hello")
    assert done.code == 2
    assert "endpoint: there is no endpoint 'tset'. Did you mean test?" in done.err
    assert not chatglass.demo.requests
    assert "'tset'" not in (await chatglass.here("-p", "hello", "--demo")).err
    config.write_text(config.read_text().replace("tset", "openai"))
    done = await chatglass.here("-p", "hello")
    assert done.code == 2
    assert "there is no key for https://api.openai.com/v1" in done.err
    assert not chatglass.demo.requests
    assert (await chatglass.here("-p", "hello", "--demo")).code == 0


async def test_a_file_named_in_the_text_is_attached_and_none_that_is_piped(
    chatglass: Program,
) -> None:
    work = chatglass.folder / "work"
    (work / "list.txt").write_text("milk")
    (work / ".env").write_text("A=1")
    chatglass.demo.script(Reply(text="Yes."))
    done = await chatglass.here("-p", "read @list.txt", stdin="and @.env")
    assert (done.code, done.err) == (0, "")
    sent = chatglass.demo.requests[0].body.decode()
    assert "milk" in sent
    assert "A=1" not in sent
    for text in ("read @.env", "read @no/such.txt"):
        done = await chatglass.here("-p", text)
        assert (done.code, done.out) == (2, ""), text
    assert len(chatglass.demo.requests) == 1
