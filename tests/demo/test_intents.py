from __future__ import annotations

from typing import Any

import pytest

from chatglass.models.demo.intents import stages
from demo.talk import tool


def shown(prompt: str, *tools: Any) -> list[list[tuple[str, dict[str, Any]]]]:
    return [[(w.name, dict(w.arguments)) for w in stage] for stage in stages(prompt, tools)]


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        (
            "what time is it and what is 17*23?",
            [[("current_time", {}), ("calculate", {"expression": "17*23"})]],
        ),
        ("What's the time in Tokyo?", [[("current_time", {"timezone": "Asia/Tokyo"})]]),
        ("what time is it in New York", [[("current_time", {"timezone": "America/New_York"})]]),
        ("the current time in Europe/Oslo", [[("current_time", {"timezone": "Europe/Oslo"})]]),
        ("how much is (2 + 3) * 4", [[("calculate", {"expression": "(2 + 3) * 4"})]]),
        (
            "compute 3 × 4 and 2^10",
            [[("calculate", {"expression": "3 * 4"}), ("calculate", {"expression": "2**10"})]],
        ),
        (
            "list the files and read README.md",
            [[("list_directory", {"path": "."}), ("read_file", {"path": "README.md"})]],
        ),
        ("What files are here?", [[("list_directory", {"path": "."})]]),
        ("list the files in src/app", [[("list_directory", {"path": "src/app"})]]),
        (
            "read a.py, b.py and c/d.txt",
            [[("read_file", {"path": p}) for p in ("a.py", "b.py", "c/d.txt")]],
        ),
        ("search for TODO", [[("search_files", {"pattern": "TODO", "path": "."})]]),
        (
            'search for "two words" in docs/',
            [[("search_files", {"pattern": "two words", "path": "docs/"})]],
        ),
        (
            "write a file notes.txt saying hello then and 2*2",
            [[("write_file", {"path": "notes.txt", "content": "hello then and 2*2"})]],
        ),
        (
            "create a file called a/b.md with the text 'x'",
            [[("write_file", {"path": "a/b.md", "content": "x"})]],
        ),
        ("run `ls -la`", [[("run_command", {"command": "ls -la"})]]),
        (
            "run the command uname -a and what time is it",
            [[("run_command", {"command": "uname -a"}), ("current_time", {})]],
        ),
        (
            "fetch http://localhost:8000/a?b=1*2.",
            [[("fetch_url", {"url": "http://localhost:8000/a?b=1*2"})]],
        ),
        (
            "list the files, then read README.md and then search for x",
            [
                [("list_directory", {"path": "."})],
                [("read_file", {"path": "README.md"})],
                [("search_files", {"pattern": "x", "path": "."})],
            ],
        ),
        ('use the tool add with {"a": 1, "b": 2}', [[("add", {"a": 1, "b": 2})]]),
        ("hello", []),
        ("what happened on 2024-01-02?", []),
        ("write 2000 words about time", []),
        ("tell me about python 3.11 and its 12 changes", []),
    ],
)
def test_prompts(prompt: str, expected: list[list[tuple[str, dict[str, Any]]]]) -> None:
    assert shown(prompt) == expected


def test_a_named_tool_gets_what_its_schema_asks_for() -> None:
    add = tool("add", a={"type": "integer"}, mode={"enum": ["fast", "slow"]}, q={"type": "string"})
    assert shown("use the tool add", add) == [[("add", {"a": 1, "mode": "fast", "q": "demo"})]]


def test_quoted_then_does_not_cut() -> None:
    assert shown("run `a then list the files`") == [
        [("run_command", {"command": "a then list the files"})]
    ]
