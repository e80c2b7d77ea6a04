"""Attachment: something that goes with a prompt, and the content that it makes of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from chatglass.values.text import storable


@dataclass(frozen=True, slots=True)
class Attachment:
    """An OpenAI content part, and its label on screen."""

    label: str
    part: dict[str, Any]

    @property
    def is_image(self) -> bool:
        return self.part.get("type") == "image_url"


def prompt_content(text: str, attachments: Sequence[Attachment]) -> str:
    """The content of a user message as it is stored: the text, or with attachments the JSON of its
    content parts (`MessageRow.content_is_json`)."""
    if not attachments:
        return storable(text)
    parts = [{"type": "text", "text": text}, *(one.part for one in attachments)]
    return storable(json.dumps(parts, ensure_ascii=False))
