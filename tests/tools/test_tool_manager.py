"""Tools by name, and what holds for each."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from chatglass.tools.function_tool import CallContext, FunctionTool
from chatglass.tools.policy import harmless
from chatglass.tools.tool import (
    Assessment,
    JsonObject,
    Progress,
    ReportProgress,
    Tool,
    ToolOutput,
    ToolSpec,
    UnknownTool,
)
from chatglass.tools.tool_manager import ToolManager

if TYPE_CHECKING:
    from tests.tools.conftest import Bench

NAMES = [
    "read_file",
    "list_directory",
    "search_files",
    "write_file",
    "run_command",
    "fetch_url",
    "calculate",
    "current_time",
]
KEY = "sk-proj-abcdef0123456789"


def test_schemas_are_the_same_bytes_in_every_process(bench: Bench):
    assert [spec.name for spec in bench.manager.specs()] == NAMES
    script = (
        "import json; from chatglass.tools.tool_manager import ToolManager;"
        "print(json.dumps(ToolManager.with_builtins().schemas()))"
    )
    other = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True,
        env={"PYTHONHASHSEED": "7", "PATH": "/usr/bin:/bin", "HOME": str(bench.home)},
    )  # fmt: skip
    assert other.stdout.strip() == json.dumps(bench.manager.schemas())


def test_every_schema_describes_every_argument(bench: Bench):
    for spec in bench.manager.specs():
        assert 20 < len(spec.description) < 400
        assert "  " not in spec.description
        assert spec.parameters["additionalProperties"] is False
        for schema in spec.parameters["properties"].values():
            assert schema["description"]
            assert "title" not in schema


def test_unknown_names_get_the_nearest(bench: Bench):
    with pytest.raises(UnknownTool, match="Did you mean read_file"):
        bench.manager.get("readfile")
    with pytest.raises(UnknownTool, match="There are: read_file, "):
        bench.manager.get("zzz")
    with pytest.raises(UnknownTool, match="no tools"):
        ToolManager().get("read_file")


def test_importing_the_manager_does_not_import_http():
    script = (
        "import sys; from chatglass.tools.tool_manager import ToolManager;"
        "ToolManager.with_builtins().schemas(); print('httpx2' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"


class ServerTool:
    """A tool as a server's would be: its text is not ours."""

    def __init__(self, name: str, server: str, output: ToolOutput | None = None) -> None:
        self.spec = ToolSpec(
            name=name, description="", parameters={}, server=server, output_limit=100, timeout_s=0.2
        )
        self._output = output

    def validate(self, arguments: JsonObject) -> JsonObject:
        return arguments

    def assess(self, arguments: JsonObject, root: Path) -> Assessment:
        return harmless("test")

    async def run(self, arguments: JsonObject, root: Path, report: ReportProgress) -> ToolOutput:
        report(Progress(f"using {KEY}\ud800"))
        if self._output is None:
            await asyncio.Event().wait()
        assert self._output is not None
        return self._output


def test_sources_are_ordered_and_replaced():
    def one(name: str, server: str) -> Tool:
        return ServerTool(name, server)

    manager = ToolManager(
        [one("b", "s2"), one("z", ""), one("c", "s1"), one("a", "s2"), one("y", "")]
    )
    assert [spec.name for spec in manager.specs()] == ["z", "y", "c", "a", "b"]
    manager.replace_source("s2", [one("d", "s2")])
    assert [spec.name for spec in manager.specs()] == ["z", "y", "c", "d"]
    with pytest.raises(ValueError, match="name of two tools"):
        manager.replace_source("s3", [one("d", "s3")])
    assert len(manager) == 4
    with pytest.raises(ValueError, match="can't be the name"):
        ToolManager([one("a b", "")])


async def test_every_result_is_storable_bounded_and_without_keys():
    text = f"{KEY} \ud800 " + "x" * 2_000_000 + KEY
    tool = ServerTool("t", "s", ToolOutput("ok", text, text))
    reported: list[Progress] = []
    output = (
        await ToolManager([tool], known_keys=lambda: [KEY])
        .get("t")
        .run({}, Path("/"), reported.append)
    )
    output.produced.encode()
    assert KEY not in output.produced + output.seen + reported[0].message
    assert output.produced.startswith("[key removed] \ufffd xxx")
    assert output.produced.endswith("x[key removed]")
    assert len(output.seen) <= 100
    assert reported[0].message == "using [key removed]\ufffd"


async def test_a_tool_that_does_not_end_is_ended():
    output = await ToolManager([ServerTool("t", "s")]).get("t").run({}, Path("/"), lambda _: None)
    assert output == ToolOutput.error("t was ended after 0.2 s, its time limit.")


async def test_a_function_gets_its_context_and_typed_arguments(tmp_path: Path):
    async def double(context: CallContext, number: int, by: float = 2) -> ToolOutput:
        """Multiply."""
        context.report(Progress("working"))
        return ToolOutput("ok", f"{number * by} {context.root} {context.arguments}", "")

    tool = FunctionTool(double, lambda arguments, root: harmless("test"))
    reported: list[Progress] = []
    output = await tool.run(tool.validate({"number": "4"}), tmp_path, reported.append)
    assert output.produced == f"8.0 {tmp_path} {{'number': 4, 'by': 2.0}}"
    assert reported == [Progress("working")]
