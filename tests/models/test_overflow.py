"""A request that is larger than the window, in the words of those who say so."""

from __future__ import annotations

import pytest

from chatglass.models.server_words import ServerWords, words_of_body

SAID: list[tuple[str, str, int | None]] = [
    ("OpenAI", "This model's maximum context length is 128000 tokens. However, your messages resulted"
     " in 150000 tokens.", 128_000),
    ("OpenAI", "Your input exceeds the context window of this model. Please adjust your input and try"
     " again.", None),
    ("OpenAI", "Input tokens exceed the configured limit of 272000 tokens. Your messages resulted in"
     " 300000 tokens. Please reduce the length of the messages.", 272_000),
    ("Anthropic", "prompt is too long: 213462 tokens > 200000 maximum", 200_000),
    ("Anthropic", "input length and `max_tokens` exceed context limit: 90402 + 116650 > 204648,"
     " decrease input length or `max_tokens` and try again", 204_648),
    ("Anthropic", '{"type":"request_too_large","message":"Request exceeds the maximum size"}', None),
    ("Bedrock", "Input is too long for requested model.", None),
    ("Google", "The input token count (1196265) exceeds the maximum number of tokens allowed"
     " (1048575).", 1_048_575),
    ("vLLM", "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens"
     " (4500 in the messages, 500 in the completion).", 4_096),
    ("vLLM", "You passed 9000 input tokens and requested 500 output tokens. However, the model's"
     " context length is only 8192 tokens, resulting in a maximum input length of 7692 tokens.", 8_192),
    ("vLLM", "The decoder prompt (length 9000) is longer than the maximum model length of 8192. Make"
     " sure that `max_model_len` is no smaller than the number of text tokens.", 8_192),
    ("vLLM", "The prompt (total length 9000) is too long to fit into the model (context length 8192).",
     8_192),
    ("llama.cpp", "the request exceeds the available context size, try increasing it", None),
    ("llama.cpp", "request (12057 tokens) exceeds the available context size (4096 tokens), try"
     " increasing it", 4_096),
    ("llama.cpp", '{"code": 400, "type": "exceed_context_size_error", "n_prompt_tokens": 12057,'
     ' "n_ctx": 4096}', 4_096),
    ("LM Studio", "Trying to keep the first 5406 tokens when context the overflows. However, the model"
     " is loaded with context length of only 4096 tokens, which is not enough.", 4_096),
    ("LM Studio", "The number of tokens to keep from the initial prompt is greater than the context"
     " length. Try to load the model with a larger context length, or provide a shorter input", None),
    ("Ollama", "prompt too long; exceeded max context length by 4096 tokens", None),
    ("Ollama", "the input length exceeds the context length", None),
    ("OpenRouter", "This endpoint's maximum context length is 163840 tokens. However, you requested"
     " about 217061 tokens (217061 of text input).", 163_840),
    ("Groq", "Please reduce the length of the messages or completion.", None),
    ("Mistral", "Prompt contains 300000 tokens and 0 draft tokens, too large for model with 131072"
     " maximum context length", 131_072),
    ("DeepSeek", "This model's maximum context length is 65536 tokens. However, you requested 70000"
     " tokens (62000 in the messages, 8000 in the completion).", 65_536),
    ("xAI", "This model's maximum prompt length is 131072 but the request contains 537812 tokens.",
     131_072),
    ("Moonshot", "Invalid request: Your request exceeded model token limit: 131072 (requested:"
     " 140000)", 131_072),
    ("MiniMax", "invalid params, context window exceeds limit", None),
    ("DashScope", "Range of input length should be [1, 129024]", 129_024),
    ("Together", "The input (265330 tokens) is longer than the model's context length (262144"
     " tokens).", 262_144),
    ("Poolside", "Input length 265330 exceeds the maximum allowed input length of 262144 tokens.",
     262_144),
    ("TGI", "`inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000 `inputs` tokens", 4_096),
    ("Cohere", "too many tokens: total number of tokens in the prompt cannot exceed 4081 - received"
     " 5000.", 4_081),
    ("Copilot", "prompt token count of 145000 exceeds the limit of 128000", 128_000),
    ("GitHub", "Request body too large for gpt-4o model. Max size: 8000 tokens.", 8_000),
    ("SGLang", "Input length (265330) exceeds model's maximum context length (262144).", 262_144),
    ("DS4", "Prompt has 300,000 tokens, but the configured context size is 131,072 tokens", 131_072),
    ("z.ai", "model_context_window_exceeded", None),
]  # fmt: skip


@pytest.mark.parametrize(("server", "words", "window"), SAID)
def test_an_overflow_is_known_by_its_words_and_so_is_the_window(
    server: str, words: str, window: int | None
) -> None:
    said = words_of_body(words)
    assert said.is_overflow, server
    assert said.window == window


@pytest.mark.parametrize(
    "words",
    [
        "Rate limit reached for gpt-4o on tokens per min (TPM): Limit 30000, Used 29000, Requested 5000.",
        "Throttling error: Too many tokens, please wait before trying again.",
        "Number of request tokens has exceeded your per-minute rate limit",
        "max_tokens is too large: 100000. This model supports at most 16384 completion tokens.",
        "max_tokens: 300000 > 64000, which is the maximum allowed number of output tokens",
        "Invalid 'tools': array too long. Expected an array with maximum length 128.",
        "messages.4.content.0.image.source.base64: image exceeds 5 MB maximum: 5464400 > 5242880 bytes",
        "At least one of the image dimensions exceed max allowed size: 8000 pixels",
        "You exceeded your current quota, please check your plan and billing details.",
    ],
)
def test_other_bounds_are_no_overflow(words: str) -> None:
    assert not ServerWords(words).is_overflow


def test_a_small_figure_is_no_window() -> None:
    assert ServerWords("maximum context length is 100 items").window is None
