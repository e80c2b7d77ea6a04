"""The list of prices: finding models, and a newer list, asked for, kept and refused."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import genai_prices
import pytest
from genai_prices.data_snapshot import set_custom_snapshot

from chatglass.models import price_list, prices
from chatglass.models.wire import Endpoint
from chatglass.values.usage import Usage

OWN = f"genai-prices {genai_prices.__version__}"
OPENAI = Endpoint(name="openai", base_url="https://api.openai.com/v1", kind="openai")
USAGE = Usage(prompt_tokens=1_000_000)
NEWER = [
    {
        "id": "openai",
        "name": "OpenAI",
        "api_pattern": r"https://api\.openai\.com",
        "model_match": {"starts_with": "gpt-"},
        "models": [
            {
                "id": "gpt-99",
                "match": {"equals": "gpt-99"},
                "context_window": 5_000_000,
                "prices": {"input_mtok": 7, "cache_read_mtok": 1, "output_mtok": 70},
            }
        ],
    }
]


class Answer(BaseHTTPRequestHandler):
    status: ClassVar[int] = 200
    body: ClassVar[bytes] = json.dumps(NEWER).encode()
    asked: ClassVar[int] = 0

    def do_GET(self) -> None:
        type(self).asked += 1
        self.send_response(self.status)
        self.send_header("content-length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An address that answers with the newer list."""
    monkeypatch.setattr(Answer, "status", 200)
    monkeypatch.setattr(Answer, "body", json.dumps(NEWER).encode())
    monkeypatch.setattr(Answer, "asked", 0)
    server = HTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/data.json"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def bundled() -> Iterator[None]:
    """Whatever a test puts in force goes with it."""
    yield
    set_custom_snapshot(None)
    prices._updated_on.clear()  # pyright: ignore[reportPrivateUsage]
    prices._kept_files.clear()  # pyright: ignore[reportPrivateUsage]
    prices._listed.cache_clear()  # pyright: ignore[reportPrivateUsage]


def test_a_model_is_found_at_every_provider_its_maker_first() -> None:
    found = price_list.find("gpt-5")
    assert found[0].name == "openai/gpt-5"
    assert found[0].input == Decimal("1.25")
    assert found[0].cached_input == Decimal("0.125")
    assert len({model.name for model in found}) == len(found) > 1
    assert [model.provider for model in price_list.find("azure/gpt-5")] == ["azure"]
    assert price_list.find("openrouter/openai/gpt-5")[0].model == "openai/gpt-5"
    assert price_list.find("no-such-model") == []
    assert "gpt-5" in price_list.near("gtp-5")


def test_prices_that_rise_with_the_length_are_said() -> None:
    (model,) = price_list.find("openai/gpt-5.5")
    assert "tokens" in model.tiers
    long = Usage(prompt_tokens=500_000)
    assert (
        price_list.price(model, long).usd
        == 2 * price_list.price(model, Usage(prompt_tokens=250_000)).usd * 2
    )  # type: ignore[operator]


def test_a_newer_list_is_used_at_once_kept_and_used_again(host: str, tmp_path: Path) -> None:
    target = tmp_path / "prices.json"
    assert prices.price(OPENAI, "gpt-99", USAGE, {}).usd is None
    assert price_list.update(target, url=host) == 1
    cost = prices.price(OPENAI, "gpt-99", USAGE, {})
    assert cost.usd == 7
    assert cost.source == price_list.version() != OWN
    assert prices.context_window(OPENAI.base_url, "gpt-99") == 5_000_000
    assert target.stat().st_mode & 0o777 == 0o600

    set_custom_snapshot(None)
    prices._updated_on.clear()  # pyright: ignore[reportPrivateUsage]
    prices._listed.cache_clear()  # pyright: ignore[reportPrivateUsage]
    prices.use_file(target)  # a later start
    assert prices.price(OPENAI, "gpt-99", USAGE, {}) == cost
    assert Answer.asked == 1


def test_a_list_that_another_version_kept_is_left_alone(host: str, tmp_path: Path) -> None:
    target = tmp_path / "prices.json"
    target.write_text(json.dumps({"genai_prices": "0.0.1", "day": "x", "providers": NEWER}))
    prices.use_file(target)
    assert prices.price(OPENAI, "gpt-99", USAGE, {}).usd is None
    target.write_text("{torn")
    prices.use_file(target)
    assert prices.price(OPENAI, "gpt-5", USAGE, {}).usd == Decimal("1.25")
    prices.use_file(tmp_path / "none.json")
    assert prices.price(OPENAI, "gpt-5", USAGE, {}).usd == Decimal("1.25")


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (404, b"gone", "answered 404"),
        (200, b"<html>", "no list of prices"),
        (200, b"[]", "no list of prices"),
        (200, b'[{"id": 1}]', "no list of prices"),
    ],
)
def test_what_is_no_list_changes_nothing(
    host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int, body: bytes, words: str
) -> None:
    monkeypatch.setattr(Answer, "status", status)
    monkeypatch.setattr(Answer, "body", body)
    with pytest.raises(price_list.UpdateFailed, match=words) as failed:
        price_list.update(tmp_path / "prices.json", url=host)
    assert f"{OWN} stays in force" in str(failed.value)
    assert list(tmp_path.iterdir()) == []
    assert prices.price(OPENAI, "gpt-5", USAGE, {}).usd == Decimal("1.25")


def test_without_a_network_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(price_list.UpdateFailed, match=r"can't be reached .* try again where"):
        price_list.update(tmp_path / "prices.json", url="http://127.0.0.1:9/data.json")


def test_sound_costs_what_sound_costs() -> None:
    heard = '{"prompt_tokens_details": {"audio_tokens": 50}}'
    text = prices.price(OPENAI, "gpt-audio", Usage(prompt_tokens=100), {}).usd
    sound = prices.price(OPENAI, "gpt-audio", Usage(prompt_tokens=100, raw=heard), {}).usd
    assert text is not None
    assert sound is not None
    assert sound > 2 * text


def test_what_of_a_cost_the_prompt_took() -> None:
    usage = Usage(prompt_tokens=1_000, completion_tokens=100)
    listed = prices.price(OPENAI, "gpt-5", usage, {})
    assert prices.prompt_cost(OPENAI, "gpt-5", usage, {}, listed) == Decimal("0.00125")
    # A cost that the provider reported is divided as the list would.
    own = Usage(prompt_tokens=1_000, completion_tokens=100, raw='{"cost": 0.0045}')
    reported = prices.price(OPENAI, "gpt-5", own, {})
    assert prices.prompt_cost(OPENAI, "gpt-5", own, {}, reported) == Decimal("0.0025")
    unknown = Endpoint(name="x", base_url="https://x.invalid/v1")
    assert prices.prompt_cost(unknown, "m", own, {}, prices.price(unknown, "m", own, {})) is None
    assert (
        prices.prompt_cost(unknown, "m", usage, {}, prices.price(unknown, "m", usage, {})) is None
    )
