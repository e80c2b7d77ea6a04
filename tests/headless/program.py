"""The real program as a child process, against a demo server of the test."""

from __future__ import annotations

import asyncio
import io
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from chatglass.cli import parse
from chatglass.config.errors import ConfigError
from chatglass.headless.run import joined_prompt, print_answer
from chatglass.models.demo import DemoServer

CONFIG = """
[endpoints.test]
base_url = "{url}"
api_key_env = "TEST_KEY"
models = ["demo-fast", "dear"]

[prices.dear]
input = 3
output = 15
"""


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass
class Program:
    demo: DemoServer
    folder: Path
    """Holds `data`, `config.toml` and `work`, the working directory."""
    environment: dict[str, str]
    started: list[Process] = field(default_factory=list)

    @property
    def db(self) -> Path:
        return self.folder / "data" / "sessions.sqlite3"

    async def start(self, *arguments: str, **environment: str) -> Process:
        return await self.start_python("-m", "chatglass", *arguments, **environment)

    async def start_python(self, *arguments: str, **environment: str) -> Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *arguments,
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            cwd=self.folder / "work",
            env={**self.environment, **environment},
        )
        self.started.append(process)
        return process

    async def here(self, *arguments: str, stdin: str = "") -> Done:
        """The same in this process: all but its start, for tests that don't look at that."""
        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            patch.chdir(self.folder / "work")
            for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
                patch.delenv(name, raising=False)
            for name, value in self.environment.items():
                patch.setenv(name, value)
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
            try:
                options = parse(arguments)
                code = await print_answer(options, joined_prompt(options))
            except SystemExit as end:
                code = end.code
            except ConfigError as error:
                print(f"chatglass: {error}", file=sys.stderr)
                code = 2
        assert isinstance(code, int)
        return Done(code, out.getvalue(), err.getvalue())

    async def run(self, *arguments: str, stdin: str = "", **environment: str) -> Done:
        """As a child process."""
        process = await self.start(*arguments, **environment)
        return await finish(process, stdin)


async def finish(process: Process, stdin: str = "") -> Done:
    async with asyncio.timeout(30):
        out, err = await process.communicate(stdin.encode())
    assert process.returncode is not None
    return Done(process.returncode, out.decode(), without_waiting(err))


def without_waiting(err: bytes) -> str:
    """What stood on stderr, but for what it waited for: on a machine at work a start may well take
    longer than the silence after which that is said."""
    lines = err.decode().splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith("Waiting for "))


@asynccontextmanager
async def program(folder: Path) -> AsyncIterator[Program]:
    async with DemoServer(models=("demo-fast", "dear"), rate=0) as demo:
        (folder / "work").mkdir()
        config = folder / "config.toml"
        config.write_text(CONFIG.format(url=demo.base_url))
        kept = ("PATH", "HOME", "PYTHONPATH", "LANG", "TMPDIR")
        environment = {name: os.environ[name] for name in kept if name in os.environ}
        environment |= {
            "TEST_KEY": demo.token,
            "CHATGLASS_CONFIG": str(config),
            "CHATGLASS_DATA_DIR": str(folder / "data"),
        }
        made = Program(demo, folder, environment)
        try:
            yield made
        finally:
            for process in made.started:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
