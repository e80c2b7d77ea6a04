"""The full-screen program is killed at random moments, in streaming, in tools and in saving.

Every run begins where the last one was killed: in the same session of the same store. After each
kill the store is read, and at the end the session has to go on.
"""

from __future__ import annotations

import os
import random
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from chatglass.chat.messages import violations
from chatglass.store.sqlite.check import check, lists
from e2e.demo_process import DemoProcess
from e2e.pty_program import PtyProgram

KILLS = 10
"""In a test."""
TOKEN = re.compile(r"\bt\d+x\b")

PROMPTS = (
    "calculate 6*7 and read notes.txt",
    "run `sleep 0.1; echo done` and calculate 2*3",
    "list the files, then search for alpha",
    "write 150 words about glass",
    "write 900 words about sand",
    "think about the sea",
    "what time is it and calculate 17*23, then read notes.txt",
)


@pytest.fixture
def demo() -> Iterator[DemoProcess]:
    one = DemoProcess(rate=300)
    yield one
    one.close()


class Victim:
    """Starts the program on one store again and again, and notes what its screen showed as sent."""

    def __init__(self, demo: DemoProcess, environment: dict[str, str], project: Path) -> None:
        self._project = project
        self._env = {**environment, **demo.env}
        self.file = Path(environment["CHATGLASS_DATA_DIR"]) / "sessions.sqlite3"
        self.sent: set[str] = set()
        """Tokens of the prompts that were seen in the transcript."""
        self.final: dict[str, tuple[str, str]] = {}
        """Content and status of the messages that were final at the last look, by their id."""
        self._programs: list[PtyProgram] = []

    def start(self) -> PtyProgram:
        flags = ["--model", "demo", "--yolo"]
        if self.query("SELECT 1 FROM sessions WHERE messages > 0 OR draft <> ''"):
            flags.append("-c")
        program = PtyProgram(*flags, cwd=self._project, env=self._env, seen=self._note)
        self._programs.append(program)
        return program

    def close(self) -> None:
        for program in self._programs:
            program.close()

    def _note(self, screen: list[str]) -> None:
        is_sent = False
        for line in screen:
            if line.startswith(("╭", "╰")):
                # The transcript's frame; the composer's comes below it.
                is_sent = False
            elif line.startswith("│▎ "):
                if line.startswith(("│▎ You", "│▎ ⧗", "│▎ …")):
                    is_sent = "wait" not in line
                elif is_sent:
                    self.sent.update(TOKEN.findall(line))

    def query(self, sql: str) -> list[tuple[str, ...]]:
        """Read from the store beside the program, without repairing anything."""
        if not self.file.exists():
            return []
        with closing(sqlite3.connect(f"{self.file.as_uri()}?mode=ro", uri=True)) as db:
            try:
                return db.execute(sql).fetchall()
            except sqlite3.OperationalError as error:
                if "no such table" not in str(error):
                    raise
                return []  # it was killed before it had made its tables

    def look(self) -> None:
        """What was shown as sent is there, and what was final is as it was."""
        texts = self.query(
            "SELECT content FROM messages WHERE role = 'user' UNION ALL SELECT text FROM queued_prompts"
        )
        there = set(TOKEN.findall(" ".join(text for (text,) in texts)))
        assert self.sent <= there
        final = {
            id_: (content, status)
            for id_, content, status in self.query(
                "SELECT id, content, status FROM messages WHERE status <> 'partial'"
            )
        }
        assert self.final.items() <= final.items()
        self.final = final

    def phase(self) -> str:
        """What the program was doing when it was killed, as its store has it."""
        if not self.query("SELECT 1 FROM sessions WHERE messages > 0"):
            return "before the first message"
        open_calls = "SELECT 1 FROM tool_calls WHERE state IN ('proposed', 'approved', 'running')"
        if self.query(open_calls):
            return "in tools"
        if partial := self.query(
            "SELECT content, reasoning FROM messages WHERE status = 'partial'"
        ):
            return "in an answer, " + (
                "partly stored" if "".join(partial[0]) else "before a checkpoint"
            )
        if self.query("SELECT 1 FROM requests WHERE status = 'running'"):
            return "in saving an answer"
        if self.query("SELECT 1 FROM queued_prompts"):
            return "in saving a prompt"
        return "at rest, in the start or between requests"

    def answered(self, token: str) -> bool:
        """Whether the turn that this prompt began has its whole answer."""
        return bool(
            self.query(
                "SELECT 1 FROM messages p JOIN messages a ON a.turn_id = p.turn_id "
                f"WHERE p.role = 'user' AND p.content LIKE '%{token}%' AND a.role = 'assistant' "
                "AND a.status = 'complete' AND a.tool_calls IS NULL"
            )
        )


@pytest.fixture
def victim(demo: DemoProcess, environment: dict[str, str], project: Path) -> Iterator[Victim]:
    one = Victim(demo, environment, project)
    yield one
    one.close()


def kill_many_times(victim: Victim, demo: DemoProcess, seed: int) -> None:
    chance = random.Random(seed)
    lasting = f"sleep 97.{os.getpid()}{seed}"
    for number in range(KILLS):
        print(f"seed {seed}, kill {number}", end="")
        run_and_kill(victim, chance, number, lasting)
        print(f": {victim.phase()}")
        victim.look()
    program = victim.start()
    program.sees("│")
    program.type("calculate 40+2 t9999x\r")
    program.until(lambda: victim.answered("t9999x"), "the answer to the last prompt")
    program.kill()
    victim.look()
    assert victim.query("SELECT 1 FROM queued_prompts") == []
    assert demo.state()["violations"] == []
    assert check(victim.file).faults == []
    for _, each in lists(victim.file):
        assert [
            found for path in each for found in violations(path) if "nothing in it" not in found
        ] == []
    assert len(victim.query("SELECT id FROM sessions WHERE messages > 0")) == 1
    no_process_with(lasting)


def run_and_kill(victim: Victim, chance: random.Random, number: int, lasting: str) -> None:
    program = victim.start()
    if chance.random() < 0.1:
        program.watch(chance.uniform(0, 1.5))  # in the start
    else:
        program.sees("Write a message" if not victim.sent else "│")
        for place in range(chance.randint(1, 3)):
            token = f"t{number * 10 + place}x"
            prompt = chance.choice(PROMPTS)
            if chance.random() < 0.1:
                prompt = f"run `{lasting}`"
            program.type(f"{prompt} {token}\r")
            program.until(lambda token=token: token in victim.sent, "a prompt is shown as sent")
            program.watch(chance.uniform(0, 0.3))
        if chance.random() < 0.3:
            program.type(f"a draft that stays d{number}x")
        program.watch(chance.choice((0.05, 0.3, 0.8, 2.5)) * chance.random())
    program.kill()


def no_process_with(words: str) -> None:
    """Nothing that a tool started has outlived the program."""
    end = time.monotonic() + 10
    while left := [
        path
        for path in Path("/proc").glob("[0-9]*/cmdline")
        if words in words_of(path) and path.parent.name != str(os.getpid())
    ]:
        assert time.monotonic() < end, left
        time.sleep(0.1)


def words_of(cmdline: Path) -> str:
    try:
        return cmdline.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
    except OSError:
        return ""  # it has just ended


@pytest.mark.parametrize("seed", [1, 2])
def test_at_any_moment(victim: Victim, demo: DemoProcess, seed: int) -> None:
    kill_many_times(victim, demo, seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 130))
def test_at_many_moments(victim: Victim, demo: DemoProcess, seed: int) -> None:
    kill_many_times(victim, demo, seed)


def test_draft_and_queue(victim: Victim) -> None:
    program = victim.start()
    program.sees("Write a message")
    program.type("write 3000 words about glass t1x\r")
    program.sees("working")
    program.type("calculate 2+3 t2x\r")
    program.until(lambda: victim.query("SELECT 1 FROM queued_prompts"), "the prompt is queued")
    program.type("calculate 3+4 t3x")
    stored = "SELECT 1 FROM sessions WHERE draft = 'calculate 3+4 t3x'"
    program.until(lambda: victim.query(stored), "the draft is stored")
    program.kill()
    victim.look()

    again = victim.start()
    again.sees("1 queued")
    again.sees("calculate 3+4 t3x")
    again.sees("interrupted")
    again.type("\r")
    again.until(lambda: victim.answered("t3x"), "the draft is answered")
    assert victim.answered("t2x")
    again.kill()
    victim.look()
