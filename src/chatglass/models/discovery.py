"""Servers on this machine: which answer, what they are, and how large their windows are.

Probes carry no key and go through no proxy; they ask loopback addresses only. The paths and
fields are those of the servers' own documentation: Ollama (/api/version, /api/ps, /api/show), LM
Studio (/api/v0/models), llama.cpp's server (/props), vLLM (/v1/models with `max_model_len`).
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from chatglass.models.deltas import JsonObject, as_list, as_object, as_text
from chatglass.models.wire import Endpoint, EndpointKind
from chatglass.values.text import storable

if TYPE_CHECKING:
    import httpx2

USUAL_PORTS: tuple[tuple[EndpointKind, int], ...] = (
    ("ollama", 11434),
    ("lmstudio", 1234),
    ("llamacpp", 8080),
    ("vllm", 8000),
)
_LARGEST = 8 * 1024 * 1024
"""Bytes of an answer; what is larger is not read to its end."""


async def discover(
    ports: Sequence[int] = tuple(port for _, port in USUAL_PORTS), *, timeout_s: float = 0.5
) -> list[Endpoint]:
    """The OpenAI-compatible servers that answer on `ports` of this machine, in their order, each
    with its kind and models. Takes at most about `timeout_s`; never raises.
    """
    await asyncio.to_thread(_import_client)
    async with asyncio.TaskGroup() as tasks:
        probes = [tasks.create_task(_probe(port, timeout_s)) for port in ports]
    return [found for probe in probes if (found := probe.result()) is not None]


def usual_endpoint(name: str) -> Endpoint | None:
    """The endpoint that `discover` calls `name` on a usual port, whether it runs or not."""
    for kind, port in USUAL_PORTS:
        if kind == name:
            url = f"http://127.0.0.1:{port}/v1"
            return Endpoint(name=name, base_url=url, kind=kind, is_local=True)
    return None


async def _probe(port: int, timeout_s: float) -> Endpoint | None:
    root = f"http://127.0.0.1:{port}"
    try:
        async with asyncio.timeout(timeout_s), _asker(root, timeout_s) as asker:
            listing, kind = await asyncio.gather(asker.get("/v1/models"), _kind(asker))
    except TimeoutError:
        return None
    if not isinstance(listing.get("data"), list):
        return None
    entries = [as_object(entry) for entry in as_list(listing.get("data"))]
    kind = _by_owner(kind, entries)
    name = kind if (kind, port) in USUAL_PORTS else f"127.0.0.1:{port}"
    names = (storable(as_text(entry.get("id"))) for entry in entries)
    return Endpoint(
        name=name,
        base_url=f"{root}/v1",
        kind=kind,
        models=tuple(dict.fromkeys(name for name in names if name)),
        is_local=True,
    )


async def _kind(asker: _Asker) -> EndpointKind:
    """What a server is, by an answer that only its kind gives."""
    version, running, props, models = await asyncio.gather(
        asker.get("/api/version"),
        asker.get("/api/ps"),
        asker.get("/props"),
        asker.get("/api/v0/models"),
    )
    # Both: other programs tell their version at that path too, proxies to paid APIs among them.
    if as_text(version.get("version")) and isinstance(running.get("models"), list):
        return "ollama"
    if "default_generation_settings" in props:
        return "llamacpp"
    if isinstance(models.get("data"), list):
        return "lmstudio"
    return "other"


def _by_owner(kind: EndpointKind, entries: Sequence[JsonObject]) -> EndpointKind:
    """`kind`, or `vllm` where the model list says so: that server answers no path of its own."""
    is_vllm = kind == "other" and any(entry.get("owned_by") == "vllm" for entry in entries)
    return "vllm" if is_vllm else kind


async def local_kind(endpoint: Endpoint, *, timeout_s: float = 1.0) -> EndpointKind | None:
    """What the server of an endpoint on this machine is; None where it does not answer, `other`
    where nothing tells. The endpoint's own key goes along, if it has one. Never raises."""
    path = urlsplit(endpoint.base_url).path.rstrip("/")
    try:
        async with _own_asker(endpoint, timeout_s) as asker:
            listing, kind = await asyncio.gather(asker.get(f"{path}/models"), _kind(asker))
    except TimeoutError:
        return None
    kind = _by_owner(kind, [as_object(entry) for entry in as_list(listing.get("data"))])
    return kind if listing or kind != "other" else None


async def local_window(endpoint: Endpoint, model: str, *, timeout_s: float = 2.0) -> int | None:
    """The window with which a server on this machine runs `model` now, or None where it doesn't
    say. The endpoint's own key goes along, if it has one. Never raises.
    """
    path = urlsplit(endpoint.base_url).path.rstrip("/")
    try:
        async with _own_asker(endpoint, timeout_s) as asker:
            windows = await asyncio.gather(
                _listed_window(asker, f"{path}/models", model),
                _lmstudio_window(asker, model),
                _llamacpp_window(asker),
                _ollama_window(asker, model),
            )
    except TimeoutError:
        return None
    return next((window for window in windows if window), None)


async def local_images(endpoint: Endpoint, model: str, *, timeout_s: float = 2.0) -> bool | None:
    """Whether a server on this machine says that `model` takes images; None where it doesn't say.
    Never raises."""
    path = urlsplit(endpoint.base_url).path.rstrip("/")
    try:
        async with _own_asker(endpoint, timeout_s) as asker:
            listing, studio, props, shown = await asyncio.gather(
                asker.get(f"{path}/models"),
                asker.get("/api/v0/models"),
                asker.get("/props"),
                asker.post("/api/show", {"model": model}),
            )
    except TimeoutError:
        return None
    vision = as_object(props.get("modalities")).get("vision")
    if isinstance(vision, bool):
        return vision
    if capabilities := as_list(shown.get("capabilities")):
        return "vision" in capabilities
    entries = [as_object(e) for e in (*as_list(studio.get("data")), *as_list(listing.get("data")))]
    said = (images_of_entry(entry) for entry in entries if entry.get("id") == model)
    return next((answer for answer in said if answer is not None), None)


def images_of_entry(entry: JsonObject) -> bool | None:
    """Whether an entry of a model list says that the model takes images: `type` of LM Studio
    (`vlm`, `llm`), `architecture.input_modalities` of OpenRouter, `capabilities.vision` of Mistral."""
    if (kind := entry.get("type")) in ("vlm", "llm"):
        return kind == "vlm"
    if inputs := as_list(as_object(entry.get("architecture")).get("input_modalities")):
        return "image" in inputs
    vision = as_object(entry.get("capabilities")).get("vision")
    return vision if isinstance(vision, bool) else None


def window_of_entry(entry: JsonObject) -> int | None:
    """The window in an entry of `/v1/models`: vLLM's `max_model_len`, `context_length` of
    OpenRouter and Together, `context_window` of Groq, `max_context_length` of Mistral."""
    names = ("max_model_len", "context_length", "context_window", "max_context_length")
    return next((count for name in names if (count := _count(entry.get(name)))), None)


async def _listed_window(asker: _Asker, path: str, model: str) -> int | None:
    listing = await asker.get(path)
    entries = [as_object(entry) for entry in as_list(listing.get("data"))]
    return next((window_of_entry(e) for e in entries if e.get("id") == model), None)


async def _lmstudio_window(asker: _Asker, model: str) -> int | None:
    listing = await asker.get("/api/v0/models")
    for item in as_list(listing.get("data")):
        entry = as_object(item)
        if entry.get("id") == model:
            loaded = _count(entry.get("loaded_context_length"))
            return loaded or _count(entry.get("max_context_length"))
    return None


async def _llamacpp_window(asker: _Asker) -> int | None:
    props = await asker.get("/props")
    return _count(as_object(props.get("default_generation_settings")).get("n_ctx"))


async def _ollama_window(asker: _Asker, model: str) -> int | None:
    """What the loaded model runs with, else the `num_ctx` it is set to. The size that the model
    was made for is no measure: Ollama runs it with a smaller one, and cuts prompts at that."""
    running = await asker.get("/api/ps")
    for item in as_list(running.get("models")):
        entry = as_object(item)
        if model in (entry.get("name"), entry.get("model")):
            loaded = _count(entry.get("context_length"))
            if loaded:
                return loaded
    if "models" not in running:
        return None
    shown = await asker.post("/api/show", {"model": model})
    found = re.search(r"^num_ctx\s+(\d{1,9})\s*$", as_text(shown.get("parameters")), re.MULTILINE)
    return _count(int(found.group(1))) if found else None


def _count(value: object) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10**9:
        return value
    return None


class _Asker:
    """JSON from one server; an empty object where it gives none."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self._client = client

    async def get(self, path: str) -> JsonObject:
        return await self._ask("GET", path, None)

    async def post(self, path: str, body: Mapping[str, object]) -> JsonObject:
        return await self._ask("POST", path, body)

    async def _ask(self, method: str, path: str, body: Mapping[str, object] | None) -> JsonObject:
        import httpx2

        received = bytearray()
        try:
            async with self._client.stream(method, path, json=body) as response:
                if response.status_code != 200:
                    return {}
                async for chunk in response.aiter_bytes():
                    received += chunk
                    if len(received) > _LARGEST:
                        return {}
            return as_object(json.loads(received))
        except (httpx2.HTTPError, httpx2.StreamError, ValueError, RecursionError):
            # Whatever else listens there: it is not a server that we know.
            return {}


def _import_client() -> None:
    """httpx2, and what it imports for its first client and connection: 50 ms of the event loop."""
    import anyio
    import httpx2

    httpx2.AsyncClient(verify=False, trust_env=False)
    anyio.run(anyio.sleep, 0)


@asynccontextmanager
async def _own_asker(endpoint: Endpoint, timeout_s: float) -> AsyncGenerator[_Asker, None]:
    """Asks the server of an endpoint; its key goes along, if it has one. Raises TimeoutError."""
    parts = urlsplit(endpoint.base_url)
    headers = dict(endpoint.headers)
    if endpoint.key:
        headers["Authorization"] = f"Bearer {endpoint.key}"
    await asyncio.to_thread(_import_client)
    root = f"{parts.scheme}://{parts.netloc}"
    async with asyncio.timeout(timeout_s), _asker(root, timeout_s, headers) as asker:
        yield asker


@asynccontextmanager
async def _asker(
    root: str, timeout_s: float, headers: Mapping[str, str] | None = None
) -> AsyncGenerator[_Asker, None]:
    import httpx2

    async with httpx2.AsyncClient(
        base_url=root,
        headers=headers,
        timeout=timeout_s,
        verify=root.startswith("https:"),
        trust_env=False,
        follow_redirects=False,
    ) as client:
        yield _Asker(client)
