"""Lays JSON text out in lines without changing a token of it.

Parsing and dumping again would lose what was really there: `1.0e400`, a key that comes twice, an
escape spelled the long way. So the text is checked by the parser and then only its whitespace
outside of strings is replaced. About 30 ns a byte.

This file is also the child process that does it for large texts, since a thread would hold the
interpreter: UTF-8 on stdin, UTF-8 on stdout, exit code 3 where the text is not JSON. It runs by
its path with `-I -S` (12 ms to start) and must import nothing but the standard library.
"""

from __future__ import annotations

import gc
import json
import os
import re
import sys

NOT_JSON = 3
INDENT = 2
DEEPEST = 32
"""Levels that are still indented further: without an end, depth × lines can make gigabytes."""

_BRACKET = re.compile(r"(\{\}|\[\]|[\[\]{}])")
_BACKSLASH, _QUOTE = "\x01", "\x02"
"""Stand for the two escapes that matter here: no JSON holds these characters as they are."""
_MEMO_LENGTH = 64
_MEMO_ENTRIES = 4096


def lay_out(text: str) -> str | None:
    """`text` with one member or element a line; None where it is no JSON object or array."""
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        json.loads(text, object_hook=_nothing)
    except (ValueError, RecursionError):
        return None
    escaped = "\\" in text
    if escaped:
        text = text.replace("\\\\", _BACKSLASH).replace('\\"', _QUOTE)
    # Even places hold what is between strings, odd ones the strings.
    pieces = text.split('"')
    pieces[::2] = _lay_out_runs(pieces[::2])
    laid_out = '"'.join(pieces)
    if escaped:
        laid_out = laid_out.replace(_QUOTE, '\\"').replace(_BACKSLASH, "\\\\")
    return laid_out


def _nothing(_: object) -> None:
    """Let go of what was parsed at once: it is only checked."""


def _lay_out_runs(runs: list[str]) -> list[str]:
    """What stands between the strings, laid out. Few different runs come again and again."""
    laid_out: list[str] = []
    by_depth: dict[int, dict[str, tuple[str, int]]] = {0: {}}
    depth, memo = 0, by_depth[0]
    for run in runs:
        known = memo.get(run)
        if known is None:
            known = _lay_out_run("".join(run.split()), depth)
            if len(run) <= _MEMO_LENGTH and len(memo) < _MEMO_ENTRIES:
                memo[run] = known
        laid_out.append(known[0])
        if known[1] != depth:
            depth = known[1]
            memo = by_depth.setdefault(depth, {})
    return laid_out


_NEW_LINES = tuple("\n" + " " * (INDENT * depth) for depth in range(DEEPEST + 1))


def _new_line(depth: int) -> str:
    return _NEW_LINES[depth] if depth < DEEPEST else _NEW_LINES[DEEPEST]


def _lay_out_run(run: str, depth: int) -> tuple[str, int]:
    """A run of punctuation, numbers and literals that starts at `depth`; the depth at its end."""
    # Half the time of a regular expression, for what numbers make ever new.
    if not ("{" in run or "}" in run or "[" in run or "]" in run):
        return run.replace(",", "," + _new_line(depth)).replace(":", ": "), depth
    out: list[str] = []
    for piece in _BRACKET.split(run):
        if piece in ("{", "["):
            depth += 1
            out.append(piece + _new_line(depth))
        elif piece in ("}", "]"):
            depth -= 1
            out.append(_new_line(depth) + piece)
        elif piece:
            out.append(piece.replace(",", "," + _new_line(depth)).replace(":", ": "))
    return "".join(out), depth


def main() -> int:
    # One pass and the end: collecting what the parser makes would double its time.
    gc.disable()
    laid_out = lay_out(sys.stdin.buffer.read().decode())
    if laid_out is None:
        return NOT_JSON
    sys.stdout.buffer.write(laid_out.encode())
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    # Not `sys.exit`, which would free some 100,000 strings one by one first.
    os._exit(code)
