"""What servers say when they refuse: their words, their codes, and what those mean.

The forms are those of OpenAI, Anthropic, Google, OpenRouter, Groq, Mistral, DeepSeek, xAI, Together,
GitHub Models, vLLM, llama.cpp, Ollama and LM Studio, whatever JSON they come wrapped in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from chatglass.models.deltas import JsonObject, as_list, as_object, as_text

# Codes: OpenAI (context_length_exceeded), llama.cpp (exceed_context_size_error), GitHub
# (max_prompt_tokens_exceeded), Anthropic (request_too_large), z.ai (model_context_window_exceeded).
# Messages, line by line: OpenAI, OpenRouter, DeepSeek, Mistral, vLLM; llama.cpp, LM Studio, Together,
# Ollama; Google, Poolside; vLLM; Anthropic, Bedrock, vLLM; GitHub; Google; Groq; xAI, LM Studio;
# MiniMax, SGLang; Moonshot; Cohere; TGI; DashScope; DS4.
_OVERFLOW = re.compile(
    r"context_length_exceeded|exceed_context_size|max_prompt_tokens_exceeded|request_too_large"
    r"|context_window_exceeded"
    r"|(maximum|max|model'?s?) context (length|size|window)"
    r"|(exceeds?|overflows?|larger than|greater than|longer than) (the |this |its )?"
    r"(model'?s? |available |maximum |max )*context"
    r"|exceeds? (the |this )?(maximum|max)( allowed| number of)?"
    r" (input |model |prompt )?(tokens|length|size)"
    r"|maximum model length|max_model_len"
    r"|(prompt|input|request|conversation)( \([^)]{0,40}\))? (is |was )?too (long|large)"
    r"|too (many|large)[^.]{0,20} tokens? (for|in) (this|the)|too large for [^.]{1,60} model"
    r"|token count[^.]{0,40} exceeds"
    r"|reduce the length of (the|your) (messages|prompt|input)"
    r"|maximum prompt length|context (the )?overflows|loaded with context length|context limit is"
    r"|context (length|window|size)[^.]{0,40}(exceed(s|ed)|overflow|too small)"
    r"|token limit (is |was )?exceeded|exceeded (the )?model token limit"
    r"|tokens in the prompt cannot exceed"
    r"|max_new_tokens`? must be|inputs`? must have less than"
    r"|range of input length should be"
    r"|configured context size is",
    re.IGNORECASE,
)
# These bounds are not the request's: of an answer, of a picture.
_OTHER_BOUND = re.compile(
    r"\bmax_(completion_)?tokens\b[^.]{0,20}\btoo large|\bimage[^.]{0,40}exceed", re.IGNORECASE
)
_COUNT = r"(\d[\d,]{2,11})\b"
_WINDOWS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf'"n_ctx": ?{_COUNT}',
        rf"> ?{_COUNT}",
        rf"{_COUNT} (?:tokens? )?maximum",
        rf"(?:context|model) (?:length|window|size|limit)(?: is| of)?(?: only)?[\s:(]+{_COUNT}",
        r"(?:maximum|max)(?: allowed)? (?:model|prompt|input|sequence) (?:length|size|window|len)"
        rf"[^\d.]{{0,30}}{_COUNT}",
        rf"maximum number of (?:input )?tokens(?: allowed)?[^\d.]{{0,10}}{_COUNT}",
        rf"max(?:imum)? size:? {_COUNT} tokens",
        rf"limit(?: of| is|:) {_COUNT}",
        rf"(?:<=|less than|cannot exceed) {_COUNT}",
        rf"\[1, ?{_COUNT}\]",
    )
)
_LEAST_WINDOW = 256
"""Tokens; a smaller figure is another one."""
# OpenAI and Groq: one request that is larger than what a minute allows. Waiting never mends that.
_PER_MINUTE = re.compile(
    r"request too large\b.{0,200}?\btokens per min.{0,40}?\blimit:? ?(\d[\d,]*)",
    re.IGNORECASE | re.DOTALL,
)
_PER_DAY = re.compile(
    r"per[ -]day|per[ -]month|/ ?(day|month)\b|\bdaily\b|\bmonthly\b|\((RPD|TPD)\)|by ?day\b",
    re.IGNORECASE,
)
_UNKNOWN_MODEL = re.compile(
    r"model_not_found|\bmodel\b.{0,120}?(not found|does not exist|doesn't exist|is not available"
    r"|not a valid model)|(unknown|invalid|no such) model|not a valid model|no models? (is |are )?loaded",
    re.IGNORECASE | re.DOTALL,
)
_NO_CREDIT = re.compile(
    r"insufficient[ _](quota|balance|credits?|funds)|exceeded your current quota|billing"
    r"|credit balance|credit limit|key limit exceeded|payment required"
    r"|(out of|no|used all( available)?|exhausted) (your |available |prepaid )?credits?\b"
    r"|credits? (have |has |are |is )?(been )?(exhausted|depleted|used up)|negative balance"
    r"|spending limit",
    re.IGNORECASE,
)
_NO_CREDIT_CODES = frozenset(
    {
        "insufficient_quota",
        "insufficient_credits",
        "insufficient_balance",
        "insufficient_funds",
        "billing_error",
        "billing_not_active",
        "billing_hard_limit_reached",
        "credit_limit_exceeded",
        "payment_required",
        "account_deactivated",
        "access_terminated",
    }
)
_FLAGGED = re.compile(r"\bflagged\b|moderation|content[_ ](policy|filter)", re.IGNORECASE)
_NO_MEMORY = re.compile(
    r"requires more (system |gpu |video )?(memory|vram)|(out of|not enough|insufficient) (system |gpu )?"
    r"(memory|vram|resources)|(failed|unable) to (load|allocate)[^.]{0,60}(model|memory|buffer)",
    re.IGNORECASE,
)
_WAIT = re.compile(
    r"(?:(?:re)?try(?: again)?|wait)(?: your request)? (?:in|after|for)? ?"
    r"(?=\d)(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?) ?(ms|s\b|sec))?",
    re.IGNORECASE,
)
_DELAY = re.compile(r'"retryDelay": ?"(\d+(?:\.\d+)?)s"')
_ADDRESS = re.compile(r"https?://\S+")

# What the types of errors stand for where no status of HTTP's came (OpenAI, Anthropic, Google).
_STATUS_OF = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "invalid_api_key": 401,
    "billing_error": 402,
    "insufficient_quota": 429,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "resource_exhausted": 429,
    "overloaded_error": 529,
}


@dataclass(frozen=True)
class ServerWords:
    """An error as a server told it: `text` is the message in it, `codes` its codes and types."""

    text: str
    codes: frozenset[str] = frozenset()
    whole: str = ""
    """All of it, as JSON, at most 8,000 characters."""

    @cached_property
    def _all(self) -> str:
        return f"{self.text} {self.whole}"

    @cached_property
    def _bare(self) -> str:
        """Without addresses: one to a page about billing stands in many a refusal for speed."""
        return _ADDRESS.sub("", self.text)

    @property
    def is_overflow(self) -> bool:
        """The request is larger than the context window."""
        return _OVERFLOW.search(self._all) is not None and not _OTHER_BOUND.search(self.text)

    @property
    def per_minute(self) -> int | None:
        """The tokens that a minute allows, where this one request is larger."""
        found = _PER_MINUTE.search(self.text)
        return _number(found.group(1)) if found else None

    @property
    def window(self) -> int | None:
        """The context window, in tokens, that a refusal for length names."""
        found = (pattern.search(self._all) for pattern in _WINDOWS)
        window = next((_number(match.group(1)) for match in found if match), 0)
        return window if window >= _LEAST_WINDOW else None

    @property
    def names_no_model(self) -> bool:
        """There is no such model."""
        return _UNKNOWN_MODEL.search(self._all) is not None

    @property
    def is_out_of_credit(self) -> bool:
        """Nothing but a payment mends it. Google says the same of a limit that passes in a while, and
        then how long to wait."""
        if self.codes & _NO_CREDIT_CODES:
            return True
        return _NO_CREDIT.search(self._bare) is not None and self.wait_s is None

    @property
    def is_for_long(self) -> bool:
        """A limit of the day or the month was reached."""
        return _PER_DAY.search(self._bare) is not None

    @property
    def is_flagged(self) -> bool:
        """Someone's rules for contents forbid the prompt."""
        return _FLAGGED.search(self.text) is not None

    @property
    def lacks_memory(self) -> bool:
        """The machine of the server has not enough memory for the model."""
        return _NO_MEMORY.search(self.text) is not None

    @property
    def is_rate_limit(self) -> bool:
        return any("rate_limit" in code for code in self.codes)

    @property
    def wait_s(self) -> float | None:
        """How long it asks to wait, in words (a header is looked at elsewhere)."""
        if found := _DELAY.search(self.whole):
            return float(found.group(1))
        found = _WAIT.search(self._bare)
        if found is None or not any(found.groups()):
            return None
        hours, minutes, rest, unit = found.groups()
        seconds = float(rest or 0) / (1000 if unit == "ms" else 1)
        return int(hours or 0) * 3600 + int(minutes or 0) * 60 + seconds

    @property
    def status(self) -> int | None:
        """Of HTTP, as a code in the error tells it."""
        for code in self.codes:
            if code.isascii() and code.isdecimal() and 400 <= int(code) < 600:
                return int(code)
        return next((_STATUS_OF[code] for code in sorted(self.codes) if code in _STATUS_OF), None)


def words_of_body(body: str) -> ServerWords:
    """Of the body of an answer: JSON in any wrapping, or text."""
    try:
        return words_of(json.loads(body))
    except (ValueError, RecursionError):
        return ServerWords("" if re.match(r"\s*<", body) else body)


def words_of(error: object) -> ServerWords:
    """Of an error that was JSON."""
    whole = json.dumps(error, ensure_ascii=False)
    codes = frozenset(code.lower() for code in _codes(error))
    return ServerWords(_message(error) or whole, codes, whole[:8000])


def _message(value: object) -> str:
    if isinstance(value, str):
        return value
    table = as_object(value)
    for key in ("error", "message", "msg", "detail", "error_message", "description"):
        if key in table and (found := _message(table[key])):
            return f"{found}{_behind(table)}"
    # FastAPI: `detail` is a list of {"loc": […], "msg": …}.
    parts: list[str] = []
    for item in as_list(value)[:3]:
        entry = as_object(item)
        place = ".".join(str(step) for step in as_list(entry.get("loc")))
        parts.append(f"{place}: {_message(item)}" if place else _message(item))
    return "; ".join(part for part in parts if part)


def _behind(table: JsonObject) -> str:
    """What the provider behind OpenRouter said."""
    raw = as_text(as_object(table.get("metadata")).get("raw"))
    return f": {words_of_body(raw).text}" if raw else ""


def _codes(value: object, depth: int = 0) -> Iterator[str]:
    table = as_object(value)
    for key in ("code", "type", "status", "reason"):
        code = table.get(key)
        if isinstance(code, str | int) and not isinstance(code, bool):
            yield str(code)
    if depth < 4:
        inner = [table.get(key) for key in ("error", "detail", "errors")]
        for each in (*inner, *as_list(value)[:3]):
            yield from _codes(each, depth + 1)


def _number(text: str) -> int:
    return int(text.replace(",", ""))
