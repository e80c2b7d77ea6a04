"""Fitting an image into what endpoints take. Looking into one needs Pillow (`chatglass[images]`)."""

from __future__ import annotations

from chatglass.values import figures
from chatglass.values.images import Image, image_of

LONGEST_SIDE = 2048
"""Pixels. OpenAI scales what is larger down to this itself, others to less."""
MOST_SENT = 5_000_000
"""Bytes of one image; Anthropic refuses more than 5 MB, OpenAI takes 20."""
MOST_READ = 30_000_000
"""A larger file is not read at all."""
_MOST_PIXELS = 80_000_000
"""What unpacks to more than 320 MB is refused before it is unpacked. Pillow warns from 89 million on."""
_MOST_ON_A_SIDE = 65_535
"""As JPEG has. Each row costs Pillow memory of its own: 1 × 50,000,000 pixels took 4 GB."""


class CantBeSent(Exception):
    """An image that is too large, or damaged. `str()` says why and what would help, without the
    file's name."""


def fitted(image: Image) -> Image:
    """`image` as it is sent: as it is, turned upright, or scaled down where it is too large. Takes up
    to a second: for a thread. Raises CantBeSent."""
    facts = image.facts
    fits = max(facts.width, facts.height) <= LONGEST_SIDE and facts.size <= MOST_SENT
    longest = max(facts.width, facts.height)
    if facts.width * facts.height > _MOST_PIXELS or longest > _MOST_ON_A_SIDE:
        raise CantBeSent(f"has {facts.width:,}×{facts.height:,} pixels; scale it down first.")
    try:
        from chatglass.chat.image_scaling import Unreadable, scaled_down, upright
    except ImportError:
        if facts.size <= MOST_SENT:
            return image  # endpoints scale it themselves
        raise CantBeSent(
            f"has {figures.size(facts.size)}; at most {figures.size(MOST_SENT)} are sent. "
            "pip install 'chatglass[images]' lets it be scaled down."
        ) from None
    try:
        made = image_of(upright(image) if fits else scaled_down(image, LONGEST_SIDE, MOST_SENT))
    except Unreadable as error:
        raise CantBeSent(f"is damaged, or no image after all: {error}.") from error
    if made is None or made.facts.size > MOST_SENT:
        raise CantBeSent(f"has {figures.size(facts.size)}, and stays too large when scaled.")
    return made
