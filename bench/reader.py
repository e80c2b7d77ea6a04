"""The process that drains a pty: stamps what is painted, answers queries, samples the tree."""

from __future__ import annotations

import os
import re
import select
import signal
import struct
import time

from bench.processes import cpu_seconds, resident, tree

SAMPLE_EVERY = 0.025
HEAD = struct.Struct("<cdI")
"""Of a record: kind (`O` output, `S` sample, `X` the end), CLOCK_MONOTONIC seconds, size."""
SAMPLE = struct.Struct("<dQ")
"""CPU seconds and resident bytes."""
_QUERY = re.compile(
    rb"\x1b\[(?:0?c|>0?c|5n|6n|>0?q|\?(?P<mode>\d+)\$p)|\x1b\](?P<colour>1[01]);\?(?:\x07|\x1b\\)"
)


def record(master: int, path: str, root: int) -> None:
    """The reader process: record what is painted, answer queries, sample the tree."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = os.getppid()
    out = open(path, "ab", buffering=0)  # noqa: SIM115  (for the life of this process)
    tail = b""
    sample_due = 0.0
    while os.getppid() == parent:
        try:
            if select.select([master], [], [], SAMPLE_EVERY)[0]:
                data = os.read(master, 65536)
                out.write(HEAD.pack(b"O", time.monotonic(), len(data)) + data)
                tail = _answer(master, tail + data)
        except OSError:  # EIO: the program closed its side
            break
        if time.monotonic() >= sample_due:
            sample_due = time.monotonic() + SAMPLE_EVERY
            pids = tree(root)
            sample = SAMPLE.pack(cpu_seconds(pids), resident(pids))
            out.write(HEAD.pack(b"S", time.monotonic(), len(sample)) + sample)
    out.write(HEAD.pack(b"X", time.monotonic(), 0))


def _answer(master: int, data: bytes) -> bytes:
    """Answer the queries in `data` as an xterm would; what may be the start of another."""
    end = 0
    for query in _QUERY.finditer(data):
        end = query.end()
        text = query.group()
        if query["mode"]:
            # 2: known and reset. Textual then wraps each frame in mode 2026, which is counted.
            state = 2 if query["mode"] in (b"2026", b"2004", b"1004") else 0
            reply = b"\x1b[?%s;%d$y" % (query["mode"], state)
        elif query["colour"]:
            shade = b"1111/1111/1111" if query["colour"] == b"11" else b"cccc/cccc/cccc"
            reply = b"\x1b]%s;rgb:%s\x1b\\" % (query["colour"], shade)
        elif text.endswith(b"n"):
            reply = b"\x1b[0n" if text == b"\x1b[5n" else b"\x1b[1;1R"
        elif text.endswith(b"q"):
            reply = b"\x1bP>|XTerm(388)\x1b\\"
        else:
            reply = b"\x1b[?62;22c"
        os.write(master, reply)
    rest = data[end:]
    start = rest.rfind(b"\x1b", max(0, len(rest) - 32))
    return rest[start:] if start >= 0 else b""
