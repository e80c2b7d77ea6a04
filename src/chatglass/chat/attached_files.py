"""Files that a prompt carries, and how they are joined to what is sent."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from chatglass.chat.attachments import Attachment as ContentPart

if TYPE_CHECKING:
    from chatglass.store.records import MessageRow, QueuedPrompt

MOST_BYTES = 1_000_000
"""A larger file is not attached: it would not fit any context window either."""

_BACKTICKS = re.compile("`{3,}")


class AttachError(Exception):
    """A file that can't be attached. `str()` names it, the cause and the way on."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of a prompt: its name as shown, and its text."""

    name: str
    text: str

    def block(self) -> str:
        """The fenced block that names the path. The fence is longer than any in the text."""
        longest = max((len(run) for run in _BACKTICKS.findall(self.text)), default=2)
        fence = "`" * max(3, longest + 1)
        end = "" if self.text.endswith("\n") or not self.text else "\n"
        return f"{fence}{fence_word(self.name)}\n{self.text}{end}{fence}"

    def content(self) -> ContentPart:
        """As the engine takes it."""
        return ContentPart(self.name, {"type": "text", "text": self.block()})


def fence_word(name: str) -> str:
    """A file's name as the info string of a fence: it must hold neither backtick nor line break."""
    return re.sub(r"[`\s\x00-\x1f]+", "_", name)


def joined(text: str, attachments: Sequence[Attachment]) -> str:
    """The prompt as it is sent: the text, then a fenced block for each file."""
    return "\n\n".join([text, *(attachment.block() for attachment in attachments)])


def content_parts(text: str, attachments: Sequence[Attachment]) -> list[dict[str, str]]:
    """The same as OpenAI content parts, text first."""
    return [
        {"type": "text", "text": part}
        for part in (text, *(attachment.block() for attachment in attachments))
    ]


def from_block(block: str) -> Attachment:
    """The file that `Attachment.block` wrote."""
    head, _, rest = block.partition("\n")
    fence = head[: len(head) - len(head.lstrip("`"))]
    return Attachment(head[len(fence) :], rest.removesuffix(fence))


def _files(parts: Iterable[Any]) -> tuple[Attachment, ...]:
    entries = (cast(dict[str, Any], part) for part in parts if isinstance(part, dict))
    texts = (entry.get("text") for entry in entries)
    return tuple(from_block(text) for text in texts if isinstance(text, str))


def queued_files(prompt: QueuedPrompt) -> tuple[Attachment, ...]:
    """The files of a prompt that waits."""
    return _files(entry.get("part") for entry in json.loads(prompt.content_json or "[]"))


def message_files(row: MessageRow) -> tuple[Attachment, ...]:
    """The files of a prompt that was sent."""
    return _files(json.loads(row.content)[1:]) if row.content_is_json else ()


def read_file(path: Path, name: str) -> Attachment:
    """Read a text file to attach. Blocks; for a thread. Raises AttachError."""
    try:
        if not path.is_file():
            raise AttachError(f"{name} is no regular file, so it can't be attached.")
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise AttachError(f"{name} can't be read: {error.strerror or error}.") from error
    if len(data) > MOST_BYTES:
        raise AttachError(
            f"{name} is larger than {MOST_BYTES:,} bytes; ask for the part that matters instead."
        )
    if b"\0" in data:
        raise AttachError(f"{name} is not a text file, so it can't be attached.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise AttachError(
            f"{name} is not UTF-8 text (byte {error.start:,}), so it can't be attached."
        ) from error
    return Attachment(name, text)
