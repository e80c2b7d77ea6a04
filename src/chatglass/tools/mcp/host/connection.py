"""One connection to one server: a task that opens and closes it, and requests beside that task."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Protocol, TypeVar

import mcp_types as types
from mcp.client import Client, Transport
from mcp.client.client import ConnectMode
from mcp.shared.exceptions import MCPDeprecationWarning, MCPError

from chatglass.tools.limits import head_and_tail
from chatglass.tools.mcp.host import rendering
from chatglass.tools.mcp.host.callbacks import Callbacks
from chatglass.tools.mcp.host.failures import Lost, cause, is_closing, is_final, may_be_older
from chatglass.tools.mcp.host.http import http_transport, sse_transport
from chatglass.tools.mcp.host.lists import Lists
from chatglass.tools.mcp.host.log_book import LogBook
from chatglass.tools.mcp.host.oauth import SignIn
from chatglass.tools.mcp.host.stdio import Traffic, stdio_transport
from chatglass.tools.piped_process import PipedProcess
from chatglass.tools.redaction import Redactor
from chatglass.tools.spool import put
from chatglass.tools.tool import JsonObject
from chatglass.values.text import one_line, storable

_T = TypeVar("_T")
_PROGRESS_S = 0.05
"""Between two reports of one call."""
_MOST_COMPLETIONS = 100
"""As many as the specification allows."""
_LONGEST_COMPLETION = 2_000
_LATEST_LOGS: types.LoggingLevel = "info"


class Host(Protocol):
    """What a connection needs of the host."""

    app_life: int
    spool: str
    roots: list[str]
    token_file: str | None

    def send(self, frame: JsonObject) -> None: ...

    async def ask(self, server: str, kind: str, question: JsonObject) -> Any: ...


class Connection:
    """Made of an `open` frame. `run()` is the one task that opens and closes it."""

    def __init__(self, host: Host, frame: JsonObject) -> None:
        self.name: str = frame["server"]
        self._run: int = frame["run"]
        self._spec: JsonObject = frame["spec"]
        self._mode: ConnectMode = frame["mode"]
        self._timeout_s: float = frame["timeout_s"]
        self._host = host
        self._client: Client | None = None
        self._ended = asyncio.Event()
        self._why = ""
        self._log = LogBook(
            Path(frame["log"]) if frame["log"] else None,
            Redactor(frame["secrets"]),
            lambda lines: self._tell("log", lines=lines),
        )
        self._callbacks = Callbacks(host, self.name, self._log, sampling=frame["sampling"])
        self._lists = Lists(self._tell, self._log.note)
        self._process: PipedProcess | None = None
        self._traffic = Traffic(self._log.note)
        self._deadline: asyncio.Timeout | None = None

    # -- its one task

    async def run(self) -> None:
        """Open, serve until the end, close. Tells the app `ready` and, at last, `lost`."""
        why, final = "", False
        try:
            await self._serve()
        except asyncio.CancelledError:
            why = "stopped"
            raise
        # The SDK ends a connection by whatever its tasks raised, in nested groups.
        except Exception as error:  # noqa: BLE001
            why, final = self._explain(error), is_final(error)
        finally:
            self._lists.close()
            self._log.close()
            never_ran = self._process is not None and self._process.could_not_start
            self._tell("lost", why=why or self._why or "stopped", final=final or never_ran)

    def end(self, why: str = "stopped") -> None:
        """End the connection; `run()` returns after that."""
        self._why = self._why or why
        self._ended.set()

    async def _serve(self) -> None:
        if self._spec["kind"] == "stdio":
            return await self._serve_over(self._stdio())
        url, headers = self._spec["url"], self._spec["headers"]
        auth = None
        if not any(name.lower() == "authorization" for name in headers):
            auth = SignIn(self._host, self.name, url, self._give_time).auth()
        older = sse_transport(url, headers, auth)
        if self._spec["sse"]:
            return await self._serve_over(older)
        try:
            return await self._serve_over(http_transport(url, headers, auth))
        except Exception as error:  # in nested groups, see run()
            if self._client is not None or not may_be_older(error):
                raise
            self._log.note(f"It does not speak streamable HTTP ({cause(error)}); trying SSE.")
            try:
                return await self._serve_over(older)
            except Exception as second:  # noqa: BLE001
                # The first error is the one to mend, unless SSE got as far as a connection.
                raise (second if self._client is not None else error) from None

    def _stdio(self) -> Transport:
        process = self._process = PipedProcess(self._log.feed_stderr)
        return stdio_transport(process, lambda: self._start(process), self._traffic, self.end)

    async def _serve_over(self, transport: Transport) -> None:
        async with AsyncExitStack() as stack:
            try:
                async with asyncio.timeout(self._timeout_s) as self._deadline:
                    client = await stack.enter_async_context(self._make_client(transport))
                    self._client = client
                    await self._announce(client)
            except TimeoutError:
                raise Lost(self._silence()) from None
            finally:
                self._deadline = None
            listens = asyncio.create_task(self._lists.listen(client))
            gone = asyncio.create_task(self._watch_process())
            try:
                await self._ended.wait()
            finally:
                for task in (listens, gone):
                    task.cancel()
                # Pending requests are answered by the SDK as it closes.
                await asyncio.gather(listens, gone, return_exceptions=True)

    async def _start(self, process: PipedProcess) -> None:
        spec = self._spec
        argv = [spec["command"], *spec["args"]]
        try:
            await process.start(argv, spec["cwd"], spec["env"], self._host.app_life)
        except OSError as error:
            raise Lost(
                f"It could not be started in {spec['cwd']}: {error.strerror or error}", final=True
            ) from None

    def _make_client(self, transport: Transport) -> Client:
        callbacks = self._callbacks
        return Client(
            transport,
            mode=self._mode,
            cache=None,
            client_info=types.Implementation(name="chatglass", version=_version()),
            elicitation_callback=callbacks.elicit,
            sampling_callback=callbacks.sample if callbacks.sampling else None,
            list_roots_callback=callbacks.list_roots,
            logging_callback=callbacks.log_message,
            log_level=_LATEST_LOGS,
            message_handler=self._lists.notified,
        )

    async def _announce(self, client: Client) -> None:
        """Ask for everything once, then say that it is ready."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", MCPDeprecationWarning)
            if client.server_capabilities.logging and client.session.initialize_result:
                try:
                    await client.set_logging_level(_LATEST_LOGS)  # pyright: ignore[reportDeprecated]
                except MCPError as error:
                    self._log.note(f"It would not set its log level: {error}")
        await self._lists.read_all(client)
        if self._process is not None and self._process.gone.is_set():
            # It died of what it was asked; `_watch_process` says so.
            return
        info = client.server_info
        self._tell(
            "ready",
            protocol=client.protocol_version,
            title=(info.title or info.name) if info else "",
            version=info.version if info else "",
            instructions=(client.instructions or "")[:4_000],
        )

    async def _watch_process(self) -> None:
        if self._process is not None:
            await self._process.gone.wait()
            self.end(self._last_words())

    # -- requests

    async def call(self, frame: JsonObject) -> JsonObject:
        """A tool call; the fields of its `result` frame."""

        clock = asyncio.get_running_loop().time
        reported = 0.0

        async def progressed(progress: float, total: float | None, message: str | None) -> None:
            nonlocal reported
            if clock() - reported < _PROGRESS_S and progress != total:
                return
            reported = clock()
            fraction = min(max(progress / total, 0.0), 1.0) if total else None
            done = f"{progress:g} of {total:g}" if total else f"{progress:g}"
            text = one_line(message, 300) if message else done
            self._host.send(
                {"on": "progress", "id": frame["id"], "text": text, "fraction": fraction}
            )

        result = await self._request(
            lambda client: client.call_tool(
                frame["tool"], frame["arguments"], progress_callback=progressed
            )
        )
        seen = head_and_tail(rendering.seen_of_call(result), frame["limit"])
        return {
            "seen": put(self._host.spool, seen),
            "produced": put(self._host.spool, rendering.as_json(result)),
            "error": result.is_error,
        }

    async def read_resource(self, frame: JsonObject) -> JsonObject:
        result = await self._request(lambda client: client.read_resource(frame["uri"]))
        seen = head_and_tail(rendering.seen_of_resource(result), frame["limit"])
        return {
            "seen": put(self._host.spool, seen),
            "produced": put(self._host.spool, rendering.as_json(result)),
            "error": False,
        }

    async def get_prompt(self, frame: JsonObject) -> JsonObject:
        result = await self._request(
            lambda client: client.get_prompt(frame["prompt"], frame["arguments"])
        )
        return {"messages": rendering.prompt_messages(result)}

    async def complete(self, frame: JsonObject) -> JsonObject:
        """What a server proposes for a variable of a resource template; nothing where it does not
        complete."""
        client = self._client
        if client is None or client.server_capabilities.completions is None:
            return {"values": []}
        reference = types.ResourceTemplateReference(uri=frame["template"])
        argument = {"name": frame["variable"], "value": frame["value"]}
        result = await self._request(
            lambda client: client.complete(reference, argument, frame["others"])
        )
        values = result.completion.values[:_MOST_COMPLETIONS]
        return {"values": [storable(value)[:_LONGEST_COMPLETION] for value in values]}

    async def _request(self, make: Callable[[Client], Awaitable[_T]]) -> _T:
        """Raises Lost where the connection ends meanwhile, MCPError for the server's own errors."""
        client = self._client
        if client is None or self._ended.is_set():
            raise Lost(self._why or "It is not connected.")
        try:
            return await make(client)
        except MCPError as error:
            if error.code == types.CONNECTION_CLOSED:
                await asyncio.sleep(0)
                raise Lost(await self._closing_words(error)) from None
            if error.code == types.INVALID_REQUEST and error.message == "Session terminated":
                # A server that was started anew knows our session no more.
                self.end("It has ended our session.")
            raise

    async def _closing_words(self, error: MCPError) -> str:
        if self._process is None:
            return f"The connection was closed: {error}"
        # Its exit code comes a moment after the end of its output.
        try:
            async with asyncio.timeout(1.0):
                await self._process.gone.wait()
        except TimeoutError:
            return "It closed its output."
        return self._last_words()

    async def roots_changed(self) -> None:
        client = self._client
        if client is None or client.session.initialize_result is None:
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", MCPDeprecationWarning)
            await client.send_roots_list_changed()  # pyright: ignore[reportDeprecated]

    # -- words

    def _tell(self, on: str, **fields: Any) -> None:
        self._host.send({"on": on, "server": self.name, "run": self._run, **fields})

    def _give_time(self, seconds: float) -> None:
        """A person is asked: the time to start counts from now on, with so much more."""
        if self._deadline is not None:
            self._deadline.reschedule(asyncio.get_running_loop().time() + seconds)

    def _explain(self, error: BaseException) -> str:
        if self._why:
            return self._why
        # By now it has been stopped, so its exit code is known.
        return self._last_words() if is_closing(error) and self._process else cause(error)

    def _last_words(self) -> str:
        assert self._process
        how = self._process.how_it_ended()
        if how.startswith("could not"):
            return f"It {how}."
        said = self._log.last_line or self._traffic.first_garbage
        return f"It {how}." + (f" Its last words: {one_line(said, 300)}" if said else "")

    def _silence(self) -> str:
        text = f"It did not answer initialize in {self._timeout_s:g} s."
        if self._traffic.first_garbage:
            return f"{text} Its stdout is not the protocol: {self._traffic.first_garbage}"
        if self._log.last_line:
            return f"{text} Its last words: {one_line(self._log.last_line, 300)}"
        return text


def _version() -> str:
    from importlib.metadata import version

    return version("chatglass")
