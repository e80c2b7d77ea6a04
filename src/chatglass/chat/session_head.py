"""SessionHead: the session's own row, in memory, and in the store once there is something to keep."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from chatglass.models.wire import ModelRef
from chatglass.store.protocol import SessionGone, SessionStore
from chatglass.store.records import Parameters, SessionRow
from chatglass.values.text import one_line, storable

_TITLE_CHARS = 80


class SessionHead:
    """A change goes to the store where the row is there already."""

    def __init__(self, store: SessionStore, row: SessionRow) -> None:
        self._store = store
        self._storing = asyncio.Lock()
        self.row = row
        self.stored = False

    async def read(self) -> bool:
        """Take the row as it is stored. False where it is not."""
        async with self._storing:
            try:
                self.row, self.stored = await self._store.get_session(self.row.id), True
            except SessionGone:
                self.stored = False
        return self.stored

    async def ensure_stored(self) -> None:
        async with self._storing:
            if not self.stored:
                await self._store.create_session(self.row)
                self.stored = True

    async def set_model(self, ref: ModelRef) -> None:
        self.row = replace(self.row, endpoint=ref.endpoint, model=ref.model)
        if self.stored:
            await self._store.set_model(self.row.id, ref.endpoint, ref.model)

    async def set_parameters(self, parameters: Parameters) -> None:
        self.row = replace(self.row, parameters=parameters)
        if self.stored:
            await self._store.set_parameters(self.row.id, parameters)

    async def rename(self, title: str) -> None:
        """Give it the user's title, which makes it worth keeping."""
        title = one_line(storable(title), _TITLE_CHARS)
        await self.ensure_stored()
        await self._store.rename_session(self.row.id, title, by_user=True)
        self.row = replace(self.row, title=title, title_by_user=True)

    async def title_from(self, prompt: str) -> None:
        """Call it after its first prompt, where it has no title."""
        title = one_line(prompt.strip(), _TITLE_CHARS)
        if not self.row.title and title:
            await self._store.rename_session(self.row.id, title, by_user=False)
            self.row = replace(self.row, title=title)

    async def show(self, leaf_id: str | None) -> None:
        """Make `leaf_id` the end of the shown path."""
        if self.stored:
            await self._store.set_leaf(self.row.id, leaf_id)
        self.row = replace(self.row, leaf_id=leaf_id)
