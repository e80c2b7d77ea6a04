"""The short form of `python -m bench.soak`: a window of 8k tokens, 60 turns, every strategy."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench.soak import FACTS, soak_here

from chatglass.chat.compaction.strategies import WHAT

RECALLED = {"summarise": FACTS, "extractive": FACTS // 2}
"""The least of the facts that are still sent; what is left out by the others is gone."""


@pytest.mark.parametrize("strategy", WHAT)
async def test_a_session_goes_on_without_a_rejected_request(tmp_path: Path, strategy: str) -> None:
    soak = await soak_here(tmp_path, strategy, turns=60, window=8_192)
    assert soak.ended == {"complete": 60}
    assert soak.faults == []
    assert soak.server["overflows"] == 0
    assert soak.server["violations"] == []
    assert soak.compactions >= 4
    assert soak.ledger == soak.server_tokens
    assert soak.recall >= RECALLED.get(strategy, 0)
    asked = soak.server["summaries"]
    assert asked >= soak.compactions if strategy == "summarise" else asked == 0
