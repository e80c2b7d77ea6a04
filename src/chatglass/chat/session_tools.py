"""SessionTools: the tools of one session: those of all sessions, and `read_result` of its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from chatglass.chat.compaction.stubs import TOOL, find_left_out
from chatglass.tools.tool import JsonObject, Tool
from chatglass.tools.tool_manager import ToolManager

if TYPE_CHECKING:
    from chatglass.chat.shown_path import ShownPath
    from chatglass.store.records import MessageRow


class SessionTools:
    """`read_result` is offered while results are left out of what is sent, so that the schemas, as
    the messages, change at compactions only."""

    def __init__(
        self, tools: ToolManager, whole_path: Callable[[], Awaitable[Sequence[MessageRow]]]
    ) -> None:
        self._tools = tools
        self._whole_path = whole_path
        self._read_result: Tool | None = None

    def schemas(self, path: ShownPath) -> list[JsonObject]:
        """The `tools` array of a request that sends `path`. None where the session has no tools."""
        schemas = self._tools.schemas()
        if schemas and path.elides:
            schemas.append(self._reader().spec.wire())
        return schemas

    def get(self, name: str) -> Tool:
        """Raises UnknownTool, which tells the model the nearest names."""
        if name == TOOL and len(self._tools):
            return self._reader()
        return self._tools.get(name)

    def _reader(self) -> Tool:
        if self._read_result is None:
            from chatglass.tools.builtin.read_result import read_result_tool

            self._read_result = self._tools.bounded(read_result_tool(self._find))
        return self._read_result

    async def _find(self, ref: str) -> str | None:
        """What was left out may have gone from memory since."""
        return find_left_out(await self._whole_path(), ref)
