"""What is said of a server on screen: one line in the list, and everything there is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from chatglass.tools.mcp.events import LogLine, ServerSnapshot
from chatglass.values.clock import now_ms
from chatglass.values.figures import counted
from chatglass.values.text import one_line, visible

_SOURCES = {
    "user": "your mcp.json",
    "project": "this project's .mcp.json",
    "flag": "a file of --mcp-config",
}


def state_words(server: ServerSnapshot, now: int | None = None) -> str:
    """Its state in a line."""
    match server.state:
        case "ready":
            words = f"ready, {counted(len(server.tools), 'tool')}"
            if server.start_ms is not None:
                words += f", started in {server.start_ms / 1000:.1f} s"
            if server.running_calls:
                words += f", {counted(server.running_calls, 'call')} running"
            return words
        case "untrusted":
            return "not trusted: r asks"
        case "disabled":
            return "disabled in its file: r starts it"
        case "restarting" if server.retry_at is not None:
            left = max(server.retry_at - (now_ms() if now is None else now), 0) / 1000
            tries = f"attempt {server.attempt + 1} in {left:.0f} s"
            return one_line(f"went away, {tries}: {server.error}", 300)
        case "failed":
            return one_line(f"failed: {server.error}", 300)
        case "starting" if server.attempt > 1:
            return f"starting, attempt {server.attempt}"
        case other:
            return other


def described(server: ServerSnapshot, now: int | None = None) -> str:
    """Everything that is known of it, as lines of plain text."""
    about = " ".join(filter(None, [server.title, server.version]))
    kind = "runs" if server.kind == "stdio" else "at"
    lines = [
        state_words(server, now),
        "",
        f"{kind:10}{server.where}",
        f"from      {_SOURCES[server.source]}",
    ]
    if about or server.protocol:
        lines.append(f"says      {about or 'no name'}, protocol {server.protocol or 'unknown'}")
    if server.started_at is not None:
        at = datetime.fromtimestamp(server.started_at / 1000).astimezone()
        took = "" if server.start_ms is None else f", ready after {server.start_ms / 1000:.1f} s"
        lines.append(f"started   {at:%H:%M:%S}{took}")
    if server.error:
        lines.append(f"error     {server.error}")
    if server.instructions:
        lines += ["", "Instructions", *_indented(server.instructions)]
    lines += ["", f"Tools ({len(server.tools)})"]
    for name, tool in server.tools:
        hints = f"  [says: {hints}]" if (hints := tool.hints.words()) else ""
        lines.append(f"  {name}  {one_line(tool.title or tool.description, 200)}{hints}")
    lines += ["", f"Prompts ({len(server.prompts)})"]
    for prompt in server.prompts:
        named = " ".join(one.name if one.required else f"[{one.name}]" for one in prompt.arguments)
        usage = f"/{server.slug}:{prompt.name} {named}".rstrip()
        lines.append(f"  {usage}  {one_line(prompt.description, 200)}")
    lines += ["", f"Resources ({len(server.resources)})"]
    for resource in server.resources:
        about = one_line(resource.description or resource.name, 200)
        lines.append(f"  @{server.slug}:{resource.uri}  {about}")
    return visible("\n".join(lines))


def log_words(lines: Sequence[LogLine]) -> str:
    if not lines:
        return "Nothing is in its log."
    return visible("\n".join(_log_line(line) for line in lines))


def _log_line(line: LogLine) -> str:
    at = datetime.fromtimestamp(line.at / 1000).astimezone()
    source = line.source if line.source == "stderr" else f"{line.source} {line.level}".rstrip()
    return f"{at:%H:%M:%S} {source:>16}  {line.text}"


def _indented(text: str) -> list[str]:
    return [f"  {line}" for line in text.splitlines()[:40]]
