"""Search on a Redis without modules: bit strings say where to look, a script looks (see `indexing`)."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import aclosing
from typing import NamedTuple

from chatglass.store.records import StoreSize
from chatglass.store.redis import listing, rows, server
from chatglass.store.redis.indexing import SLOTS, Head, call_of, read_head, slots_of
from chatglass.store.redis.link import PREFIX, Link
from chatglass.store.search_records import Matches, SearchHit, SessionMatches
from chatglass.store.search_words import SearchWords, search_words
from chatglass.store.sqlite.search import around
from chatglass.values.text import one_line

BLOCK = 64
"""Texts in a block, as in the scripts."""
_BLOCKS, _BYTES = 500, 2**21
"""In one call of the script, which looks through about so many bytes: a few milliseconds, in
which the server does nothing else."""
_MARGIN = 1_200
"""Bytes around a match: more than a hit's line, and than folding moves it by."""
_LINE = 160
_ALL = 1_000_000
_NEWEST = 3
"""Of the matches of a session, these can be shown."""


class _Found(NamedTuple):
    number: int
    head: Head
    text: bytes
    cut: bool


async def find(link: Link, text: str, limit: int) -> list[SearchHit]:
    """What holds all the words, newest first."""
    words = search_words(text)
    match words.reach:
        case "nothing":
            return []
        case "titles":
            return await _titles(link, words, limit)
        case "everything":
            pattern = words.pattern
            found = _matching(link, words, limit, margin=_MARGIN)
            async with aclosing(found) as each_found:
                return [_hit(each, pattern) async for each in each_found]


async def matches(link: Link, text: str, limit: int, after: str) -> Matches:
    """A page of what holds all the words, titles aside, by session."""
    words = search_words(text)
    if words.reach != "everything":
        return Matches()
    refs: dict[str, list[str]] = {}
    counts: dict[str, int] = {}
    total, last = 0, 0
    async with aclosing(_matching(link, words, limit, below=int(after or 0))) as found:
        async for each in found:
            total, last = total + 1, each.number
            if each.head.kind != "title":
                id_ = each.head.session_id
                counts[id_] = counts.get(id_, 0) + 1
                refs.setdefault(id_, []).append(str(each.number))
    sessions = tuple(
        SessionMatches(id_, counts[id_], tuple(numbers[:_NEWEST])) for id_, numbers in refs.items()
    )
    return Matches(sessions, str(last) if total == limit else None)


async def lines(link: Link, text: str, refs: Sequence[str]) -> dict[str, SearchHit]:
    """What stands around those matches."""
    words = search_words(text)
    if words.reach == "nothing" or not refs:
        return {}
    pattern = words.pattern
    (found,) = await link.read("lines", _MARGIN, _folded(words), *refs)
    made = (_found(each) for each in found)
    return {str(each.number): _hit(each, pattern) for each in made}


async def calls(link: Link, session_id: str, text: str) -> frozenset[str]:
    """The tool calls of a session whose arguments or result hold all the words."""
    words = search_words(text)
    if words.reach != "everything":
        return frozenset()
    named: list[bytes] = await link.command("HGETALL", f"{PREFIX}docs:{session_id}")
    pairs = rows.pairs(named).items()
    refs = {int(number): ref for name, number in pairs if (ref := call_of(name.decode()))}
    blocks = {number // BLOCK for number in refs}
    found = _matching(link, words, _ALL, within=blocks)
    async with aclosing(found) as each_found:
        return frozenset([refs[each.number] async for each in each_found if each.number in refs])


async def size(link: Link) -> StoreSize:
    """Of the whole server, and of the index, about."""
    texts, bits = await link.command("HMGET", f"{PREFIX}sizes", "texts", "bits")
    last = int(await link.command("GET", f"{PREFIX}last_doc") or 0)
    # A key with a short string takes about 90 bytes.
    strings = min(int(bits or 0), SLOTS)
    index = int(texts or 0) + strings * (90 + last // BLOCK // 8)
    return StoreSize(total=await server.memory(link), search=index)


async def _matching(
    link: Link,
    words: SearchWords,
    limit: int,
    *,
    below: int = 0,
    margin: int = 0,
    within: Collection[int] | None = None,
) -> AsyncGenerator[_Found]:
    blocks = await _blocks(link, words)
    if within is not None:
        blocks = [block for block in blocks if block in within]
    if below:
        blocks = [block for block in blocks if block <= below // BLOCK]
    folded = _folded(words)
    while blocks and limit > 0:
        found, done = await link.read(
            "verify", limit, _BYTES, margin, below, folded, *blocks[:_BLOCKS]
        )
        for each in found:
            yield _found(each)
        limit -= len(found)
        blocks = blocks[done:]


def _folded(words: SearchWords) -> str:
    return rows.dumps([word.casefold() for word in words.all])


def _found(each: Sequence[object]) -> _Found:
    number, head, text, cut = each
    assert isinstance(number, int)
    assert isinstance(head, bytes)
    assert isinstance(text, bytes)
    return _Found(number, read_head(head), text, cut == 1)


def _hit(found: _Found, pattern: re.Pattern[str]) -> SearchHit:
    head = found.head
    # The excerpt may begin and end in the middle of a character.
    text = found.text.decode(errors="ignore")
    match = pattern.search(text)
    line = around(text, pattern)
    if found.cut and not line.startswith("…") and match is not None:
        line = f"…{line}"
    return SearchHit(
        session_id=head.session_id,
        message_id=head.message_id,
        kind=head.kind if head.kind in ("title", "message") else "tool",
        line=line,
    )


async def _titles(link: Link, words: SearchWords, limit: int) -> list[SearchHit]:
    found = await listing.titled(link, words.all, limit)
    return [
        SearchHit(session_id=row.id, message_id="", kind="title", line=one_line(row.title, _LINE))
        for row in found
    ]


async def _blocks(link: Link, words: SearchWords) -> list[int]:
    """The blocks that may hold all the words, newest first."""
    keys = [f"{PREFIX}slot:{slot}" for slot in slots_of(words)]
    bits: bytes = await link.read("blocks", *keys) or b""
    # Redis counts bits from the most significant of the first byte.
    return [
        at * 8 + bit
        for at in range(len(bits) - 1, -1, -1)
        if bits[at]
        for bit in range(7, -1, -1)
        if bits[at] & (0x80 >> bit)
    ]
