"""A write that is on its way, and who awaits it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from chatglass.store.protocol import StoreError
from chatglass.store.redis.mirror import Follow
from chatglass.store.redis.sending import Numbered


def _future() -> asyncio.Future[None]:
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    # Its error is looked at, also where whoever awaited it was cancelled.
    future.add_done_callback(lambda done: done.cancelled() or done.exception())
    return future


@dataclass(slots=True, eq=False)
class Write:
    """One write of the store: arguments of the script, and the same for the mirror."""

    args: list[bytes]
    session_id: str | None
    follow: Follow
    creates: bool = False
    number: int = 0
    sent: bool = False
    done: asyncio.Future[None] = field(default_factory=_future)

    @property
    def numbered(self) -> Numbered:
        return Numbered(self.number, self.args)


def settle(write: Write, error: StoreError | None) -> None:
    if write.done.done():
        return
    if error is None:
        write.done.set_result(None)
    else:
        write.done.set_exception(error)
