"""When a server that went away is tried again."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartPolicy:
    """After `first_s`, then twice as long each time, at most `longest_s`; after `attempts` tries it
    has failed. Who stayed for `stable_s` starts afresh."""

    first_s: float = 1.0
    longest_s: float = 60.0
    attempts: int = 6
    stable_s: float = 30.0

    def delay(self, attempt: int) -> float:
        return min(self.first_s * 2 ** (attempt - 1), self.longest_s)
