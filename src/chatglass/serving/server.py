"""The server of `chatglass serve`: one page, its files, and a websocket for each open page.

textual-serve brings what runs in the browser and speaks to a program (`AppService`). Its own server
lets in whoever reaches the port, starts its command through a shell, and loads a font from
elsewhere; so pages are served from here.
"""

from __future__ import annotations

import asyncio
import html
import json
import secrets
import signal
import socket
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from string import Template
from typing import Any, cast

import textual_serve
from aiohttp import WSMsgType, web

from chatglass.config.errors import ConfigError
from chatglass.serving.access import TOKEN, Access
from chatglass.serving.tab import Tab

_STATIC = Path(textual_serve.__file__).with_name("static")
_PAGE = Template(Path(__file__).with_name("page.html").read_text(encoding="utf-8"))
_AGAIN = Template(
    """<!doctype html><title>chatglass</title><p>403: $why</p><script nonce="$nonce">
const token = sessionStorage.getItem("token");
if (token && !location.search) location.replace("/?token=" + encodeURIComponent(token));
</script>"""
)
_MOST_CELLS = 1_000
_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class PageServer:
    """`command`: the program of a tab, with its arguments."""

    def __init__(self, command: Sequence[str], access: Access, *, most_tabs: int) -> None:
        self._command = command
        self._access = access
        self._most_tabs = most_tabs
        self._tabs: dict[Tab, web.WebSocketResponse] = {}
        self._ending: set[Tab] = set()

    def application(self) -> web.Application:
        application = web.Application(middlewares=[self._guard])
        application.add_routes(
            [
                web.get("/", self._page),
                web.get("/ws/{token}", self._websocket),
                web.static("/static", _STATIC),
            ]
        )
        application.on_shutdown.append(self._end_tabs)
        return application

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Nothing without the token is answered, not even whether there is such a path."""
        access = self._access
        # One header each: what a second one says must not count.
        hosts, origins = request.headers.getall("Host", []), request.headers.getall("Origin", [])
        host = hosts[0] if len(hosts) == 1 else None
        if not access.knows_host(host):
            return _refusal("This address is not the server's own.")
        if len(origins) > 1 or (origins and not access.knows_origin(origins[0], host)):
            return _refusal("A page from elsewhere asked for this.")
        if not self._has_token(request):
            why = "The token is missing. Open the address that `chatglass serve` printed."
            return _again(why) if request.path == "/" else _refusal(why)
        if request.path.startswith("/ws/") and not origins:
            return _refusal("A websocket needs the Origin of the page.")
        return await handler(request)

    def _has_token(self, request: web.Request) -> bool:
        """For a websocket it stands in the path, since what opens it in the page adds a query."""
        access, path = self._access, request.path
        if path.startswith("/static/"):
            return access.gives_files(request.cookies.get(access.cookie))
        return access.fits(request.query.get(TOKEN) if path == "/" else path.removeprefix("/ws/"))

    async def _page(self, request: web.Request) -> web.StreamResponse:
        if len(self._tabs) >= self._most_tabs:
            return web.Response(
                status=503, headers=_HEADERS, text=f"{self._full()} Close one, and load this again."
            )
        nonce = secrets.token_urlsafe(16)
        policy = (
            "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; "
            f"script-src 'nonce-{nonce}' 'strict-dynamic'; style-src 'self' 'unsafe-inline'; "
            f"font-src 'self'; img-src 'self' data:; connect-src ws://{request.host}"
        )
        response = web.Response(
            text=_PAGE.substitute(nonce=nonce),
            content_type="text/html",
            headers={**_HEADERS, "Content-Security-Policy": policy},
        )
        response.set_cookie(
            self._access.cookie,
            self._access.files,
            httponly=True,
            samesite="Strict",
            path="/static/",
        )
        return response

    def _full(self) -> str:
        return f"{self._most_tabs} tabs are open, which is the most (--sessions)."

    async def _websocket(self, request: web.Request) -> web.StreamResponse:
        if len(self._tabs) >= self._most_tabs:
            return web.Response(status=503, headers=_HEADERS, text=self._full())
        # A browser that is gone without a word is noticed by the heartbeat.
        websocket = web.WebSocketResponse(heartbeat=15)
        tab = Tab(
            self._command,
            write_bytes=websocket.send_bytes,
            write_str=websocket.send_str,
            close=websocket.close,
        )
        self._tabs[tab] = websocket
        watching: asyncio.Task[None] | None = None
        try:
            await websocket.prepare(request)
            await tab.start(_cells(request, "width", 80), _cells(request, "height", 24))
            watching = asyncio.create_task(_close_at_end(tab, websocket))
            await _pass_on(websocket, tab)
        except OSError as error:
            # No processes or descriptors left, or the browser went while something was sent.
            print(f"A tab was closed: {error}", flush=True)
        finally:
            if watching is not None:
                watching.cancel()
            # A page that is loaded again must not find its own place taken.
            del self._tabs[tab]
            self._ending.add(tab)
            await tab.stop()
            self._ending.discard(tab)
        return websocket

    async def _end_tabs(self, _: web.Application) -> None:
        tabs = [*self._tabs, *self._ending]
        await asyncio.gather(*(websocket.close() for websocket in self._tabs.values()))
        await asyncio.gather(*(tab.stop() for tab in tabs))


def _refusal(why: str) -> web.Response:
    return web.Response(status=403, headers=_HEADERS, text=f"403: {why}\n")


def _again(why: str) -> web.Response:
    """The refusal of a page; loaded again, it has the token from before."""
    nonce = secrets.token_urlsafe(16)
    policy = f"default-src 'none'; frame-ancestors 'none'; script-src 'nonce-{nonce}'"
    return web.Response(
        status=403,
        headers={**_HEADERS, "Content-Security-Policy": policy},
        content_type="text/html",
        text=_AGAIN.substitute(nonce=nonce, why=html.escape(why)),
    )


def _cells(request: web.Request, name: str, default: int) -> int:
    text = request.query.get(name, "")
    return min(max(int(text), 1), _MOST_CELLS) if text.isdecimal() and len(text) < 6 else default


async def _close_at_end(tab: Tab, websocket: web.WebSocketResponse) -> None:
    await tab.ended()
    await websocket.close()


async def _pass_on(websocket: web.WebSocketResponse, tab: Tab) -> None:
    """What the page sends, until it closes: JSON lists of a kind and its data."""
    async for message in websocket:
        if message.type is not WSMsgType.TEXT:
            continue
        match _read(message.data):
            case ["stdin", str(text)]:
                # A paste may hold half of a surrogate pair.
                await tab.send_bytes(text.encode("utf-8", "replace"))
            case ["resize", {"width": int(width), "height": int(height)}]:
                width, height = (min(max(size, 1), _MOST_CELLS) for size in (width, height))
                await tab.set_terminal_size(width, height)
            case ["ping", data]:
                await websocket.send_json(["pong", data])
            case ["focus", *_]:
                await tab.focus()
            case ["blur", *_]:
                await tab.blur()
            case _:
                pass


def _read(text: str) -> list[Any]:
    try:
        value: object = json.loads(text)
    except ValueError:
        return []
    return cast(list[Any], value) if isinstance(value, list) else []


async def serve(
    command: Sequence[str],
    host: str,
    port: int,
    *,
    most_tabs: int,
    tell: Callable[[Access], None],
) -> None:
    """Serve until SIGINT, SIGTERM or SIGHUP; `tell` gets the address once it answers. Raises
    ConfigError where the port can't be had."""
    ending = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, ending.set)
    try:
        listening = _listen(host, port)
    except OSError as error:
        raise ConfigError(
            f"--port {port}: {error.strerror or error}. Name another; 0 takes a free one."
        ) from error
    access = Access(host, listening.getsockname()[1])
    runner = web.AppRunner(
        PageServer(command, access, most_tabs=most_tabs).application(),
        access_log=None,
        shutdown_timeout=1,
    )
    await runner.setup()
    try:
        await web.SockSite(runner, listening).start()
        tell(access)
        await ending.wait()
    finally:
        await runner.cleanup()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.create_server((host, port), family=family)
    listening.setblocking(False)
    return listening
