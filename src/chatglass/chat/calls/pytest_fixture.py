"""A stored tool call as a file that pytest runs: arguments, result, and a test that calls the tool."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from pprint import pformat
from typing import Any

from chatglass.store.records import ToolCallRow, ToolResult
from chatglass.tools.tool_manager import ToolManager
from chatglass.values.figures import date
from chatglass.values.text import one_line

MOST_CHARS = 200_000
"""Of a result that stands in the file; of a longer one there is its SHA-256."""
_LINE = 92

_BUILT_IN = """\
from chatglass.chat.calls.replay import run_tool
from chatglass.tools.tool import ToolOutput
from chatglass.tools.tool_manager import ToolManager
"""
_RUN_BUILT_IN = """\
    tool = ToolManager.with_builtins().get(NAME)
    return asyncio.run(run_tool(tool, ARGUMENTS, ROOT))
"""
_SERVER = """\
from chatglass.chat.calls.replay import replay
from chatglass.tools.tool import ToolOutput
"""
_RUN_SERVER = """\
    return asyncio.run(replay(NAME, ARGUMENTS, ROOT, mcp_config=MCP_CONFIG))
"""


def file_name(row: ToolCallRow) -> str:
    """What the file may be called."""
    return f"test_{_identifier(row.name)}_{row.id[-6:].lower()}.py"


def fixture(
    row: ToolCallRow, result: ToolResult | None, root: Path, *, mcp_config: Sequence[str] = ()
) -> str:
    """The text of the file. A tool that does not come with the program is run by the user's
    settings, with the servers they name and those of the files `mcp_config`. Raises ValueError where the arguments are no JSON object.
    """
    built_in = not row.server and any(
        spec.name == row.name for spec in ToolManager.with_builtins().specs()
    )
    arguments: Any
    ran = row.arguments if row.edited_arguments is None else row.edited_arguments
    try:
        arguments = json.loads(ran or "{}")
    except ValueError:
        arguments = None
    if not isinstance(arguments, dict):
        raise ValueError(
            f"The arguments of {row.name} are no JSON object, so no test can pass them."
        )
    produced = "" if result is None else result.produced
    whole = len(produced) <= MOST_CHARS
    status = "ok" if row.state == "ok" else "error"
    server = f" of the MCP server {one_line(row.server, 64)}" if row.server else ""
    about = f"A call of {one_line(row.name, 64)}{server} from {date(row.proposed_at)}, as a test."
    parts = [
        f'"""{_in_docstring(about)}\n\n{_NOTE}"""',
        "from __future__ import annotations",
        "import asyncio" + ("" if whole else "\nimport hashlib") + "\nfrom pathlib import Path",
        "import pytest",
        (_BUILT_IN if built_in else _SERVER).strip(),
        "\n".join(
            [
                f"NAME = {row.name!r}",
                f"ROOT = Path({str(root)!r})",
                f"# Files that name MCP servers, beside those of the settings.\nMCP_CONFIG: list[str] = {list(mcp_config)!r}"
                if not built_in
                else "",
                f"ARGUMENTS = {_literal(arguments)}",
                f"STATUS = {status!r}",
                _result_lines(produced, whole),
            ]
        ).replace("\n\n", "\n"),
        '\n@pytest.fixture(scope="module")\ndef output() -> ToolOutput:\n'
        + (_RUN_BUILT_IN if built_in else _RUN_SERVER).rstrip(),
        f"\ndef test_{_identifier(row.name)}_ends_as_it_did(output: ToolOutput) -> None:\n"
        "    assert output.status == STATUS, output.produced[:2_000]",
        f"\ndef test_{_identifier(row.name)}_gives_the_same(output: ToolOutput) -> None:\n"
        + (
            "    assert output.produced == RESULT"
            if whole
            else "    digest = hashlib.sha256(output.produced.encode()).hexdigest()\n"
            "    assert (len(output.produced), digest) == (RESULT_CHARS, RESULT_SHA256)"
        ),
    ]
    return "\n\n".join(parts) + "\n"


_NOTE = (
    "Running it runs the tool, with all that this does, and asks nobody. A result that depends on\n"
    "the time or on files will differ: loosen the second test then.\n"
)


def _result_lines(produced: str, whole: bool) -> str:
    if whole:
        return f"RESULT = {_literal(produced)}"
    digest = hashlib.sha256(produced.encode()).hexdigest()
    return f'RESULT_CHARS = {len(produced)}\nRESULT_SHA256 = "{digest}"'


def _literal(value: Any) -> str:
    """Python source of a JSON value; a text of several lines as one literal a line."""
    if isinstance(value, str) and "\n" in value[:-1]:
        lines = "\n".join(f"    {line!r}" for line in value.splitlines(keepends=True))
        return f"(\n{lines}\n)"
    return pformat(value, width=_LINE, sort_dicts=False)


def _identifier(name: str) -> str:
    return re.sub(r"\W+", "_", name).strip("_").lower() or "call"


def _in_docstring(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', "'")
