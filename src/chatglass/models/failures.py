"""What went wrong, in sentences: every failure of a request as a ModelError.

A cause names the endpoint, its address and the model; an advice says what to do, and names actions
as `values.ways` has them. What a server
says is quoted on one line, with control characters shown and keys left out.
"""

from __future__ import annotations

import json
import re
import socket
import ssl
from collections.abc import Mapping
from urllib.parse import urlsplit

from chatglass.models.endpoints import public_url
from chatglass.models.exchange import secrets_of
from chatglass.models.retries import retry_after
from chatglass.models.server_words import ServerWords, words_of, words_of_body
from chatglass.models.wire import WINDOW_FULL, Endpoint, ErrorKind, ModelError
from chatglass.values.text import one_line, storable
from chatglass.values.usage import Usage

_QUOTE = 300
"""The most characters of a server's own words that are quoted."""

# Keys as providers write them, also masked: a server may echo part of what it got.
_KEY_LIKE = re.compile(r"\b(sk|pk|gsk|xai|key|hf|nvapi|AIza)[-_][\w*.\-]{6,}|\bBearer\s+\S+")


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
        said = words_of_body(body)
        return self._error(said, f"answered {status}", status, retry_after(headers))

    def in_stream(self, error: object) -> ModelError:
        """Of an error object that came with status 200, inside the stream or instead of it."""
        return self._error(words_of(error), "sent an error in the stream", None, None)

    def connection(self, error: BaseException, first_byte_s: float | None = None) -> ModelError:
        """Of a connection that could not be made, or broke before the answer began, for which it had
        so many seconds."""
        cause = _os_cause(error)
        if _is_timeout(error):
            return self._late(error, first_byte_s)
        if self._endpoint.is_local:
            advice = "Start the server, check the port in its base URL, or choose another endpoint{model}."
        elif isinstance(cause, ssl.SSLError):
            advice = "Check the base URL (http or https?) and the certificates of this machine."
        else:
            advice = "Check the base URL, the network and the proxy settings, then retry{retry}."
        return ModelError(
            "unreachable",
            f"{self._where} can't be reached: {self.words(_why(cause))}.",
            advice,
            retryable=True,
        )

    def _late(self, error: BaseException, first_byte_s: float | None) -> ModelError:
        advice = (
            "Check that the server is not overloaded, then retry{retry}, or choose another endpoint{model}."
            " [timeouts] in the settings and --timeout give it longer."
        )
        did = f"did not begin to answer in {first_byte_s:g} s" if first_byte_s else ""
        if any("ConnectTimeout" in type(step).__name__ for step in _chain(error)):
            did = "could not be connected to in time"
            advice = "Check the base URL, the network and the proxy settings, then retry{retry}."
        did = did or "did not answer in time"
        return ModelError("timeout", f"{self._where} {did}.", advice, retryable=True)

    def dropped(self, error: BaseException) -> ModelError:
        """Of a connection that broke in the middle of the stream."""
        return ModelError(
            "cut",
            f"{self._where} dropped the connection in the middle of the answer"
            f" ({self.words(_why(_os_cause(error)))}).",
            "What came is kept. Retry{retry}, or send another prompt to go on from here.",
            retryable=True,
        )

    def stalled(self, seconds: float) -> ModelError:
        """Of a stream that sent nothing for `seconds`."""
        return ModelError(
            "timeout",
            f"{self._where} sent nothing for {seconds:g} s.",
            "What came is kept. Retry{retry}, or choose another model{model}.",
            retryable=True,
        )

    def cut(self) -> ModelError:
        """Of a stream that ended without a finish reason."""
        return ModelError(
            "cut",
            f"The answer of {self._model} on {self._where} ended before it was finished.",
            "What came is kept. Retry{retry}, or send another prompt to go on from here.",
            retryable=True,
        )

    def empty(self, finish_reason: str, usage: Usage | None) -> ModelError:
        """Of an answer with nothing in it."""
        advice = (
            "Retry{retry}; if it stays so, the request may be larger than the model's context window,"
            " or the model may not suit the prompt."
        )
        if finish_reason == "length":
            advice = "Raise the most output tokens of this session, or shorten the conversation."
        elif finish_reason == "content_filter":
            advice = "The provider's content filter held the answer back: change the prompt."
        elif finish_reason == WINDOW_FULL:
            advice = "Compact{compact} or clear{clear} the conversation, or choose a model with a larger window{model}."
        reason = f" (finish reason {self.words(finish_reason)})" if finish_reason else ""
        return ModelError(
            "context_overflow" if finish_reason == WINDOW_FULL else "empty",
            f"{self._model} on {self._where} sent an empty answer{reason}.",
            advice,
            retryable=finish_reason != WINDOW_FULL,
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
            advice = (
                "Retry{retry}; if it stays so, the server is not OpenAI-compatible at this address."
            )
        return ModelError("malformed", f"{self._where} sent {what}.", advice, retryable=True)

    def no_key(self, why: str) -> ModelError:
        """Of a key that could not be had. `why` is a sentence."""
        return ModelError("auth", f"There is no key for {self._where}: {why}", self._key_advice())

    def no_images(self) -> ModelError:
        """Of a prompt with images for a model that takes none."""
        return ModelError(
            "images",
            f"{self._where} takes no images.",
            "Choose another model{model}, then retry{retry}; or retry as it is: only the text is sent then.",
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

    def _error(
        self, said: ServerWords, did: str, status: int | None, wait_s: float | None
    ) -> ModelError:
        # Without a code of HTTP's it is a failure of the server.
        meant = status or said.status or 500
        kind = _kind(meant, said)
        wait_s = said.wait_s if wait_s is None else wait_s
        words = self.words(said.text)
        words = f": {words}" if words else ""
        words = words if words.endswith((".", "!", "?", "…")) else f"{words}."
        if kind == "auth":
            cause = f"{self._where} {did}, {self._refused_key(status)}{words}"
            advice = self._key_advice()
        elif kind == "context_overflow":
            larger = f"the context window of {self._model} on {self._where}"
            if said.per_minute is not None:
                larger = f"what {self._where} takes in a minute for {self._model}"
            cause = f"The request is larger than {larger}{words}"
            advice = "Compact{compact} or clear{clear} the conversation, or choose a model with a larger window{model}."
        else:
            cause = f"{self._where} {did} to a request for {self._model}{words}"
            advice = self._advice(kind, said)
        return ModelError(
            kind,
            cause,
            advice,
            status=status,
            retryable=kind in ("server", "timeout", "rate_limit")
            and _may_pass(meant, said, wait_s),
            wait_s=wait_s,
            window=(said.per_minute or said.window) if kind == "context_overflow" else None,
        )

    def _advice(self, kind: ErrorKind, said: ServerWords) -> str:
        if said.is_out_of_credit:
            return f"Check the credit and the plan at {self._endpoint.name}, or choose another endpoint{{model}}."
        if said.lacks_memory:
            return "Free memory on the server's machine, or choose a smaller model{model}."
        if kind == "not_found":
            if not said.names_no_model and "model" not in said.text.lower():
                return self._check_url()
            pull = f" `ollama pull {self._model}` fetches it." if self._is_ollama() else ""
            return f"Choose another model{{model}} from the list of what the endpoint has.{pull}"
        if kind == "rate_limit":
            if said.is_for_long:
                return "Wait until the limit is renewed, or choose another model{model}."
            return "Wait a while and retry{retry}, or choose another model{model}."
        if kind in ("server", "timeout"):
            return "This is a failure of the server: retry{retry}, or choose another model{model}."
        if said.is_flagged:
            return "The provider's rules forbid what it was asked: change the prompt, or choose another model{model}."
        return "Change what it names, or choose another model{model}."

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
                " OPENAI_BASE_URL; or choose another endpoint{model}."
            )
        return (
            f"Put a valid key for {self._url} into {source}, or choose another endpoint{{model}}."
        )


def _kind(status: int, said: ServerWords) -> ErrorKind:
    if said.per_minute is not None and status in (413, 429):
        return "context_overflow"
    if status not in (401, 402, 403, 407, 429) and said.is_overflow:
        return "context_overflow"
    if status == 413:
        return "rate_limit" if said.is_rate_limit else "context_overflow"
    if status in (401, 407):
        return "auth"
    if status == 403:
        return "rejected" if said.is_out_of_credit or said.is_flagged else "auth"
    if status == 404 or (status in (400, 422) and said.names_no_model):
        return "not_found"
    if status == 429:
        return "rate_limit"
    if status in (408, 504):
        return "timeout"
    return "server" if status >= 500 else "rejected"


def _may_pass(status: int, said: ServerWords, wait_s: float | None) -> bool:
    """Whether the same may be answered a little later."""
    if said.is_out_of_credit or said.lacks_memory or status in (501, 505):
        return False
    return wait_s is not None or not said.is_for_long


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
