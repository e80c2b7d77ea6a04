"""Servers on this machine, found over real HTTP."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chatglass.models.discovery import discover, local_kind, local_window
from chatglass.models.wire import Endpoint
from models.loopback import Loopback, json_reply, loopback, raw, stalls

OLLAMA: dict[str, Any] = {
    "/api/version": {"version": "0.12.0"},
    "/api/ps": {"models": []},
    "/v1/models": {"data": [{"id": "gemma3:13b", "owned_by": "library"}]},
}
LLAMACPP = {
    "/props": {"default_generation_settings": {"n_ctx": 4096}},
    "/v1/models": {"data": [{"id": "q.gguf", "owned_by": "llamacpp"}]},
}
LMSTUDIO = {
    "/api/v0/models": {
        "data": [
            {"id": "a", "state": "loaded", "loaded_context_length": 8192, "max_context_length": 32768},
            {"id": "b", "state": "not-loaded", "max_context_length": 16384},
        ]
    },
    "/v1/models": {"data": [{"id": "a"}, {"id": "b"}]},
    # LM Studio answers paths that it doesn't know with 200.
    "/props": {"error": "Unexpected endpoint or method."},
    "/api/version": {"error": "Unexpected endpoint or method."},
}  # fmt: skip
VLLM = {"/v1/models": {"data": [{"id": "m", "owned_by": "vllm", "max_model_len": 2048}]}}
OPEN_WEBUI = {"/api/version": {"version": "0.6"}, "/v1/models": {"data": [{"id": "gpt-4o"}]}}
PLAIN = {"/v1/models": {"data": [{"id": "x"}, {"id": "x"}, {"nothing": 1}]}}


def answers(server: Loopback, paths: dict[str, Any]) -> Loopback:
    server.paths = {path: json_reply(value) for path, value in paths.items()}
    return server


@pytest.mark.parametrize(
    ("paths", "kind", "models"),
    [
        (OLLAMA, "ollama", ("gemma3:13b",)),
        (LLAMACPP, "llamacpp", ("q.gguf",)),
        (LMSTUDIO, "lmstudio", ("a", "b")),
        (VLLM, "vllm", ("m",)),
        (PLAIN, "other", ("x",)),
        (OPEN_WEBUI, "other", ("gpt-4o",)),
    ],
)
async def test_each_kind_is_known_by_its_answers(
    paths: dict[str, Any], kind: str, models: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    async with loopback() as server:
        answers(server, paths)
        (found,) = await discover([server.port], timeout_s=5)
    assert (found.kind, found.models) == (kind, models)
    assert found.name == f"127.0.0.1:{server.port}"
    assert found.base_url == server.base_url
    assert found.is_local
    assert found.key is None
    async with loopback() as server:
        answers(server, paths)
        proxy = Endpoint(name="x", base_url=server.base_url, key="own", is_local=True)
        assert await local_kind(proxy, timeout_s=5) == kind
    assert {r.headers["authorization"] for r in server.received} == {"Bearer own"}
    assert "sk-secret" not in str(server.received)


async def test_what_is_no_model_server_is_not_found() -> None:
    web = json_reply(b"<html>hello</html>", 200, "text/html")
    async with (
        loopback(web) as page,
        loopback(json_reply({"data": "x"})) as json_page,
        loopback(raw(b"SSH-2.0-OpenSSH\r\n")) as ssh,
        loopback(stalls()) as silent,
        loopback() as model_server,
    ):
        answers(model_server, PLAIN)
        servers = [page, json_page, ssh, silent, model_server]
        started = asyncio.get_running_loop().time()
        found = await discover([*(s.port for s in servers), 1], timeout_s=1.0)
        took = asyncio.get_running_loop().time() - started
    assert [e.base_url for e in found] == [model_server.base_url]
    assert took < 4  # at once, not one after another


async def test_nothing_there() -> None:
    assert await discover([1], timeout_s=1.0) == []
    assert await local_kind(Endpoint(name="x", base_url="http://127.0.0.1:1/v1")) is None


@pytest.mark.parametrize(
    ("paths", "model", "window"),
    [
        (VLLM, "m", 2048),
        (VLLM, "another", None),
        (LLAMACPP, "q.gguf", 4096),
        (LMSTUDIO, "a", 8192),
        (LMSTUDIO, "b", 16384),
        (OLLAMA, "gemma3:13b", None),
        ({**OLLAMA, "/api/show": {"parameters": 'stop   "x"\nnum_ctx                        16000'}}, "gemma3:13b", 16000),
        ({**OLLAMA, "/api/ps": {"models": [{"name": "gemma3:13b", "context_length": 4096}]}}, "gemma3:13b", 4096),
        (PLAIN, "x", None),
    ],
)  # fmt: skip
async def test_windows(paths: dict[str, Any], model: str, window: int | None) -> None:
    async with loopback() as server:
        answers(server, paths)
        endpoint = Endpoint(name="x", base_url=server.base_url, is_local=True)
        assert await local_window(endpoint, model) == window


async def test_a_window_is_asked_for_with_the_endpoints_own_key() -> None:
    async with loopback() as server:
        answers(server, VLLM)
        await local_window(Endpoint(name="x", base_url=server.base_url, key="own"), "m")
    assert {r.headers["authorization"] for r in server.received} == {"Bearer own"}


async def test_a_server_that_is_silent_has_no_window() -> None:
    async with loopback(stalls()) as server:
        endpoint = Endpoint(name="x", base_url=server.base_url)
        assert await local_window(endpoint, "m", timeout_s=0.1) is None
