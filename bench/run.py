"""Measures chatglass from outside and prints the table of aims with figures and ratios.

    python -m bench.run [start|stream|long-session|long-stream|idle|memory|tool-result|sessions|servers|append|soak|all] ...

Single times mean little on a shared machine: read the ratios against the floor, which runs in the
same minute.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from bench.measures import MEASURES
from bench.ptybench import NotSeen
from bench.rows import Row
from bench.soak import soak
from bench.subject import FakeLLM


def table(title: str, rows: Sequence[Row]) -> str:
    """The rows as a Markdown table."""
    lines = [f"| {title} | figure | compared | aim |", "|---|---|---|---|"]
    lines += [f"| {row.what} | {row.figure} | {row.compared} | {row.aim} |" for row in rows]
    return "\n".join(lines) + "\n"


def main() -> int:
    measures = {**MEASURES, "soak": soak}
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", nargs="*", choices=[*measures, "all"], default=["all"])
    wanted = parser.parse_args().what
    # The soak takes the better part of an hour, so it is asked for by its name.
    names = list(MEASURES) if "all" in wanted else wanted
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n")
    failed = False
    with FakeLLM() as llm:
        for name in names:
            try:
                print(table(name, measures[name](llm)), flush=True)
            except NotSeen as screen:
                failed = True
                print(
                    f"{name}: what was waited for did not come. On screen:\n{screen}\n", flush=True
                )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
