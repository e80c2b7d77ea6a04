"""ToolManager: the tools there are, from every source, by name."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from chatglass.tools.bounded_tool import BoundedTool
from chatglass.tools.environment import tool_environment
from chatglass.tools.places import Surroundings
from chatglass.tools.redaction import KnownKeys, Redactor
from chatglass.tools.tool import JsonObject, Tool, ToolSpec, UnknownTool

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def _no_keys() -> Iterable[str]:
    return ()


class ToolManager:
    """Tools by name, each bounded (BoundedTool).

    The order is: built-in tools as given, then the user's own by source, then those of servers by
    server and name, so that the schemas are byte for byte the same at every start.
    """

    def __init__(self, tools: Iterable[Tool] = (), *, known_keys: KnownKeys = _no_keys) -> None:
        """Raises ValueError for a name that a model can't call, or two tools of one name."""
        self._known_keys = known_keys
        self._by_source: dict[str, tuple[Tool, ...]] = {}
        self._own: dict[str, tuple[Tool, ...]] = {}
        self._tools: dict[str, BoundedTool] = {}
        for tool in tools:
            server = tool.spec.server
            self._by_source[server] = (*self._by_source.get(server, ()), tool)
        self._collect()

    @classmethod
    def with_builtins(
        cls,
        *,
        known_keys: KnownKeys = _no_keys,
        key_variables: Collection[str] = (),
        own_folders: Sequence[Path] = (),
        environment: Mapping[str, str] | None = None,
        surroundings: Surroundings | None = None,
    ) -> ToolManager:
        """The built-in tools.

        `known_keys` gives the values of all endpoint keys (asked at every call), `key_variables`
        names the variables they come from; `own_folders` is where this process keeps settings,
        data and logs; `environment` is what tool processes get, before keys are taken out (this
        process's own at the time of the call, where None).
        """
        from chatglass.tools.builtin.calculate import calculate_tool
        from chatglass.tools.builtin.current_time import current_time_tool
        from chatglass.tools.builtin.fetch_url import fetch_url_tool
        from chatglass.tools.builtin.files import FileAccess
        from chatglass.tools.builtin.list_directory import list_directory_tool
        from chatglass.tools.builtin.read_file import read_file_tool
        from chatglass.tools.builtin.run_command import run_command_tool
        from chatglass.tools.builtin.search_files import search_files_tool
        from chatglass.tools.builtin.write_file import write_file_tool

        files = FileAccess(surroundings or Surroundings.of_user(own_folders))

        def clean_environment() -> dict[str, str]:
            base = os.environ if environment is None else environment
            return tool_environment(base, known_keys=known_keys(), key_variables=key_variables)

        return cls(
            [
                read_file_tool(files),
                list_directory_tool(files),
                search_files_tool(files),
                write_file_tool(files),
                run_command_tool(clean_environment, lambda: Redactor(known_keys())),
                fetch_url_tool(),
                calculate_tool(),
                current_time_tool(),
            ],
            known_keys=known_keys,
        )

    def replace_source(self, server: str, tools: Iterable[Tool]) -> None:
        """The tools of `server` are these from now on; none takes them away. Raises ValueError."""
        before = dict(self._by_source)
        self._by_source[server] = tuple(tools)
        try:
            self._collect()
        except ValueError:
            self._by_source = before
            raise

    def replace_own(self, source: str, tools: Iterable[Tool]) -> list[str]:
        """The user's own tools of `source` are these from now on. A name that is taken already is
        left out; the result says so of each, with the way on."""
        taken = {tool.spec.name: "a built-in tool" for tool in self._by_source.get("", ())}
        for other, known in self._own.items():
            if other != source:
                taken |= {tool.spec.name: f"a tool of {tool.spec.own}" for tool in known}
        given = list(tools)
        self._own[source] = tuple(tool for tool in given if tool.spec.name not in taken)
        self._collect()
        return [
            f"{tool.spec.name}: {taken[tool.spec.name]} has this name already. Rename the function."
            for tool in given
            if tool.spec.name in taken
        ]

    def specs(self) -> list[ToolSpec]:
        return [tool.spec for tool in self._tools.values()]

    def schemas(self) -> list[JsonObject]:
        """The `tools` array of a request."""
        return [tool.spec.wire() for tool in self._tools.values()]

    def get(self, name: str) -> Tool:
        """Raises UnknownTool, which tells the model the nearest names."""
        found = self._tools.get(name)
        if found is not None:
            return found
        nearest = difflib.get_close_matches(name, self._tools, n=3, cutoff=0.5)
        if nearest:
            raise UnknownTool(f"There is no tool {name!r}. Did you mean {' or '.join(nearest)}?")
        if not self._tools:
            raise UnknownTool(f"There is no tool {name!r}: this conversation has no tools.")
        raise UnknownTool(f"There is no tool {name!r}. There are: {', '.join(self._tools)}.")

    def bounded(self, tool: Tool) -> BoundedTool:
        """A tool that is not among these, with the same bounds."""
        return BoundedTool(tool, lambda: Redactor(self._known_keys()))

    def __len__(self) -> int:
        return len(self._tools)

    def _collect(self) -> None:
        tools: dict[str, BoundedTool] = {}
        for server in ("", *sorted(filter(None, self._by_source))):
            source = self._by_source.get(server, ())
            if not server:
                own = [tool for name in sorted(self._own) for tool in self._own[name]]
                ordered = [*source, *own]
            else:
                ordered = sorted(source, key=lambda tool: tool.spec.name)
            for tool in ordered:
                name = tool.spec.name
                if not _NAME.fullmatch(name):
                    raise ValueError(
                        f"{name!r} can't be the name of a tool: up to 64 of a-z, A-Z, 0-9, _ and -."
                    )
                if name in tools:
                    other = tools[name].spec.server or "the built-in tools"
                    raise ValueError(
                        f"{name!r} is the name of two tools: of {other} and {server or 'built-in'}."
                    )
                tools[name] = self.bounded(tool)
        self._tools = tools
