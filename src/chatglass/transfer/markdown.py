"""A session as Markdown, for reading: the shown path, tool calls in short."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping

from chatglass.store.records import MessageRow, RequestRow, ToolCallRow, ToolResult, WholeSession
from chatglass.transfer import words
from chatglass.transfer.content import content_of
from chatglass.transfer.shown import Tree
from chatglass.values.figures import counted
from chatglass.values.text import one_line

_RESULT_LINES, _RESULT_CHARS = 20, 2_000
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")


def text(whole: WholeSession) -> Iterator[str]:
    """The document in pieces."""
    row = whole.session
    yield f"# {_inline(words.title_of(row))}\n\n"
    for name, value in words.session_facts(row):
        yield f"- {name}: {_inline(value)}\n"
    if row.parameters.system_prompt:
        yield f"\n## System prompt\n\n{fenced(row.parameters.system_prompt)}\n"
    tree = Tree(whole.messages)
    shown = tree.path(row.leaf_id)
    calls, requests = _by_message(whole)
    for message in shown:
        if message.role != "tool":
            yield from _message(message, calls[message.id], requests[message.id], whole.results)
    if branches := tree.branches(shown):
        count = sum(len(branch.messages) for branch in branches)
        yield (
            f"\n---\n\n{counted(len(branches), 'other branch', 'other branches')} with {counted(count, 'message')} left out of this file; "
            "the formats `html` and `jsonl` have them.\n"
        )


def _by_message(
    whole: WholeSession,
) -> tuple[dict[str, list[ToolCallRow]], dict[str, list[RequestRow]]]:
    calls: dict[str, list[ToolCallRow]] = defaultdict(list)
    for call in whole.tool_calls:
        calls[call.message_id].append(call)
    requests: dict[str, list[RequestRow]] = defaultdict(list)
    for request in whole.requests:
        if request.message_id is not None:
            requests[request.message_id].append(request)
    return calls, requests


def _message(
    row: MessageRow,
    calls: list[ToolCallRow],
    requests: list[RequestRow],
    results: Mapping[str, ToolResult],
) -> Iterator[str]:
    yield f"\n## {_inline(words.heading(row))}\n\n"
    content = content_of(row)
    for each in content.attached:
        target = f" ({_inline(each.url)})" if each.url.startswith(("http://", "https://")) else ""
        yield f"*Attached: {_inline(each.label)}{target}*\n\n"
    if row.reasoning:
        yield "> " + closed(row.reasoning).strip().replace("\n", "\n> ") + "\n\n"
    if content.text.strip():
        yield closed(content.text).rstrip() + "\n"
    if row.error:
        yield f"\n**Error:** {_inline(row.error)}\n"
    for call in calls:
        yield from _call(call, results)
    if facts := words.request_facts(requests):
        yield f"\n*{facts}*\n"


def _call(call: ToolCallRow, results: Mapping[str, ToolResult]) -> Iterator[str]:
    mark = words.MARKS.get(call.state, "·")
    yield f"\n**{mark} {_code(call.name)}** {_inline(words.call_facts(call))}\n\n"
    arguments = call.edited_arguments if call.edited_arguments is not None else call.arguments
    yield fenced(arguments, "json") + "\n"
    result = results.get(call.id)
    if result is not None and result.produced:
        yield "\n" + fenced(_shortened(result.produced)) + "\n"


def _shortened(text: str) -> str:
    lines = text.split("\n")
    short = "\n".join(lines[:_RESULT_LINES])[:_RESULT_CHARS]
    if len(short) == len(text):
        return text
    return f"{short}\n… {len(text) - len(short):,} more characters"


def fenced(text: str, language: str = "") -> str:
    """`text` as a code block, whose fence is longer than any run of its character within."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def closed(text: str) -> str:
    """`text` with the code block closed that it leaves open, so that it ends with itself."""
    fence = ""
    for line in text.split("\n"):
        match = _FENCE.match(line)
        if match is None:
            continue
        run, rest = match.groups()
        if not fence:
            # An info string after backticks holds none.
            fence = "" if run[0] == "`" and "`" in rest else run
        elif run[0] == fence[0] and len(run) >= len(fence) and not rest.strip():
            fence = ""
    return f"{text}\n{fence}" if fence else text


def _inline(text: str) -> str:
    """`text` on one line, with what Markdown would take for markup escaped."""
    return re.sub(r"([\\`*_\[\]<>#|~])", r"\\\1", one_line(text, 1_000))


def _code(text: str) -> str:
    line = one_line(text, 200)
    longest = max((len(run) for run in re.findall(r"`+", line)), default=0)
    ticks = "`" * (longest + 1)
    pad = " " if "`" in line else ""
    return f"{ticks}{pad}{line}{pad}{ticks}"
