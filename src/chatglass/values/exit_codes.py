"""How the program ends, whatever of it was started: one table for --help, the manual page and the
README, which a test holds to it."""

from __future__ import annotations

DONE, FAILED, USAGE, LIMIT, INTERRUPTED = 0, 1, 2, 3, 130

MEANINGS = {
    DONE: "done: answered, the screen left, the command carried out",
    FAILED: "failed: the model, a tool, the store or a part of a command",
    USAGE: "wrong usage or settings; nothing was sent",
    LIMIT: "with -p: a limit was hit, of requests, cost or context",
    INTERRUPTED: "interrupted, by Ctrl+C or SIGTERM",
}


def exit_code_lines() -> str:
    """The table as lines for a terminal."""
    return "\n".join(f"  {code:<12}{meaning}" for code, meaning in MEANINGS.items())
