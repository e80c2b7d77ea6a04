"""The composer's text in two forms: as sent, and as the editor holds it.

The editor widget gives a control character no width and breaks lines at a dozen characters that
are not line breaks to anyone else (form feed, U+0085, U+2028). So those are held as stand-ins
from a private-use plane, one for one and one cell wide, and drawn as symbols. The same plane
brackets folded pastes and attached files: `OPEN+n label CLOSE` is the token of fold n.

The draft form holds tokens with their contents, so that a stored draft comes back as it was; it
equals the sent form where there are no tokens.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from chatglass.chat.drafts import TOKEN_MARK
from chatglass.values.figures import counted
from chatglass.values.text import storable, visible

_CONTROL_BASE = 0x10C000
_OPEN_BASE = 0x10F000
_MOST_FOLDS = 0xE00
_CLOSE = "\U0010ff00"
_STORED = TOKEN_MARK

_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_STAND_INS = re.compile("[\U0010c000-\U0010efff]")
_RESERVED = re.compile("[\U0010c000-\U0010ff01]")
_TOKEN = re.compile("([\U0010f000-\U0010fdff])([^\n\U0010ff00]*)\U0010ff00")
_STORED_TOKEN = re.compile("\U0010ff01([pfi])([0-9]+):([0-9]+):")
_LINE_BREAKS = re.compile("\r\n?")

FOLD_LINES = 12
FOLD_CHARACTERS = 2_000
"""A paste of this size or more is folded."""

FOLD_DRAFT_CHARACTERS = 65_536
"""A draft or earlier prompt of this size is folded when it is put back: wrapping 1 MB takes seconds."""


@dataclass(frozen=True, slots=True)
class Fold:
    """A token's label (without brackets) and what it stands for."""

    kind: Literal["paste", "file", "image"]
    label: str
    content: str
    """Its text; of an image the key under which it is kept."""


_KINDS: dict[str, Literal["paste", "file", "image"]] = {"p": "paste", "f": "file", "i": "image"}
"""By their first letter, as a draft names them."""


def _to_stand_in(match: re.Match[str]) -> str:
    return chr(_CONTROL_BASE + ord(match.group()))


def _from_stand_in(match: re.Match[str]) -> str:
    return chr(ord(match.group()) - _CONTROL_BASE)


def clean(text: str) -> str:
    """`text` with `\\n` as its only line break, and nothing UTF-8 can't hold."""
    text = storable(text)
    return _LINE_BREAKS.sub("\n", text) if "\r" in text else text


def paste_label(text: str) -> str:
    lines = text.count("\n") + (not text.endswith("\n"))
    if lines > 1:
        return f"pasted {counted(lines, 'line')}"
    return f"pasted {counted(len(text), 'character')}"


def is_large(text: str) -> bool:
    """Whether a paste of `text` is folded."""
    return len(text) >= FOLD_CHARACTERS or text.count("\n") >= FOLD_LINES


def drawn(line: str) -> str:
    """A line of the editor as it is drawn: the same number of characters, none of them a control."""
    if line.isascii():
        return line
    return _RESERVED.sub(_drawn_character, line)


def _drawn_character(match: re.Match[str]) -> str:
    code = ord(match.group())
    if _OPEN_BASE <= code < _OPEN_BASE + _MOST_FOLDS:
        return "["
    if match.group() == _CLOSE:
        return "]"
    symbol = visible(chr(code - _CONTROL_BASE)) if code < _OPEN_BASE else "\ufffd"
    return symbol if len(symbol) == 1 and symbol.isprintable() else "\ufffd"


def token_spans(line: str) -> list[tuple[int, int]]:
    """(start, end) columns of the tokens in a line of the editor."""
    if _CLOSE not in line:
        return []
    return [match.span() for match in _TOKEN.finditer(line)]


def without_tokens(text: str) -> str:
    """The editor's text with blanks in the place of its tokens."""
    return _TOKEN.sub(lambda match: " " * len(match.group()), text) if _CLOSE in text else text


class Folds:
    """The folds of one editor, by number; and the translation between the forms."""

    def __init__(self) -> None:
        self._folds: list[Fold] = []

    def clear(self) -> None:
        self._folds.clear()

    def add(self, fold: Fold) -> str:
        """The token that stands for `fold` in the editor."""
        if len(self._folds) >= _MOST_FOLDS:
            raise OverflowError(f"A prompt holds at most {_MOST_FOLDS} folded pastes and files.")
        self._folds.append(fold)
        label = _RESERVED.sub("\ufffd", _CONTROLS.sub("\ufffd", fold.label)).replace("\n", " ")
        return f"{chr(_OPEN_BASE + len(self._folds) - 1)}{label}{_CLOSE}"

    def encode(self, text: str) -> str:
        """Text from outside as the editor holds it.

        Text that holds a character of the reserved plane becomes a fold whole: its data stays.
        """
        text = clean(text)
        if text.isascii() and text.isprintable():
            return text
        if _RESERVED.search(text):
            return self.add(Fold("paste", paste_label(text), text))
        return _CONTROLS.sub(_to_stand_in, text)

    def encode_paste(self, text: str) -> str:
        """The same for a paste, folded where it is large."""
        text = clean(text)
        if is_large(text):
            return self.add(Fold("paste", paste_label(text), text))
        return self.encode(text)

    def fold_of(self, token: str) -> Fold | None:
        """The fold whose token begins `token`."""
        number = ord(token[0]) - _OPEN_BASE
        return self._folds[number] if 0 <= number < len(self._folds) else None

    def _pieces(self, text: str) -> Iterator[str | Fold]:
        at = 0
        for match in _TOKEN.finditer(text):
            if fold := self.fold_of(match.group()):
                yield _STAND_INS.sub(_from_stand_in, text[at : match.start()])
                yield fold
                at = match.end()
        yield _STAND_INS.sub(_from_stand_in, text[at:])

    def files(self, text: str) -> list[Fold]:
        """The attached files of an editor's text, in order, each once."""
        found = [
            piece
            for piece in self._pieces(text)
            if isinstance(piece, Fold) and piece.kind != "paste"
        ]
        return list(dict.fromkeys(found))

    def sent(self, text: str) -> str:
        """An editor's text as it is sent: pastes in full, files as `[file: path]` or `[image: path]`."""
        if text.isascii():
            return text
        return "".join(
            piece
            if isinstance(piece, str)
            else piece.content
            if piece.kind == "paste"
            else f"[{piece.label}]"
            for piece in self._pieces(text)
        )

    def draft(self, text: str) -> str:
        """An editor's text as it is stored."""
        if text.isascii():
            return text
        return "".join(
            piece
            if isinstance(piece, str)
            else f"{_STORED}{piece.kind[0]}{len(piece.label)}:{len(piece.content)}:"
            f"{piece.label}{piece.content}"
            for piece in self._pieces(text)
        )

    def restore(self, draft: str) -> str:
        """A stored draft, or any text, as the editor holds it. Large text is folded."""
        parts: list[str] = []
        at = 0
        while match := _STORED_TOKEN.search(draft, at):
            label_end = match.end() + int(match[2])
            end = label_end + int(match[3])
            if end > len(draft):
                break
            parts.append(self._restore_text(draft[at : match.start()]))
            kind = _KINDS[match[1]]
            parts.append(self.add(Fold(kind, draft[match.end() : label_end], draft[label_end:end])))
            at = end
        parts.append(self._restore_text(draft[at:]))
        return "".join(parts)

    def restore_edited(self, sent: str, before: str) -> str:
        """`sent`, as another editor left it, for this one: the `[file: path]` of the files that
        were attached `before` (in the editor's form) become their tokens again."""
        files = self.files(before)
        restored = self.restore(sent)
        for fold in files:
            restored = restored.replace(self.encode(f"[{fold.label}]"), self.add(fold))
        return restored

    def _restore_text(self, text: str) -> str:
        if len(text) >= FOLD_DRAFT_CHARACTERS:
            text = clean(text)
            return self.add(Fold("paste", paste_label(text), text))
        return self.encode(text)
