"""Faces in single photos, found and framed as a device with the two networks does it."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

import fer_edge.images  # noqa: F401  # whose limit of pixels OpenCV reads when it is loaded
from fer_edge.faces.crop import Look
from fer_edge.faces.finder import FaceFinder
from fer_edge.faces.tiles import fit_scale
from fer_edge.lazy import require
from fer_edge.preprocess import Box

cv2 = require("cv2", "device")

BOX_SIDE = 1.06
BOX_UP = 0.018
"""From the networks' square (brow to chin) to the box of a detection: factor on the side, and shift up in sides. The
expression models know the framing of the Haar cascade; this is it, by the median of 187 faces of news photos."""
USUAL_FACTOR = 4
"""Tiles of up to so many times the scale of the whole frame are searched in any frame that has the pixels."""
FINEST_SCALE = 0.6
"""Finer tiles are as well up to this scale, at which the proposer finds faces from about 10 pixels of the frame."""
SEARCH_PIXELS = 4_000_000
"""Pixels up to which a photo is searched as it is; of a larger one a copy is, whose faces are still hundreds wide."""


@dataclasses.dataclass(frozen=True)
class PhotoFace:
    """A face of a photo.

    Attributes:
        box: in pixels of the photo, inside it.
        score: 0..1.
        landmarks: 5 x 2 float32 in pixels of the photo.
    """

    box: Box
    score: float
    landmarks: NDArray[np.float32]


def factors(width: int, height: int) -> tuple[int, ...]:
    """Return the scales at which a frame is searched; none enlarges it."""
    scale, found = fit_scale(width, height), [1]
    while (factor := 2 * found[-1]) * scale <= (1 if factor <= USUAL_FACTOR else FINEST_SCALE):
        found.append(factor)
    return tuple(found)


def box_of(look: Look) -> Box:
    """Return the box of a face, which may leave the frame."""
    side = BOX_SIDE * look.side
    x, y = look.x - side / 2, look.y - BOX_UP * look.side - side / 2
    return Box(round(x), round(y), max(round(side), 1), max(round(side), 1))


def find_in_photo(finder: FaceFinder, luma: NDArray[np.uint8]) -> list[PhotoFace]:
    """Return the faces of a photo, the largest first: those that ``fer-edge image --detector face`` finds.

    Args:
        finder: the networks.
        luma: uint8 H x W, the photo as it is.
    """
    height, width = luma.shape
    # A device's planes have even sides; an odd edge is repeated there, so here as well.
    even = np.pad(luma, ((0, height % 2), (0, width % 2)), mode="edge")
    small = _shrunk(even) if width * height > SEARCH_PIXELS else even
    shown = small.shape if small is not even else luma.shape
    factor = width / shown[1]
    found = finder.find(small, factors(shown[1], shown[0]))
    faces = [
        PhotoFace(
            _clip(_scaled(_clip(box_of(face.look), shown[1], shown[0]), factor), width, height),
            face.score,
            face.landmarks * np.float32(factor),
        )
        for face in found
    ]
    return sorted(faces, key=lambda face: (-face.box.w * face.box.h, face.box))


def _shrunk(luma: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = luma.shape
    factor = (SEARCH_PIXELS / (width * height)) ** 0.5
    w, h = (2 * max(int(side * factor) // 2, 1) for side in (width, height))
    return np.asarray(cv2.resize(luma, (w, h), interpolation=cv2.INTER_AREA), np.uint8)


def _scaled(box: Box, factor: float) -> Box:
    x, y, w, h = (round(value * factor) for value in box)
    return Box(x, y, max(w, 1), max(h, 1))


def _clip(box: Box, width: int, height: int) -> Box:
    x, y = min(max(box.x, 0), width - 1), min(max(box.y, 0), height - 1)
    return Box(x, y, max(min(box.x + box.w, width) - x, 1), max(min(box.y + box.h, height) - y, 1))
