"""The lines of a Claude Code session, put together into what becomes one message each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from chatglass.transfer.source import JsonObject, Skipped, list_of, object_of, text_of

TITLES = {"custom-title": "customTitle", "ai-title": "aiTitle", "summary": "summary"}
"""Kinds of lines with a title, the strongest first."""


@dataclass(slots=True)
class Node:
    """What becomes one message: a prompt, a summary, or all lines of an answer."""

    kind: Literal["user", "summary", "assistant"]
    lines: list[JsonObject] = field(default_factory=list[JsonObject])

    @property
    def key(self) -> str:
        return text_of(self.lines[0].get("uuid"))

    @property
    def stop_reason(self) -> str:
        return text_of(object_of(self.lines[-1].get("message")).get("stop_reason"))


class Lines:
    """Takes line after line, then tells the nodes and what each hangs on."""

    def __init__(self, skipped: Skipped) -> None:
        self._skipped = skipped
        self._parents: dict[str, str | None] = {}
        """Line → the line above it, for all that are linked."""
        self._node_of: dict[str, Node] = {}
        self._groups: dict[str, Node] = {}
        """Message id → the answer."""
        self._result_lines: dict[str, str] = {}
        """Line with results → the id of the first call that they answer."""
        self._callers: dict[str, Node] = {}
        """Call id → the answer that made the call."""
        self._above: dict[str, Node | None] = {}
        self._titles: dict[str, str] = {}
        self._summary_leaf = ""
        self.nodes: list[Node] = []
        self.results: dict[str, tuple[JsonObject, JsonObject]] = {}
        """Call id → its result block, and the line that holds it."""
        self.boundaries: dict[str, JsonObject] = {}
        """Lines that mark a compaction."""
        self.session_ids: list[str] = []
        self.root = ""

    def take(self, line: JsonObject) -> None:
        kind = text_of(line.get("type"))
        if kind in TITLES:
            self._titles[kind] = text_of(line.get(TITLES[kind]))
            self._summary_leaf = text_of(line.get("leafUuid")) or self._summary_leaf
            return
        uuid = text_of(line.get("uuid"))
        if not uuid:
            self._skipped.add(kind or "line without a type")
            return
        if uuid in self._parents:
            self._skipped.add("repeated line")
            return
        above = text_of(line.get("parentUuid")) or text_of(line.get("logicalParentUuid"))
        self._parents[uuid] = above or None
        if session_id := text_of(line.get("sessionId")):
            self.session_ids.append(session_id)
        self.root = self.root or text_of(line.get("cwd"))
        if kind == "assistant":
            self._take_answer(line, uuid)
        elif kind == "user":
            self._take_user(line, uuid)
        elif line.get("subtype") == "compact_boundary":
            self.boundaries[uuid] = line
        else:
            self._skipped.add(
                f"{kind} {text_of(line.get('subtype'))}".strip() or "line without a type"
            )

    def _take_answer(self, line: JsonObject, uuid: str) -> None:
        message = object_of(line.get("message"))
        group = text_of(message.get("id")) or text_of(line.get("requestId")) or uuid
        node = self._groups.get(group)
        if node is None:
            node = self._groups[group] = Node("assistant")
            self.nodes.append(node)
        node.lines.append(line)
        self._node_of[uuid] = node
        for block in map(object_of, list_of(message.get("content"))):
            if block.get("type") == "tool_use":
                self._callers.setdefault(text_of(block.get("id")), node)

    def _take_user(self, line: JsonObject, uuid: str) -> None:
        content = object_of(line.get("message")).get("content")
        blocks = [object_of(block) for block in list_of(content)]
        results = [block for block in blocks if block.get("type") == "tool_result"]
        for block in results:
            call_id = text_of(block.get("tool_use_id"))
            if call_id in self.results:
                self._skipped.add("repeated tool result")
            else:
                self.results[call_id] = (block, line)
        if results:
            self._result_lines[uuid] = text_of(results[0].get("tool_use_id"))
        if results and len(results) == len(blocks):
            return
        is_summary = line.get("isCompactSummary") is True
        node = Node("summary" if is_summary else "user", [line])
        self.nodes.append(node)
        self._node_of[uuid] = node

    # -- what was taken

    def title(self) -> str:
        for kind in TITLES:
            # A summary may be that of another session, which this file was resumed from.
            if kind in self._titles and (kind != "summary" or self._summary_leaf in self._parents):
                return self._titles[kind]
        return ""

    def orphans(self) -> int:
        """Results whose call is not in the file."""
        return len(self.results.keys() - self._callers.keys())

    def boundary_of(self, node: Node) -> JsonObject:
        """The mark of the compaction whose summary `node` is."""
        return self.boundaries.get(self._parents.get(node.key) or "", {})

    def above(self, node: Node) -> Node | None:
        """The node that `node` hangs on, past lines that are none."""
        if node.key not in self._above:
            self._above[node.key] = self._find_above(node)
        return self._above[node.key]

    def _find_above(self, node: Node) -> Node | None:
        uuid = self._parents.get(node.key)
        passed: set[str] = set()
        while uuid is not None and uuid not in passed:
            passed.add(uuid)
            caller = self._callers.get(self._result_lines.get(uuid, ""))
            found = self._node_of.get(uuid)
            # A line that only holds results is no node, and what follows it follows their call.
            found = found or caller
            if found is not None and found is not node:
                return found
            if uuid not in self._parents:
                self._skipped.add("parent that is not in the file")
                return None
            uuid = self._parents[uuid]
        return None

    def in_order(self) -> Iterator[Node]:
        """The nodes in their order, but none before the one it hangs on."""
        waiting: dict[str, list[Node]] = defaultdict(list)
        placed: set[str] = set()
        for node in self.nodes:
            above = self.above(node)
            if above is not None and above.key not in placed:
                waiting[above.key].append(node)
                continue
            yield from _with_waiting(node, waiting, placed)
        while waiting:
            # Lines that hang on one another in a ring: cut it where the file has its first.
            nodes = waiting.pop(next(iter(waiting)))
            self._above[nodes[0].key] = None
            for node in nodes:
                yield from _with_waiting(node, waiting, placed)


def _with_waiting(node: Node, waiting: dict[str, list[Node]], placed: set[str]) -> Iterator[Node]:
    ready = [node]
    while ready:
        each = ready.pop(0)
        if each.key in placed:
            continue
        placed.add(each.key)
        yield each
        ready += waiting.pop(each.key, [])
