"""What the composer offers of servers' resource templates, while one is typed after `@`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from chatglass.tools.mcp.errors import ServerError
from chatglass.tools.mcp.templates import UriTemplate
from chatglass.tui.composer.completion import Completion
from chatglass.values.text import one_line

if TYPE_CHECKING:
    from chatglass.tools.mcp.events import ServerSnapshot
    from chatglass.tools.mcp.servers import McpServers
    from chatglass.tools.mcp.values import ServerResource

_MOST = 20


class TemplateOffers:
    """Of the servers that `ready` gives. A query is `server:uri`, or the beginning of that."""

    def __init__(self, servers: McpServers, ready: Callable[[], Sequence[ServerSnapshot]]) -> None:
        self._servers = servers
        self._ready = ready

    def at_once(self, query: str) -> list[Completion]:
        """What is known without asking a server: the templates that fit, and the next text."""
        slug, colon, uri = query.partition(":")
        found: list[Completion] = []
        for server, resource, template in self._templates():
            label = one_line(f"{server.slug}:{template.text}", 200)
            detail = one_line(resource.description or resource.name, 200)
            typed = template.typed(uri) if colon and slug == server.slug else None
            if typed is None:
                if query.lower() in label.lower():
                    value = f"{server.slug}:{template.start}"
                    found.append(Completion(value, label, detail, goes_on=True))
            elif template.is_whole(uri):
                found.append(Completion(query, one_line(query, 200), f"as typed · {detail}"))
            elif typed.variable is None:
                value = f"{slug}:{typed.before}{typed.after}"
                found.append(Completion(value, label, detail, goes_on=not typed.is_last))
        return found[:_MOST]

    async def asked(self, query: str) -> list[Completion]:
        """What the servers propose for the variable that is being typed, or its name where they
        propose nothing."""
        slug, colon, uri = query.partition(":")
        found: list[Completion] = []
        for server, _, template in self._templates():
            typed = template.typed(uri) if colon and slug == server.slug else None
            if typed is None or typed.variable is None:
                continue
            values: Sequence[str] = ()
            name = typed.variable.name
            # Without an answer, which its log explains, whoever types goes on alone.
            with contextlib.suppress(ServerError):
                values = await self._servers.complete(
                    server.name, template.text, name, typed.value, typed.values
                )
            if not values and not template.is_whole(uri):
                label = one_line(f"{slug}:{template.text}", 200)
                found.append(Completion(query, label, f"type {one_line(name, 60)}", goes_on=True))
            for value in values:
                whole = f"{slug}:{typed.with_value(value)}"
                label = one_line(whole, 200)
                found.append(Completion(whole, label, one_line(name, 60), not typed.is_last))
        return found[:_MOST]

    def is_whole(self, name: str) -> bool:
        """Whether `server:uri` is one that a template stands for."""
        slug, _, uri = name.partition(":")
        return any(
            server.slug == slug and template.is_whole(uri)
            for server, _, template in self._templates()
        )

    def _templates(self) -> Iterator[tuple[ServerSnapshot, ServerResource, UriTemplate]]:
        for server in self._ready():
            for resource in server.resources:
                if resource.template:
                    yield server, resource, UriTemplate(resource.uri)
