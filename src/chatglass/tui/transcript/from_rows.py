"""Stored rows as transcript items: what a session looks like when it is opened."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chatglass.chat.attached_files import image_name, url_of
from chatglass.chat.compaction.versions import Efforts, holding, origin_of, place_of_fold
from chatglass.store.records import (
    CompactionRow,
    MessageRow,
    QueuedPrompt,
    RequestRow,
    ToolCallRow,
)
from chatglass.tui.lines.half_blocks import may_be_shown
from chatglass.tui.transcript.items import (
    AnswerItem,
    FoldItem,
    Item,
    NoticeItem,
    PromptImage,
    PromptItem,
    ToolCard,
)
from chatglass.values import figures
from chatglass.values.figures import size
from chatglass.values.images import facts_of_url
from chatglass.values.text import one_line
from chatglass.values.usage import UsageSum

_ARGUMENT_CHARS = 200
Forks = Mapping[str | None, Sequence[str]]
"""Parent id → its children, oldest first, where there are several."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a fork comes from: the message at which it left, and when."""

    session_id: str
    message_id: str
    title: str | None
    """None: the session is not there any more."""
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRows:
    """All that an opened session shows."""

    path: Sequence[MessageRow] = ()
    calls: Sequence[ToolCallRow] = ()
    requests: Sequence[RequestRow] = ()
    compactions: Sequence[CompactionRow] = ()
    queued: Sequence[QueuedPrompt] = ()
    forks: Forks = field(default_factory=dict[str | None, Sequence[str]])
    origin: Origin | None = None
    """Of a fork."""


_DECIDERS = {
    "user": "by you",
    "rule ": "by rule",
    "policy ": "by policy",
    "session grant": "this session",
    "mode all": "mode all",
    "flag --yolo": "--yolo",
    "flag --allow-tool": "--allow-tool",
}
"""How `decided_by` begins (`chat.approvals`), and what a card says."""


def items_of(rows: SessionRows) -> list[Item]:
    """The items of the shown path, then the queued prompts."""
    calls: dict[str, list[ToolCallRow]] = defaultdict(list)
    for call in rows.calls:
        calls[call.message_id].append(call)
    folds = _folds(rows)
    footers = turn_footers(rows.requests)
    places = branches(rows.forks)
    items: list[Item] = []
    last_of_turn: dict[str, AnswerItem] = {}
    origin = rows.origin
    for place, row in enumerate(rows.path):
        if origin is not None and row.created_at > origin.at:
            items.append(origin_item(origin))
            origin = None
        if (fold := folds.get(row.id)) is not None:
            items.append(fold)
        branch = places.get(row.id)
        if row.role == "user":
            items.append(prompt_item(row, branch))
        elif row.role == "assistant" and not _was_asked_again(rows.path, place):
            answer = answer_item(row, calls.get(row.id, ()), row.turn_id in last_of_turn, branch)
            last_of_turn[row.turn_id] = answer
            items.append(answer)
    if (fold := folds.get("")) is not None:
        items.append(fold)
    if origin is not None:
        items.append(origin_item(origin))
    for turn_id, answer in last_of_turn.items():
        answer.footer = footers.get(turn_id, "")
    items.extend(queued_item(prompt) for prompt in rows.queued)
    return items


def _was_asked_again(path: Sequence[MessageRow], place: int) -> bool:
    """Whether it is an attempt without an answer that the same turn made again: too large a request,
    after which older messages were left out."""
    row, behind = path[place], path[place + 1 : place + 2]
    if row.status != "error" or row.content or row.reasoning or row.tool_calls or not behind:
        return False
    return behind[0].role == "assistant" and behind[0].turn_id == row.turn_id


def prompt_item(row: MessageRow, branch: tuple[int, int] | None = None) -> PromptItem:
    text, attachments, images = row.content, (), ()
    if row.content_is_json:
        parts = json.loads(row.content)
        text, attachments = _text_and_attachments(parts)
        images = _images(parts[1:], row.content, 1)
    return PromptItem(
        id=row.id,
        text=text,
        at=row.created_at,
        attachments=attachments,
        images=images,
        branch=branch,
    )


def queued_item(prompt: QueuedPrompt, *, waiting: bool = False) -> PromptItem:
    content = prompt.content_json or "[]"
    entries = json.loads(content)
    return PromptItem(
        id=prompt.id,
        text=prompt.text,
        at=prompt.created_at,
        state="waiting" if waiting else "queued",
        attachments=tuple(entry["label"] for entry in entries),
        images=_images([entry["part"] for entry in entries], content, 0),
    )


def _images(parts: Sequence[dict[str, Any]], content: str, first: int) -> tuple[PromptImage, ...]:
    """Of the attachments `parts`, the first of which is the part `first` of `content`."""
    return tuple(
        PromptImage(number, facts.width, facts.height, content, first + number)
        for number, part in enumerate(parts)
        if (facts := facts_of_url(url_of(part))) and may_be_shown(facts.width, facts.height)
    )


def answer_item(
    row: MessageRow,
    calls: Sequence[ToolCallRow],
    continues: bool,
    branch: tuple[int, int] | None = None,
) -> AnswerItem:
    return AnswerItem(
        id=row.id,
        at=row.created_at,
        model=row.model or "",
        continues=continues,
        reasoning=row.reasoning,
        reasoning_ms=row.reasoning_ms,
        text=row.content,
        status="streaming" if row.status == "partial" else row.status,
        cards=[card_of(call) for call in calls],
        error=row.error or "",
        branch=branch,
    )


def card_of(call: ToolCallRow) -> ToolCard:
    return ToolCard(
        tool_call_id=call.id,
        name=call.name,
        arguments=short_arguments(call.edited_arguments or call.arguments),
        state=call.state,
        started_at=call.started_at,
        duration_ms=call.duration_ms,
        size=size(call.result_bytes) if call.finished_at else "",
        decider=decider(call.decided_by),
    )


def origin_item(origin: Origin) -> NoticeItem:
    """Stands between what was copied and what is new."""
    if origin.title is None:
        name, way = "a session that was deleted", ""
    else:
        name, way = f"“{one_line(origin.title, 80) or 'untitled'}”", " Enter or a click shows it."
    return NoticeItem(
        id=f"origin-{origin.message_id}",
        text=f"Forked here from {name}.",
        advice=f"What stands above was spent and is counted there; here it begins at 0.{way}",
        leads_to=(origin.session_id, origin.message_id) if origin.title is not None else None,
    )


def _folds(rows: SessionRows) -> dict[str, FoldItem]:
    """The compactions of the path, by the message before which they are shown."""
    places = {row.id: place for place, row in enumerate(rows.path)}
    efforts = Efforts(rows.requests)
    folds: dict[str, FoldItem] = {}
    for number, row in enumerate(holding(rows.compactions, places.__contains__)):
        effort = efforts.of(origin_of(row, rows.compactions))
        before = place_of_fold(row, rows.path, places.get)
        fold = fold_item(
            row,
            messages=places[row.first_kept_id],
            model=effort.model if row.request_id else "",
            cost=fold_cost(effort.total),
            in_force=number == 0,
        )
        # They come newest first; an older one in the same place stands for nothing any more.
        folds.setdefault(before, fold)
    return folds


def fold_cost(total: UsageSum) -> str:
    """What the requests of a compaction cost; empty where none was made."""
    if not total.used:
        return ""
    return figures.cost(total.known_cost, about=total.estimated, unpriced=total.unpriced)


def decider(decided_by: str | None) -> str:
    """Who or what decided, short enough for a card; a tool's own word needs no mention."""
    for begin, word in _DECIDERS.items():
        if (decided_by or "").startswith(begin):
            return word
    return ""


def fold_item(
    row: CompactionRow, *, messages: int, model: str = "", cost: str = "", in_force: bool = True
) -> FoldItem:
    """`messages`: how many are not sent any more; `in_force`: what it says is what is sent."""
    saved = f"{figures.tokens(row.tokens_before)} → {figures.tokens(row.tokens_after)} tokens"
    what = figures.counted(messages, "message")
    if row.elided_through is not None:
        what = f"results, {what}" if messages else "results of tools"
    by = f"{row.strategy} by {one_line(model, 40)}" if model else row.strategy
    facts = [f"Compacted: {what}, {saved}", by, *([cost] if cost else [])]
    if row.replaces is not None:
        facts.append("edited")
    body = row.summary or ("" if messages == 0 else "(nothing stands for them)")
    if row.elided_through is not None:
        note = "Results above are sent as stubs; the model reads them back with read_result."
        body = f"{body}\n\n{note}" if row.summary else note
    return FoldItem(
        id=row.id,
        title=" · ".join(facts),
        body=body,
        hint="e edits what is sent, u sends everything above again" if in_force else "",
    )


def branches(forks: Forks) -> dict[str, tuple[int, int]]:
    """Message id → (place, of how many), for the messages that have siblings."""
    return {
        child: (place, len(children))
        for children in forks.values()
        for place, child in enumerate(children, 1)
    }


def short_arguments(arguments: str) -> str:
    """`"tests/x.py"` for one argument, `path="x" content="…"` for several, on one line."""
    try:
        parsed: Any = json.loads(arguments or "{}")
    except ValueError:
        return one_line(arguments, _ARGUMENT_CHARS)
    if not isinstance(parsed, dict):
        return one_line(arguments, _ARGUMENT_CHARS)
    if len(parsed) == 1:
        value = next(iter(parsed.values()))
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    else:
        text = " ".join(
            f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in parsed.items()
        )
    return one_line(text, _ARGUMENT_CHARS)


class TurnSum(UsageSum):
    """What one turn used so far, for its footer."""

    def __init__(self) -> None:
        super().__init__()
        self.model = ""
        self.milliseconds = 0

    def footer(self) -> str:
        """`gpt-5-mini · 1,204 tokens · $0.0021 · 4.2 s`."""
        count = ("≈ " if self.estimated else "") + figures.tokens(self.usage.total_tokens)
        cost = figures.cost(self.known_cost, about=self.estimated, unpriced=self.unpriced)
        parts = [one_line(self.model, 40), f"{count} tokens", cost]
        # Of a request that a killed program left, nobody knows how long it took.
        if self.milliseconds:
            parts.append(figures.duration(self.milliseconds))
        return " · ".join(parts)


def turn_footers(requests: Sequence[RequestRow]) -> dict[str, str]:
    """The footer of each turn that used anything."""
    sums: dict[str, TurnSum] = defaultdict(TurnSum)
    for row in requests:
        total = sums[row.turn_id]
        total.milliseconds += (row.finished_at or row.started_at) - row.started_at
        if row.usage is not None:
            total.model = row.model
            total.add(row.usage, row.cost)
    return {turn_id: sum_.footer() for turn_id, sum_ in sums.items() if sum_.usage.total_tokens}


def _text_and_attachments(parts: Sequence[dict[str, Any]]) -> tuple[str, tuple[str, ...]]:
    """The prompt's own text, and one label for each part behind it: the name after its fence."""
    labels: list[str] = []
    for part in parts[1:]:
        text = part.get("text")
        if isinstance(text, str):
            labels.append(one_line(text.split("\n", 1)[0].lstrip("`"), 80))
        elif facts := facts_of_url(url_of(part)):
            labels.append(f"{one_line(image_name(part), 80)} ({facts})")
        else:
            labels.append(str(part.get("type", "attachment")))
    first = parts[0].get("text") if parts else ""
    return str(first or ""), tuple(labels)
