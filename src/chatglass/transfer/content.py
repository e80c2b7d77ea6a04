"""Content: the text and the attachments of a message, as an export shows them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, cast

from chatglass.store.records import MessageRow
from chatglass.values.images import facts_of_url


@dataclass(frozen=True, slots=True)
class Attached:
    """Something beside the text of a prompt; `url` may be a `data:` URL, or empty."""

    label: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Content:
    text: str
    attached: tuple[Attached, ...] = ()


def content_of(row: MessageRow) -> Content:
    """What a message says. Content parts that can't be read are shown as their JSON."""
    if not row.content_is_json:
        return Content(row.content)
    try:
        parts: Any = json.loads(row.content)
    except ValueError:
        return Content(row.content)
    if not isinstance(parts, list):
        return Content(row.content)
    texts: list[str] = []
    attached: list[Attached] = []
    for part in cast(list[Any], parts):
        entry = cast(dict[str, Any], part) if isinstance(part, dict) else {}
        text = entry.get("text")
        if entry.get("type") == "text" and isinstance(text, str):
            texts.append(text)
        else:
            attached.append(_attached(entry))
    return Content("\n".join(texts), tuple(attached))


def _attached(part: dict[str, Any]) -> Attached:
    kind = str(part.get("type", "attachment"))
    body: Any = part.get(kind)
    if isinstance(body, dict):
        entry = cast(dict[str, Any], body)
        given, name = entry.get("url"), entry.get("filename") or entry.get("name")
        url = given if isinstance(given, str) else ""
        label = str(name or part.get("name") or kind.removesuffix("_url"))
        facts = facts_of_url(url)
        return Attached(f"{label} ({facts})" if facts else label, url)
    return Attached(kind.removesuffix("_url"))
