"""A connection's lists of tools, resources and prompts: read at the start, and again on change."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from mcp.client import Client, IncomingMessage
from mcp.client.subscriptions import SubscriptionLost
from mcp.shared.exceptions import MCPError
from pydantic import ValidationError

from chatglass.tools.mcp.frames import batches
from chatglass.tools.mcp.host import listing
from chatglass.values.text import one_line

_CALM_S = 0.05
"""Servers that register tools one by one send a change for each."""


class Lists:
    """`tell` sends a frame to the app, `note` writes a line into the server's log."""

    def __init__(self, tell: Callable[..., None], note: Callable[[str], None]) -> None:
        self._tell = tell
        self._note = note
        self._client: Client | None = None
        self._stale: dict[str, asyncio.Task[None]] = {}

    async def read_all(self, client: Client) -> None:
        self._client = client
        for what in listing.KINDS:
            await self._read(client, what)

    async def notified(self, message: IncomingMessage) -> None:
        """A notification of the server, or what the transport could not read."""
        if isinstance(message, Exception):
            self._note(f"A message could not be read: {one_line(str(message), 300)}")
            return
        what = listing.CHANGES.get(type(message))
        if what is not None:
            self._read_again(what)

    async def listen(self, client: Client) -> None:
        """From 2026 on, changes are told only to who asks for them; `notified` gets them as well."""
        offered = client.server_capabilities
        wanted: dict[str, Any] = {
            "tools_list_changed": bool(offered.tools and offered.tools.list_changed),
            "prompts_list_changed": bool(offered.prompts and offered.prompts.list_changed),
            "resources_list_changed": bool(offered.resources and offered.resources.list_changed),
        }
        if client.session.initialize_result is not None or not any(wanted.values()):
            return
        try:
            async with client.listen(**wanted) as changes:
                async for _ in changes:
                    pass
        except (MCPError, SubscriptionLost, TimeoutError) as error:
            self._note(f"It tells no changes of its lists: {one_line(str(error), 300)}")

    def close(self) -> None:
        for task in self._stale.values():
            task.cancel()

    async def _read(self, client: Client, what: str) -> None:
        try:
            items = await listing.read(client, what, self._note)
        except (MCPError, ValidationError) as error:
            self._note(f"Its {what} can't be listed: {one_line(str(error), 500)}")
            return
        groups = batches(items)
        for place, group in enumerate(groups):
            self._tell("list", what=what, items=group, first=place == 0, last=group is groups[-1])

    def _read_again(self, what: str) -> None:
        client = self._client
        if client is None or what in self._stale:
            return

        async def soon() -> None:
            await asyncio.sleep(_CALM_S)
            # From here on a further change asks for a further list.
            del self._stale[what]
            await self._read(client, what)

        self._stale[what] = asyncio.create_task(soon())
