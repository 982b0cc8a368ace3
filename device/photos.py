"""Faces and expressions in single photos, at full quality."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_edge.device.classify import Ensemble
from fer_edge.device.detection.cascade import HaarCascade
from fer_edge.device.detection.image_search import SEARCH_PIXELS, in_frame
from fer_edge.device.detection.skin import Regions
from fer_edge.device.drawing import draw_faces
from fer_edge.device.frame import frame_from_bgr, shrunk
from fer_edge.device.opencv import cv2
from fer_edge.device.results import Face, make_face
from fer_edge.errors import OutputError
from fer_edge.model_file import write_atomically
from fer_edge.runtime import TFLiteModel


class PhotoReader:
    """Finds the faces of photos, searched at every size and everywhere, in at most `SEARCH_PIXELS` pixels."""

    def __init__(self, classifiers: Sequence[TFLiteModel]) -> None:
        """Set up; raises what `Ensemble` and `HaarCascade` raise."""
        self._ensemble = Ensemble(classifiers)
        self._detector = HaarCascade()

    def read(self, bgr: NDArray[np.uint8]) -> tuple[Face, ...]:
        """Return the faces of a uint8 H x W x 3 picture, left to right, numbered from 1."""
        frame = frame_from_bgr(bgr)
        small = shrunk(frame, SEARCH_PIXELS)
        detections = in_frame(self._detector.detect(small, Regions((), "photo")), small, frame)
        return tuple(
            make_face(
                number,
                found.box,
                self._ensemble.labels,
                self._ensemble.scores(frame.y, found.box),
                landmarks=found.landmarks,
            )
            for number, found in enumerate(detections, 1)
        )


def annotated_path(folder: Path, photo: Path, taken: set[Path]) -> Path:
    """Choose where the annotated copy of a photo goes, and add it to `taken`.

    Args:
        folder: existing folder.
        photo: the original, whose name and ending are kept: ``party.jpg`` becomes ``party-faces.jpg``. An ending that
            OpenCV does not write in colour (``.pgm``) becomes ``.png``.
        taken: resolved paths that must not be written: the originals, and copies made before.
    """
    ending = photo.suffix if _holds_colour(photo.suffix) else ".png"
    number, path = 1, folder / f"{photo.stem}-faces{ending}"
    while path.resolve() in taken:
        number += 1
        path = folder / f"{photo.stem}-faces-{number}{ending}"
    taken.add(path.resolve())
    return path


def save_annotated(path: Path, bgr: NDArray[np.uint8], faces: Sequence[Face]) -> None:
    """Draw the faces into a copy of the picture and write it.

    Raises:
        OutputError: the format cannot hold this picture, as a JPEG no side of more than 65,500 pixels.
        OSError: it cannot be written.
    """
    encoded = _encode(path.suffix, draw_faces(bgr.copy(), faces))
    if encoded is None:
        raise OutputError(
            f"{path}: expected a picture that {path.suffix} can hold, found one of {bgr.shape[1]} x {bgr.shape[0]}; "
            "save the photo again smaller or as PNG"
        )
    write_atomically(path, encoded)


def _holds_colour(ending: str) -> bool:
    return bool(ending) and _encode(ending, np.zeros((64, 64, 3), np.uint8)) is not None


def _encode(ending: str, bgr: NDArray[np.uint8]) -> bytes | None:
    try:
        encoded, data = cv2.imencode(ending, bgr)
    except cv2.error:
        return None
    return data.tobytes() if encoded else None
