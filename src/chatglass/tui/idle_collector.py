"""IdleCollector: collects garbage when nothing happens, never in the middle of a frame.

Automatic collections pause for 130 to 230 ms once a long session is loaded (measured); they are
the whole tail of the latency of a key.
"""

from __future__ import annotations

import gc

_MOST_YOUNG = 50_000


class IdleCollector:
    def freeze(self) -> None:
        """Leave all that lives now out of later collections: it was loaded to stay.

        It isn't looked through for garbage first, which takes 0.15 s of the event loop: of 250,000
        objects that imports make, 4,000 are.
        """
        gc.freeze()

    def idle(self) -> None:
        """Called when a turn has ended and after a load."""
        if gc.get_count()[0] > _MOST_YOUNG:
            gc.collect(1)
