"""The connections to a Redis server. All that can go wrong on the way is `AwayError`.

This module alone knows the client library.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from importlib import resources
from importlib.util import find_spec
from typing import Any

from chatglass.store.protocol import StoreError
from chatglass.store.redis.address import Address
from chatglass.store.redis.errors import AwayError, cause_for_now

PREFIX = "chatglass:"
CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 10.0
"""Without a byte of an answer, a server counts as away. Redis itself calls 5 s of a script slow."""
EXIT_SECONDS = 2.0
"""How long the exit waits for the server before it leaves the last words in the spool."""
_BYTES_PER_SECOND = 2**20
"""The slowest line on which a large result still passes."""

Command = Sequence[bytes | str | int]


def require_client() -> None:
    """Raises StoreError where the extra is not installed."""
    if find_spec("redis") is None:
        raise StoreError(
            "Sessions in Redis need the extra `redis`, which is not installed. "
            "Install it with `pip install 'chatglass[redis]'`, or remove store.url from the settings."
        )


@cache
def script(name: str) -> tuple[str, str]:
    """The text of `NAME.lua` and the hash by which a server knows it."""
    text = (
        resources.files("chatglass.store.redis").joinpath(f"{name}.lua").read_text(encoding="utf-8")
    )
    # https://redis.io/docs/latest/commands/script-load/: SHA-1 is the protocol's, not our choice.
    return text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def _client(address: Address, *, connections: int) -> Any:
    from redis.asyncio import BlockingConnectionPool, Redis
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff

    given: dict[str, Any] = {"password": address.password} if address.password else {}
    make: Any = BlockingConnectionPool
    try:
        pool = make.from_url(
            address.url,
            max_connections=connections,
            timeout=None,
            socket_connect_timeout=CONNECT_SECONDS,
            socket_timeout=None,
            # What is tried again is decided here, since a write must not be done twice.
            retry=Retry(NoBackoff(), 0),
            protocol=2,
            **given,
        )
        # A part of the URL that it does not know shows only here; nothing is connected yet.
        pool.connection_class(**pool.connection_kwargs)
    except (ValueError, TypeError) as error:
        # The library's message may quote the URL with its password.
        raise StoreError(
            f"store.url ({address.shown}) has a part that can't be used "
            f"({type(error).__name__}). Correct it in the settings."
        ) from None
    client: Any = Redis(connection_pool=pool)
    # Answers as Redis gives them: what the library makes of them differs between its versions.
    client.response_callbacks.clear()
    return client


class Link:
    """Reads on a few connections, and writes on one of its own, so that no long read delays them."""

    def __init__(self, address: Address) -> None:
        """Nothing is connected before it is needed. Raises StoreError for a URL that can't be."""
        require_client()
        self.address = address
        self._reader = _client(address, connections=4)
        self._writer = _client(address, connections=1)

    async def close(self) -> None:
        await self._reader.aclose()
        await self._writer.aclose()

    async def command(self, *command: bytes | str | int) -> Any:
        """Read. A connection that the server closed while it was idle is replaced once."""
        try:
            return await self._command(command)
        except StaleError:
            return await self._command(command)

    async def _command(self, command: Command) -> Any:
        async with _translated(ANSWER_SECONDS):
            return await self._reader.execute_command(*command)

    async def read(self, what: str, *args: bytes | str | int) -> Any:
        """Run the reading script. Raises the StoreError that it answers."""
        return await self.script("read", what, *args)

    async def script(self, name: str, *args: bytes | str | int) -> Any:
        text, digest = script(name)
        try:
            return await self.command("EVALSHA", digest, 1, PREFIX, *args)
        except _NoScriptError:
            return await self.command("EVAL", text, 1, PREFIX, *args)

    async def write(self, commands: Sequence[Command]) -> list[Any]:
        """The answers of the writing script to each of `commands`, its arguments, in one round trip.

        An answer may be a StoreError. AwayError leaves open which of them were done.
        """
        text, digest = script("write")
        size = sum(len(arg) for each in commands for arg in each if not isinstance(arg, int))
        async with _translated(ANSWER_SECONDS + size / _BYTES_PER_SECOND):
            answers = await self._evaluate(digest, commands)
            if any(_is_no_script(each) for each in answers):
                # None was run, or all before the first; numbers keep these from being done twice.
                await self._writer.execute_command("SCRIPT", "LOAD", text)
                answers = await self._evaluate(digest, commands)
        return [_checked(answer) for answer in answers]

    async def _evaluate(self, digest: str, commands: Sequence[Command]) -> list[Any]:
        pipeline = self._writer.pipeline(transaction=False)
        for each in commands:
            pipeline.execute_command("EVALSHA", digest, 1, PREFIX, *each)
        return await pipeline.execute(raise_on_error=False)

    def write_now(self, commands: Sequence[Command]) -> list[Any]:
        """`write` that blocks, on a connection of its own, for the exit."""
        from redis import Redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        text, _ = script("write")
        given: dict[str, Any] = {}
        if self.address.password:
            given["password"] = self.address.password
        make: Any = Redis
        client = make.from_url(
            self.address.url,
            socket_connect_timeout=EXIT_SECONDS,
            socket_timeout=EXIT_SECONDS,
            retry=Retry(NoBackoff(), 0),
            protocol=2,
            **given,
        )
        with translated():
            try:
                pipeline = client.pipeline(transaction=False)
                for each in commands:
                    pipeline.execute_command("EVAL", text, 1, PREFIX, *each)
                answers = pipeline.execute(raise_on_error=False)
            finally:
                client.close()
        return [_checked(answer) for answer in answers]

    async def ping(self) -> None:
        """Raises AwayError."""
        async with _translated(ANSWER_SECONDS):
            await self._writer.execute_command("PING")


_PREFIXES = {
    "OutOfMemoryError": "OOM",
    "ReadOnlyError": "READONLY",
    "NoPermissionError": "NOPERM",
    "MasterDownError": "MASTERDOWN",
    "ClusterDownError": "CLUSTERDOWN",
}


class StaleError(AwayError):
    """The connection was closed."""


class _NoScriptError(Exception):
    pass


def _is_no_script(answer: object) -> bool:
    from redis.exceptions import NoScriptError

    return isinstance(answer, NoScriptError)


def _checked(answer: Any) -> Any:
    """An answer of a pipeline, in which errors stand as values; a StoreError stays one."""
    if not isinstance(answer, Exception):
        return answer
    try:
        with translated():
            raise answer
    except StoreError as error:
        return error


@asynccontextmanager
async def _translated(seconds: float) -> AsyncGenerator[None]:
    try:
        async with asyncio.timeout(seconds):
            with translated():
                yield
    except TimeoutError:
        raise AwayError("it does not answer") from None


@contextmanager
def translated() -> Generator[None]:
    """The library's errors as AwayError where another try may help, else as StoreError."""
    from redis import exceptions as gone

    try:
        yield
    except gone.NoScriptError as error:
        raise _NoScriptError from error
    except gone.AuthenticationError as error:
        raise AwayError(_authentication(str(error))) from error
    except gone.BusyLoadingError as error:
        raise AwayError("it is still loading its data") from error
    except gone.TimeoutError as error:
        raise AwayError("it does not answer") from error
    except (gone.ConnectionError, OSError) as error:
        raise StaleError(_connection(error)) from error
    except gone.RedisError as error:
        # The library takes the prefix from the message of some errors, and puts it into their class.
        if cause := cause_for_now(f"{_PREFIXES.get(type(error).__name__, '')} {error}"):
            raise AwayError(cause) from error
        raise StoreError(
            f"Redis refused ({error}). This call had no effect. "
            "Check that it is Redis 6.2 or newer, and what its user may do."
        ) from error


def _authentication(answer: str) -> str:
    if "called without any password" in answer or "NOAUTH" in answer or "required" in answer:
        return "it wants a password"
    return "it refuses the password"


def _connection(error: BaseException) -> str:
    """The cause in the system's words, without addresses, which stand beside it already."""
    import ssl

    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLCertVerificationError):
            return f"its certificate can't be trusted: {seen.verify_message}"
        if isinstance(seen, ssl.SSLError):
            return f"TLS failed: {seen.reason or seen}"
        if isinstance(seen, ConnectionRefusedError):
            return "it refuses connections"
        seen = seen.__cause__ or seen.__context__
    return "the connection was lost" if "closed" in str(error).lower() else str(error).rstrip(".")
