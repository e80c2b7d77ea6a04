"""Models: defaults, windows, prices and estimates by endpoint and model."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from chatglass.config.settings import EndpointSettings, PriceSettings
from chatglass.models.endpoints import ConfiguredEndpoint
from chatglass.models.model_manager import Models
from chatglass.models.wire import Endpoint, ModelError, ModelManager, ModelRef
from chatglass.values.usage import UNPRICED, Usage
from models.loopback import HELLO, PROMPT, collect, error_reply, json_reply, loopback

KEY = {"OPENAI_API_KEY": "sk-own"}
DEMO = Endpoint(name="demo", base_url="http://127.0.0.1:9/v1", kind="demo", models=("demo-1",), is_local=True)  # fmt: skip
VLLM = json_reply({"data": [{"id": "m", "owned_by": "vllm"}]})
PLAIN = json_reply({"data": [{"id": "m"}]})
MINE = {"mine": EndpointSettings(base_url="https://m.example/v1", models=("m1", "m2"))}


def test_it_is_a_model_manager() -> None:
    manager: ModelManager = Models({})
    assert manager.endpoints == {}


@pytest.mark.parametrize(
    ("options", "default"),
    [
        ({}, None),
        ({"demo": DEMO}, ModelRef("demo", "demo-1")),
        ({"environment": KEY}, ModelRef("openai", "")),
        ({"environment": KEY, "demo": DEMO}, ModelRef("openai", "")),
        ({"environment": KEY, "demo": DEMO, "use_demo": True}, ModelRef("demo", "demo-1")),
        ({"environment": KEY, "model": "gpt-x"}, ModelRef("openai", "gpt-x")),
        ({"environment": KEY, "preferred_model": "gpt-y"}, ModelRef("openai", "gpt-y")),
        ({"settings": MINE}, ModelRef("mine", "m1")),
        ({"settings": MINE, "demo": DEMO}, ModelRef("mine", "m1")),
        ({"settings": MINE, "preferred_endpoint": "demo", "demo": DEMO}, ModelRef("demo", "demo-1")),
        ({"settings": MINE, "environment": KEY, "preferred_endpoint": "mine"}, ModelRef("mine", "m1")),
        (
            {"settings": MINE, "preferred_endpoint": "mine", "preferred_model": "m2",
             "base_url": "https://o.example/v1"},
            ModelRef("o.example", ""),
        ),
        ({"demo": DEMO, "preferred_model": "gpt-y"}, ModelRef("demo", "demo-1")),
    ],
)  # fmt: skip
def test_what_it_starts_with(options: dict[str, object], default: ModelRef | None) -> None:
    environment = options.pop("environment", {})
    assert Models.configured(environment, **options).default == default  # type: ignore[arg-type]


def test_one_client_an_endpoint() -> None:
    models = Models.configured(KEY)
    assert models.client("openai") is models.client("openai")
    with pytest.raises(ModelError, match=r"no endpoint 'nope'.*openai"):
        models.client("nope")


def test_a_found_server_does_not_replace_a_configured_one() -> None:
    models = Models.configured(KEY)
    models.add(Endpoint(name="openai", base_url="http://127.0.0.1:1/v1"))
    models.add(Endpoint(name="ollama", base_url="http://127.0.0.1:2/v1"))
    assert models.endpoints["openai"].base_url == "https://api.openai.com/v1"
    assert list(models.endpoints) == ["openai", "ollama"]


def test_a_found_server_that_is_configured_by_address_is_not_doubled() -> None:
    models = Models.configured({}, base_url="http://localhost:11434/v1")
    models.add(Endpoint(name="ollama", base_url="http://127.0.0.1:11434/v1"))
    assert list(models.endpoints) == ["localhost:11434"]


def test_a_session_finds_its_local_server_again() -> None:
    endpoint = Models({}).client("lmstudio").endpoint
    assert (endpoint.base_url, endpoint.key) == ("http://127.0.0.1:1234/v1", None)
    assert endpoint.is_local


async def test_the_models_of_the_settings_come_first() -> None:
    async with loopback() as server:
        server.paths["/v1/models"] = json_reply({"data": [{"id": "z"}, {"id": "m2"}]})
        settings = {"mine": EndpointSettings(base_url=server.base_url, models=("m1", "m2"))}
        models = Models.configured({}, settings=settings)
        assert await models.list_models("mine") == ["m1", "m2", "z"]
        server.paths["/v1/models"] = error_reply(404, "no list")
        assert await models.list_models("mine") == ["m1", "m2"]
        await models.close()


async def test_a_server_without_list_and_settings_without_models() -> None:
    async with loopback() as server:
        models = Models.configured({}, base_url=server.base_url)
        with pytest.raises(ModelError):
            await models.list_models(next(iter(models.endpoints)))
        await models.close()


async def test_windows_in_their_order_and_remembered() -> None:
    async with loopback() as server:
        server.paths["/v1/models"] = json_reply({"data": [{"id": "m", "max_model_len": 2048}]})
        settings = {
            "set": EndpointSettings(base_url=server.base_url, context_window=999),
            "asked": EndpointSettings(base_url=server.base_url),
        }
        models = Models.configured(KEY, settings=settings)
        assert await models.context_window(ModelRef("set", "m")) == 999
        assert server.received == []
        assert await models.context_window(ModelRef("asked", "m")) == 2048
        asked = len(server.received)
        assert await models.context_window(ModelRef("asked", "m")) == 2048
        assert len(server.received) == asked
        assert await models.context_window(ModelRef("asked", "other")) is None
        assert await models.context_window(ModelRef("openai", "gpt-4o")) == 128_000
        assert await models.context_window(ModelRef("nope", "m")) is None
        await models.close()


async def test_an_unknown_window_is_not_asked_for_at_every_request() -> None:
    async with loopback() as server:
        models = Models.configured({}, base_url=server.base_url)
        ref = ModelRef(next(iter(models.endpoints)), "m")
        assert await models.context_window(ref) is None
        asked = len(server.received)
        assert await models.context_window(ref) is None
        assert len(server.received) == asked
        await models.close()


def test_prices_by_endpoint() -> None:
    prices = {"m1": PriceSettings(input=Decimal(1), output=Decimal(2))}
    models = Models.configured(KEY, settings=MINE, price_settings=prices, demo=DEMO)
    usage = Usage(prompt_tokens=1_000_000, completion_tokens=1_000_000)
    assert models.price(ModelRef("mine", "m1"), usage).usd == 3
    assert models.price(ModelRef("mine", "m2"), usage) == UNPRICED
    assert models.price(ModelRef("demo", "demo-1"), usage).source == "demo"
    assert models.price(ModelRef("openai", "gpt-4o"), usage).usd == Decimal("12.5")
    assert models.price(ModelRef("gone", "gpt-4o"), usage) == UNPRICED


async def test_a_server_here_is_free_once_it_is_known_to_run_models_itself() -> None:
    usage = Usage(prompt_tokens=10)
    async with loopback() as server:
        server.script(error_reply(503, "loading"))
        settings = {
            "here": EndpointSettings(base_url=server.base_url),
            "bills": EndpointSettings(base_url=server.base_url, free=False),
        }
        models = Models.configured({}, settings=settings)
        client = models.client("here")
        for found, free in ((error_reply(503, "loading"), False), (VLLM, True), (PLAIN, True)):
            server.paths["/v1/models"] = found
            for name in ("here", "bills", "gone"):
                await models.recognise(name)
            cost = models.price(ModelRef("here", "m"), usage)
            assert (cost.source == "local") is free
            assert models.price(ModelRef("bills", "m"), usage) == UNPRICED
        assert client.endpoint.kind == "vllm"
        await models.close()


async def test_a_server_here_that_is_of_no_known_kind_is_asked_once() -> None:
    async with loopback() as server:
        server.paths["/v1/models"] = PLAIN
        models = Models.configured({}, base_url=server.base_url)
        (name,) = models.endpoints
        await models.recognise(name)
        asked = len(server.received)
        await models.recognise(name)
        assert asked == len(server.received) > 0
        assert models.price(ModelRef(name, "m"), Usage(prompt_tokens=10)) == UNPRICED


def test_calibration_is_of_one_model() -> None:
    models = Models.configured(KEY)
    one, other = ModelRef("openai", "a"), ModelRef("openai", "b")
    text = "some words to count " * 100
    before = models.estimate_tokens(one, text)
    models.calibrate(one, before, before * 2)
    assert models.estimate_tokens(one, text) == pytest.approx(before * 2, abs=2)
    assert models.estimate_tokens(other, text) == before
    messages = [{"role": "user", "content": text}]
    assert models.estimate_request(one, messages) > models.estimate_request(other, messages)


async def test_a_key_command_runs_at_first_use_and_again_after_401(tmp_path: Path) -> None:
    script = tmp_path / "key.py"
    count = tmp_path / "count"
    script.write_text(
        f"p = {str(count)!r}\nopen(p, 'a').write('x')\nprint('key-%d' % len(open(p).read()))\n"
    )
    async with loopback(error_reply(401, "expired"), HELLO) as server:
        settings = {
            "vault": EndpointSettings(
                base_url=server.base_url, api_key_cmd=f"{sys.executable} {script}"
            )
        }
        models = Models.configured({}, settings=settings)
        client = models.client("vault")
        assert not count.exists()
        assert models.key_values() == frozenset()
        assert (await collect(client.stream(PROMPT))).text == "Hello"
        sent = [r.headers["authorization"] for r in server.received]
        assert sent == ["Bearer key-1", "Bearer key-2"]
        assert models.key_values() == {"key-2"}
        server.script(error_reply(401, "never"))
        with pytest.raises(ModelError) as caught:
            await collect(client.stream(PROMPT))
        await models.close()
    assert caught.value.kind == "auth"
    assert len(server.received) == 4
    assert "key-2" not in str(caught.value)


async def test_a_key_command_that_fails_is_an_error_of_the_request() -> None:
    settings = {"vault": EndpointSettings(base_url="https://v.example/v1", api_key_cmd="false")}
    models = Models.configured({}, settings=settings)
    with pytest.raises(ModelError) as caught:
        await collect(models.client("vault").stream(PROMPT))
    assert caught.value.kind == "auth"
    assert "api_key_cmd of [endpoints.vault]" in caught.value.cause


async def test_a_key_that_no_header_can_carry_is_an_error_of_the_request() -> None:
    models = Models.configured({"OPENAI_API_KEY": "schlüssel"})
    with pytest.raises(ModelError) as caught:
        await collect(models.client("openai").stream(PROMPT))
    assert caught.value.kind == "auth"
    assert "OPENAI_API_KEY" in str(caught.value)
    assert "schlüssel" not in str(caught.value)


def test_nothing_heavy_is_imported_until_preload() -> None:
    code = (
        "import sys\n"
        "from chatglass.models import client, model_manager, discovery, endpoints, prices\n"
        "from chatglass.models import preload\n"
        "models = model_manager.Models.configured({'OPENAI_API_KEY': 'k'})\n"
        "models.client('openai')\n"
        "heavy = {'openai', 'genai_prices', 'httpx2', 'pydantic'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "preload.preload()\n"
        "import asyncio\n"
        "sys.path.insert(0, sys.argv[1])\n"
        "from models.loopback import HELLO, PROMPT, collect, endpoint, loopback\n"
        "before = set(sys.modules)\n"
        "async def ask():\n"
        "    async with loopback(HELLO) as server:\n"
        "        await collect(client.OpenAIClient(endpoint(server)).stream(PROMPT))\n"
        "asyncio.run(ask())\n"
        "print(*sorted(set(sys.modules) - before))\n"
    )
    tests = str(Path(__file__).parent.parent)
    run = subprocess.run(
        [sys.executable, "-c", code, tests], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == []  # the first request imports nothing any more


async def test_headers_that_are_named_as_keys_are_known_keys() -> None:
    headers = {"X-Api-Key": "Bearer header-key-42", "HTTP-Referer": "https://example.org/chat"}
    entry = EndpointSettings(base_url="http://me:pass-word-42@localhost:9/v1", headers=headers)
    known = Models.configured({}, settings={"own": entry}).key_values()
    assert {"header-key-42", "pass-word-42"} <= known
    assert not any("example.org" in value for value in known)


def test_a_deployment_costs_what_the_model_behind_it_does() -> None:
    url = "https://mine.openai.azure.com/openai/v1"
    models = Models({"azure": ConfiguredEndpoint(endpoint=Endpoint(name="azure", base_url=url))})
    ref, usage = ModelRef("azure", "team-chat"), Usage(prompt_tokens=1_000_000)
    assert models.price(ref, usage) == UNPRICED
    models.learn_name(ref, "gpt-4o-2024-08-06")
    cost = models.price(ref, usage)
    assert cost.usd == Decimal("2.5")
    assert cost.source.startswith("genai-prices")
    assert models.prompt_cost(ref, usage, cost) == cost.usd
    # The name that was asked for goes first, and what answers may change.
    models.learn_name(ModelRef("azure", "gpt-4o"), "gpt-4")
    assert models.price(ModelRef("azure", "gpt-4o"), usage) == cost
    models.learn_name(ref, "who-knows")
    assert models.price(ref, usage) == UNPRICED
    models.learn_name(ref, "team-chat")
    assert models.price(ref, usage) == UNPRICED
