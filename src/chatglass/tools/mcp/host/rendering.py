"""What servers give, as text for a model and as JSON to keep."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from mcp_types import (
    AudioContent,
    BlobResourceContents,
    CallToolResult,
    ContentBlock,
    EmbeddedResource,
    GetPromptResult,
    ImageContent,
    ReadResourceResult,
    ResourceLink,
    TextContent,
    TextResourceContents,
)
from pydantic import BaseModel

from chatglass.values.figures import counted


def as_json(model: BaseModel) -> str:
    """The model as the server sent it, whole."""
    return model.model_dump_json(by_alias=True, exclude_unset=True)


def seen_of_call(result: CallToolResult) -> str:
    """What a model sees of a result: its texts, and a note for each other content."""
    parts = _described(result.content)
    if not parts and result.structured_content is not None:
        parts = [json.dumps(result.structured_content, ensure_ascii=False)]
    return "\n".join(parts) or "(no content)"


def seen_of_resource(result: ReadResourceResult) -> str:
    return "\n".join(_contents(item) for item in result.contents) or "(no content)"


def prompt_messages(result: GetPromptResult) -> list[dict[str, Any]]:
    return [
        {"role": message.role, "text": "\n".join(_described([message.content]))}
        for message in result.messages
    ]


def _described(blocks: Sequence[ContentBlock]) -> list[str]:
    return [_block(block) for block in blocks]


def _block(block: ContentBlock) -> str:
    match block:
        case TextContent():
            return block.text
        case ImageContent():
            return f"[image: {block.mime_type}, {counted(_decoded_size(block.data), 'byte')}; not shown here]"
        case AudioContent():
            return f"[audio: {block.mime_type}, {counted(_decoded_size(block.data), 'byte')}; not shown here]"
        case ResourceLink():
            about = ", ".join(filter(None, [block.title or block.name, block.mime_type]))
            text = f" {block.description}" if block.description else ""
            return f"[resource {block.uri} ({about})]{text}"
        case EmbeddedResource():
            return _contents(block.resource)


def _contents(item: TextResourceContents | BlobResourceContents) -> str:
    if isinstance(item, TextResourceContents):
        return f"[resource {item.uri}]\n{item.text}"
    kind = item.mime_type or "binary"
    return f"[resource {item.uri}: {kind}, {counted(_decoded_size(item.blob), 'byte')}; not shown here]"


def _decoded_size(data: str) -> int:
    """The bytes that base64 text stands for."""
    return max(0, len(data) * 3 // 4 - data[-2:].count("="))
