"""A process that reserves of the day's budget, and says what it got.

python reserving_process.py FILE SESSION MOST TIMES   reserves $0.01 at a time, finished as a request
python reserving_process.py FILE SESSION MOST hold    reserves $0.50 and waits for the end of stdin
python reserving_process.py FILE SESSION MOST send    the same, with its request under way
"""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from chatglass.store.sqlite import SqliteStore
from chatglass.values.usage import Usage
from store.builders import request

NOW = 1_000_000


async def main(file: str, session_id: str, most: str, what: str) -> None:
    store = SqliteStore(Path(file))
    await store.open()
    day = {"now": NOW, "since": NOW, "until": NOW + 10}
    if what in ("hold", "send"):
        got = await store.reserve(session_id, Decimal("0.50"), most=Decimal(most), **day)
        if what == "send":
            await store.add_request(request(session_id, started_at=NOW))
        os.write(1, f"{int(got.made)}\n".encode())
        await asyncio.to_thread(sys.stdin.read)
        return
    made = 0
    for _ in range(int(what)):
        got = await store.reserve(session_id, Decimal("0.01"), most=Decimal(most), **day)
        if got.made:
            made += 1
            row = request(session_id, started_at=NOW)
            await store.add_request(row)
            usage = Usage(prompt_tokens=1)
            spent = replace(row, status="complete", usage=usage, cost=Decimal("0.01"))
            await store.finish_request(spent)
    os.write(1, f"{made}\n".encode())
    await store.close()


asyncio.run(main(*sys.argv[1:]))
