"""Small image files of every kind."""

from __future__ import annotations

import io
import os

import PIL.Image


def picture(kind: str = "png", width: int = 40, height: int = 30, *, noise: bool = False) -> bytes:
    """A file of that kind; with `noise` one that can't be compressed."""
    if noise:
        made = PIL.Image.frombytes("RGB", (width, height), os.urandom(width * height * 3))
    else:
        made = PIL.Image.new("RGB", (width, height), (200, 30, 60))
    file = io.BytesIO()
    made.save(file, kind)
    return file.getvalue()
