"""What docs/pictures.py shows: sessions about a small program, and when each thing happened.

The sessions are made by the program itself, against a demo server that gives these answers. Then
the times of the stored rows are set: what a picture shows must not change from run to run.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from chatglass.models.demo.script import Call, Reply

NOW = datetime(2026, 11, 12, 14, 30, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)
_MINUTE = 60_000
_DAY = 24 * 60 * _MINUTE

FILES = {
    "README.md": "# Tide tables\n\nHigh and low water for any harbour, from a file of constants.\n",
    "tides.py": """\
import math


def height(t: float, constituents: list[tuple[float, float, float]]) -> float:
    # Metres above chart datum, t hours after midnight UTC.
    return sum(a * math.cos(math.radians(speed * t - g)) for a, speed, g in constituents)
""",
    "harbours.csv": "name,latitude,longitude\nBrest,48.38,-4.50\nCuxhaven,53.87,8.72\n",
    "test_tides.py": "from tides import height\n\n\ndef test_datum() -> None:\n    assert height(0, []) == 0\n",
}

ANSWER = """\
`height` is fine; the **phase** is not. The constants in `harbours.csv` are given for *local* time, and
`t` counts from midnight UTC. For Cuxhaven that is one hour:

```python
def height(t: float, constituents: Sequence[Constituent], zone: float) -> float:
    return sum(
        c.amplitude * math.cos(math.radians(c.speed * (t + zone) - c.phase))
        for c in constituents
    )
```

| harbour  | M2 speed | shift at +1 h |
|----------|---------:|--------------:|
| Brest    |  28.984° |     29 min    |
| Cuxhaven |  28.984° |     62 min    |

1. Give each harbour its zone, as a column of the file.
2. Test one known high water of each."""


def usage(prompt: int, cached: int, completion: int, reasoning: int = 0) -> dict[str, object]:
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": cached},
        "completion_tokens_details": {"reasoning_tokens": reasoning},
    }


def call(name: str, **arguments: object) -> Call:
    return Call(name=name, arguments=json.dumps(arguments))


@dataclass(frozen=True)
class Told:
    """A session: its turns as (prompt, replies), and how many minutes ago it was last written to."""

    model: str
    turns: tuple[tuple[str, tuple[Reply, ...]], ...]
    minutes_ago: int
    pinned: bool = False
    tags: tuple[str, ...] = ()


TIDES = Told(
    "gpt-5-mini",
    (
        (
            "High water in Cuxhaven comes out an hour early. Why?",
            (
                Reply(
                    reasoning="An hour smells of time zones. Let me look at both files first.",
                    text="I look at the code and at the constants.",
                    calls=(
                        call("read_file", path="tides.py"),
                        call("read_file", path="harbours.csv"),
                        call("search_files", pattern="UTC"),
                    ),
                    usage=usage(4_812, 0, 214, 96),
                ),
                Reply(
                    text="One number to check.",
                    calls=(call("calculate", expression="28.984 * 1 / 28.984 * 60"),),
                    usage=usage(6_120, 4_736, 64),
                ),
                Reply(text=ANSWER, usage=usage(6_304, 6_016, 391)),
            ),
        ),
    ),
    minutes_ago=3,
    pinned=True,
    tags=("tides",),
)

# Newest first: model, prompt, tokens of prompt, of these cached, tokens of the answer, minutes ago.
_SHORT = (
    ("gpt-5-mini", "Draw the tide curve with matplotlib", 12_040, 9_984, 1_204, 95),
    ("gpt-5", "Is there a faster way to sum harmonic constituents?", 3_310, 0, 2_411, 1_570),
    ("qwen3-coder", "Write the release notes for 0.4", 8_120, 2_048, 940, 3_280),
    ("gpt-5-mini", "What does chart datum mean in Germany?", 1_930, 0, 610, 7_200),
    ("gpt-5-mini", "Read the constants of the IHO list", 31_400, 18_432, 2_870, 8_900),
    ("gpt-5", "Review the interpolation between stations", 9_870, 1_024, 3_020, 11_500),
    ("qwen3-coder", "A parser for the harmonic file of 1998", 22_300, 4_096, 5_110, 14_200),
    ("gpt-5-mini", "Name the package: ebb, or tidetable?", 840, 0, 420, 17_400),
    ("gpt-5", "Why do spring tides lag the full moon?", 1_120, 0, 1_890, 20_300),
    ("gpt-5-mini", "Set up the project", 4_010, 0, 1_350, 23_000),
)
OTHERS = tuple(
    Told(
        model,
        ((prompt, (Reply(text="Here it is.", usage=usage(tokens, cached, answer)),)),),
        minutes_ago,
    )
    for model, prompt, tokens, cached, answer, minutes_ago in _SHORT
)


def retime(store: Path, ids: list[str], told: list[Told]) -> None:
    """Set every time in the store by where its row stands in its session."""
    connection = sqlite3.connect(store)
    for session_id, one in zip(ids, told, strict=True):
        end = NOW_MS - one.minutes_ago * _MINUTE
        begin = end - _MINUTE
        rows = connection.execute(
            "SELECT id FROM messages WHERE session_id = ? ORDER BY number", (session_id,)
        ).fetchall()
        for place, (row,) in enumerate(rows):
            connection.execute(
                "UPDATE messages SET created_at = ?, reasoning_ms = iif(reasoning = '', 0, 2400)"
                " WHERE id = ?",
                (begin + 4_000 * place, row),
            )
        requests = connection.execute(
            "SELECT id FROM requests WHERE session_id = ? ORDER BY number", (session_id,)
        ).fetchall()
        for place, (row,) in enumerate(requests):
            start = begin + 1_000 + 5_000 * place
            connection.execute(
                "UPDATE requests SET started_at = ?, first_token_at = ?, finished_at = ? WHERE id = ?",
                (start, start + 420, start + 420 + 4_310, row),
            )
        calls = connection.execute(
            "SELECT id FROM tool_calls WHERE session_id = ? ORDER BY number", (session_id,)
        ).fetchall()
        for place, (row,) in enumerate(calls):
            start = begin + 6_000 + 40 * place
            connection.execute(
                "UPDATE tool_calls SET proposed_at = ?, decided_at = ?, started_at = ?,"
                " finished_at = ? WHERE id = ?",
                (start - 20, start - 10, start, start + 20 + 30 * place, row),
            )
        connection.execute(
            "UPDATE sessions SET created_at = ?, updated_at = ?, pinned = ?, tags = ? WHERE id = ?",
            (begin, end, int(one.pinned), json.dumps(one.tags), session_id),
        )
    connection.commit()
    connection.close()
