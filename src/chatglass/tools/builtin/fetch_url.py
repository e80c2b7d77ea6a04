"""fetch_url: one page over http(s), from the addresses that were judged."""

from __future__ import annotations

import asyncio
import codecs
import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urljoin, urlsplit

from chatglass.tools import addresses, policy
from chatglass.tools.builtin.body import BodyTooLarge, UnreadableBody, read_body
from chatglass.tools.builtin.html_text import html_text
from chatglass.tools.function_tool import CallContext, FunctionTool
from chatglass.tools.limits import head
from chatglass.tools.shown import Shown
from chatglass.tools.threads import in_thread
from chatglass.tools.tool import Assessment, InvalidArguments, JsonObject, Progress, ToolOutput
from chatglass.values.figures import counted
from chatglass.values.text import one_line, storable

if TYPE_CHECKING:
    import httpx2

_SECONDS = 30.0
_REDIRECTS = 5
_OUTPUT_LIMIT = 30_000
_TEXT_TYPES = ("text/", "application/json", "application/xml", "application/javascript",
               "application/x-javascript", "application/yaml", "application/toml",
               "application/x-sh", "application/sql", "image/svg")  # fmt: skip


class _Refused(Exception):
    """Where the fetch must not go, or can't. `str()` is what the model is told."""


@dataclass(frozen=True, slots=True)
class _Page:
    url: str
    status: int
    reason: str
    content_type: str
    body: bytes


def fetch_url_tool() -> FunctionTool:
    shown = Shown()

    def assess(arguments: JsonObject, root: Path) -> Assessment:
        try:
            target = addresses.resolve(arguments["url"])
        except InvalidArguments as error:
            return Assessment(verdict="deny", why=str(error), rule="not a web address")
        shown.remember(arguments, root, *target.private)
        return policy.fetch(target)

    async def fetch_url(
        context: CallContext,
        url: Annotated[str, "The http or https address."],
    ) -> ToolOutput:
        """Fetch a web page or a text file by HTTP GET. HTML comes as readable text with its links. A redirect to another site is reported, not followed."""

        def approved(target: addresses.Target) -> bool:
            return shown.covers(context.arguments, context.root, *target.private)

        try:
            async with asyncio.timeout(_SECONDS):
                page = await _Fetch(context, approved).get(url)
            return await in_thread(lambda stop: _result(page, stop))
        except TimeoutError:
            return ToolOutput.error(f"{url} did not answer in full within {_SECONDS:.0f} s.")
        except (_Refused, InvalidArguments, BodyTooLarge, UnreadableBody) as error:
            return ToolOutput.error(str(error))

    return FunctionTool(
        fetch_url, assess, read_only=True, timeout_s=_SECONDS + 10, output_limit=_OUTPUT_LIMIT
    )


class _Fetch:
    def __init__(self, context: CallContext, approved: Any) -> None:
        self._context = context
        self._approved = approved

    async def get(self, url: str) -> _Page:
        client = await in_thread(lambda _: _client())
        async with client:
            target = await self._judged(url)
            for _ in range(_REDIRECTS + 1):
                self._context.report(Progress(f"from {one_line(target.host, 80)}"))
                page, location = await self._request(client, url, target)
                if location is None:
                    return page
                url, target = await self._next(url, location, target)
        raise _Refused(f"More than {_REDIRECTS} redirects, the last to {url}. It was given up.")

    async def _judged(self, url: str) -> addresses.Target:
        target = await in_thread(lambda _: addresses.resolve(url))
        if not target.addresses:
            raise _Refused(f"{target.host} does not resolve: {target.failure}. Check the address.")
        if target.private and not self._approved(target):
            raise _Refused(
                f"Refused: {_privately(target)}, which was not shown when this was approved."
            )
        return target

    async def _next(
        self, url: str, location: str, before: addresses.Target
    ) -> tuple[str, addresses.Target]:
        try:
            following = urljoin(url, location)
            target = await in_thread(lambda _: addresses.resolve(following))
        except (InvalidArguments, ValueError):
            raise _Refused(
                f"{url} redirects to {location!r}, which is no http(s) address."
            ) from None
        if target.private and target.origin != before.origin:
            raise _Refused(f"Refused: {url} redirects to {following}; {_privately(target)}.")
        if not _same_site(before, target):
            raise _Refused(
                f"{url} redirects to {following}, on another site than the one approved."
                " It was not followed. Call fetch_url with that address if it is wanted."
            )
        return following, await self._judged(following)

    async def _request(
        self, client: httpx2.AsyncClient, url: str, target: addresses.Target
    ) -> tuple[_Page, str | None]:
        import httpx2

        last: httpx2.TransportError | None = None
        for address in target.addresses:
            request = client.build_request(
                "GET",
                _at_address(url, target, address),
                headers={"Host": _host_header(target)},
                extensions={"sni_hostname": target.host},
            )
            try:
                response = await client.send(request, stream=True)
            except httpx2.ConnectError as error:
                last = error
                continue
            except httpx2.TransportError as error:
                raise _Refused(f"{url} failed: {_cause(error)}.") from None
            try:
                location = response.headers.get("location") if response.is_redirect else None
                body = b"" if location else await read_body(response)
            except httpx2.TransportError as error:
                raise _Refused(f"{url} broke off: {_cause(error)}.") from None
            finally:
                await response.aclose()
            content_type = response.headers.get("content-type", "")
            return _Page(
                url, response.status_code, response.reason_phrase, content_type, body
            ), location
        raise _Refused(f"{target.origin} can't be reached: {_cause(last)}.{_proxy_note()}")


def _client() -> httpx2.AsyncClient:
    """Made in a thread: the import and the certificates take 0.1 s.

    The environment's proxies are not used: behind one, the address that is connected to would
    not be the one that was judged.
    """
    import httpx2

    return httpx2.AsyncClient(
        trust_env=False,
        follow_redirects=False,
        timeout=httpx2.Timeout(15.0),
        # A connection is kept by address: another host there must not get it.
        limits=httpx2.Limits(max_keepalive_connections=0),
        headers={
            "User-Agent": "chatglass",
            "Accept": "text/html,text/*,application/json;q=0.9,*/*;q=0.5",
            "Accept-Encoding": "gzip",
        },
    )


def _at_address(url: str, target: addresses.Target, address: str) -> str:
    parts = urlsplit(url.strip())
    host = f"[{address.partition('%')[0]}]" if ":" in address else address
    query = f"?{parts.query}" if parts.query else ""
    return f"{target.scheme}://{host}:{target.port}{parts.path or '/'}{query}"


def _host_header(target: addresses.Target) -> str:
    return target.origin.partition("://")[2]


def _same_site(before: addresses.Target, after: addresses.Target) -> bool:
    """The same origin, its https, or the same name with or without `www.`."""
    if before.origin == after.origin:
        return True
    if before.host.removeprefix("www.") != after.host.removeprefix("www."):
        return False
    if after.scheme == "http" and before.scheme == "https":
        return False
    standard = {"http": 80, "https": 443}
    return before.port == standard[before.scheme] and after.port == standard[after.scheme]


def _privately(target: addresses.Target) -> str:
    found = ", ".join(f"{address} ({kind})" for address, kind in target.private.items())
    return f"{target.host} is the private address {found}"


def _cause(error: Exception | None) -> str:
    text = str(error) if error is not None else ""
    return one_line(text, 200) or type(error).__name__


def _proxy_note() -> str:
    if any(
        os.environ.get(name) for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy")
    ):
        return (
            " fetch_url does not use the proxy that is configured here; run_command with curl does."
        )
    return ""


def _result(page: _Page, stop: threading.Event) -> ToolOutput:
    kind = page.content_type.partition(";")[0].strip().lower()
    line = f"{page.status} {page.reason} · {kind or 'no content type'} · {counted(len(page.body), 'byte')} · {page.url}"
    status = "ok" if page.status < 400 else "error"
    is_html = kind in ("text/html", "application/xhtml+xml") or (
        not kind and b"<html" in page.body[:2000].lower()
    )
    is_text = (
        is_html or not kind or kind.startswith(_TEXT_TYPES) or kind.endswith(("+json", "+xml"))
    )
    if not is_text or (
        b"\0" in page.body[:8192]
        and not page.body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    ):
        text = f"{line}\n[This is not text, and is not shown. To keep it, download it with run_command.]"
        return ToolOutput("error", text, text)
    body = storable(page.body.decode(_charset(page), "replace"))
    text = body
    if is_html:
        title, text = html_text(body, page.url, stop)
        text = f"{title}\n\n{text}" if title and title not in text[:200] else text
    text = text or "[no text]"
    shown = head(text, _OUTPUT_LIMIT - len(line) - 200)
    note = (
        f"\n[{len(text) - len(shown):,} more characters are not shown]"
        if len(shown) < len(text)
        else ""
    )
    return ToolOutput(status, f"{line}\n{body}", f"{line}\n{shown.rstrip()}{note}")


def _charset(page: _Page) -> str:
    """As the header says, else by byte order mark, else UTF-8."""
    for parameter in page.content_type.split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            try:
                found = codecs.lookup(value.strip().strip("\"'"))
            except LookupError:
                break
            # Python also has codecs that are not character sets (base64, bz2, …).
            return found.name if found._is_text_encoding else "utf-8"  # pyright: ignore[reportPrivateUsage]
    if page.body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    return "utf-8-sig"
