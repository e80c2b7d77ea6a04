"""Signing in to HTTP servers: OAuth by the SDK, the redirect taken on loopback, tokens kept safe."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import importlib
import json
import os
import secrets
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

import httpx2
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken
from pydantic import ValidationError

from chatglass.tools.tool import JsonObject

_FOR_A_PERSON_S = 300.0
_SERVICE = "chatglass-mcp"
_PAGE = (
    "<!doctype html><meta charset=utf-8><title>chatglass</title>"
    "<p>Signed in. You may close this page and go back to chatglass.</p>"
)


class SignInFailed(Exception):
    """`str()` says why; trying again would only ask again."""


class AsksApp(Protocol):
    token_file: str | None

    async def ask(self, server: str, kind: str, question: JsonObject) -> Any: ...


class SignIn:
    """How one server is signed in to. The user is asked only where the server demands it (401)."""

    def __init__(
        self, host: AsksApp, server: str, url: str, give_time: Callable[[float], None]
    ) -> None:
        self._host = host
        self._server = server
        self._url = url
        self._give_time = give_time
        self._tokens = Tokens(url, host.token_file)
        self._code: asyncio.Future[AuthorizationCodeResult] | None = None
        self._listener: asyncio.Server | None = None
        self._port = 0

    def auth(self) -> httpx2.Auth:
        self._port = self._tokens.port or _free_port()
        return OAuthClientProvider(
            server_url=self._url,
            client_metadata=OAuthClientMetadata(
                client_name="chatglass",
                redirect_uris=[f"http://127.0.0.1:{self._port}/callback"],  # type: ignore[list-item]
                grant_types=["authorization_code", "refresh_token"],
                response_types=["code"],
                token_endpoint_auth_method="none",
            ),
            storage=self._tokens,
            redirect_handler=self._redirect,
            callback_handler=self._callback,
        )

    async def _redirect(self, url: str) -> None:
        """Listen for the way back, then let the app send the user."""
        self._give_time(_FOR_A_PERSON_S)
        self._code = asyncio.get_running_loop().create_future()
        self._listener = await asyncio.start_server(self._answer, "127.0.0.1", self._port)
        self._tokens.port = self._port
        accepted = await self._host.ask(self._server, "sign_in", {"url": url})
        if not accepted:
            await self._close()
            raise SignInFailed(
                f"It wants a sign-in, which was declined. Sign in: chatglass mcp test {self._server}"
            )

    async def _callback(self) -> AuthorizationCodeResult:
        assert self._code
        try:
            async with asyncio.timeout(_FOR_A_PERSON_S):
                return await self._code
        except TimeoutError:
            raise SignInFailed("It wants a sign-in, and nobody came back from it.") from None
        finally:
            await self._close()

    async def _close(self) -> None:
        if self._listener:
            self._listener.close()
            self._listener = None

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request of the browser."""
        try:
            async with asyncio.timeout(10):
                line = (await reader.readline()).decode("latin-1")
                while (await reader.readline()).strip():
                    pass
        except (TimeoutError, ValueError, ConnectionError):
            writer.close()
            return
        words = line.split()
        parts = urlsplit(words[1]) if len(words) > 1 else urlsplit("")
        query = parse_qs(parts.query)
        right = parts.path == "/callback" and ("code" in query or "error" in query)
        status = "200 OK" if right else "404 Not Found"
        body = (_PAGE if right else "").encode()
        head = (
            f"HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\n"
            "Connection: close\r\n\r\n"
        )
        writer.write(head.encode() + body)
        with contextlib.suppress(ConnectionError):
            await writer.drain()
        writer.close()
        if right and self._code and not self._code.done():
            self._settle(self._code, query)

    @staticmethod
    def _settle(code: asyncio.Future[AuthorizationCodeResult], query: dict[str, list[str]]) -> None:
        if "code" not in query:
            said = query.get("error_description", query["error"])[0]
            code.set_exception(SignInFailed(f"The sign-in was refused: {said[:300]}"))
            return
        code.set_result(
            AuthorizationCodeResult(
                code=query["code"][0],
                state=query.get("state", [None])[0],
                iss=query.get("iss", [None])[0],
            )
        )


class Tokens:
    """Tokens and the registration of one server: in the keyring where there is one, else in a file
    of mode 0600 (in memory where `path` is None)."""

    def __init__(self, url: str, path: str | None) -> None:
        self._account = hashlib.sha256(url.encode()).hexdigest()[:32]
        self._path = Path(path) if path else None
        self._keyring = _keyring() if path else None
        self._known: JsonObject = self._load()

    @property
    def port(self) -> int:
        """The port of the redirect that was registered; 0 where none was."""
        port = self._known.get("port")
        return port if isinstance(port, int) and self._known.get("client") else 0

    @port.setter
    def port(self, port: int) -> None:
        self._known["port"] = port

    async def get_tokens(self) -> OAuthToken | None:
        with contextlib.suppress(ValidationError):
            return OAuthToken.model_validate(self._known.get("tokens"))
        return None

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self._known["tokens"] = tokens.model_dump(mode="json", exclude_none=True)
        await asyncio.to_thread(self._save)

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        with contextlib.suppress(ValidationError):
            return OAuthClientInformationFull.model_validate(self._known.get("client"))
        return None

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self._known["client"] = client_info.model_dump(mode="json", exclude_none=True)
        await asyncio.to_thread(self._save)

    def _load(self) -> JsonObject:
        text = self._keyring.get_password(_SERVICE, self._account) if self._keyring else None
        if text is None and self._path is not None and self._path.exists():
            with contextlib.suppress(OSError, ValueError, AttributeError):
                return json.loads(self._path.read_text(encoding="utf-8")).get(self._account, {})
            return {}
        with contextlib.suppress(ValueError):
            return json.loads(text or "{}")
        return {}

    def _save(self) -> None:
        if self._keyring is not None:
            try:
                self._keyring.set_password(_SERVICE, self._account, json.dumps(self._known))
                return
            # Back ends of keyring raise errors of their own, of many kinds; the file remains.
            except Exception:  # noqa: BLE001
                self._keyring = None
        if self._path is None:
            return
        everything: JsonObject = {}
        with contextlib.suppress(OSError, ValueError):
            everything = json.loads(self._path.read_text(encoding="utf-8"))
        everything[self._account] = self._known
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # mkstemp makes it 0600.
        handle, name = tempfile.mkstemp(dir=self._path.parent, prefix=f".{secrets.token_hex(4)}")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(everything, file)
        Path(name).replace(self._path)


def _keyring() -> Any:
    """The keyring module where it is installed and has somewhere to keep things."""
    try:
        # Not a dependency: where it is installed it is used.
        keyring: Any = importlib.import_module("keyring")
        nowhere: Any = importlib.import_module("keyring.backends.fail").Keyring
    except ImportError:
        return None
    # A back end without a session bus raises at its first use, with an error of its own.
    try:
        if isinstance(keyring.get_keyring(), nowhere):
            return None
        keyring.get_password(_SERVICE, "probe")
    except Exception:  # noqa: BLE001
        return None
    return keyring


def _free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return bound.getsockname()[1]
