"""Claude Code's session files, `~/.claude/projects/FOLDER/SESSION.jsonl`.

There is no published schema; this is what files of versions 1 and 2 hold. Lines are linked by
`parentUuid`. One answer spans several lines, a content block each, with the same `message.id` and
the same `usage`, which therefore counts once. A tool result is a user line that hangs on the line
of its call, so that parallel calls look like a fork; here they are one message and its answers.
Before a compaction the links end, and `logicalParentUuid` goes on. Subagents (`isSidechain`) are
branches with a beginning of their own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from chatglass.store.records import WholeSession
from chatglass.transfer.building import Call, Outcome, SessionBuilder
from chatglass.transfer.claude_lines import Lines, Node
from chatglass.transfer.openai_chat import plain_text
from chatglass.transfer.source import (
    JsonObject,
    Skipped,
    arguments_text,
    count_of,
    is_growing,
    iso_ms,
    json_lines,
    list_of,
    object_of,
    text_of,
)
from chatglass.values.usage import Usage

SOURCE = "Claude Code"

_REFUSED = "The user doesn't want to proceed with this tool use"


def sessions(path: Path, skipped: Skipped) -> Iterator[WholeSession]:
    """The one session of a file."""
    with path.open("rb") as file:
        lines = Lines(skipped)
        for line in json_lines(file, skipped):
            lines.take(line)
    if not lines.nodes:
        return
    session = _Session(lines, path.stem, skipped, is_growing=is_growing(path))
    if (whole := session.read()) is not None:
        yield whole


class _Session:
    """The messages of one file."""

    def __init__(self, lines: Lines, stem: str, skipped: Skipped, *, is_growing: bool) -> None:
        self._lines = lines
        self._skipped = skipped
        first = lines.nodes[0].lines[0]
        ids = lines.session_ids
        key = stem if stem in ids else (ids[0] if ids else stem)
        self._is_subagent = all(_is_sidechain(node) for node in lines.nodes)
        if self._is_subagent:
            # It bears the id of the session that started it.
            key += "/" + (text_of(first.get("agentId")) or stem)
        self._builder = SessionBuilder(SOURCE, key, iso_ms(first.get("timestamp")))
        self._ends: dict[str, str | None] = {}
        """Node → the message that what follows it hangs on."""
        self._folded: dict[str, Node] = {}
        """Summary → itself, where it became a compaction."""
        self._may_grow = lines.nodes[-1] if is_growing else None
        """The node whose lines may not all be there yet."""

    def read(self) -> WholeSession | None:
        for node in self._lines.in_order():
            above = self._lines.above(node)
            parent = self._ends.get(above.key) if above is not None else None
            self._ends[node.key] = self._add(node, parent)
            if above is not None and parent is not None and above.key in self._folded:
                self._add_compaction(above, parent, node)
        if orphans := self._lines.orphans():
            self._skipped.add("tool result without its call", orphans)
        shown = [node for node in self._lines.nodes if self._is_subagent or not _is_sidechain(node)]
        leaf = self._ends[shown[-1].key]
        return self._builder.build(title=self._lines.title(), leaf=leaf, root=self._lines.root)

    def _add(self, node: Node, parent: str | None) -> str | None:
        if node.kind == "assistant":
            return self._add_answer(node, parent)
        if node.kind == "summary" and parent is not None:
            self._folded[node.key] = node
            return parent
        return self._add_prompt(node, parent)

    def _add_compaction(self, summary: Node, anchor: str, kept: Node) -> None:
        line = summary.lines[0]
        metadata = object_of(self._lines.boundary_of(summary).get("compactMetadata"))
        self._builder.compaction(
            anchor,
            kept.key,
            plain_text(object_of(line.get("message")).get("content")),
            iso_ms(line.get("timestamp")),
            tokens_before=count_of(metadata.get("preTokens")),
        )

    def _add_prompt(self, node: Node, parent: str | None) -> str:
        line = node.lines[0]
        at = iso_ms(line.get("timestamp"))
        content = object_of(line.get("message")).get("content")
        # What the program told the model is none of the user's words.
        is_told = node.kind == "summary" or line.get("isMeta") is True
        role = "system" if is_told else "user"
        blocks = [
            block
            for block in map(object_of, list_of(content))
            if block.get("type") != "tool_result"
        ]
        parts = [part for block in blocks if (part := self._part(block))]
        if any(part["type"] != "text" for part in parts) and role == "user":
            text = json.dumps(parts, ensure_ascii=False)
            return self._builder.add(node.key, parent, role, text, at, content_is_json=True)
        text = text_of(content) or "\n".join(part.get("text", "") for part in parts)
        return self._builder.add(node.key, parent, role, text, at)

    def _part(self, block: JsonObject) -> JsonObject | None:
        """A content block as an OpenAI content part."""
        kind = text_of(block.get("type"))
        if kind == "text":
            return {"type": "text", "text": text_of(block.get("text"))}
        source = object_of(block.get("source"))
        if kind == "image" and source.get("type") == "base64":
            url = f"data:{text_of(source.get('media_type'))};base64,{text_of(source.get('data'))}"
            return {"type": "image_url", "image_url": {"url": url}}
        self._skipped.add(f"content block {kind[:40]}")
        return None

    def _add_answer(self, node: Node, parent: str | None) -> str:
        texts: list[str] = []
        thoughts: list[str] = []
        calls: list[Call] = []
        for line in node.lines:
            for block in map(object_of, list_of(object_of(line.get("message")).get("content"))):
                match block.get("type"):
                    case "text":
                        texts.append(text_of(block.get("text")))
                    case "thinking":
                        thoughts.append(text_of(block.get("thinking")))
                    case "tool_use":
                        calls.append(_call(block))
                    case other:
                        self._skipped.add(f"content block {text_of(other)[:40]}")
        first, last = node.lines[0], node.lines[-1]
        message = object_of(last.get("message"))
        text = "\n\n".join(text for text in texts if text)
        is_error = first.get("isApiErrorMessage") is True
        is_open = node is self._may_grow and not node.stop_reason
        status = "error" if is_error else "partial" if is_open else "complete"
        end = self._builder.add(
            node.key,
            parent,
            "assistant",
            "" if is_error else text,
            iso_ms(first.get("timestamp")),
            reasoning="\n\n".join(thought for thought in thoughts if thought),
            model=None if is_error else text_of(message.get("model")),
            status=status,
            error=text if is_error else None,
        )
        if calls:
            outcomes = [self._outcome(call) for call in calls]
            may_grow = node is self._may_grow
            end = self._builder.call(node.key, calls, outcomes, may_grow=may_grow)
        if not is_error:
            self._add_request(node, is_open)
        return end

    def _outcome(self, call: Call) -> Outcome | None:
        if call.id not in self._lines.results:
            return None
        block, line = self._lines.results[call.id]
        content = block.get("content")
        for each in map(object_of, list_of(content)):
            if each.get("type") != "text":
                self._skipped.add(f"{text_of(each.get('type'))[:40]} in a tool result")
        text = plain_text(content)
        is_refused = text.startswith(_REFUSED)
        return Outcome(
            text=text,
            state="denied" if is_refused else "error" if block.get("is_error") is True else "ok",
            at=iso_ms(line.get("timestamp")),
        )

    def _add_request(self, node: Node, is_open: bool) -> None:
        usages = [object_of(object_of(line.get("message")).get("usage")) for line in node.lines]
        # Every line repeats it; while streaming the tokens of the answer grow.
        usage = max(usages, key=lambda each: count_of(each.get("output_tokens")))
        first, last = node.lines[0], node.lines[-1]
        self._builder.request(
            node.key,
            node.key,
            at=iso_ms(first.get("timestamp")),
            finished_at=None if is_open else iso_ms(last.get("timestamp")),
            model=text_of(object_of(last.get("message")).get("model")),
            usage=_usage(usage) if usage and not is_open else None,
            cost=_cost(node),
            finish_reason=node.stop_reason or None,
            is_running=is_open,
        )


def _is_sidechain(node: Node) -> bool:
    return node.lines[0].get("isSidechain") is True


def _call(block: Mapping[str, Any]) -> Call:
    name = text_of(block.get("name"))
    # MCP tools are named mcp__SERVER__TOOL.
    prefix, _, rest = name.partition("__")
    server = rest.partition("__")[0] if prefix == "mcp" else ""
    return Call(
        id=text_of(block.get("id")),
        name=name,
        arguments=arguments_text(block.get("input", {})),
        server=server,
    )


def _usage(raw: JsonObject) -> Usage:
    """Anthropic counts what was read from the cache and written to it apart from `input_tokens`."""
    cached = count_of(raw.get("cache_read_input_tokens"))
    written = count_of(raw.get("cache_creation_input_tokens"))
    details = object_of(raw.get("output_tokens_details"))
    return Usage(
        prompt_tokens=count_of(raw.get("input_tokens")) + cached + written,
        completion_tokens=count_of(raw.get("output_tokens")),
        cached_tokens=cached,
        cache_write_tokens=written,
        reasoning_tokens=count_of(details.get("thinking_tokens")),
        raw=json.dumps(raw, ensure_ascii=False),
    )


def _cost(node: Node) -> Decimal | None:
    """`costUSD`, which versions before 1.0.9 wrote."""
    for line in node.lines:
        value = line.get("costUSD")
        if isinstance(value, int | float) and not isinstance(value, bool):
            try:
                cost = Decimal(str(value))
            except InvalidOperation:
                continue
            if cost.is_finite() and 0 <= cost < 100_000:
                return cost
    return None
