"""Where a price comes from, and that none is ever guessed."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal

import genai_prices
import pytest

from chatglass.models.prices import context_window, price
from chatglass.models.wire import Endpoint, EndpointKind
from chatglass.values.usage import UNPRICED, Cost, Usage

OPENAI = Endpoint(name="openai", base_url="https://api.openai.com/v1", kind="openai")
USAGE = Usage(prompt_tokens=1000, completion_tokens=100, cached_tokens=500)
LISTED = f"genai-prices {genai_prices.__version__}"


@dataclass(frozen=True)
class Set:
    input: Decimal
    output: Decimal
    cached_input: Decimal | None = None
    cache_write: Decimal | None = None


def at(url: str) -> Endpoint:
    return Endpoint(name="x", base_url=url)


def here(kind: EndpointKind, *, free: bool | None = None) -> Endpoint:
    url = "http://127.0.0.1:4000/v1"
    return Endpoint(name="here", base_url=url, kind=kind, is_local=True, free=free)


def reported(**fields: object) -> Usage:
    raw = {"prompt_tokens": 10, "completion_tokens": 5, **fields}
    return Usage(prompt_tokens=10, completion_tokens=5, raw=json.dumps(raw))


def test_a_listed_model_with_cached_tokens() -> None:
    # gpt-4o: $2.50 in, $1.25 cached, $10 out per million.
    assert price(OPENAI, "gpt-4o", USAGE, {}) == Cost(Decimal("0.002875000000"), LISTED)


def test_reasoning_tokens_cost_what_output_costs() -> None:
    plain = Usage(prompt_tokens=10, completion_tokens=100)
    thought = Usage(prompt_tokens=10, completion_tokens=100, reasoning_tokens=90)
    assert price(OPENAI, "gpt-5-mini", plain, {}) == price(OPENAI, "gpt-5-mini", thought, {})


def test_cache_writes_are_dearer_at_anthropic() -> None:
    anthropic = at("https://api.anthropic.com/v1")
    plain = price(anthropic, "claude-sonnet-4-5", Usage(prompt_tokens=1000), {})
    written = price(
        anthropic, "claude-sonnet-4-5", Usage(prompt_tokens=1000, cache_write_tokens=1000), {}
    )
    assert plain.usd is not None
    assert written.usd == plain.usd * Decimal("1.25")


@pytest.mark.parametrize(
    "url",
    [
        "https://models.example/v1",
        "https://api.openai.com.example/v1",
        "https://api.openai.community/v1",
        "https://example.com/https://api.openai.com/v1",
        "https://example.com/x.googleapis.com/v1",
        "https://notapi.openai.com.example",
        "https://api.moonshot.example.com/v1",
        "http://api.openai.com/v1",
        "http://192.168.1.5:11434/v1",
        "https://user:pw@example.com/api.openai.com",
        "",
        "https://[",
    ],
)
def test_a_known_name_on_an_unknown_host_is_unpriced(url: str) -> None:
    assert price(at(url), "gpt-4o", USAGE, {}) == UNPRICED
    assert context_window(url, "gpt-4o") is None


def test_a_provider_named_in_the_path_is_not_at_that_host() -> None:
    url = "https://example.com/x.googleapis.com/v1"
    assert price(at(url), "gemini-2.5-flash", USAGE, {}) == UNPRICED


@pytest.mark.parametrize(
    ("url", "model"),
    [
        ("https://api.openai.com/v1", "gpt-4o-2024-08-06"),
        ("https://api.openai.com", "gpt-4o"),
        ("https://api.openai.com:443/v1", "gpt-4o"),
        ("https://openrouter.ai/api/v1", "openai/gpt-4o"),
        ("https://my-resource.openai.azure.com/openai/v1", "gpt-4o"),
        ("https://generativelanguage.googleapis.com/v1beta/openai", "gemini-2.5-flash"),
        ("https://api.moonshot.ai/v1", "kimi-k2-0905-preview"),
        ("https://api.groq.com/openai/v1", "llama-3.3-70b-versatile"),
        ("https://api.deepseek.com/v1", "deepseek-chat"),
    ],
)
def test_providers_by_address(url: str, model: str) -> None:
    cost = price(at(url), model, USAGE, {})
    assert cost.source == LISTED
    assert cost.usd is not None
    assert cost.usd > 0
    assert cost.usd == cost.usd.quantize(Decimal("1e-12"))


@pytest.mark.parametrize("model", ["gpt-4o-mine", "my-gpt-4o", "", "gpt-5-minimum", "whisper-1"])
def test_a_name_that_only_looks_like_a_known_one_is_unpriced(model: str) -> None:
    assert price(OPENAI, model, USAGE, {}) == UNPRICED


def test_demo_and_local_are_free() -> None:
    demo = Endpoint(name="demo", base_url="http://127.0.0.1:1/v1", kind="demo", is_local=True)
    assert price(demo, "gpt-4o", reported(cost=5), {}) == Cost(Decimal(0), "demo")
    for kind in ("ollama", "lmstudio", "llamacpp", "vllm"):
        assert price(here(kind), "gpt-4o", USAGE, {}) == Cost(Decimal(0), "local")
        assert price(here(kind, free=False), "gpt-4o", USAGE, {}) == UNPRICED


def test_another_server_on_this_machine_may_pass_on_to_who_bills() -> None:
    prices = {"gpt-4o": Set(Decimal(1), Decimal(2))}
    assert price(here("other"), "gpt-4o", USAGE, {}) == UNPRICED
    assert price(here("other"), "gpt-4o", USAGE, prices).source == "settings"
    assert price(here("other"), "gpt-4o", reported(cost=5), {}).source == "provider"


def test_what_is_kept_in_the_cache_for_an_hour_is_dearer() -> None:
    anthropic = at("https://api.anthropic.com/v1")
    written = {"prompt_tokens": 1000, "cache_creation_input_tokens": 1000}
    for_an_hour = {"cache_creation": {"ephemeral_1h_input_tokens": 1000}}
    usage = Usage(prompt_tokens=1000, cache_write_tokens=1000, raw=json.dumps(written))
    minutes = price(anthropic, "claude-sonnet-4-5", usage, {})
    hour = replace(usage, raw=json.dumps(written | for_an_hour))
    assert price(anthropic, "claude-sonnet-4-5", hour, {}).usd == Decimal("0.006")
    assert minutes.usd == Decimal("0.00375")
    nested = replace(usage, raw=json.dumps({"prompt_tokens_details": for_an_hour}))
    assert price(anthropic, "claude-sonnet-4-5", nested, {}).usd == Decimal("0.006")
    # A model that has no such price costs what it costs otherwise.
    gpt = price(OPENAI, "gpt-4o", hour, {})
    assert gpt == price(OPENAI, "gpt-4o", usage, {})
    assert gpt.usd is not None


def test_prices_are_those_of_the_hour_in_which_it_was_sent() -> None:
    deepseek = at("https://api.deepseek.com/v1")
    noon, night = (int(datetime(2025, 7, 1, h, tzinfo=UTC).timestamp() * 1000) for h in (12, 20))
    by_day = price(deepseek, "deepseek-chat", USAGE, {}, noon).usd
    by_night = price(deepseek, "deepseek-chat", USAGE, {}, night).usd
    assert by_day == Decimal("0.00028")
    assert by_night == Decimal("0.00014")


@pytest.mark.parametrize(
    ("url", "model", "short", "long"),
    [
        # Gemini above 200,000 tokens of prompt: all of them at the higher price, and the answer.
        (
            "https://generativelanguage.googleapis.com/v1beta/openai",
            "gemini-2.5-pro",
            (200_000, "0.26"),
            (200_001, "0.5150025"),
        ),
        ("https://api.anthropic.com/v1", "claude-sonnet-4-5", (200_000, "0.615"), (250_000, "1.5225")),
    ],
)  # fmt: skip
def test_long_prompts_have_prices_of_their_own(
    url: str, model: str, short: tuple[int, str], long: tuple[int, str]
) -> None:
    for tokens, usd in (short, long):
        usage = Usage(prompt_tokens=tokens, completion_tokens=1000)
        assert price(at(url), model, usage, {}).usd == Decimal(usd)


def test_what_the_settings_call_free_is_free() -> None:
    elsewhere = Endpoint(name="lan", base_url="http://10.0.0.7:8000/v1", free=True)
    prices = {"gpt-4o": Set(Decimal(1), Decimal(2))}
    for endpoint in (here("other", free=True), elsewhere):
        assert price(endpoint, "gpt-4o", reported(cost=5), prices) == Cost(Decimal(0), "local")


def test_settings_go_before_the_list() -> None:
    prices = {"gpt-4o": Set(Decimal(1), Decimal(2), Decimal("0.1"), Decimal(3))}
    usage = Usage(
        prompt_tokens=1000, completion_tokens=100, cached_tokens=500, cache_write_tokens=200
    )
    expected = (Decimal(300) * 1 + 500 * Decimal("0.1") + 200 * 3 + 100 * 2) / 1_000_000
    assert price(OPENAI, "gpt-4o", usage, prices) == Cost(expected, "settings")
    cached_not_set = {"gpt-4o": Set(Decimal(1), Decimal(2))}
    assert price(OPENAI, "gpt-4o", usage, cached_not_set).usd == Decimal("0.0012")


@pytest.mark.parametrize(
    ("fields", "usd"),
    [
        ({"cost": 0.0012345}, "0.0012345"),
        ({"cost": 0}, "0"),
        ({"cost": "0.5"}, "0.5"),
        ({"cost": 0.001, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.02}}, "0.021"),
        ({"cost": 0.001, "is_byok": False, "cost_details": {"upstream_inference_cost": 0.02}}, "0.001"),
        ({"cost": {"total_cost": 0.006, "currency": "USD"}}, "0.006"),
        ({"estimated_cost": 0.00007}, "0.00007"),
        # xAI: in parts of 10^10 of a dollar.
        ({"cost_in_usd_ticks": 37_756_000}, "0.0037756"),
    ],
)  # fmt: skip
def test_what_the_provider_reports_goes_first(fields: dict[str, object], usd: str) -> None:
    prices = {"gpt-4o": Set(Decimal(1), Decimal(2))}
    cost = price(OPENAI, "gpt-4o", reported(**fields), prices)
    assert cost == Cost(Decimal(usd), "provider")


@pytest.mark.parametrize("bad", [-1, "x", True, None, [], {"total_cost": "NaN"}, 1e300, "Infinity"])
def test_a_nonsensical_cost_is_no_cost(bad: object) -> None:
    assert price(OPENAI, "gpt-4o", reported(cost=bad), {}).source == LISTED


def test_counts_that_do_not_fit_do_not_raise() -> None:
    odd = Usage(
        prompt_tokens=5,
        completion_tokens=1,
        cached_tokens=50,
        cache_write_tokens=50,
        reasoning_tokens=9,
    )
    assert price(OPENAI, "gpt-4o", odd, {}).usd is not None
    assert price(OPENAI, "gpt-4o", Usage(), {}).usd == 0


def test_windows_of_the_list() -> None:
    assert context_window("https://api.openai.com/v1", "gpt-4o") == 128_000
    assert context_window("https://api.openai.com/v1", "no-such-model") is None
