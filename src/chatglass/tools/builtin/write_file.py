"""write_file: a whole file, put in place at once."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
import threading
from pathlib import Path
from typing import Annotated

from chatglass.tools import policy
from chatglass.tools.builtin.files import FileAccess, moved
from chatglass.tools.function_tool import CallContext, FunctionTool
from chatglass.tools.places import Place
from chatglass.tools.regular_file import NotReadable, read_regular, why_not
from chatglass.tools.threads import check, in_thread
from chatglass.tools.tool import Assessment, InvalidArguments, JsonObject, ToolOutput
from chatglass.values.figures import counted
from chatglass.values.text import storable

_COUNTED = 64 * 1024 * 1024


def write_file_tool(files: FileAccess) -> FunctionTool:
    def assess(arguments: JsonObject, root: Path) -> Assessment:
        try:
            place = files.surroundings.place(arguments["path"], root)
        except InvalidArguments as error:
            return Assessment(verdict="deny", why=str(error), rule="not a path")
        # The state first: what changes while the comparison is made is then noticed.
        files.shown.remember(arguments, root, str(place.path), _state(place.path))
        return policy.write_place(place, storable(arguments["content"]))

    async def write_file(
        context: CallContext,
        path: Annotated[str, "The file, relative to the working directory or absolute."],
        content: Annotated[str, "The whole new content of the file."],
    ) -> ToolOutput:
        """Write a whole text file (UTF-8): makes it, with the folders above it, or replaces what is there."""
        try:
            place = files.surroundings.place(path, context.root)
        except InvalidArguments as error:
            return ToolOutput.error(str(error))
        if not files.shown.covers(context.arguments, context.root, str(place.path)):
            return moved(path, place)
        if not files.shown.covers(context.arguments, context.root, _state(place.path)):
            return ToolOutput.error(
                f"{path} has changed since the change was shown and approved. Nothing was written."
                " Read it again, then write again."
            )
        try:
            return await in_thread(lambda stop: _write(place, path, storable(content), stop))
        except (NotReadable, OSError) as error:
            return ToolOutput.error(f"Nothing was written. {why_not(error, path)}")

    return FunctionTool(write_file, assess, parallel=False, timeout_s=30.0)


def _state(path: Path) -> str:
    """What tells one content of a file from another, without reading it."""
    try:
        found = path.lstat()
    except OSError as error:
        return f"errno {error.errno}"
    return f"{found.st_dev}:{found.st_ino}:{found.st_size}:{found.st_mtime_ns}"


def _write(place: Place, given: str, content: str, stop: threading.Event) -> ToolOutput:
    path = place.path
    mode: int | None = None
    lines_before: int | None = None
    with contextlib.suppress(FileNotFoundError):
        old = read_regular(path, limit=_COUNTED)
        lines_before = _count(old)
        mode = stat.S_IMODE(path.stat().st_mode)
        if not os.access(path, os.W_OK):
            return ToolOutput.error(f"Nothing was written. {given} is write-protected.")
    if refusal := _make_parents(place, given):
        return ToolOutput.error(refusal)
    data = content.encode()
    _replace(path, data, mode, stop)
    lines = _count(data)
    if lines_before is None:
        text = f"Created {given}: {counted(lines, 'line')}, {counted(len(data), 'byte')}."
    else:
        text = f"Overwrote {given}: {counted(lines, 'line')}, {counted(len(data), 'byte')}; it had {counted(lines_before, 'line')}."
    return ToolOutput("ok", text, text)


def _make_parents(place: Place, given: str) -> str:
    """Why the folder of the file can't be had; empty where it is there now."""
    parent = place.path.parent
    if not parent.exists():
        if not place.inside:
            return (
                f"Nothing was written. The folder {parent} does not exist, and folders are made"
                " inside the working directory only."
            )
        parent.mkdir(parents=True, exist_ok=True)
    if not parent.is_dir():
        return f"Nothing was written. {parent} is not a folder."
    if os.path.realpath(parent) != str(parent):
        return f"Nothing was written. {given} leads elsewhere since it was approved."
    return ""


def _replace(path: Path, data: bytes, mode: int | None, stop: threading.Event) -> None:
    """Readers see the old content or the new, never a part, whatever happens meanwhile."""
    descriptor, name = tempfile.mkstemp(
        prefix=f".{path.name[:100]}.", suffix=".tmp", dir=path.parent
    )
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(descriptor, _default_mode() if mode is None else mode)
            os.fsync(descriptor)
        # Cancelled meanwhile: the file stays as it was.
        check(stop)
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)
        raise


def _default_mode() -> int:
    """The mode of a new file. The umask can be read only by setting it, which would be seen by
    other threads: Linux has it in /proc (proc(5), since 4.7)."""
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("Umask:"):
                return 0o666 & ~int(line.split()[1], 8)
    except OSError:
        pass
    return 0o644


def _count(data: bytes) -> int:
    return data.count(b"\n") + (1 if data and not data.endswith(b"\n") else 0)
