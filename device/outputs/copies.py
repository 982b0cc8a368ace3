"""Copies of photos with their faces drawn in, and the faces alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_edge.device.opencv import cv2
from fer_edge.device.outputs.drawing import draw_faces
from fer_edge.device.results import Face
from fer_edge.errors import OutputError
from fer_edge.files import write_atomically
from fer_edge.preprocess import square_around


class Copies:
    """Writes copies of photos into a folder, where none replaces a photo or another copy."""

    def __init__(self, folder: Path, photos: Iterable[Path]) -> None:
        """Make the folder; raises OSError where that cannot be. `photos` are the originals of all copies to come."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._taken = {photo.resolve() for photo in photos}

    def save(self, photo: Path, bgr: NDArray[np.uint8], faces: Sequence[Face]) -> Path:
        """Draw the faces into a copy of a photo and write it as ``NAME-faces``.

        Args:
            photo: the original, whose name and ending are kept. An ending that OpenCV does not write in colour
                (``.pgm``) becomes ``.png``.
            bgr: its pixels, uint8 H x W x 3; not changed.
            faces: in pixels of the photo.

        Returns:
            The file that was written.

        Raises:
            OutputError: the format cannot hold this photo, as a JPEG no side of more than 65,500 pixels.
            OSError: it cannot be written.
        """
        path = self._free_path(photo)
        encoded = _encode(path.suffix, draw_faces(bgr.copy(), faces))
        if encoded is None:
            raise OutputError(
                f"{path}: expected a picture that {path.suffix} can hold, found one of {bgr.shape[1]} x "
                f"{bgr.shape[0]}; save the photo again smaller or as PNG"
            )
        write_atomically(path, encoded)
        return path

    def _free_path(self, photo: Path) -> Path:
        ending = photo.suffix if _holds_colour(photo.suffix) else ".png"
        number, path = 1, self._folder / f"{photo.stem}-faces{ending}"
        while path.resolve() in self._taken:
            number += 1
            path = self._folder / f"{photo.stem}-faces-{number}{ending}"
        self._taken.add(path.resolve())
        return path


class Crops:
    """Writes the faces of photos into a folder, where none replaces a photo or another face."""

    def __init__(self, folder: Path, photos: Iterable[Path]) -> None:
        """Make the folder; raises OSError where that cannot be. `photos` are the originals of all faces to come."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._taken = {photo.resolve() for photo in photos}

    def save(self, photo: Path, bgr: NDArray[np.uint8], faces: Sequence[Face]) -> tuple[Path, ...]:
        """Write each face as ``NAME-faceN.png``: the square that the model saw, in the photo's pixels and colours.

        Args:
            photo: the original, whose name is kept.
            bgr: its pixels, uint8 H x W x 3; not changed.
            faces: in pixels of the photo.

        Returns:
            The files, one a face.

        Raises:
            OSError: one cannot be written.
        """
        height, width = bgr.shape[:2]
        paths = []
        for face in faces:
            x, y, side, _ = square_around(face.box, width, height)
            encoded = _encode(".png", np.ascontiguousarray(bgr[y : y + side, x : x + side]))
            assert encoded, "a uint8 image is always a PNG"
            path = self._free_path(photo, face.id)
            write_atomically(path, encoded)
            paths.append(path)
        return tuple(paths)

    def _free_path(self, photo: Path, face: int) -> Path:
        number, path = 1, self._folder / f"{photo.stem}-face{face}.png"
        while path.resolve() in self._taken:
            number += 1
            path = self._folder / f"{photo.stem}-{number}-face{face}.png"
        self._taken.add(path.resolve())
        return path


def _holds_colour(ending: str) -> bool:
    return bool(ending) and _encode(ending, np.zeros((64, 64, 3), np.uint8)) is not None


def _encode(ending: str, bgr: NDArray[np.uint8]) -> bytes | None:
    try:
        encoded, data = cv2.imencode(ending, bgr)
    except cv2.error:
        return None
    return data.tobytes() if encoded else None
