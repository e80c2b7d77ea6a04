"""What the composer completes: commands and servers' prompts after `/`, paths and servers' resources
after `@`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from textual import on, work
from textual.message import Message
from textual.worker import get_current_worker

from chatglass.tui.actions.registry import Actions
from chatglass.tui.composer.completion import Completion, CompletionList
from chatglass.tui.composer.files import PathIndex
from chatglass.tui.composer.offers import NoOffers, Offers
from chatglass.tui.composer.prompt_area import PromptArea
from chatglass.values.text import visible

MOST_COMPLETIONS = 50
_LONGEST_PATH = 200
_PAUSE = 0.05
"""Seconds without a further letter before a server is asked."""


class Completer(CompletionList):
    """The completion list with what it knows of the editor's text."""

    @dataclass
    class CommandTaken(Message):
        """A command that stands in the editor as a whole was taken: it is to run."""

    @dataclass
    class PathTaken(Message):
        """A file was taken; its `@path` stands in the editor."""

        path: str

    @dataclass
    class DropTaken(Message):
        """A file whose path was pasted is to be attached in the place of what is `written`."""

        path: Path
        written: str

    @dataclass
    class ResourceTaken(Message):
        """A resource of a server was taken; its `@server:uri` stands in the editor."""

        name: str

    @dataclass
    class _PathsFound(Message):
        query: str
        paths: list[str]

    @dataclass
    class _Proposed(Message):
        query: str
        rows: Sequence[Completion]

    def __init__(self, area: PromptArea, registry: Actions, index: PathIndex) -> None:
        super().__init__()
        self.index = index
        self.offers: Offers = NoOffers()
        self._area = area
        self._registry = registry
        self._path_query: str | None = None
        self._found: list[Completion] = []
        """What was found for that query."""
        self._closed_for: str | None = None
        self._dropped: tuple[Path, str] | None = None

    def put_away(self, *, until_edited: bool = False) -> None:
        """Close it; `until_edited` keeps it closed until the text is another one."""
        self._path_query = self._dropped = None
        self._closed_for = self._area.text if until_edited else None
        self.close()
        self._area.completing = False

    def _offer(self, rows: Sequence[Completion]) -> None:
        self.open(rows)
        self._area.completing = self.is_open

    def offer_drop(self, path: Path, about: str, written: str) -> None:
        """Offer to attach a file in the place of its path, which was pasted."""
        self._dropped = (path, written)
        self._offer(
            [Completion(written, f"Attach {visible(path.name)}", f"{about} · Esc leaves the path")]
        )

    def update_for_text(self) -> None:
        """Offer what fits the text now. Reads the cursor's line alone, unless it was just closed."""
        if self._closed_for is not None and self._closed_for == self._area.text:
            return
        self._closed_for = None
        if (prefix := self._typed_command()) is not None:
            self._path_query = None
            self._offer(
                [
                    Completion(f"/{action.slash}", action.usage, action.tooltip)
                    for action in self._registry.slashes(prefix)
                ]
                + [one for one in self.offers.prompts() if prefix in one.value]
            )
        elif (query := self._typed_path()) is not None:
            if query != self._path_query:
                self._path_query, self._found = query, []
                self._find_paths(query)
                self._ask_servers(query)
        elif self.is_open or self._path_query is not None:
            self.put_away()

    def _typed_command(self) -> str | None:
        """What follows the slash of a command whose name is being typed."""
        document = self._area.document
        line = document[0]
        if not line.startswith("/") or document.line_count > 1 or line[1:2] == "/":
            return None
        name = line[1:]
        return None if " " in name or self._area.cursor_location[1] == 0 else name

    def _typed_path(self) -> str | None:
        """What follows the `@` of the word that ends at the cursor."""
        row, column = self._area.cursor_location
        before = self._area.document[row][max(0, column - _LONGEST_PATH) : column]
        head, at, query = before.rpartition("@")
        if not at or (head and not head[-1].isspace() and head[-1] not in "([{\"'"):
            return None
        return None if any(letter.isspace() for letter in query) else query

    @work(thread=True, exclusive=True, group="paths", exit_on_error=False)
    def _find_paths(self, query: str) -> None:
        worker = get_current_worker()
        paths = self.index.matches(query, MOST_COMPLETIONS, lambda: worker.is_cancelled)
        if not worker.is_cancelled:
            self.post_message(self._PathsFound(query, paths))

    @on(_PathsFound)
    def _paths_found(self, event: _PathsFound) -> None:
        event.stop()
        if event.query == self._path_query:
            query = event.query.lower()
            resources = [one for one in self.offers.resources() if query in one.value.lower()]
            paths = [Completion(path, visible(path)) for path in event.paths]
            known = [*resources, *self.offers.templates(event.query)]
            self._add_found([*paths[: max(MOST_COMPLETIONS - len(known), 0)], *known])

    @work(exclusive=True, group="proposals", exit_on_error=False)
    async def _ask_servers(self, query: str) -> None:
        await asyncio.sleep(_PAUSE)
        if rows := await self.offers.proposals(query):
            self.post_message(self._Proposed(query, rows))

    @on(_Proposed)
    def _proposed(self, event: _Proposed) -> None:
        event.stop()
        if event.query == self._path_query:
            self._add_found(event.rows)

    def _add_found(self, rows: Sequence[Completion]) -> None:
        """Offer these beside what was found for the same query, files first and each once."""
        self._found = sorted([*self._found, *rows], key=lambda row: row.goes_on)
        self._offer(list({row.value: row for row in reversed(self._found)}.values())[::-1])

    @on(CompletionList.Clicked)
    def _row_clicked(self, event: CompletionList.Clicked) -> None:
        event.stop()
        self.take()

    def take(self, *, enter: bool = False) -> None:
        """Put the current row into the text. Taken by `enter`, a command that nothing follows runs."""
        current = self.current
        if current is None:
            return
        if self._dropped is not None:
            self.post_message(self.DropTaken(*self._dropped))
            self.put_away(until_edited=True)
        elif self._path_query is None:
            self._take_command(current, runs=enter)
        else:
            self._take_path(current)

    def _take_command(self, completion: Completion, *, runs: bool) -> None:
        area = self._area
        if area.text == completion.value:
            self.put_away(until_edited=True)
            self.post_message(self.CommandTaken())
            return
        action = self._registry.by_slash(completion.value[1:])
        argument_follows = action is not None and bool(action.hint)
        runs = runs and action is not None and not argument_follows
        area.replace(
            completion.value + (" " if argument_follows else ""),
            (0, 0),
            area.document.end,
            maintain_selection_offset=False,
        )
        self.put_away(until_edited=True)
        if runs:
            self.post_message(self.CommandTaken())

    def _take_path(self, completion: Completion) -> None:
        area, path = self._area, completion.value
        row, column = area.cursor_location
        start = (row, column - len(self._path_query or ""))
        encoded = area.folds.encode(path)
        area.replace(encoded, start, (row, column), maintain_selection_offset=False)
        if completion.goes_on:
            return
        if self.offers.is_resource(path):
            self.put_away(until_edited=True)
            self.post_message(self.ResourceTaken(path))
        elif not path.endswith("/"):
            self.put_away(until_edited=True)
            self.post_message(self.PathTaken(path))
