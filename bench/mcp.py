"""What ten MCP servers cost the app's process: `python -m bench.mcp [COUNT]`.

Prints how long `start()` takes, the longest stall of the event loop until all servers are ready
(with the floor: the same loop with none), how much the app's memory grew, and the same stall while
a result of 20 MB comes in. Needs the development install (mcp-server-time is the server).
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import tempfile
import time
from pathlib import Path

from chatglass.tools.mcp.config_file import find_servers
from chatglass.tools.mcp.servers import McpOptions, McpServers
from chatglass.tools.mcp.trust import TrustStore
from chatglass.tools.tool_manager import ToolManager

_TIME = {"command": sys.executable, "args": ["-m", "mcp_server_time"]}
_BIG = """
import json, sys
for line in sys.stdin:
    message = json.loads(line)
    number, method = message.get("id"), message.get("method")
    if method == "initialize":
        result = {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}},
                  "serverInfo": {"name": "big", "version": "1"}}
    elif method == "tools/list":
        result = {"tools": [{"name": "big", "inputSchema": {"type": "object"}}]}
    elif method == "tools/call":
        result = {"content": [{"type": "text", "text": "x" * 20_000_000}]}
    elif number is None:
        continue
    else:
        print(json.dumps({"jsonrpc": "2.0", "id": number,
                          "error": {"code": -32601, "message": "no"}}), flush=True)
        continue
    print(json.dumps({"jsonrpc": "2.0", "id": number, "result": result}), flush=True)
"""


class Stalls:
    """The longest time for which the event loop did not come round."""

    def __init__(self) -> None:
        self.longest = 0.0

    async def watch(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            before = loop.time()
            await asyncio.sleep(0.001)
            self.longest = max(self.longest, loop.time() - before - 0.001)


async def during(seconds: float) -> float:
    """The longest stall of a loop with nothing to do, in ms."""
    stalls = Stalls()
    task = asyncio.create_task(stalls.watch())
    await asyncio.sleep(seconds)
    task.cancel()
    return stalls.longest * 1000


def memory_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def measure(folder: Path, count: int) -> None:
    servers = {f"time{number}": _TIME for number in range(count)}
    servers["big"] = {"command": sys.executable, "args": ["-c", _BIG]}
    file = folder / "mcp.json"
    file.write_text(json.dumps({"mcpServers": servers}))
    floor = await during(2.0)
    before = memory_mb()
    manager = ToolManager()
    stalls = Stalls()
    clock = time.perf_counter()
    mcp = McpServers(
        find_servers(file, folder),
        McpOptions(root=folder, logs=folder),
        trust=TrustStore(None, environment={}),
        replace_tools=manager.replace_source,
    )
    made = time.perf_counter()
    mcp.start()
    started = time.perf_counter()
    watching = asyncio.create_task(stalls.watch())
    try:
        await mcp.settled(120)
        ready = time.perf_counter()
        states = {snapshot.state for snapshot in mcp.snapshots()}
        print(f"| {len(servers)} servers | figure |\n|---|---|")
        print(f"| files read, objects made | {(made - clock) * 1000:.1f} ms |")
        print(f"| start() | {(started - made) * 1000:.2f} ms |")
        print(f"| all {'/'.join(sorted(states))}, in the background | {ready - started:.1f} s |")
        print(f"| longest stall meanwhile | {stalls.longest * 1000:.1f} ms (idle: {floor:.1f}) |")
        print(f"| memory of the app | +{memory_mb() - before:.1f} MB |")
        stalls.longest = 0.0
        clock = time.perf_counter()
        output = await manager.get("big__big").run({}, folder, lambda _: None)
        seconds = time.perf_counter() - clock
        print(f"| a result of {len(output.produced) / 1e6:.0f} MB | {seconds:.2f} s |")
        print(f"| longest stall meanwhile | {stalls.longest * 1000:.1f} ms |")
    finally:
        watching.cancel()
        clock = time.perf_counter()
        await mcp.close(8)
        print(f"| close() | {time.perf_counter() - clock:.2f} s |")


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(Path(folder), count))


if __name__ == "__main__":
    main()
