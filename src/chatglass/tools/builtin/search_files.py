"""search_files: a regular expression over the lines of files, in a process of its own."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

from chatglass.tools.builtin.files import FileAccess
from chatglass.tools.function_tool import CallContext, FunctionTool
from chatglass.tools.limits import head
from chatglass.tools.process import ProcessEnd, run_process
from chatglass.tools.tool import Progress, ToolOutput
from chatglass.values.figures import counted
from chatglass.values.text import one_line, storable, visible

_WORKER = Path(__file__).with_name("search_worker.py")
_PACKAGES = Path(__file__).parents[3]
_SECONDS = 30.0
_MATCHES = 2_000
_OUTPUT_LIMIT = 20_000


def search_files_tool(files: FileAccess) -> FunctionTool:
    async def search_files(
        context: CallContext,
        pattern: Annotated[
            str,
            "Regular expression (Python syntax; (?i) ignores case), matched line by line. What is no valid expression is searched for literally.",
        ],
        path: Annotated[str, "File or folder to search in."] = ".",
        glob: Annotated[
            str, "Only files whose name matches, such as *.py or src/**/*.{ts,tsx}."
        ] = "",
    ) -> ToolOutput:
        """Search the text of files. Gives lines as path:line number: text. Skips binary files, files that may hold secrets, .git, node_modules and the like."""
        if not pattern:
            return ToolOutput.error("The pattern is empty: it would match every line.")
        place = files.open_place(context, path)
        if isinstance(place, ToolOutput):
            return place
        if not place.path.exists():
            return ToolOutput.error(f"{path} does not exist.")
        query = json.dumps({
            "pattern": pattern, "path": str(place.path), "root": str(place.root), "glob": glob,
            "secrets": bool(place.secret), "max_matches": _MATCHES,
            "own_folders": [str(folder) for folder in files.surroundings.own_folders],
        })  # fmt: skip
        reader = _Reader(context)
        ended = await run_process(
            [sys.executable, "-I", "-S", str(_WORKER), str(_PACKAGES), query],
            cwd=place.root,
            environment={},
            timeout_s=_SECONDS,
            on_output=reader.feed,
            grace_s=0.1,
        )
        return reader.result(ended)

    return FunctionTool(
        search_files,
        files.assess_reading("search"),
        read_only=True,
        timeout_s=_SECONDS + 15,
        output_limit=_OUTPUT_LIMIT,
    )


class _Reader:
    """Reads what the worker prints."""

    def __init__(self, context: CallContext) -> None:
        self._context = context
        self._rest = b""
        self._lines: list[str] = []
        self._other: list[str] = []
        self._done: dict[str, Any] = {}

    def feed(self, piece: bytes) -> None:
        *lines, self._rest = (self._rest + piece).split(b"\n")
        for line in lines:
            self._take(line)

    def _take(self, line: bytes) -> None:
        try:
            record: dict[str, Any] = json.loads(line)
        except ValueError:
            # A traceback: the worker failed, and this says why.
            self._other.append(line.decode("utf-8", "replace"))
            return
        if "match" in record:
            name, number, text = record["match"]
            shown = visible(storable(name)).replace("\n", "\\n")
            self._lines.append(f"{shown}:{number}: {storable(text)}")
        elif "searching" in record:
            name = one_line(storable(record["searching"]), 120)
            self._context.report(
                Progress(f"{counted(len(self._lines), 'match', 'matches')}, in {name}")
            )
        else:
            self._done = record

    def result(self, ended: ProcessEnd) -> ToolOutput:
        if not self._done and not ended.timed_out:
            cause = ended.error or (self._other or [f"it ended with {ended.exit_code}"])[-1]
            return ToolOutput.error(f"The search failed: {cause}")
        notes = list(self._notes(ended))
        if not self._lines:
            notes.insert(0, "Nothing found.")
        produced = "\n".join([*self._lines, *(f"[{note}]" for note in notes)])
        shown = head("".join(line + "\n" for line in self._lines), _OUTPUT_LIMIT - 2_000)
        left = len(self._lines) - shown.count("\n")
        if left > 0:
            notes.append(f"{left:,} more matches are not shown: narrow the pattern, path or glob")
        seen = shown + "\n".join(f"[{note}]" for note in notes)
        status = "error" if ended.timed_out and not self._lines else "ok"
        return ToolOutput(status, produced, seen.rstrip("\n"))

    def _notes(self, ended: ProcessEnd) -> list[str]:
        notes: list[str] = []
        if ended.timed_out:
            notes.append(
                f"Stopped after {_SECONDS:.0f} s, the rest was not searched: narrow the path or"
                " glob, or simplify the pattern (nested repeats such as (a+)+ may never end)"
            )
        if self._done.get("literal"):
            notes.append(
                "The pattern is no valid regular expression and was searched for literally"
            )
        if self._done.get("full"):
            notes.append(f"Stopped at {_MATCHES:,} matches: narrow the pattern, path or glob")
        if self._done:
            notes.append(f"{counted(self._done['files'], 'file')} searched")
        for why, names in self._done.get("skipped", {}).items():
            listed = ", ".join(one_line(storable(name), 80) for name in names[:6])
            more = f" and {len(names) - 6} more" if len(names) > 6 else ""
            notes.append(f"Left out, {why}: {listed}{more}")
        return notes
