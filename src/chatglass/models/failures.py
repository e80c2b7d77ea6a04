"""What went wrong, in sentences: every failure of a request as a ModelError.

A cause names the endpoint, its address and the model; an advice says what to do. What a server
says is quoted on one line, with control characters shown and keys left out.
"""

from __future__ import annotations

import json
import re
import socket
import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from chatglass.models.deltas import as_list, as_object, as_text
from chatglass.models.exchange import secrets_of
from chatglass.models.wire import Endpoint, ErrorKind, ModelError
from chatglass.values.text import one_line, storable
from chatglass.values.usage import Usage

_QUOTE = 300
"""The most characters of a server's own words that are quoted."""

# The forms in which servers say that a request is larger than the context window. Codes: OpenAI
# (context_length_exceeded), llama.cpp (exceed_context_size_error), GitHub (model_max_prompt…);
# messages: OpenAI, vLLM, Anthropic, Google, llama.cpp, LM Studio, Mistral, Ollama, DeepSeek.
_OVERFLOW = re.compile(
    r"context_length_exceeded|exceed_context_size|max_prompt_tokens_exceeded"
    r"|(maximum|max|model'?s?) context (length|size|window)"
    r"|(exceeds?|overflows?|larger than|greater than|longer than) (the |this |its )?"
    r"(model'?s? |available |maximum |max )*context"
    r"|exceeds? (the |this )?(maximum|max)( allowed| number of)? (input )?(tokens|model length)"
    r"|maximum model length|max_model_len"
    r"|(prompt|input|request|conversation) (is |was )?too (long|large)"
    r"|too (many|large)[^.]{0,20} tokens? (for|in) (this|the)"
    r"|token count[^.]{0,40} exceeds"
    r"|reduce the length of (the|your) (messages|prompt|input)"
    r"|context (length|window|size)[^.]{0,40}(exceeded|overflow|too small)",
    re.IGNORECASE,
)
_UNKNOWN_MODEL = re.compile(
    r"model_not_found|\bmodel\b.{0,120}?(not found|does not exist|doesn't exist|is not available"
    r"|not a valid model)|(unknown|invalid|no such) model|not a valid model",
    re.IGNORECASE | re.DOTALL,
)
_NO_CREDIT = re.compile(
    r"insufficient_quota|insufficient (balance|credits?|funds)|exceeded your current quota"
    r"|billing|credit balance",
    re.IGNORECASE,
)
# Keys as providers write them, also masked: a server may echo part of what it got.
_KEY_LIKE = re.compile(r"\b(sk|pk|gsk|xai|key|hf|nvapi|AIza)[-_][\w*.\-]{6,}|\bBearer\s+\S+")


def public_url(url: str) -> str:
    """`url` without user, password and query."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))


def is_overflow(text: str) -> bool:
    """Whether a server's words mean that the request is larger than the context window."""
    return _OVERFLOW.search(text) is not None


def server_words(body: str) -> str:
    """The message in the body of an error, whatever JSON it is wrapped in, else the text itself."""
    try:
        found = _message(json.loads(body))
    except (ValueError, RecursionError):
        found = ""
    if not found and not re.match(r"\s*<", body):
        found = body
    return found


def _message(value: object) -> str:
    if isinstance(value, str):
        return value
    table = as_object(value)
    for key in ("error", "message", "msg", "detail", "error_message", "description"):
        if key in table and (found := _message(table[key])):
            return found
    # FastAPI: `detail` is a list of {"loc": […], "msg": …}.
    parts: list[str] = []
    for item in as_list(value)[:3]:
        entry = as_object(item)
        place = ".".join(str(step) for step in as_list(entry.get("loc")))
        parts.append(f"{place}: {_message(item)}" if place else _message(item))
    return "; ".join(part for part in parts if part)


class Failures:
    """Makes the ModelErrors of one endpoint and model."""

    def __init__(self, endpoint: Endpoint, model: str, key: str | None) -> None:
        self._endpoint = endpoint
        self._model = one_line(storable(model), 120)
        self._key = key
        self._url = public_url(endpoint.base_url)
        self._where = f"{endpoint.name} ({self._url})"
        secrets = secrets_of(endpoint.base_url, key, endpoint.headers)
        # Longest first: one may begin with another.
        self._secrets = sorted({secret for secret in secrets if len(secret) >= 6}, key=len)[::-1]

    def words(self, text: str) -> str:
        """A server's words on one line, without keys."""
        for secret in self._secrets:
            text = text.replace(secret, "[key]")
        return one_line(storable(_KEY_LIKE.sub("[key]", text)), _QUOTE)

    def status(self, status: int, body: str, headers: Mapping[str, str]) -> ModelError:
        """Of an answer with an HTTP status that is not 2xx."""
        if 300 <= status < 400:
            return self._redirect(status, headers.get("location", ""))
        words = server_words(body)
        kind = self._kind(status, words, body)
        return self._error(kind, f"answered {status}", words, status)

    def in_stream(self, error: object) -> ModelError:
        """Of an error object that came with status 200, inside the stream or instead of it."""
        table = as_object(error)
        words = _message(error) or json.dumps(error, ensure_ascii=False)
        code = table.get("code") or table.get("status") or as_object(table.get("error")).get("code")
        status = code if isinstance(code, int) else _number(as_text(code))
        # Without a code of HTTP's it is a failure of the server.
        status = status if 400 <= status < 600 else 500
        kind = self._kind(status, words, json.dumps(error, ensure_ascii=False))
        return self._error(kind, "sent an error in the stream", words, None)

    def connection(self, error: BaseException) -> ModelError:
        """Of a connection that could not be made, or broke before the answer began."""
        cause = _os_cause(error)
        if _is_timeout(error):
            return ModelError(
                "timeout",
                f"{self._where} did not answer in time.",
                "Check that the server is not overloaded, then retry, or choose another endpoint.",
                retryable=True,
            )
        if self._endpoint.is_local:
            advice = "Start the server, check the port in its base URL, or choose another endpoint."
        elif isinstance(cause, ssl.SSLError):
            advice = "Check the base URL (http or https?) and the certificates of this machine."
        else:
            advice = "Check the base URL, the network and the proxy settings, then retry."
        return ModelError(
            "unreachable",
            f"{self._where} can't be reached: {self.words(_why(cause))}.",
            advice,
            retryable=True,
        )

    def dropped(self, error: BaseException) -> ModelError:
        """Of a connection that broke in the middle of the stream."""
        return ModelError(
            "cut",
            f"{self._where} dropped the connection in the middle of the answer"
            f" ({self.words(_why(_os_cause(error)))}).",
            "What came is kept. Retry, or go on from here.",
            retryable=True,
        )

    def stalled(self, seconds: float) -> ModelError:
        """Of a stream that sent nothing for `seconds`."""
        return ModelError(
            "timeout",
            f"{self._where} sent nothing for {seconds:g} s.",
            "What came is kept. Retry, or choose another model.",
            retryable=True,
        )

    def cut(self) -> ModelError:
        """Of a stream that ended without a finish reason."""
        return ModelError(
            "cut",
            f"The answer of {self._model} on {self._where} ended before it was finished.",
            "What came is kept. Retry, or go on from here.",
            retryable=True,
        )

    def empty(self, finish_reason: str, usage: Usage | None) -> ModelError:
        """Of an answer with nothing in it."""
        advice = (
            "Retry; if it stays so, the request may be larger than the model's context window,"
            " or the model may not suit the prompt."
        )
        if finish_reason == "length":
            advice = "Raise the most output tokens of this session, or shorten the conversation."
        elif finish_reason == "content_filter":
            advice = "The provider's content filter held the answer back: change the prompt."
        reason = f" (finish reason {self.words(finish_reason)})" if finish_reason else ""
        return ModelError(
            "empty",
            f"{self._model} on {self._where} sent an empty answer{reason}.",
            advice,
            retryable=True,
            usage=usage,
        )

    def malformed(self, sample: str) -> ModelError:
        """Of an answer that is not what the API promises. `sample` is its start."""
        if re.match(r"\s*<(!doctype|html|head|body|\?xml)", sample, re.IGNORECASE):
            title = re.search(r"<title[^>]*>(.*?)</title>", sample, re.IGNORECASE | re.DOTALL)
            shown = f' "{self.words(title.group(1))}"' if title else ""
            what, advice = f"a web page{shown} instead of an answer", self._check_url()
        else:
            shown = f": {self.words(sample)}" if sample.strip() else ""
            what = f"data that is not valid JSON{shown}"
            advice = "Retry; if it stays so, the server is not OpenAI-compatible at this address."
        return ModelError("malformed", f"{self._where} sent {what}.", advice, retryable=True)

    def no_key(self, why: str) -> ModelError:
        """Of a key that could not be had. `why` is a sentence."""
        return ModelError("auth", f"There is no key for {self._where}: {why}", self._key_advice())

    def no_images(self) -> ModelError:
        """Of a prompt with images for a model that takes none."""
        return ModelError(
            "images",
            f"{self._where} takes no images.",
            "Choose another model with /model, and "
            "/retry; or /retry as it is: then only the text is sent.",
        )

    def _redirect(self, status: int, location: str) -> ModelError:
        to = f" to {self.words(public_url(location))}" if location else ""
        return ModelError(
            "rejected",
            f"{self._where} answered {status}, a redirect{to}.",
            "Redirects are not followed, since the key belongs to this address alone:"
            " put the right address into base_url.",
            status=status,
        )

    def _kind(self, status: int, words: str, body: str) -> ErrorKind:
        code = as_object(_parsed(body))
        text = f"{words} {json.dumps(code, ensure_ascii=False)[:4000] if code else ''}"
        if status in (400, 413, 422, 500) and is_overflow(text):
            return "context_overflow"
        if status == 413:
            return "rate_limit" if "rate_limit" in text else "context_overflow"
        if status in (401, 403, 407):
            return "auth"
        if status == 404 or (status in (400, 422) and _UNKNOWN_MODEL.search(text)):
            return "not_found"
        if status == 429:
            return "rate_limit"
        if status in (408, 504):
            return "timeout"
        return "server" if status >= 500 else "rejected"

    def _error(self, kind: ErrorKind, did: str, words: str, status: int | None) -> ModelError:
        said = self.words(words)
        said = f": {said}" if said else ""
        said = said if said.endswith((".", "!", "?", "…")) else f"{said}."
        retryable = kind in ("server", "timeout", "rate_limit") and not _NO_CREDIT.search(words)
        if kind == "auth":
            cause = f"{self._where} {did}, {self._refused_key(status)}{said}"
            advice = self._key_advice()
        elif kind == "context_overflow":
            cause = f"The request is larger than the context window of {self._model} on {self._where}{said}"
            advice = "Compact or clear the conversation, or choose a model with a larger window."
        else:
            cause = f"{self._where} {did} to a request for {self._model}{said}"
            advice = self._advice(kind, words)
        return ModelError(kind, cause, advice, status=status, retryable=retryable)

    def _advice(self, kind: ErrorKind, words: str) -> str:
        if kind == "not_found":
            if not _UNKNOWN_MODEL.search(words) and "model" not in words.lower():
                return self._check_url()
            pull = f" `ollama pull {self._model}` fetches it." if self._is_ollama() else ""
            return f"Choose another model with /model, which lists what the endpoint has.{pull}"
        if _NO_CREDIT.search(words):
            return f"Check the credit and the plan at {self._endpoint.name}, or choose another endpoint."
        if kind == "rate_limit":
            return "Wait a while and retry, or choose another model."
        if kind in ("server", "timeout"):
            return "This is a failure of the server: retry, or choose another model."
        return "Change what it names, or choose another model."

    def _is_ollama(self) -> bool:
        return self._endpoint.kind == "ollama" or ":11434" in self._url

    def _check_url(self) -> str:
        path = urlsplit(self._url).path.rstrip("/")
        hint = "" if path.endswith(("/v1", "/openai")) else " (it usually ends with /v1)"
        return f"Check the base URL of {self._endpoint.name}, {self._url}{hint}."

    def _refused_key(self, status: int | None) -> str:
        if self._key is None:
            unset = f", since {self._endpoint.key_source} is not set"
            return "no key was sent" + (unset if self._endpoint.key_source else "")
        does = "does not allow this to" if status == 403 else "refused"
        return f"it {does} the key from {self._endpoint.key_source}"

    def _key_advice(self) -> str:
        source = self._endpoint.key_source
        if not source:
            return (
                f"Give it one: api_key_env or api_key_cmd beside base_url = {json.dumps(self._url)} in an"
                " [endpoints.NAME] of config.toml, or OPENAI_API_KEY with that address in"
                " OPENAI_BASE_URL; or choose another endpoint."
            )
        return f"Put a valid key for {self._url} into {source}, or choose another endpoint."


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else 0


def _parsed(body: str) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _chain(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    step: BaseException | None = error
    while step is not None and step not in found:
        found.append(step)
        step = step.__cause__ or step.__context__
    return found


def _is_timeout(error: BaseException) -> bool:
    return any(
        isinstance(step, TimeoutError) or "Timeout" in type(step).__name__ for step in _chain(error)
    )


def _os_cause(error: BaseException) -> BaseException:
    """The innermost error that says what the system said."""
    chain = _chain(error)
    return next((s for s in reversed(chain) if isinstance(s, OSError) and str(s)), chain[-1])


def _why(error: BaseException) -> str:
    if isinstance(error, ConnectionRefusedError) or "Connect call failed" in str(error):
        return "connection refused, nothing listens there"
    if isinstance(error, socket.gaierror):
        return "the host name is not known"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not valid ({error.verify_message})"
    text = str(error).strip().rstrip(".")
    return text or type(error).__name__
