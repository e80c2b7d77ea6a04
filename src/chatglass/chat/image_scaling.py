"""Reading, turning and scaling images with Pillow: the extra `chatglass[images]`."""

from __future__ import annotations

import io
import warnings

import PIL.Image
from PIL.Image import Transpose

from chatglass.values.images import Image

_ORIENTATION = 0x0112
"""The EXIF tag for how a camera was held."""
_TURNS = {
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_270,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_90,
}
"""What makes it upright. `PIL.ImageOps.exif_transpose` writes all tags anew, and fails where one is
damaged (struct.error, TypeError, AttributeError)."""

# It tells on stderr of damaged tags, which are not sent.
warnings.filterwarnings("ignore", module=r"PIL\.")


class Unreadable(Exception):
    """Pillow can't read the image. `str()` is its cause."""


def scaled_down(image: Image, longest: int, most_bytes: int) -> bytes:
    """`image` with at most `longest` pixels on a side: a JPEG as JPEG, anything else as PNG, or as
    JPEG where that has more than `most_bytes`. Of an animation the first picture. Raises Unreadable.
    """
    picture, _ = _read(image)
    picture.thumbnail((longest, longest))
    data = _written(picture, "JPEG" if image.facts.kind == "jpeg" else "PNG")
    return data if len(data) <= most_bytes else _written(picture, "JPEG")


def upright(image: Image) -> bytes:
    """Its file as it is; turned, where only a note in it says how it is to be turned: most models
    don't see that. Raises Unreadable."""
    picture, was_turned = _read(image)
    if not was_turned:
        return image.data
    return _written(picture, "JPEG" if image.facts.kind == "jpeg" else "PNG")


def _read(image: Image) -> tuple[PIL.Image.Image, bool]:
    """The picture upright, and whether it had to be turned for that."""
    try:
        with PIL.Image.open(io.BytesIO(image.data)) as opened:
            opened.load()
            turn = _TURNS.get(opened.getexif().get(_ORIENTATION, 1))
            return (opened.copy() if turn is None else opened.transpose(turn)), turn is not None
    except (OSError, ValueError, SyntaxError, PIL.Image.DecompressionBombError) as error:
        raise Unreadable(str(error)) from error


def _written(picture: PIL.Image.Image, kind: str) -> bytes:
    if kind == "JPEG" and picture.mode not in ("RGB", "L"):
        picture = picture.convert("RGB")
    file = io.BytesIO()
    picture.save(file, kind, quality=88)
    return file.getvalue()
