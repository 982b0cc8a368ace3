"""Photos: a folder of them, or a single one."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_edge.device.frame import Frame, frame_from_bgr
from fer_edge.device.opencv import cv2
from fer_edge.device.sources.base import Source
from fer_edge.errors import SourceError

_log = logging.getLogger(__name__)

SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"})
"""File names that are taken for photos, lower case. GIF is missing because OpenCV plays it as a video."""


def read_photo(path: Path) -> NDArray[np.uint8]:
    """Read a photo as uint8 H x W x 3 in BGR order, turned as its EXIF orientation says.

    Raises:
        SourceError: the file cannot be read or is no picture that OpenCV knows.
    """
    try:
        data = np.fromfile(path, np.uint8)
    except OSError as error:
        raise SourceError(f"{path}: expected a photo, but it cannot be read ({error.strerror})") from error
    bgr: NDArray[np.uint8] | None = None
    if data.size:
        try:
            bgr = cv2.imdecode(data, cv2.IMREAD_COLOR)
        except cv2.error as error:  # a header that announces more pixels than OpenCV accepts
            raise SourceError(f"{path}: a photo that OpenCV refuses ({error.err}); save it again smaller") from error
    if bgr is None:
        raise SourceError(f"{path}: expected a photo (JPEG, PNG, ...), found {data.size} bytes that cannot be decoded")
    return bgr


class FolderSource(Source):
    """The photos of a folder in the order of their names, or one photo. Time is the number of the photo."""

    stills = True

    def __init__(self, path: Path) -> None:
        """List the photos.

        Raises:
            SourceError: there is none.
        """
        self.name = str(path)
        self._files = [path] if path.is_file() else sorted(p for p in path.iterdir() if p.suffix.lower() in SUFFIXES)
        if not self._files:
            raise SourceError(f"{path}: expected a folder with photos ({' '.join(sorted(SUFFIXES))}), found none in it")

    def __iter__(self) -> Iterator[Frame]:
        """Deliver the photos; one that cannot be read is skipped with a warning."""
        index = 0
        for file in self._files:
            try:
                bgr = read_photo(file)
            except SourceError as error:
                _log.warning("%s; skipped", error)
                continue
            yield dataclasses.replace(frame_from_bgr(bgr, float(index), index), file=str(file))
            index += 1
        if index == 0:
            raise SourceError(f"{self.name}: not one of its {len(self._files)} photos can be read")
