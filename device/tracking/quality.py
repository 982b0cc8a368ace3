"""How well a face can be judged: from its size, its crop and its landmarks, in some 20 microseconds.

Each measure becomes a level: 0.5 at its limit, 1 at twice that and better. At the limits of ``small``, ``dark`` and
``blurred`` the default model is wrong of two faces in five, twice as often as of clear ones; ``turned`` and ``covered``
cost one face in a hundred each. `benchmarks/wild/quality.py` finds the limits and says what they gain (docs/wild.md).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from fer_edge.device.faces import Landmarks
from fer_edge.device.opencv import cv2
from fer_edge.faces.upright import upright_square
from fer_edge.preprocess import Box

REASONS = ("small", "dark", "blurred", "turned", "covered")
"""In this order one is named where several hold: a small face is blurred, too."""

SMALL_PIXELS = 13.0
"""Longer side of the box."""
DARK_LUMA = 8.7
"""Mean luma of the crop, 0..255."""
BLURRED_DETAIL = 0.062
"""Squared difference of neighbouring pixels as a share of the crop's variance, in a crop of 48 x 48."""
TURNED_NOSE = 0.132
"""Distance of the tip of the nose from the line between eyes and mouth, in sides of an upright crop."""
COVERED_DETAIL = 0.362
"""Squared difference of neighbouring pixels around the mouth, as a multiple of that of the whole crop."""

LIMITS = (SMALL_PIXELS, DARK_LUMA, BLURRED_DETAIL, TURNED_NOSE, COVERED_DETAIL)
"""In the order of `REASONS`."""

MOUTH = (0.66, 0.90, 0.28, 0.72)
"""Top, bottom, left and right of the mouth's surroundings in a crop, in its sides."""

SUFFICIENT = 0.5
"""Level below which a face is uncertain."""

_USUAL_SIDE = 48


def measures(crop: NDArray[np.uint8], box: Box, landmarks: Landmarks | None) -> tuple[float, ...]:
    """Return what is measured for each of `REASONS`, in the units of `LIMITS`.

    Args:
        crop: uint8 S x S or S x S x 3, as the model sees it.
        box: of the face, in pixels of the frame.
        landmarks: likewise; without them the nose is taken to be on the line.
    """
    grey = np.ascontiguousarray(crop[:, :, 1]) if crop.ndim == 3 else crop
    mean, deviation = (float(value[0, 0]) for value in cv2.meanStdDev(grey))
    side = len(grey)
    detail = _detail(grey)
    top, bottom, left, right = (round(part * side) for part in MOUTH)
    return (
        float(max(box.w, box.h)),
        mean,
        detail * (side / _USUAL_SIDE) ** 2 / max(deviation**2, 1.0),
        _nose_aside(landmarks) if landmarks else 0.0,
        _detail(grey[top:bottom, left:right]) / max(detail, 1e-6),
    )


def levels(crop: NDArray[np.uint8], box: Box, landmarks: Landmarks | None) -> NDArray[np.float32]:
    """Return a level in 0..1 for each of `REASONS`, float32 (5,); arguments as of `measures`."""
    return levels_of(measures(crop, box, landmarks))


def levels_of(measured: tuple[float, ...]) -> NDArray[np.float32]:
    """Return the levels, float32 (5,), that belong to what `measures` returned."""
    small, dark, blurred, turned, covered = measured
    values = (
        *(small / SMALL_PIXELS, dark / DARK_LUMA, blurred / BLURRED_DETAIL),
        *(2 - turned / TURNED_NOSE, covered / COVERED_DETAIL),
    )
    return np.clip(np.array(values, np.float32) / 2, 0, 1)


def reason_of(found: NDArray[np.float32]) -> str | None:
    """Return why a face of these levels is uncertain, None where it is good enough."""
    below = found < SUFFICIENT
    return REASONS[int(below.argmax())] if below.any() else None


def _detail(grey: NDArray[np.uint8]) -> float:
    """Return the mean squared difference of neighbouring pixels, to the right and down together."""
    across = cv2.norm(grey[:, 1:], grey[:, :-1], cv2.NORM_L2SQR)
    down = cv2.norm(grey[1:], grey[:-1], cv2.NORM_L2SQR)
    return float(across / grey[:, 1:].size + down / grey[1:].size)


def _nose_aside(landmarks: Landmarks) -> float:
    """Return how far the nose is from the line between the middles of eyes and mouth, in sides of the upright crop."""
    square = upright_square(landmarks)
    (ax, ay), (bx, by), (nx, ny), (cx, cy), (dx, dy) = landmarks
    right, down = nx - (ax + bx + cx + dx) / 4, ny - (ay + by + cy + dy) / 4
    roll = math.radians(square.roll)
    return abs(right * math.cos(roll) + down * math.sin(roll)) / max(square.side, 1e-6)
