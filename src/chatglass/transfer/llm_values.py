"""What both layouts of llm's log share: JSON in columns, tokens, attachments."""

from __future__ import annotations

import base64
import json
import sqlite3
from typing import Any

from chatglass.transfer.source import JsonObject, Skipped, count_of, object_of, text_of
from chatglass.values.usage import Usage

SOURCE = "llm"


def json_of(text: Any) -> Any:
    """The JSON in a column; None where there is none."""
    if not isinstance(text, str) or not text:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def column(row: sqlite3.Row, name: str) -> Any:
    """A column that not every version has."""
    return row[name] if name in row.keys() else None  # noqa: SIM118 - a Row's `in` asks the values


def usage_of(row: sqlite3.Row) -> Usage | None:
    """The tokens of a response or turn; `token_details` is the provider's own object without them."""
    given, answered = column(row, "input_tokens"), column(row, "output_tokens")
    if given is None and answered is None:
        return None
    details = object_of(json_of(column(row, "token_details")))
    prompt = {**object_of(details.get("input_tokens_details")), **object_of(details.get("prompt_tokens_details"))}  # fmt: skip
    completion = {**object_of(details.get("output_tokens_details")), **object_of(details.get("completion_tokens_details"))}  # fmt: skip
    raw = {"input": given, "output": answered, "details": details}
    return Usage(
        prompt_tokens=count_of(given),
        completion_tokens=count_of(answered),
        cached_tokens=count_of(prompt.get("cached_tokens")),
        reasoning_tokens=count_of(completion.get("reasoning_tokens")),
        raw=json.dumps(raw, ensure_ascii=False),
    )


def prompt_content(text: str, attachments: list[sqlite3.Row], skipped: Skipped) -> tuple[str, bool]:
    """The content of a prompt, and whether it is the JSON of content parts."""
    parts = [part for row in attachments if (part := _part(row, skipped))]
    if not parts:
        return text, False
    content: list[JsonObject] = [{"type": "text", "text": text}] if text else []
    return json.dumps(content + parts, ensure_ascii=False), True


def _part(row: sqlite3.Row, skipped: Skipped) -> JsonObject | None:
    kind, url, data = text_of(row["type"]), text_of(row["url"]), row["content"]
    if kind.startswith("image/") and (url or isinstance(data, bytes)):
        if isinstance(data, bytes):
            url = f"data:{kind};base64,{base64.b64encode(data).decode()}"
        return {"type": "image_url", "image_url": {"url": url}}
    skipped.add(f"attachment {kind or 'of no type'}{' by path' if row['path'] else ''}")
    return None
