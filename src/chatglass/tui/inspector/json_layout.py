"""Lays JSON text out in lines without changing a token of it.

Parsing and dumping again would lose what was really there: `1.0e400`, a key that comes twice, an
escape spelled the long way. So the text is checked by the parser and then only its whitespace
outside of strings is replaced. About 30 ns a byte.

This file is also the child process that does it for large texts, since a thread would hold the
interpreter: UTF-8 on stdin, a packed `LaidOut` on stdout, exit code 3 where the text is not JSON.
It runs by its path with `-I -S` (12 ms to start) and must import nothing but the standard library.
"""

from __future__ import annotations

import codecs
import gc
import json
import os
import re
import struct
import sys
from array import array
from dataclasses import dataclass

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


# -- what can be folded


@dataclass(frozen=True, slots=True)
class Containers:
    """The objects and arrays of a laid-out text that take several lines, in the order of their
    beginnings: 21 bytes each, whatever is in them."""

    opens: array[int]
    """Offset of the opening bracket, which ends its line."""
    closes: array[int]
    """Offset of the closing bracket, which begins its line."""
    parents: array[int]
    """Index of the container around it; -1 for the outermost."""
    ordinals: array[int]
    """Its place among what is in its parent, from 0."""
    counts: array[int]
    """How many members or elements it has."""
    depths: bytes
    """0 for the outermost, at most 255."""

    def __len__(self) -> int:
        return len(self.opens)


@dataclass(frozen=True, slots=True)
class LaidOut:
    text: str
    containers: Containers


_EDGE = re.compile(r"[\[{]\n|\n *[\]}]")
"""No string holds a line break, so that this finds brackets that are some."""
_ARRAYS = "IIiII"
_FOOT = struct.Struct("<QQ")
_SLICE = 4 * 1024 * 1024


def containers_of(laid_out: str) -> Containers:
    """About 1 µs for each."""
    opens, closes, parents, ordinals, counts = (array(code) for code in _ARRAYS)
    depths = bytearray()
    count_lines = laid_out.count
    around: list[int] = []
    done: list[tuple[int, int]] = [(0, 0)]
    """Of each open container: how many of its elements are over, and where the last one ends."""
    for edge in _EDGE.finditer(laid_out):
        start = edge.start()
        if laid_out[start] != "\n":
            over, at = done[-1]
            # Every element begins a line.
            ordinals.append(max(0, over + count_lines("\n", at, start) - 1))
            parents.append(around[-1] if around else -1)
            depths.append(min(len(around), 255))
            around.append(len(opens))
            opens.append(start)
            closes.append(0)
            counts.append(0)
            done.append((0, start))
        elif around:
            index, (over, at) = around.pop(), done.pop()
            close = edge.end() - 1
            closes[index] = close
            counts[index] = over + count_lines("\n", at, close) - 1
            done[-1] = (ordinals[index] + 1, close)
    return Containers(opens, closes, parents, ordinals, counts, bytes(depths))


def pack(laid_out: LaidOut) -> list[bytes]:
    """As bytes: the text, the arrays, and at the end how long these are."""
    text, found = laid_out.text.encode(), laid_out.containers
    arrays = (found.opens, found.closes, found.parents, found.ordinals, found.counts)
    foot = _FOOT.pack(len(text), len(found))
    return [text, *(each.tobytes() for each in arrays), found.depths, foot]


def unpack(data: bytes) -> LaidOut:
    """What `pack` made, on the same machine."""
    length, count = _FOOT.unpack_from(data, len(data) - _FOOT.size)
    at = length
    arrays: list[array[int]] = []
    for code in _ARRAYS:
        each: array[int] = array(code)
        each.frombytes(memoryview(data)[at : at + count * each.itemsize])
        at += count * each.itemsize
        arrays.append(each)
    opens, closes, parents, ordinals, counts = arrays
    decoder = codecs.getincrementaldecoder("utf-8")()
    # In slices, since each call holds the interpreter.
    pieces = (
        decoder.decode(data[start : min(start + _SLICE, length)])
        for start in range(0, length, _SLICE)
    )
    text = "".join(pieces)
    return LaidOut(
        text, Containers(opens, closes, parents, ordinals, counts, data[at : at + count])
    )


def lay_out_tree(text: str) -> LaidOut | None:
    """`lay_out` with the containers of what it made."""
    laid_out = lay_out(text)
    return None if laid_out is None else LaidOut(laid_out, containers_of(laid_out))


def main() -> int:
    # One pass and the end: collecting what the parser makes would double its time.
    gc.disable()
    laid_out = lay_out(sys.stdin.buffer.read().decode())
    if laid_out is None:
        return NOT_JSON
    for piece in pack(LaidOut(laid_out, containers_of(laid_out))):
        sys.stdout.buffer.write(piece)
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    # Not `sys.exit`, which would free some 100,000 strings one by one first.
    os._exit(code)
