"""Scaling an image down, with Pillow: the extra `chatglass[images]`."""

from __future__ import annotations

import io

import PIL.Image

from chatglass.values.images import Image


class NotScaled(Exception):
    """Pillow can't read the image. `str()` is its cause."""


def scaled_down(image: Image, longest: int, most_bytes: int) -> bytes:
    """`image` with at most `longest` pixels on a side: a JPEG as JPEG, anything else as PNG, or as
    JPEG where that has more than `most_bytes`. Of an animation the first picture. Raises NotScaled.
    """
    try:
        with PIL.Image.open(io.BytesIO(image.data)) as opened:
            opened.load()
            picture: PIL.Image.Image = opened.copy()
    except (OSError, ValueError, SyntaxError, PIL.Image.DecompressionBombError) as error:
        raise NotScaled(str(error)) from error
    picture.thumbnail((longest, longest))
    data = _written(picture, "JPEG" if image.facts.kind == "jpeg" else "PNG")
    return data if len(data) <= most_bytes else _written(picture, "JPEG")


def _written(picture: PIL.Image.Image, kind: str) -> bytes:
    if kind == "JPEG" and picture.mode not in ("RGB", "L"):
        picture = picture.convert("RGB")
    file = io.BytesIO()
    picture.save(file, kind, quality=88)
    return file.getvalue()
