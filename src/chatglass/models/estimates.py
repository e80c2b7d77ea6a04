"""Tokens of a text, estimated by character class.

No tokeniser: their vocabularies come over the network, and each model has its own. The weights
were fitted by least squares to the counts of o200k (the vocabulary of OpenAI's models since
GPT-4o) on samples of English, Markdown, Python, JSON, CSS and logs; what another model counts is
learned from its reported usage (`Calibration`).
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from chatglass.models.deltas import as_list, as_object, as_text
from chatglass.values.images import facts_of_url


def _table(wanted: Mapping[str, Callable[[str], bool]]) -> bytes:
    """For `bytes.translate`: each character to the class that has it, or to a space."""
    return bytes(
        next((ord(cls) for cls, has in wanted.items() if has(chr(code))), 0x20)
        if code < 128
        else 0x20
        for code in range(256)
    )


_WORDS = _table({"a": str.islower, "A": str.isupper})
_NUMBERS = _table({"0": str.isdigit})
_MARKS = _table({".": lambda c: c.isprintable() and not c.isalnum() and c != " "})
_GAPS = bytes(0x20 if code == 0x20 else ord("x") for code in range(256))


def _plane(code: int) -> int:
    """The class of a UTF-16 unit by its upper byte: c CJK (Han, kana, Hangul, full width), o other
    (symbols, emoji by their first half), x nothing, 0 ASCII or Latin-1, f a letter."""
    if 0x2E <= code <= 0x9F or 0xAC <= code <= 0xD7 or code in (0xF9, 0xFA, 0xFF):
        return ord("c")
    if 0x20 <= code <= 0x2D or 0xD8 <= code <= 0xDB or 0xE0 <= code <= 0xF8 or code == 0xFE:
        return ord("o")
    if 0xDC <= code <= 0xDF:
        return ord("x")
    return ord("f") if code else ord("0")


_PLANES = bytes(map(_plane, range(256)))

MESSAGE_TOKENS = 4
"""Around every message (role and separators), as OpenAI counts them."""
REPLY_TOKENS = 3
"""What every answer is begun with."""
CALL_TOKENS = 8
"""Around every tool call: id and structure."""
TOOL_TOKENS = 8
"""Around every tool schema."""
IMAGE_TOKENS = 765
"""Of an image of unknown size: OpenAI's count of 1024 × 1024 pixels in high detail."""
FILE_TOKENS = 1500
"""A file or sound in a message; its base64 text is no measure of it."""


# Tokens for each thing counted; fitted (see above). `bench/estimates.py` measures them on others.
_PER_WORD = 0.646
_PER_LETTER = 0.077
_PER_NUMBER = 1.243
_PER_DIGIT = 0.252
_PER_MARK_RUN = 0.673
_PER_MARK = 0.116
_PER_LINE = 0.482
_PER_INDENT = 0.715
_PER_GAP = 1.167
"""Of several blanks within a line, as in tables and logs."""
_PER_CJK = 0.743
_PER_FOREIGN_LETTER = 0.25
_PER_OTHER = 1.249


def estimate_text(text: str) -> int:
    """Tokens of `text`, uncalibrated. Linear, about 20 ms for a megabyte."""
    if not text:
        return 0
    data = text.encode("ascii", "ignore")
    tokens = _ascii_tokens(data)
    if len(data) < len(text):
        tokens += _foreign_tokens(text, len(data))
    return max(1, round(tokens))


def _ascii_tokens(data: bytes) -> float:
    # A space in front, so that a run at the very start has a start too. The two characters of
    # a pair differ, so pairs can't overlap themselves: `count` is exact.
    words = b" " + data.translate(_WORDS)
    numbers = b" " + data.translate(_NUMBERS)
    marks = b" " + data.translate(_MARKS)
    gaps = b"x" + data.translate(_GAPS)
    return (
        _PER_WORD * (words.count(b" a") + words.count(b" A") + words.count(b"aA"))
        + _PER_LETTER * (words.count(b"a") + words.count(b"A"))
        + _PER_NUMBER * numbers.count(b" 0")
        + _PER_DIGIT * numbers.count(b"0")
        + _PER_MARK_RUN * marks.count(b" .")
        + _PER_MARK * marks.count(b".")
        + _PER_LINE * data.count(b"\n")
        + _PER_INDENT * (data.count(b"\n ") + data.count(b"\n\t"))
        + _PER_GAP * (gaps.count(b"x  ") - data.count(b"\n  "))
    )


def _foreign_tokens(text: str, ascii_characters: int) -> float:
    units = text.encode("utf-16-le", "surrogatepass")[1::2].translate(_PLANES)
    letters = units.count(b"f") + units.count(b"0") - ascii_characters
    return (
        _PER_CJK * units.count(b"c")
        + _PER_FOREIGN_LETTER * letters
        + _PER_OTHER * units.count(b"o")
    )


def image_tokens(width: int, height: int) -> int:
    """Tokens of an image by OpenAI's formula for high detail: scaled down to fit 2048 × 2048, then
    to 768 on its shorter side; 170 for each tile of 512 × 512 that covers it, and 85. Others count
    otherwise (Anthropic about width × height / 750), in the same order of size."""
    scale = min(1.0, 2048 / max(width, height, 1))
    scale *= min(1.0, 768 / max(min(width, height) * scale, 1))
    tiles = math.ceil(width * scale / 512) * math.ceil(height * scale / 512)
    return 85 + 170 * max(tiles, 1)


def estimate_content(content: object) -> int:
    """Tokens of a message's `content`: text, or a list of OpenAI content parts."""
    if isinstance(content, str):
        return estimate_text(content)
    total = 0
    for item in as_list(content):
        part = as_object(item)
        kind = part.get("type")
        if kind in ("text", "refusal"):
            total += estimate_text(as_text(part.get(kind)))
        elif kind == "image_url":
            facts = facts_of_url(as_text(as_object(part.get("image_url")).get("url")))
            total += image_tokens(facts.width, facts.height) if facts else IMAGE_TOKENS
        else:
            total += FILE_TOKENS
    return total


def estimate_message(message: Mapping[str, Any]) -> int:
    """Tokens of one message of the request, with what stands around it."""
    total = MESSAGE_TOKENS + estimate_content(message.get("content"))
    total += estimate_text(as_text(message.get("reasoning_content")))
    for item in as_list(message.get("tool_calls")):
        function = as_object(as_object(item).get("function"))
        total += CALL_TOKENS + estimate_text(as_text(function.get("name")))
        total += estimate_text(as_text(function.get("arguments")))
    return total


def estimate_tools(tools: Sequence[Mapping[str, Any]]) -> int:
    """Tokens of the tool schemas of a request."""
    texts = (json.dumps(tool, ensure_ascii=False) for tool in tools)
    return sum(TOOL_TOKENS + estimate_text(text) for text in texts)


def estimate_request(
    messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]] = ()
) -> int:
    """Prompt tokens of a whole request, uncalibrated."""
    return REPLY_TOKENS + sum(map(estimate_message, messages)) + estimate_tools(tools)


class Calibration:
    """How one model's counts relate to the estimates: a moving ratio between 0.5 and 2.5.

    A single request moves it by a third of what it was off. A report far below the estimate is
    no measure: that is a server that cut the prompt.
    """

    _LEAST, _MOST = 0.5, 2.5
    _STEP = 1 / 3
    _FEWEST = 50
    """Below so many tokens the fixed parts of a prompt outweigh its text."""

    def __init__(self) -> None:
        self.ratio = 1.0
        self._learned = False

    def apply(self, tokens: int) -> int:
        """An uncalibrated estimate as this model would count it."""
        return max(1, round(tokens * self.ratio)) if tokens else 0

    def learn(self, estimated: int, reported: int) -> None:
        """Learn from a prompt that was estimated (calibrated) and then reported."""
        if estimated < self._FEWEST or reported < self._FEWEST:
            return
        off = reported / estimated
        if off < 0.4:
            return
        # The first report says more than the default ratio does.
        step = self._STEP if self._learned else 1.0
        self._learned = True
        wanted = self.ratio * (1 + step * (off - 1))
        self.ratio = min(self._MOST, max(self._LEAST, wanted))
