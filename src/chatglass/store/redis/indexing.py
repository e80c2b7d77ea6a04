"""What of a text goes into the index: the text itself, and where its trigrams point.

Every indexed text has a number; 64 texts in a row are a block. Each trigram of a folded text, and
each pair of Chinese, Japanese or Korean characters, sets the bit of its block in one of 32,768 bit
strings (`slot:N`, by its hash). A word is looked for by AND-ing the strings of its trigrams, which
gives the blocks that may hold it, and looking through the texts of these. So the bit strings never
grow over 4 kB for each 64 texts, and what is found is exact.
"""

from __future__ import annotations

import json
import struct
import zlib
from dataclasses import dataclass

from chatglass.store.search_words import LEAST, SearchWords, cjk_pairs
from chatglass.store.sqlite.search import MOST_CHARS, Kind
from chatglass.values.text import storable

SLOTS = 32_768
_MOST = 200
"""Strings that are AND-ed for a long phrase: what they leave is looked through anyway."""
_CODE: dict[Kind, str] = {"title": "t", "message": "m", "arguments": "a", "result": "r"}
_KINDS: dict[str, Kind] = {code: kind for kind, code in _CODE.items()}


@dataclass(frozen=True, slots=True)
class Head:
    """Of what an indexed text is. `message_id` is empty for a title."""

    kind: Kind
    session_id: str
    message_id: str


def name(kind: Kind, ref: str) -> str:
    """By what a session knows the text of its title, a message or a tool call."""
    return f"{_CODE[kind]}{ref}"


def call_of(named: str) -> str:
    """The id of the tool call whose arguments or result have that name; empty for other texts."""
    return named[1:] if _KINDS[named[0]] in ("arguments", "result") else ""


def index_step(
    kind: Kind, session_id: str, ref: str, message_id: str, text: str, *, most: int = MOST_CHARS
) -> tuple[str, tuple[str | bytes, ...]]:
    """The step of the writing script that makes `text` found, at most so many characters of it."""
    text = storable(text)[:most]
    raw = text.encode()
    folded = text.casefold().encode()
    head = json.dumps([_CODE[kind], session_id, message_id], ensure_ascii=False)
    # The script folds ASCII itself, so that most texts are kept once.
    kept = b"%d %s\n%s%s" % (len(raw), head.encode(), raw, b"" if folded == raw.lower() else folded)
    return "index", (session_id, name(kind, ref), kept, slots(text.casefold()))


def read_head(head: bytes) -> Head:
    code, session_id, message_id = json.loads(head)
    return Head(_KINDS[code], session_id, message_id)


def slots(folded: str) -> bytes:
    """The slots of all that `folded` is found by, each as two bytes."""
    numbers = _trigrams(folded) | {_slot(pair) for pair in cjk_pairs(folded).split()}
    return struct.pack(f">{len(numbers)}H", *numbers)


def slots_of(words: SearchWords) -> list[int]:
    """The slots in which the bit of a block must be set for it to hold the words."""
    numbers = {slot for word in words.long for slot in _trigrams(word.casefold())}
    numbers |= {_slot(pair) for pair in words.pairs}
    return sorted(numbers)[:_MOST]


def _trigrams(folded: str) -> set[int]:
    return {
        _slot(each) for each in {folded[at : at + LEAST] for at in range(len(folded) - LEAST + 1)}
    }


def _slot(gram: str) -> int:
    return zlib.crc32(gram.encode()) % SLOTS
