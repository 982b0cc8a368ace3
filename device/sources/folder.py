"""Photos: a folder of them, or a single one."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_edge.device.frame import Frame, frame_from_bgr
from fer_edge.device.opencv import cv2
from fer_edge.device.sources.base import Source
from fer_edge.errors import SourceError
from fer_edge.images import SUFFIXES, begins_like_image, decode_image, is_image_name, reason

_log = logging.getLogger(__name__)

STREAMS = frozenset({".mjpeg", ".mjpg"})
"""Endings of videos that begin like a photo, because they are nothing but JPEG after JPEG."""


def is_photo(path: Path) -> bool:
    """Say whether a file is a photo by its name, or else by its first bytes."""
    if is_image_name(path):
        return True
    if path.suffix.lower() in STREAMS or not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            return begins_like_image(file.read(64))
    except OSError:
        return False


def is_still(path: Path) -> bool:
    """Say whether a file that is named alone is a photo, not a video; a GIF is played, for it may be one."""
    return path.is_file() and path.suffix.lower() != ".gif" and is_photo(path)


def read_photo(path: Path) -> NDArray[np.uint8]:
    """Read a photo as uint8 H x W x 3 in BGR order, turned as its EXIF orientation says.

    Raises:
        SourceError: the file cannot be read or is no picture that OpenCV knows.
    """
    if path.is_char_device():  # a terminal, or /dev/zero, which has no end
        raise SourceError(f"{path}: expected a photo, found a device; name a file")
    bgr: NDArray[np.uint8] | None = None
    with within_memory(path):
        try:
            data = path.read_bytes()
        except OSError as error:
            raise SourceError(f"{path}: expected a photo, but it cannot be read ({error.strerror})") from error
        bgr = decode_image(data)
    if bgr is None:
        raise SourceError(f"{path}: expected a photo (JPEG, PNG, ...), found {reason(data)}")
    return bgr


@contextlib.contextmanager
def within_memory(path: Path) -> Iterator[None]:
    """Raise SourceError where a photo is too large for OpenCV or for the memory, so that others can still be done."""
    try:
        yield
    except (cv2.error, MemoryError) as error:
        reason = ((getattr(error, "err", "") or "").strip() or "not enough memory").splitlines()[0]
        if "CV_IO_MAX_IMAGE_PIXELS" in reason:
            limit = os.environ.get("OPENCV_IO_MAX_IMAGE_PIXELS", "")
            reason = f"more pixels than OPENCV_IO_MAX_IMAGE_PIXELS={limit}, by default a tenth of the free bytes"
        raise SourceError(f"{path}: a photo that OpenCV refuses ({reason}); save it again smaller") from error


class FolderSource(Source):
    """The photos of a folder in the order of their names, or one photo. Time is the number of the photo."""

    stills = True

    def __init__(self, path: Path) -> None:
        """List the photos.

        Raises:
            SourceError: there is none.
        """
        self.name = str(path)
        self._named: set[Path] = set()
        self._files = [path] if path.is_file() else sorted(filter(is_photo, path.iterdir()))
        if not self._files:
            raise SourceError(f"{path}: expected a folder with photos ({' '.join(SUFFIXES)}), found none in it")

    def __iter__(self) -> Iterator[Frame]:
        """Deliver the photos; one that cannot be read is skipped, with a warning the first time."""
        index = 0
        for file in self._files:
            try:
                with within_memory(file):
                    frame = frame_from_bgr(read_photo(file), float(index), index)
            except SourceError as error:
                self.skipped += 1
                if file not in self._named:
                    self._named.add(file)
                    _log.warning("%s; skipped", error)
                continue
            yield dataclasses.replace(frame, file=str(file))
            del frame  # its memory is free before the next photo needs as much
            index += 1
        if index == 0:
            raise SourceError(f"{self.name}: not one of its {len(self._files)} photos can be read")
