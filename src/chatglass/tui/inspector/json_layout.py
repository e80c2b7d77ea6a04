"""Lays JSON text out in lines without changing a token of it.

Parsing and dumping again would lose what was really there: `1.0e400`, a key that comes twice, an
escape spelled the long way. So the text is checked by the parser and then only its whitespace
outside of strings is replaced. About 40 ns a byte.

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

_STRING = re.compile(r'("[^"\\]*(?:\\.[^"\\]*)*")')
_BRACKET = re.compile(r"(\{\}|\[\]|[\[\]{}])")
_MEMO_LENGTH = 64
_MEMO_ENTRIES = 4096


def lay_out(text: str) -> str | None:
    """`text` with one member or element a line; None where it is no JSON object or array."""
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return None
    # Even places hold what is between strings, odd ones the strings.
    pieces = _STRING.split(text)
    pieces[::2] = _lay_out_runs(pieces[::2])
    return "".join(pieces)


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


def _new_line(depth: int) -> str:
    return "\n" + " " * (INDENT * min(depth, DEEPEST))


def _lay_out_run(run: str, depth: int) -> tuple[str, int]:
    """A run of punctuation, numbers and literals that starts at `depth`; the depth at its end."""
    if not _BRACKET.search(run):
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
