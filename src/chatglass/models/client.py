"""The client of one endpoint: requests out, a stream of pieces back.

Over the openai SDK's AsyncOpenAI, of which it uses authentication, headers and transport; body,
retries, events and assembly are ours, since what the SDK does there is silent or odd (DESIGN.md,
"The openai client").
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from chatglass.models.adaptation import Adaptation, adapt, has_images, refused
from chatglass.models.answer import Answer
from chatglass.models.deltas import JsonObject, as_list, as_object, as_text
from chatglass.models.exchange import Exchange, secrets_of
from chatglass.models.failures import Failures
from chatglass.models.keys import KeyCommand, KeyUnavailable, fits_header
from chatglass.models.retries import RetryPolicy
from chatglass.models.transport import Timeouts, build_sdk_client
from chatglass.models.wire import (
    Adapted,
    Endpoint,
    ModelError,
    ModelEvent,
    ModelRequest,
    Sent,
    Waiting,
)
from chatglass.values.text import storable

if TYPE_CHECKING:
    import httpx2
    from openai import AsyncOpenAI, Omit

_DRAIN_S = 0.1
"""How long to wait for the end of a body after its last event, so that the connection can be used again."""
_ERROR_KEPT = 100_000
_LONG_READ = 16 * 1024
"""Bytes that take about 1 ms to read."""


def wire_bytes(body: Mapping[str, Any]) -> bytes:
    """The bytes that are sent for `body`: JSON in UTF-8, keys in order, no spaces.

    It is how the openai SDK itself serialises (`openapi_dumps`). Lone surrogates, which UTF-8
    can't hold, go out as U+FFFD.
    """
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return storable(text).encode()


class OpenAIClient:
    """ModelClient of one endpoint.

    Cheap to make; the SDK's client is built at the first request, in a thread where it has to
    load certificates. What the endpoint refuses is remembered per model for the life of this
    object.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        key_command: KeyCommand | None = None,
        timeouts: Timeouts | None = None,
        retries: RetryPolicy | None = None,
    ) -> None:
        self.endpoint = endpoint
        self._key_command = key_command
        self._timeouts = timeouts or Timeouts()
        self._retries = retries or RetryPolicy()
        self._adaptations: dict[str, Adaptation] = {}
        self._client: AsyncOpenAI | None = None
        self._client_key: str | None = None
        self._building = asyncio.Lock()

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        """Send `request`. Raises ModelError; closing the iterator closes the connection."""
        attempt = 1
        new_key_tried = False
        while True:
            known = self._adaptations.get(request.model, Adaptation())
            body = adapt(request, known, is_openai=self.endpoint.kind == "openai")
            content = wire_bytes(body)
            if b"\xef\xbf\xbd" in content:
                # Something could not be sent as it was: what is told must be what went out.
                body = json.loads(content)
            client = await self._ready(request.model)
            failures = self._failures(request.model)
            exchange = self._exchange()
            yield Sent(body, exchange)
            outcome = await self._post(client, failures, content, exchange)
            if isinstance(outcome, _Refused):
                exchange.failure = outcome.error.cause
                if outcome.error.status == 401 and self._renews_key() and not new_key_tried:
                    new_key_tried = True
                    continue
                change = refused(outcome.error.status or 0, outcome.body, body, known)
                if change is not None:
                    self._adaptations[request.model] = change.adaptation
                    note = storable(f"{request.model} on {self.endpoint.name} {change.note}.")
                    exchange.failure = f"{exchange.failure} {note}"
                    if change.field == "images" and _asks_with_images(request):
                        raise failures.no_images()
                    yield Adapted(change.field, note)
                    continue
                delay = self._retries.delay(outcome.error, attempt, outcome.headers)
                if delay is None:
                    raise outcome.error
                attempt += 1
                yield Waiting(delay, attempt, outcome.error.cause, outcome.error.reason)
                await asyncio.sleep(delay)
                continue
            try:
                async with contextlib.aclosing(self._read(outcome, failures, exchange)) as events:
                    async for event in events:
                        yield event
            except ModelError as error:
                exchange.failure = error.cause
                raise
            return

    def refuses_images(self, model: str) -> bool:
        """Whether the model has turned images down since the start."""
        return "images" in self._adaptations.get(model, Adaptation()).dropped

    async def list_models(self) -> list[str]:
        """The models the endpoint lists at `/models`, in its order. Raises ModelError."""
        entries = await self.model_entries()
        names = (as_text(entry.get("id")) or as_text(entry.get("name")) for entry in entries)
        return list(dict.fromkeys(storable(name) for name in names if name))

    async def model_entries(self) -> list[JsonObject]:
        """The entries of `/models` as the server sends them. Raises ModelError."""
        import httpx2
        import openai

        client = await self._ready("")
        failures = self._failures("the model list")
        try:
            response = await client.get(
                "/models",
                cast_to=httpx2.Response,
                options={
                    "headers": self._authorization(),
                    "timeout": min(self._timeouts.listing, self._timeouts.first_byte),
                },
            )
        except openai.APIStatusError as error:
            text = error.response.text[:_ERROR_KEPT]
            raise failures.status(error.status_code, text, error.response.headers) from error
        except openai.APIConnectionError as error:
            raise failures.connection(error) from error
        try:
            answer: object = json.loads(response.content)
        except (ValueError, RecursionError) as error:
            raise failures.malformed(response.text[:2000]) from error
        entries = as_list(as_object(answer).get("data")) or as_list(answer)
        return [as_object(entry) for entry in entries]

    async def close(self) -> None:
        """Close all connections; the next request opens new ones."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    def _exchange(self) -> Exchange:
        base = urlsplit(self.endpoint.base_url)
        # Without the name and password that may stand before the host, and without a query.
        host = base.netloc.rpartition("@")[2]
        url = f"{base.scheme}://{host}{base.path.rstrip('/')}/chat/completions"
        return Exchange(
            url, secrets_of(self.endpoint.base_url, self._client_key, self.endpoint.headers)
        )

    def _failures(self, model: str) -> Failures:
        return Failures(self.endpoint, model, self._client_key)

    def _authorization(self) -> dict[str, str | Omit]:
        """The header with the key, or what tells the SDK that none is meant. Given with each
        request, since it goes before whatever the SDK found in the environment."""
        import openai

        if any(name.lower() == "authorization" for name in self.endpoint.headers):
            return {}
        key = self._client_key
        return {"Authorization": f"Bearer {key}" if key else openai.Omit()}

    def _renews_key(self) -> bool:
        """After a 401: whether another key may be had from the command."""
        if self._key_command is None or self._client_key is None:
            return False
        self._key_command.forget(self._client_key)
        return True

    async def _ready(self, model: str) -> AsyncOpenAI:
        """The SDK's client with the key in force."""
        async with self._building:
            key = self.endpoint.key
            if key is None and self._key_command is not None:
                try:
                    key = await self._key_command.key()
                except KeyUnavailable as error:
                    raise self._failures(model).no_key(str(error)) from error
            if key is not None and not fits_header(key):
                why = f"the value of {self.endpoint.key_source} holds characters that no key has."
                raise self._failures(model).no_key(why)
            if self._client is None:
                # Imports, where `preload()` has not run, and certificates take up to 0.6 s.
                self._client = await asyncio.to_thread(
                    build_sdk_client, self.endpoint, self._timeouts
                )
            self._client_key = key
            return self._client

    async def _post(
        self, client: AsyncOpenAI, failures: Failures, content: bytes, exchange: Exchange
    ) -> httpx2.Response | _Refused:
        """The response with its body unread, or why there is none."""
        import httpx2
        import openai

        stream = openai.AsyncStream[object]
        try:
            # Not `chat.completions.create`: it walks through every message to transform it, on
            # the event loop, and it would reorder the body.
            response = await client.post(
                "/chat/completions",
                cast_to=cast("type[Any]", httpx2.Response),
                content=content,
                stream=True,
                stream_cls=stream,
                options={"headers": {"Content-Type": "application/json", **self._authorization()}},
            )
        except openai.APIStatusError as error:
            text = error.response.text[:_ERROR_KEPT]
            headers = error.response.headers
            self._note_head(exchange, error.response)
            exchange.add(error.response.content)
            return _Refused(failures.status(error.status_code, text, headers), text, headers)
        except openai.APIConnectionError as error:
            exchange.sent(error.request.headers.multi_items(), self.endpoint.headers)
            return _Refused(failures.connection(error, self._timeouts.first_byte), "", {})
        answer = cast("httpx2.Response", response)
        self._note_head(exchange, answer)
        return answer

    def _note_head(self, exchange: Exchange, response: httpx2.Response) -> None:
        exchange.sent(response.request.headers.multi_items(), self.endpoint.headers)
        exchange.answered(response.status_code, response.headers.multi_items())

    async def _read(
        self, response: httpx2.Response, failures: Failures, exchange: Exchange
    ) -> AsyncGenerator[ModelEvent, None]:
        """The events of one answer, to its end."""
        import httpx2

        answer = Answer(failures)
        chunks = response.aiter_bytes()
        wait = self._timeouts.first_byte
        try:
            while not answer.is_done:
                try:
                    async with asyncio.timeout(wait):
                        chunk = await anext(chunks, None)
                except (TimeoutError, httpx2.TimeoutException):
                    raise failures.stalled(wait) from None
                except httpx2.RequestError as error:
                    if answer.is_complete:
                        break
                    raise failures.dropped(error) from error
                if chunk is None:
                    break
                wait = self._timeouts.between_chunks
                exchange.add(chunk)
                for event in answer.take(chunk):
                    yield event
                answer.check()
                if len(chunk) > _LONG_READ:
                    # Reads from a full buffer never wait: let the rest of the program run.
                    await asyncio.sleep(0)
            for event in answer.end():
                yield event
            with contextlib.suppress(TimeoutError, httpx2.HTTPError, httpx2.StreamError):
                async with asyncio.timeout(_DRAIN_S):
                    async for chunk in chunks:
                        exchange.add(chunk)
        finally:
            await response.aclose()


def _asks_with_images(request: ModelRequest) -> bool:
    """Whether the newest prompt has images: then the user has to say what becomes of them."""
    prompts = (m for m in reversed(request.messages) if m.get("role") == "user")
    newest = next(prompts, None)
    return newest is not None and has_images(newest)


@dataclass(frozen=True, slots=True)
class _Refused:
    """An attempt that brought no stream."""

    error: ModelError
    body: str
    headers: Mapping[str, str]
