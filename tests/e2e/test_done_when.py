"""What the program is for, in a real terminal: against the demo, and against a server of its own."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from e2e.conftest import Open
from e2e.tmux import Tmux

pytestmark = pytest.mark.needs("tmux")

QUESTION = "Read notes.txt and calculate 6*7"


class Server:
    """`python -m chatglass.models.demo`, steered over HTTP."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "chatglass.models.demo", "--rate", "40"],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        told = json.loads(self.process.stdout.readline())
        self.base_url, self.token = told["base_url"], told["token"]

    def control(self, path: str, value: object = None) -> dict[str, Any]:
        data = None if value is None else json.dumps(value).encode()
        request = urllib.request.Request(
            self.base_url.removesuffix("/v1") + f"/control/{path}",
            data=data,
            headers={"authorization": f"Bearer {self.token}"},
        )
        with urllib.request.urlopen(request, timeout=20) as response:
            return json.load(response)

    @property
    def total(self) -> int:
        reported = self.control("state")["reported"]
        return reported["prompt_tokens"] + reported["completion_tokens"]


@pytest.fixture
def server() -> Iterator[Server]:
    one = Server()
    yield one
    one.process.terminate()
    one.process.wait(20)


def meter_total(screen: str) -> int:
    found = re.search(r"total +([\d,]+)", screen)
    assert found, screen
    return int(found[1].replace(",", ""))


def ask_with_two_tools(shell: Tmux) -> None:
    shell.sees("Write a message")
    shell.type(QUESTION)
    shell.keys("Enter")
    shell.sees("✓ read_file")
    shell.sees("✓ calculate")
    shell.until(lambda screen: re.search(r"\d tokens ·", screen), "the footer of the answer")
    shell.sees_no("working")


def look_at_both_calls(shell: Tmux) -> None:
    shell.keys("C-o")
    shell.sees("[1 arguments]")
    shell.keys("BTab", "Home", "Enter")
    shell.sees('"notes.txt"')
    shell.keys("2")
    shell.sees("beta")
    shell.keys("BTab", "End", "Enter")
    shell.sees("42")
    shell.keys("1")
    shell.sees('"6*7"')
    shell.keys("Escape")
    shell.sees("Write a message")


def kill_and_go_on(shell: Tmux, again: Callable[[], Tmux]) -> None:
    shell.type("Write 3000 words about glass")
    shell.keys("Enter")
    shell.sees("working")
    screen = shell.until(lambda screen: screen.count("glass") > 3, "some of the answer")
    left = [line[1:77].strip("│▐ ") for line in screen.splitlines()[2:30]]
    words = max((line for line in left if "glass" in line), key=len)[:30].strip()
    # The answer is stored once a second: what was on screen a second ago must be there.
    time.sleep(1.2)
    shell.kill_program()
    resumed = again()
    resumed.sees("interrupted")
    resumed.keys("C-Home")
    resumed.sees(QUESTION)
    resumed.keys("C-f")
    resumed.sees("find:")
    resumed.type(words)
    resumed.sees("match 1 of")
    resumed.keys("Escape")
    resumed.keys("Escape")
    resumed.sees_no("match 1 of")
    resumed.type("calculate 2+3")
    resumed.keys("Enter")
    resumed.sees("✓ calculate")
    resumed.sees_no("working")
    resumed.sees("5")
    resumed.keys("C-d")
    resumed.sees("chatglass -r ")
    resumed.sees("exit=0")


def test_against_the_demo(chatglass: Open) -> None:
    shell = chatglass()
    shell.sees("This is the built-in demo")
    shell.sees("costs nothing")
    ask_with_two_tools(shell)
    look_at_both_calls(shell)
    kill_and_go_on(shell, lambda: chatglass("-c"))


def test_against_a_server_named_by_the_environment(chatglass: Open, server: Server) -> None:
    env = {"OPENAI_BASE_URL": server.base_url, "OPENAI_API_KEY": server.token}
    shell = chatglass("--model", "demo", env=env)
    ask_with_two_tools(shell)
    assert meter_total(shell.screen) == server.total > 0
    look_at_both_calls(shell)
    kill_and_go_on(shell, lambda: chatglass("-c", env=env))
    assert not server.control("state")["violations"]
