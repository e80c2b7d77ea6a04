"""list_directory: the names in a folder, with kind and size."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path
from typing import Annotated

from chatglass.tools.builtin.files import FileAccess
from chatglass.tools.function_tool import CallContext, FunctionTool
from chatglass.tools.limits import head_and_tail
from chatglass.tools.regular_file import why_not
from chatglass.tools.threads import check, in_thread
from chatglass.tools.tool import ToolOutput
from chatglass.values.figures import counted
from chatglass.values.text import storable, visible

_ENTRIES = 20_000
_OUTPUT_LIMIT = 20_000


def list_directory_tool(files: FileAccess) -> FunctionTool:
    async def list_directory(
        context: CallContext,
        path: Annotated[str, "The folder, relative to the working directory or absolute."] = ".",
    ) -> ToolOutput:
        """List a folder: folders end in /, files have their size in bytes, links their target."""
        place = files.open_place(context, path)
        if isinstance(place, ToolOutput):
            return place
        try:
            return await in_thread(lambda stop: _list(place.path, path, stop))
        except NotADirectoryError:
            return ToolOutput.error(f"{path} is not a folder. Read a file with read_file.")
        except OSError as error:
            return ToolOutput.error(why_not(error, path))

    return FunctionTool(
        list_directory,
        files.assess_reading("list"),
        read_only=True,
        timeout_s=20.0,
        output_limit=_OUTPUT_LIMIT,
    )


def _list(path: Path, given: str, stop: threading.Event) -> ToolOutput:
    lines: list[str] = []
    more = False
    with os.scandir(path) as entries:
        for entry in entries:
            check(stop)
            if len(lines) == _ENTRIES:
                more = True
                break
            lines.append(_line(entry))
    if not lines:
        return ToolOutput("ok", "", f"[{given} is empty]")
    lines.sort(key=lambda line: (not line.partition("\t")[0].endswith("/"), line))
    count = (
        f"[more than {_ENTRIES:,} entries]"
        if more
        else f"[{counted(len(lines), 'entry', 'entries')}]"
    )
    text = "\n".join([*lines, count])
    advice = "Narrow it with search_files, or list a folder below."
    return ToolOutput("ok", text, head_and_tail(text, _OUTPUT_LIMIT, advice))


def _line(entry: os.DirEntry[str]) -> str:
    name = _shown(entry.name)
    try:
        if entry.is_symlink():
            return f"{name}\t-> {_shown(os.readlink(entry.path))}"
        if entry.is_dir(follow_symlinks=False):
            return f"{name}/"
        state = entry.stat(follow_symlinks=False)
    except OSError as error:
        return f"{name}\t({(error.strerror or 'unreadable').lower()})"
    if stat.S_ISREG(state.st_mode):
        return f"{name}\t{state.st_size:,}"
    return f"{name}\t(pipe, socket or device)"


def _shown(name: str) -> str:
    """A file name on one line; bytes that are not UTF-8 as U+FFFD."""
    return visible(storable(name)).replace("\n", "\\n").replace("\t", "\\t")
