"""RedisLife: a Redis store from its making to its end, apart from what it keeps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from chatglass.store.protocol import StoreError
from chatglass.store.redis.address import read_address
from chatglass.store.redis.leases import LEASE_SECONDS
from chatglass.store.redis.opened import Opened
from chatglass.store.status import StatusTeller, StoreStatus


class RedisLife:
    """A store on the server at `url`, opened and closed.

    What the server does not get waits below `folder`. `password` goes before the URL's. `lease` is
    how many seconds a claim lasts that is not renewed.
    """

    def __init__(
        self,
        url: str,
        folder: Path,
        *,
        password: str | None = None,
        lease: float = LEASE_SECONDS,
    ) -> None:
        """Nothing is touched before `open`. Raises StoreError for a URL that can't be."""
        self._address = read_address(url, password)
        self._folder = folder / "spool" / self._address.key
        self._lease = lease
        self._opened: Opened | None = None
        self._teller = StatusTeller()

    @property
    def location(self) -> str:
        return self._address.shown

    @property
    def status(self) -> StoreStatus:
        return self._teller.status

    def observe(self, changed: Callable[[StoreStatus], None]) -> Callable[[], None]:
        return self._teller.observe(changed)

    async def open(self) -> None:
        """Sends what an earlier start could not. Raises StoreError where the server does not
        answer: what can't be reached at the start is more likely misspelt than away."""
        if self._opened is None:
            opened = Opened(self._address, self._folder, self._lease, self._teller)
            # Kept before it is awaited, so that opening twice at once opens once.
            self._opened = opened
        opened = self._opened
        try:
            await opened.open()
        except StoreError:
            self._opened = None
            raise

    async def close(self) -> None:
        opened, self._opened = self._opened, None
        if opened is not None:
            await opened.close()

    @property
    def _here(self) -> Opened:
        if self._opened is None or not self._opened.is_open:
            raise StoreError(f"{self.location}: the store is not open. Call open() first.")
        return self._opened
