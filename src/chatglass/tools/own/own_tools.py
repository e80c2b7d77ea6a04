"""OwnTools: all of the user's own tools of one start."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from chatglass.tools.own.own_tool import OwnTool
from chatglass.tools.own.sources import OwnProblem, OwnSource
from chatglass.tools.own.worker_process import NotLoaded, WorkerFailed, WorkerProcess
from chatglass.tools.tool import JsonObject, ReportProgress, Tool

LOADING_S = 60.0
"""The longest that a file may take to be imported."""

ReplaceTools = Callable[[str, Iterable[Tool]], Sequence[str]]
"""`ToolManager.replace_own`."""


class OwnTools:
    """The tools of `sources`, each in a worker process. Nothing runs before `start()`.

    `environment` gives what the workers get; `root` is where they are started first.
    """

    def __init__(
        self,
        sources: Sequence[OwnSource],
        *,
        root: Path,
        environment: Callable[[], Mapping[str, str]],
        replace_tools: ReplaceTools,
        loading_s: float = LOADING_S,
    ) -> None:
        self.problems: list[OwnProblem] = []
        """What is no tool, and why, in the order in which it was found."""
        self.on_problem: Callable[[OwnProblem], None] = lambda problem: None
        self._root = root
        self._replace_tools = replace_tools
        self._sources = [
            _Source(source, environment, loading_s, self._loaded) for source in sources
        ]
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Import all of them, each in its process, in the background. What is wrong with one is
        told by `on_problem`, and costs that one."""
        self._tasks = [asyncio.create_task(self._load(source)) for source in self._sources]

    async def settled(self, within_s: float = LOADING_S) -> None:
        """Wait until all are imported, or could not be, at most so long."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=within_s)

    @property
    def loading(self) -> list[str]:
        """The sources that are still being imported."""
        return [
            source.source.label
            for source, task in zip(self._sources, self._tasks, strict=False)
            if not task.done()
        ]

    @property
    def useless(self) -> list[str]:
        """The files named by the user of which nothing is a tool, each with what is wrong with it."""
        return [
            " ".join(str(each) for each in self.problems if each.source == source.source.label)
            for source, task in zip(self._sources, self._tasks, strict=False)
            if source.source.kind == "file" and task.done() and not source.has_tools
        ]

    async def close(self) -> None:
        """End all workers."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*(source.close() for source in self._sources))

    async def _load(self, source: _Source) -> None:
        try:
            await source.load(self._root)
        except NotLoaded as error:
            self._tell(source, f"{error.cause}. {error.advice}".rstrip())
        except WorkerFailed as error:
            self._tell(source, f"it could not be imported: {error}")

    def _loaded(self, source: _Source, tools: Sequence[Tool], faults: Sequence[str]) -> None:
        source.has_tools = bool(tools)
        for text in (*faults, *self._replace_tools(source.source.target, tools)):
            self._tell(source, text)
        if not tools and not faults:
            self._tell(source, "it has no tools. A public function with type hints is one.")

    def _tell(self, source: _Source, text: str) -> None:
        problem = OwnProblem(source.source.label, text)
        if problem not in self.problems:
            self.problems.append(problem)
            self.on_problem(problem)


class _Source:
    """A source with its workers, one for each folder that sessions work in."""

    def __init__(
        self,
        source: OwnSource,
        environment: Callable[[], Mapping[str, str]],
        loading_s: float,
        loaded: Callable[[_Source, Sequence[Tool], Sequence[str]], None],
    ) -> None:
        self.source = source
        self._environment = environment
        self._loading_s = loading_s
        self._tell_loaded = loaded
        self._workers: dict[Path, WorkerProcess] = {}
        self._starting = asyncio.Lock()
        self.has_tools = False
        """It was imported, and a function of it is a tool."""

    async def load(self, root: Path) -> None:
        """Raises NotLoaded, WorkerFailed."""
        await self._worker(root)

    async def close(self) -> None:
        await asyncio.gather(*(worker.end() for worker in self._workers.values()))

    async def _call(
        self, name: str, arguments: JsonObject, root: Path, report: ReportProgress
    ) -> tuple[bool, str]:
        try:
            worker = await self._worker(root)
        except NotLoaded as error:
            raise WorkerFailed(f"{self.source.label}: {error.cause}. {error.advice}") from error
        return await worker.call(name, arguments, report)

    async def _worker(self, root: Path) -> WorkerProcess:
        """The worker of that folder, started if there is none or the last one was ended."""
        async with self._starting:
            worker = self._workers.get(root)
            if worker is not None and not worker.is_over:
                return worker
            worker = self._workers[root] = WorkerProcess(
                self.source.kind, self.source.target, root, self._environment()
            )
            try:
                async with asyncio.timeout(self._loading_s):
                    loaded = await worker.start()
            except TimeoutError:
                await worker.end()
                raise WorkerFailed(
                    f"its import took more than {self._loading_s:g} s, and was ended"
                ) from None
            except BaseException:
                with contextlib.suppress(WorkerFailed):
                    await worker.end()
                raise
            # The file may be another by now, as after a mistake was mended.
            self._tell_loaded(self, self._tools(loaded.tools), loaded.faults)
            return worker

    def _tools(self, described: Sequence[JsonObject]) -> list[Any]:
        return [OwnTool(each, self.source.label, self._call) for each in described]
