"""What providers refuse with, word for word: whether it is tried again, and what is said of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from chatglass.models.client import OpenAIClient
from chatglass.models.retries import RetryPolicy
from chatglass.models.server_words import words_of, words_of_body
from chatglass.models.wire import ModelError
from models.loopback import PROMPT, answer, collect, endpoint, json_reply, loopback

FAST = RetryPolicy(base_s=0.001, longest_wait_s=0.05)


@dataclass(frozen=True)
class Shape:
    """A body of an error; `tried`: how often the request is made."""

    status: int
    error: Any
    kind: str
    tried: int
    advice: str = ""
    cause: str = ""
    window: int | None = None
    headers: dict[str, str] = field(default_factory=dict)


def openai(message: str, **fields: Any) -> dict[str, Any]:
    return {"error": {"message": message, "type": None, "param": None, "code": None, **fields}}


TPM = (
    "on tokens per minute (TPM): Limit 6000, Used 5800, Requested 900. Please try again in {wait}. Need"
    " more tokens? Upgrade to Dev Tier today at https://console.groq.com/settings/billing"
)
SHAPES = {
    "openai: no credit, said by the code alone": Shape(
        429, openai("Slow down.", code="insufficient_quota"), "rate_limit", 1, "credit"
    ),
    "openai: no credit, said by the type alone": Shape(
        429, openai("Slow down.", type="insufficient_quota"), "rate_limit", 1, "credit"
    ),
    "openai: a limit of speed": Shape(
        429, openai("Rate limit reached for m1.", code="rate_limit_exceeded"), "rate_limit", 4, "Wait"
    ),
    "openai: a page about billing is no lack of credit": Shape(
        429,
        openai("Rate limit reached. Add a payment method at https://platform.openai.com/account/billing"),
        "rate_limit", 4, "Wait",
    ),
    "openai: a limit of the day": Shape(
        429, openai("Rate limit reached for m1 on requests per day (RPD): Limit 200, Used 200."),
        "rate_limit", 1, "renewed",
    ),
    "openai: larger than a minute allows": Shape(
        429,
        openai(
            "Request too large for m1 in organization org-x on tokens per min (TPM): Limit 10000, "
            "Requested 12000. The input or output tokens must be reduced in order to run successfully.",
            type="tokens", code="rate_limit_exceeded",
        ),
        "context_overflow", 1, "Compact", "in a minute", 10_000,
    ),
    "groq: wait as long as it says": Shape(
        429, openai(f"Rate limit reached for model `m1` {TPM.format(wait='20ms')}"), "rate_limit", 4
    ),
    "groq: longer than anyone waits": Shape(
        429, openai(f"Rate limit reached for model `m1` {TPM.format(wait='7m12.5s')}"), "rate_limit", 1
    ),
    "groq: larger than a minute allows": Shape(
        413, openai("Request too large for model `m1` in organization `o` on tokens per minute (TPM): "
                    "Limit 6000, Requested 9000, please reduce your message size and try again.",
                    type="tokens", code="rate_limit_exceeded"),
        "context_overflow", 1, "Compact", "in a minute", 6000,
    ),
    "openrouter: free requests of a day": Shape(
        429,
        {"error": {"message": "Rate limit exceeded: free-models-per-day. Add 10 credits to unlock 1000 "
                              "free model requests per day", "code": 429}},
        "rate_limit", 1, "renewed",
    ),
    "openrouter: the provider's own words": Shape(
        429,
        {"error": {"message": "Provider returned error", "code": 429, "metadata": {
            "raw": '{"error": {"message": "m1 is at capacity"}}', "provider_name": "X"}}},
        "rate_limit", 4, cause="m1 is at capacity",
    ),
    "openrouter: no credits": Shape(402, {"error": {"message": "Insufficient credits", "code": 402}},
                                    "rejected", 1, "credit"),
    "openrouter: the key's own limit": Shape(
        403, {"error": {"message": "Key limit exceeded (total limit).", "code": 403}}, "rejected", 1, "credit"
    ),
    "openrouter: moderation": Shape(
        403, {"error": {"message": "m1 requires moderation. Your input was flagged", "code": 403}},
        "rejected", 1, "change the prompt",
    ),
    "anthropic: no credit": Shape(
        400, {"type": "error", "error": {"type": "invalid_request_error", "message": "Your credit balance "
              "is too low to access the Anthropic API."}}, "rejected", 1, "credit",
    ),
    "anthropic: overloaded": Shape(
        529, {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, "server", 4
    ),
    "anthropic: a limit of speed": Shape(
        429, {"type": "error", "error": {"type": "rate_limit_error", "message": "This request would exceed "
              "your organization's rate limit of 30,000 input tokens per minute."}}, "rate_limit", 4,
    ),
    "anthropic: too long": Shape(
        400, {"type": "error", "error": {"type": "invalid_request_error",
              "message": "prompt is too long: 210000 tokens > 200000 maximum"}},
        "context_overflow", 1, "Compact", window=200_000,
    ),
    "google: a quota that passes": Shape(
        429,
        [{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "You exceeded your current "
          "quota, please check your plan and billing details.", "details": [
              {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "0.01s"}]}}],
        "rate_limit", 4,
    ),
    "google: a quota that does not": Shape(
        429, [{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "You exceeded your "
               "current quota, please check your plan and billing details."}}], "rate_limit", 1, "credit",
    ),
    "xai": Shape(403, {"code": "x", "error": "Your team has used all available credits."}, "rejected", 1,
                 "credit"),
    "xai: too long": Shape(
        400, {"code": "x", "error": "This model's maximum prompt length is 131072 but the request contains "
              "537812 tokens."}, "context_overflow", 1, window=131_072,
    ),
    "deepseek": Shape(402, openai("Insufficient Balance", code="invalid_request_error"), "rejected", 1,
                      "credit"),
    "cohere: a trial key": Shape(
        429, {"message": "You are using a Trial key, which is limited to 1000 API calls / month."},
        "rate_limit", 1, "renewed",
    ),
    "vllm: too long": Shape(
        400, {"object": "error", "message": "This model's maximum context length is 4096 tokens. However, "
              "you requested 5000 tokens (4500 in the messages, 500 in the completion).", "code": 400},
        "context_overflow", 1, window=4096,
    ),
    "llama.cpp: too long": Shape(
        400, {"error": {"code": 400, "message": "request (5000 tokens) exceeds the available context size "
              "(4096 tokens), try increasing it", "type": "exceed_context_size_error",
              "n_prompt_tokens": 5000, "n_ctx": 4096}}, "context_overflow", 1, window=4096,
    ),
    "llama.cpp: still loading": Shape(
        503, {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}, "server", 4
    ),
    "llama.cpp: not built in": Shape(
        501, {"error": {"code": 501, "message": "This server does not support it.",
              "type": "not_supported_error"}}, "server", 1,
    ),
    "ollama: too little memory": Shape(
        500, {"error": "model requires more system memory (9.3 GiB) than is available (5.1 GiB)"},
        "server", 1, "smaller model",
    ),
    "lm studio: nothing loaded": Shape(
        400, openai("No models loaded. Please load a model in the developer page."), "not_found", 1, "{model}"
    ),
    "lm studio: too little memory": Shape(
        400, {"error": "Failed to load model m1. Error: insufficient system resources."}, "rejected", 1,
        "smaller model",
    ),
    "lm studio: too long": Shape(
        400, {"error": "Trying to keep the first 5000 tokens when context the overflows. However, the model "
              "is loaded with context length of only 4096 tokens, which is not enough."},
        "context_overflow", 1, window=4096,
    ),
    "mistral: too long": Shape(
        400, {"object": "error", "message": "Prompt contains 40000 tokens and 0 draft tokens, too large for "
              "model with 32768 maximum context length"}, "context_overflow", 1, window=32_768,
    ),
    "github: a limit of the day, and when it ends": Shape(
        429, openai("Rate limit of 50 per 86400s exceeded for UserByModelByDay. Please wait 40000 seconds "
                    "before retrying.", code="RateLimitReached"),
        "rate_limit", 1, "renewed", headers={"retry_after": "40000"},
    ),
    "github: too large": Shape(
        413, openai("Request body too large for m1 model. Max size: 8000 tokens.", code="tokens_limit_reached"),
        "context_overflow", 1, window=8000,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SHAPES)
async def test_what_providers_refuse_with(name: str) -> None:
    shape = SHAPES[name]
    async with loopback(json_reply(shape.error, shape.status, **shape.headers)) as server:
        client = OpenAIClient(endpoint(server), retries=FAST)
        with pytest.raises(ModelError) as caught:
            await collect(client.stream(PROMPT))
        await client.close()
    error = caught.value
    assert (error.kind, len(server.received)) == (shape.kind, shape.tried), error.cause
    assert shape.advice in error.advice
    assert shape.cause in error.cause
    assert error.window == shape.window


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"type": "rate_limit_error", "message": "Slow."}, "rate_limit"),
        ({"type": "overloaded_error", "message": "Overloaded"}, "server"),
        ({"type": "authentication_error", "message": "No."}, "auth"),
        ({"code": "insufficient_quota", "message": "No."}, "rate_limit"),
        ({"message": "Something broke."}, "server"),
    ],
)
async def test_an_error_inside_the_stream_is_of_its_own_kind(error: Any, kind: str) -> None:
    async with loopback(answer({"error": error})) as server:
        client = OpenAIClient(endpoint(server), retries=FAST)
        with pytest.raises(ModelError) as caught:
            await collect(client.stream(PROMPT))
        await client.close()
    assert caught.value.kind == kind


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Please try again in 20s.", 20.0),
        ("Please try again in 1.5s.", 1.5),
        ("Please try again in 350ms.", 0.35),
        ("Please try again in 7m12.5s.", 432.5),
        ("Please try again in 2m", 120.0),
        ("Please try again in 1h2m3s.", 3723.0),
        ("Please retry in 34.07s.", 34.07),
        ("Please wait 30 seconds before retrying.", 30.0),
        ("Please try again in a while.", None),
        ("Please try again in 3 different ways.", None),
    ],
)
def test_the_wait_that_a_server_asks_for_in_words(text: str, seconds: float | None) -> None:
    assert words_of_body(text).wait_s == seconds
    assert words_of({"message": text}).wait_s == seconds
