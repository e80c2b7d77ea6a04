"""What ten MCP servers cost at the start: the program with them and without, in turns."""

from __future__ import annotations

import json
import statistics
import sys
from pathlib import Path

from bench import subject
from bench.rows import Row, ratio
from bench.subject import FakeLLM

COUNT = 10
_STARTED_S = 12.0
"""Seconds in which all of them are ready, on two busy cores too."""
_IDLE_S = 10.0


def config(folder: Path) -> Path:
    """Ten real servers over stdio: mcp-server-time, each a process with the SDK."""
    entry = {"command": sys.executable, "args": ["-m", "mcp_server_time"]}
    file = folder / "ten.json"
    file.write_text(json.dumps({"mcpServers": {f"time{n}": entry for n in range(COUNT)}}))
    return file


def servers(llm: FakeLLM, rounds: int = 7) -> list[Row]:
    """Time to a usable composer, keys while the servers start, and idling with them."""
    usable: dict[str, list[float]] = {"without": [], "with": []}
    cpu: dict[str, list[float]] = {"without": [], "with": []}
    waits: dict[str, list[float]] = {"without": [], "with": []}
    idle: dict[str, float] = {}
    for number in range(rounds):
        for kind in ("without", "with"):
            with subject.folder() as data:
                flags = ("--mcp-config", str(config(data))) if kind == "with" else ()
                with subject.chatglass(llm, data, *flags) as app:
                    app.wait(r"\S")
                    app.write("zqx")  # before the composer is there: these must be kept
                    seen = app.wait("zqx")
                    usable[kind].append(seen - app.started)
                    app.pump(0.05)
                    cpu[kind].append(app.cpu_at(seen))
                    if number < 3:
                        app.write("\x7f" * 3)
                        waits[kind].append(app.echo(int(_STARTED_S / 0.1), every=0.1).worst)
                    if number == 0:
                        app.pump(5.0)
                        idle[kind] = app.idle(_IDLE_S)[0]
    median = {kind: statistics.median(times) for kind, times in usable.items()}
    return [
        Row(
            f"composer usable, with {COUNT} servers configured",
            f"{1000 * median['with']:.0f} ms",
            f"{ratio(median['with'], median['without'])} of {1000 * median['without']:.0f} ms",
            "≤ 1.05×",
        ),
        Row(
            "CPU until then, of the whole tree",
            f"{statistics.median(cpu['with']):.2f} s",
            f"{statistics.median(cpu['without']):.2f} s",
            "the same",
        ),
        Row(
            "longest wait of a key while they start",
            f"{statistics.median(waits['with']):.0f} ms",
            f"{statistics.median(waits['without']):.0f} ms without",
            "≤ 120 ms",
        ),
        Row(
            "idle CPU, all connected (whole tree)",
            f"{idle['with']:.2f} %",
            f"{idle['without']:.2f} %",
            "≤ 0.5 %",
        ),
    ]
