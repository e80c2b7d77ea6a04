"""What a server must be before sessions are given to it."""

from __future__ import annotations

from chatglass.store.protocol import StoreError
from chatglass.store.redis.link import PREFIX, Link

VERSION = 1
"""Of what is kept; a change that an older chatglass would misread raises it."""
_OLDEST = (6, 2)


async def check(link: Link) -> None:
    """Raises StoreError where the server would lose sessions or holds what is newer, AwayError."""
    where = link.address.shown
    info = await _info(link)
    version = tuple(int(part) for part in info.get("redis_version", "").split(".")[:2] if part)
    if version and version < _OLDEST:
        raise StoreError(
            f"{where}: is Redis {info['redis_version']}; chatglass needs 6.2 or newer. Update it."
        )
    policy = info.get("maxmemory_policy", "")
    if policy.startswith("allkeys"):
        raise StoreError(
            f"{where}: throws keys away when its memory is full (maxmemory-policy {policy}), and "
            "with them parts of sessions. Set maxmemory-policy noeviction, or use another server."
        )
    await link.command("SETNX", f"{PREFIX}version", VERSION)
    there = int(await link.command("GET", f"{PREFIX}version"))
    if there > VERSION:
        raise StoreError(
            f"{where}: was written by a newer chatglass (version {there} of the store; this one "
            f"knows up to {VERSION}). It was left as it is. Update chatglass, or choose another "
            "database in store.url."
        )


async def memory(link: Link) -> int:
    """Bytes that the whole server takes: Redis does not count by key."""
    return int((await _info(link))["used_memory"])


async def _info(link: Link) -> dict[str, str]:
    found: dict[str, str] = {}
    for section in ("server", "memory"):
        answer: bytes = await link.command("INFO", section)
        for line in answer.decode().splitlines():
            name, colon, value = line.partition(":")
            if colon:
                found[name] = value
    return found
