"""ChatGPT's data export: `conversations.json`, alone or in its zip; newer exports number the file.

A conversation is a tree: `mapping` has nodes by id with `parent`, `children` and a `message`, and
`current_node` is the end of what was shown. Many nodes hold nothing that was said (the root, empty
system messages); what follows them hangs on the nearest node above that does. Times are Unix
seconds. Neither tokens nor costs are in it.
"""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chatglass.store.records import WholeSession
from chatglass.transfer.building import Call, Outcome, SessionBuilder
from chatglass.transfer.source import (
    ImportFault,
    JsonObject,
    Skipped,
    list_of,
    load,
    object_of,
    read_bytes,
    seconds_ms,
    text_of,
)

SOURCE = "ChatGPT"

_NAME = re.compile(r"(?:.*/)?conversations(?:-\d+)?\.json")
_MOST_BYTES = 2_000_000_000
"""Of one file within a zip: far more than an export has, and less than a memory."""
_TO_ALL = frozenset({"", "all", "assistant"})
_SAYS_NOTHING = frozenset({"reasoning_recap", "model_editable_context"})


def zip_sessions(path: Path, skipped: Skipped) -> Iterator[WholeSession]:
    try:
        with zipfile.ZipFile(path) as archive:
            names = sorted(name for name in archive.namelist() if _NAME.fullmatch(name))
            if not names:
                raise ImportFault(
                    "there is no conversations.json in this zip. A ChatGPT export has one; "
                    "for another program's, unpack it and import its files."
                )
            for name in names:
                yield from conversations(load(_unpacked(archive, name)), skipped)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        # RuntimeError is what zipfile raises for one with a password.
        raise ImportFault(f"the zip can't be unpacked ({error}). Download it again.") from error
    except ValueError as error:
        raise ImportFault(f"conversations.json is no JSON ({error}).") from error


def _unpacked(archive: zipfile.ZipFile, name: str) -> bytes:
    if archive.getinfo(name).file_size > _MOST_BYTES:
        raise ImportFault(f"{name} would unpack to more than {_MOST_BYTES:,} bytes.")
    with archive.open(name) as file:
        data = file.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise ImportFault(f"{name} unpacks to more than {_MOST_BYTES:,} bytes.")
    return data


def file_sessions(path: Path, skipped: Skipped) -> Iterator[WholeSession]:
    try:
        found = load(read_bytes(path))
    except ValueError as error:
        raise ImportFault(f"it is no JSON ({error}).") from error
    yield from conversations(found, skipped)


def conversations(found: Any, skipped: Skipped) -> Iterator[WholeSession]:
    """The sessions of a parsed export: an array of conversations, or one."""
    for conversation in map(object_of, list_of(found) or [found]):
        if "mapping" not in conversation:
            skipped.add("entry that is no conversation")
            continue
        if (whole := _Conversation(conversation, skipped).read()) is not None:
            yield whole
        else:
            skipped.add("conversation without messages")


@dataclass(slots=True)
class _Node:
    id: str
    message: JsonObject
    parent: str | None
    children: list[str] = field(default_factory=list[str])


class _Conversation:
    def __init__(self, entry: JsonObject, skipped: Skipped) -> None:
        self._entry = entry
        self._skipped = skipped
        self._nodes = _nodes(object_of(entry.get("mapping")))
        created = seconds_ms(entry.get("create_time"))
        key = text_of(entry.get("conversation_id")) or text_of(entry.get("id"))
        if not key:
            key = hashlib.sha256(json.dumps([created, sorted(self._nodes)]).encode()).hexdigest()
        self._builder = SessionBuilder(SOURCE, key, created)
        self._end: dict[str, str | None] = {}
        """Node → the message that its children follow."""
        self._thoughts: dict[str, str] = {}
        """Node → reasoning that belongs to the next answer below it."""

    def read(self) -> WholeSession | None:
        for node in self._in_order():
            above = self._end.get(node.parent) if node.parent else None
            thoughts = self._thoughts.get(node.parent or "", "")
            if node.id not in self._end:
                self._end[node.id] = self._node(node, above, thoughts)
        entry = self._entry
        current = self._end.get(text_of(entry.get("current_node")))
        return self._builder.build(
            title=text_of(entry.get("title")),
            leaf=current,
            updated_at=seconds_ms(entry.get("update_time")),
            model=text_of(entry.get("default_model_slug")),
            archived=entry.get("is_archived") is True,
            pinned=entry.get("is_starred") is True,
        )

    def _in_order(self) -> Iterator[_Node]:
        """Every node after its parent, siblings in their order. A ring of nodes is left out."""
        waiting = [node for node in self._nodes.values() if node.parent not in self._nodes][::-1]
        seen: set[str] = set()
        while waiting:
            node = waiting.pop()
            if node.id in seen:
                continue
            seen.add(node.id)
            yield node
            waiting.extend(self._nodes[each] for each in reversed(node.children))
        if unreached := len(self._nodes) - len(seen):
            self._skipped.add("message that hangs on nothing", unreached)

    def _node(self, node: _Node, above: str | None, thoughts: str) -> str | None:
        """Add what the node says. Returns what its children follow."""
        message = node.message
        content = object_of(message.get("content"))
        kind = text_of(content.get("content_type"))
        role = text_of(object_of(message.get("author")).get("role"))
        if kind == "thoughts":
            self._thoughts[node.id] = _joined(thoughts, _thoughts(content))
            return above
        text = self._text(content, kind)
        if kind in _SAYS_NOTHING or not text.strip():
            if thoughts:
                self._thoughts[node.id] = thoughts
            return above
        at = seconds_ms(message.get("create_time"))
        if role == "assistant":
            return self._answer(node, above, text, at, thoughts)
        if role == "tool":
            self._skipped.add("tool message without a call")
            return above
        if role not in ("user", "system"):
            self._skipped.add(f"message by {role[:40] or 'nobody'}")
            return above
        metadata = object_of(message.get("metadata"))
        is_hidden = metadata.get("is_visually_hidden_from_conversation") is True
        said_by = "system" if role == "system" or is_hidden else "user"
        return self._builder.add(node.id, above, said_by, text, at)

    def _answer(
        self, node: _Node, above: str | None, text: str, at: int | None, thoughts: str
    ) -> str:
        message = node.message
        recipient = text_of(message.get("recipient"))
        is_call = recipient not in _TO_ALL
        is_cut = message.get("status") in ("in_progress", "finished_partial_completion")
        self._builder.add(
            node.id,
            above,
            "assistant",
            "" if is_call else text,
            at,
            reasoning=thoughts,
            model=text_of(object_of(message.get("metadata")).get("model_slug")),
            status="interrupted" if is_cut and not is_call else "complete",
        )
        if not is_call:
            return node.id
        call = Call(id=node.id, name=recipient, arguments=text)
        answers = self._answers_below(node)
        outcome = self._outcome(answers) if answers else None
        end = self._builder.call(node.id, [call], [outcome])
        self._end.update((answer.id, end) for answer in answers)
        return end

    def _answers_below(self, call: _Node) -> list[_Node]:
        """The tool messages that follow a call, which become one: they are no nodes any more."""
        answers: list[_Node] = []
        node = call
        while answer := self._tool_below(node):
            answers.append(answer)
            node = answer
        return answers

    def _outcome(self, answers: list[_Node]) -> Outcome:
        contents = [object_of(answer.message.get("content")) for answer in answers]
        kinds = [text_of(content.get("content_type")) for content in contents]
        texts = [self._text(*each) for each in zip(contents, kinds, strict=True)]
        return Outcome(
            text="\n".join(text for text in texts if text),
            state="error" if "system_error" in kinds else "ok",
            at=seconds_ms(answers[-1].message.get("create_time")),
        )

    def _tool_below(self, node: _Node) -> _Node | None:
        for each in node.children:
            below = self._nodes[each]
            if object_of(below.message.get("author")).get("role") == "tool":
                return below
        return None

    def _text(self, content: JsonObject, kind: str) -> str:
        match kind:
            case "text" | "multimodal_text":
                parts = [self._part(part) for part in list_of(content.get("parts"))]
                return "\n".join(part for part in parts if part)
            case "user_editable_context":
                about = text_of(content.get("user_profile"))
                return _joined(about, text_of(content.get("user_instructions")))
            case "tether_quote":
                head = " ".join(
                    filter(None, map(text_of, (content.get("title"), content.get("url"))))
                )
                return _joined(head, text_of(content.get("text")))
            case "tether_browsing_display":
                return text_of(content.get("result"))
            case "code" | "execution_output" | "system_error" | "thoughts":
                return text_of(content.get("text"))
            case "reasoning_recap" | "model_editable_context" | "":
                return ""
            case _:
                text = text_of(content.get("text"))
                if not text:
                    self._skipped.add(f"content of type {kind[:40]}")
                return text

    def _part(self, part: Any) -> str:
        if isinstance(part, str):
            return part
        entry = object_of(part)
        if text := text_of(entry.get("text")):
            return text
        kind = text_of(entry.get("content_type"))[:40] or "part"
        self._skipped.add(kind.replace("_asset_pointer", ""))
        return f"[{kind.replace('_asset_pointer', '')}]"


def _nodes(mapping: JsonObject) -> dict[str, _Node]:
    """The nodes with their children in order, by the parents: children lists can be stale."""
    nodes = {
        id_: _Node(
            id_,
            object_of(object_of(node).get("message")),
            text_of(object_of(node).get("parent")) or None,
        )
        for id_, node in mapping.items()
    }
    for id_, node in nodes.items():
        listed = [
            each
            for each in list_of(object_of(mapping[id_]).get("children"))
            if isinstance(each, str)
        ]
        node.children = [
            each for each in dict.fromkeys(listed) if each in nodes and nodes[each].parent == id_
        ]
    for id_, node in nodes.items():
        if node.parent in nodes:
            siblings = nodes[node.parent].children
            if id_ not in siblings:
                siblings.append(id_)
    return nodes


def _thoughts(content: JsonObject) -> str:
    texts: list[str] = []
    for each in list_of(content.get("thoughts")):
        entry = object_of(each)
        texts.append(_joined(text_of(entry.get("summary")), text_of(entry.get("content"))))
    return "\n\n".join(text for text in texts if text)


def _joined(*texts: str) -> str:
    return "\n\n".join(text for text in texts if text)
