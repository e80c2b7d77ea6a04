"""Codex rollouts, `~/.codex/sessions/YYYY/MM/DD/rollout-….jsonl`.

Lines are `{"timestamp", "type", "payload"}` (github.com/openai/codex, codex-rs/protocol); the first
versions wrote the items bare. `response_item`s are what went to the model and came from it;
`event_msg`s tell the screen the same again, and the tokens: `token_count` is cumulative, and told
again without change, so that a request is the difference between two of them.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from chatglass.store.records import Role, WholeSession
from chatglass.transfer.building import Call, Outcome, SessionBuilder
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

SOURCE = "Codex"

_ITEMS = frozenset(
    {"message", "reasoning", "function_call", "function_call_output", "custom_tool_call"}
    | {"custom_tool_call_output", "local_shell_call", "local_shell_call_output"}
)
_TOLD_AGAIN = frozenset(
    {"user_message", "agent_message", "agent_reasoning", "agent_reasoning_raw_content"}
    | {"task_started", "task_complete", "turn_started", "turn_complete"}
)
"""Events that say what an item says, or nothing that is kept."""
_CONTEXT = ("<environment_context>", "<user_instructions>", "# AGENTS.md instructions")
"""How user messages begin that the program writes itself."""
_COUNTS = ("input_tokens", "cached_input_tokens", "output_tokens", "reasoning_output_tokens")


def sessions(path: Path, skipped: Skipped) -> Iterator[WholeSession]:
    """The one session of a rollout."""
    with path.open("rb") as file:
        rollout = _Rollout(path.stem, skipped, is_growing=is_growing(path))
        for line in json_lines(file, skipped):
            rollout.take(line)
    if (whole := rollout.session()) is not None:
        yield whole


class _Answer:
    """The items of one answer, till a result, a prompt or the tokens end it."""

    def __init__(self, key: str, at: int | None, model: str) -> None:
        self.key, self.at, self.model = key, at, model
        self.texts: list[str] = []
        self.thoughts: list[str] = []
        self.calls: list[Call] = []
        self.outcomes: list[Outcome | None] = []
        self.is_ended = False
        self.is_aborted = False
        self.used: _Used | None = None


@dataclass(frozen=True, slots=True)
class _Used:
    """What a count of tokens added."""

    key: str
    at: int | None
    usage: Usage


@dataclass(frozen=True, slots=True)
class _Step:
    """A message that is no answer, a compaction, or prompts that were taken back."""

    key: str
    kind: Literal["message", "compacted", "rollback"]
    payload: JsonObject
    at: int | None


class _Rollout:
    def __init__(self, stem: str, skipped: Skipped, *, is_growing: bool) -> None:
        self._skipped = skipped
        self._is_growing = is_growing
        self._key = stem
        self._created_at: int | None = None
        self._root = ""
        self._model = ""
        self._steps: list[_Answer | _Step | _Used] = []
        self._answer: _Answer | None = None
        self._callers: dict[str, tuple[_Answer, int]] = {}
        self._total: Counter[str] = Counter()
        self._lines = 0
        self._is_begun = False

    # -- the lines

    def take(self, line: JsonObject) -> None:
        self._lines += 1
        kind = text_of(line.get("type"))
        at = iso_ms(line.get("timestamp"))
        payload = object_of(line.get("payload"))
        if "payload" not in line:
            self._take_bare(line, kind, at)
        elif kind == "session_meta":
            self._begin(payload, at)
        elif kind == "turn_context":
            self._model = text_of(payload.get("model")) or self._model
            self._root = self._root or text_of(payload.get("cwd"))
        elif kind == "response_item":
            self._item(payload, at)
        elif kind == "event_msg":
            self._event(payload, at)
        elif kind == "compacted":
            self._step("compacted", payload, at)
        else:
            self._skipped.add(kind or "line without a type")

    def _take_bare(self, line: JsonObject, kind: str, at: int | None) -> None:
        """A line of the first versions."""
        if kind in _ITEMS:
            self._item(line, at)
        elif not kind and text_of(line.get("id")) and not self._is_begun:
            self._begin(line, at)
        else:
            self._skipped.add(kind or text_of(line.get("record_type")) or "line without a type")

    def _begin(self, meta: JsonObject, at: int | None) -> None:
        if self._is_begun:
            # A fork repeats the head of the session that it was forked from.
            self._skipped.add("repeated session_meta")
            return
        self._is_begun = True
        self._key = text_of(meta.get("id")) or self._key
        self._created_at = iso_ms(meta.get("timestamp")) or at
        self._root = text_of(meta.get("cwd"))

    def _item(self, item: JsonObject, at: int | None) -> None:
        kind = text_of(item.get("type"))
        match kind:
            case "message" if item.get("role") == "assistant":
                self._open(at).texts.append(plain_text(item.get("content")))
            case "message":
                self._step("message", item, at)
            case "reasoning":
                thoughts = list_of(item.get("summary")) + list_of(item.get("content"))
                self._open(at).thoughts += [plain_text([each]) for each in thoughts]
            case "function_call" | "custom_tool_call" | "local_shell_call":
                self._call(item, kind, at)
            case "function_call_output" | "custom_tool_call_output" | "local_shell_call_output":
                self._output(item, at)
            case _:
                self._skipped.add(kind[:40] or "item without a type")

    def _open(self, at: int | None) -> _Answer:
        """The answer that goes on, or a new one."""
        if self._answer is None or self._answer.is_ended:
            self._answer = _Answer(str(self._lines), at, self._model)
            self._steps.append(self._answer)
        return self._answer

    def _end(self) -> None:
        if self._answer is not None:
            self._answer.is_ended = True

    def _step(
        self, kind: Literal["message", "compacted", "rollback"], payload: JsonObject, at: int | None
    ) -> None:
        self._end()
        self._steps.append(_Step(str(self._lines), kind, payload, at))

    def _call(self, item: JsonObject, kind: str, at: int | None) -> None:
        answer = self._open(at)
        call_id = text_of(item.get("call_id")) or text_of(item.get("id"))
        arguments = item.get("action" if kind == "local_shell_call" else "arguments")
        if kind == "custom_tool_call":
            arguments = item.get("input")
        name = text_of(item.get("name")) or kind.removesuffix("_call")
        self._callers.setdefault(call_id, (answer, len(answer.calls)))
        answer.calls.append(Call(id=call_id, name=name, arguments=arguments_text(arguments)))
        answer.outcomes.append(None)

    def _output(self, item: JsonObject, at: int | None) -> None:
        self._end()
        answer, place = self._callers.get(text_of(item.get("call_id")), (None, 0))
        if answer is None or answer.outcomes[place] is not None:
            self._skipped.add("tool result without its call")
            return
        output = item.get("output")
        entry = object_of(output)
        text = plain_text(entry.get("content") if entry else output)
        is_error = entry.get("success") is False
        answer.outcomes[place] = Outcome(text=text, state="error" if is_error else "ok", at=at)

    def _event(self, event: JsonObject, at: int | None) -> None:
        kind = text_of(event.get("type"))
        if kind == "token_count":
            self._tokens(object_of(event.get("info")), at)
        elif kind == "turn_aborted":
            if self._answer is not None and not self._answer.is_ended:
                self._answer.is_aborted = True
            self._end()
        elif kind == "thread_rolled_back":
            self._step("rollback", event, at)
        elif kind not in _TOLD_AGAIN:
            self._skipped.add(kind[:40] or "event without a type")

    def _tokens(self, info: JsonObject, at: int | None) -> None:
        raw = object_of(info.get("total_token_usage"))
        if not raw:
            # A change of the rate limits alone.
            return
        total = Counter({name: count_of(raw.get(name)) for name in _COUNTS})
        added = Counter({name: total[name] - self._total[name] for name in _COUNTS})
        if any(count < 0 for count in added.values()):
            # The count began anew; then the last request is all there is to go by.
            last = object_of(info.get("last_token_usage"))
            added = Counter({name: count_of(last.get(name)) for name in _COUNTS})
        self._total = total
        if not any(added.values()):
            return
        usage = Usage(
            prompt_tokens=added["input_tokens"],
            completion_tokens=added["output_tokens"],
            cached_tokens=added["cached_input_tokens"],
            reasoning_tokens=added["reasoning_output_tokens"],
            raw=json.dumps(info, ensure_ascii=False),
        )
        used = _Used(str(self._lines), at, usage)
        if self._answer is not None and self._answer.used is None:
            self._answer.used = used
        else:
            self._steps.append(used)
        self._end()

    # -- the session

    def session(self) -> WholeSession | None:
        self._builder = SessionBuilder(SOURCE, self._key, self._created_at)
        parent: str | None = None
        begins: list[str | None] = []
        """What each prompt of the path hangs on."""
        compacted: _Step | None = None
        for step in self._steps:
            anchor = parent
            match step:
                case _Answer():
                    parent = self._add_answer(step, parent)
                case _Used():
                    self._add_used(step, None)
                    continue
                case _Step(kind="rollback"):
                    parent = _rolled_back(begins, count_of(step.payload.get("num_turns")), parent)
                    continue
                case _Step(kind="compacted"):
                    compacted = step
                    continue
                case _Step():
                    role, content, is_json = self._said(step.payload)
                    if role == "user":
                        begins.append(parent)
                    parent = self._builder.add(
                        step.key, parent, role, content, step.at, content_is_json=is_json
                    )
            if compacted is not None and anchor is not None:
                summary = text_of(compacted.payload.get("message"))
                self._builder.compaction(anchor, step.key, summary, compacted.at)
            compacted = None
        return self._builder.build(root=self._root, model=self._model, leaf=parent)

    def _said(self, item: JsonObject) -> tuple[Role, str, bool]:
        """Role and content of a message that is no answer."""
        parts = [object_of(part) for part in list_of(item.get("content"))]
        text = plain_text(item.get("content"))
        role = item.get("role")
        if role != "user" or text.startswith(_CONTEXT):
            return "system", text, False
        images = [text_of(part.get("image_url")) for part in parts]
        if not any(images):
            return "user", text, False
        content: list[JsonObject] = [{"type": "text", "text": text}]
        content += [{"type": "image_url", "image_url": {"url": url}} for url in images if url]
        return "user", json.dumps(content, ensure_ascii=False), True

    def _add_answer(self, answer: _Answer, parent: str | None) -> str:
        may_grow = self._is_growing and answer is self._answer
        is_open = may_grow and not answer.is_ended
        end = self._builder.add(
            answer.key,
            parent,
            "assistant",
            "\n\n".join(text for text in answer.texts if text),
            answer.at,
            reasoning="\n\n".join(thought for thought in answer.thoughts if thought),
            model=answer.model,
            status="interrupted" if answer.is_aborted else "partial" if is_open else "complete",
        )
        if answer.calls:
            end = self._builder.call(answer.key, answer.calls, answer.outcomes, may_grow=may_grow)
        if answer.used is not None:
            self._add_used(answer.used, answer)
        return end

    def _add_used(self, used: _Used, answer: _Answer | None) -> None:
        self._builder.request(
            used.key,
            answer.key if answer is not None else None,
            at=answer.at if answer is not None else used.at,
            finished_at=used.at,
            model=answer.model if answer is not None else self._model,
            usage=used.usage,
        )


def _rolled_back(begins: list[str | None], turns: int, parent: str | None) -> str | None:
    """Where the path goes on after its last `turns` prompts were taken back."""
    if not turns or not begins:
        return parent
    kept = max(len(begins) - turns, 0)
    parent = begins[kept]
    del begins[kept:]
    return parent
