"""When a request that failed before its stream began is sent again, and how long to wait."""

from __future__ import annotations

import email.utils
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass

from chatglass.models.wire import ModelError


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Bounds of retrying. Seconds; attempts count the first one."""

    attempts: int = 4
    connect_attempts: int = 3
    """Where nothing answers at all, waiting helps less."""
    base_s: float = 0.5
    longest_backoff_s: float = 8.0
    longest_wait_s: float = 120.0
    """A server that asks for more than this is not waited for."""

    def delay(self, error: ModelError, attempt: int, headers: Mapping[str, str]) -> float | None:
        """Seconds to wait after the failed `attempt` (1, 2, …), or None to give up."""
        if not error.retryable or error.kind not in ("rate_limit", "server", "unreachable"):
            # A timeout has already taken as long as anyone would wait.
            return None
        most = self.connect_attempts if error.kind == "unreachable" else self.attempts
        if attempt >= most:
            return None
        asked = retry_after(headers)
        asked = error.wait_s if asked is None else asked
        if asked is None:
            backoff = min(self.longest_backoff_s, self.base_s * 2 ** (attempt - 1))
            # Jitter, so that many clients don't come back at once.
            return backoff * random.uniform(0.75, 1.25)
        return asked if asked <= self.longest_wait_s else None


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that a server asks to wait: `retry-after-ms`, or `Retry-After` as seconds or date
    (RFC 9110, 10.2.3). None where it asks for nothing."""
    milliseconds = _number(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return milliseconds / 1000
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    seconds = _number(text)
    if seconds is not None:
        return seconds
    try:
        date = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, date.timestamp() - time.time())


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value < 1e9 else None
