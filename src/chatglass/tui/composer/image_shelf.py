"""ImageShelf: the images of prompts that are not sent yet.

A draft is stored at every pause in typing; it names its images, and their bytes lie here: in memory,
and in files of the data folder (0600), so that a draft is whole again after a restart.
"""

from __future__ import annotations

import hashlib
import logging
import os
import time
from pathlib import Path

from chatglass.values.images import Image, image_of

_log = logging.getLogger(__name__)

KEPT_DAYS = 30
"""Files that were attached longer ago are removed."""


class ImageShelf:
    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        """None: nothing is kept on disk."""
        self._images: dict[str, Image] = {}

    def put(self, image: Image) -> str:
        """Keep an image. Returns its key, which is always the same for the same bytes."""
        key = hashlib.sha256(image.data).hexdigest()
        self._images[key] = image
        if self.folder is not None:
            try:
                self._write(self.folder, key, image.data)
            except OSError as error:
                # It is in memory: only a restart would miss it.
                _log.warning("an attached image is not kept on disk: %s", error)
        return key

    def get(self, key: str) -> Image | None:
        """The image of a key; None where it is gone."""
        image = self._images.get(key)
        if image is None and self.folder is not None and key.isalnum():
            try:
                image = image_of((self.folder / key).read_bytes())
            except OSError:
                return None
            if image is not None:
                self._images[key] = image
        return image

    def sweep(self) -> None:
        """Remove what nobody will ask for any more. Blocks; for a thread."""
        if self.folder is None or not self.folder.is_dir():
            return
        oldest = time.time() - KEPT_DAYS * 86_400
        for path in self.folder.iterdir():
            try:
                if path.stat().st_mtime < oldest:
                    path.unlink()
            except OSError as error:
                _log.warning("%s is not removed: %s", path, error)

    @staticmethod
    def _write(folder: Path, key: str, data: bytes) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / key
        if path.exists():
            os.utime(path)
            return
        part = path.with_suffix(".part")
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        part.replace(path)
