"""What the refiner sees of a frame, and what its output says about the face there."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from numpy.typing import NDArray

from fer_edge.faces.grid import CROP_CONTEXT, CROP_SIZE
from fer_edge.faces.upright import Square, turned_crop

VALUES = 14
"""Values per crop: logit of the score, shift right and down, log of the size, five landmarks."""
SHIFT_GAIN, SIZE_GAIN, LANDMARK_GAIN = 1.0, 16.0, 0.5
"""Output per pixel of the crop, per unit of the logarithm, and per pixel of the crop: one int8 scale serves all."""
MIDDLE = CROP_SIZE / 2 - 0.5
"""Of a crop, in pixels of it, both ways."""
FARTHEST_LOG_SIZE = 0.7
SHORTEST_FACE = 0.15
"""Distance of eyes and mouth, in sides of the face, below which landmarks say nothing; it is about 0.4."""


@dataclasses.dataclass(frozen=True)
class Look:
    """Where the refiner looks: a square of a frame, upright or tilted.

    Attributes:
        x: centre right in pixels.
        y: centre down in pixels.
        side: of the supposed face in pixels; the crop is `CROP_CONTEXT` times as large.
        roll: degrees by which the supposed face is tilted clockwise.
    """

    x: float
    y: float
    side: float
    roll: float = 0.0


@dataclasses.dataclass(frozen=True)
class Refined:
    """What the refiner says of a look.

    Attributes:
        look: the face, in pixels of the frame.
        score: 0..1.
        landmarks: 5 x 2 float32 in pixels of the frame.
    """

    look: Look
    score: float
    landmarks: NDArray[np.float32]


def look_matrix(look: Look) -> NDArray[np.float64]:
    """Return the 2 x 3 map from pixels of the frame to pixels of the crop."""
    scale = CROP_SIZE / (CROP_CONTEXT * look.side)
    cosine, sine = scale * math.cos(math.radians(look.roll)), scale * math.sin(math.radians(look.roll))
    right, down = MIDDLE - cosine * look.x - sine * look.y, MIDDLE + sine * look.x - cosine * look.y
    return np.array([[cosine, sine, right], [-sine, cosine, down]])


def crop(luma: NDArray[np.uint8], look: Look) -> NDArray[np.uint8]:
    """Return what the refiner takes: 48 x 48 uint8, turned upright; the frame's border goes on outside of it.

    Args:
        luma: H x W.
        look: where.
    """
    return turned_crop(luma, Square(look.x, look.y, CROP_CONTEXT * look.side, look.roll), CROP_SIZE)


def encode(square: NDArray[np.float32], landmarks: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what the refiner should give, without the score, for a face in pixels of its crop.

    Args:
        square: centre right and down, side.
        landmarks: 5 x 2.

    Returns:
        13 float32.
    """
    shift = (square[:2] - MIDDLE) * SHIFT_GAIN
    size = math.log(float(square[2]) * CROP_CONTEXT / CROP_SIZE) * SIZE_GAIN
    return np.concatenate([shift, [size], ((landmarks - MIDDLE) * LANDMARK_GAIN).ravel()]).astype(np.float32)


def decode_crop(output: NDArray[np.float32], look: Look) -> Refined:
    """Return the face that the refiner found at a look.

    Args:
        output: 14 float32 of the refiner.
        look: where it looked.
    """
    # A face is decoded in every frame of a video, and numpy takes longer for so few numbers.
    score, *values = output.tolist()
    scale = CROP_CONTEXT * look.side / CROP_SIZE
    cosine, sine = scale * math.cos(math.radians(look.roll)), scale * math.sin(math.radians(look.roll))

    def placed(right: float, down: float) -> tuple[float, float]:
        return look.x + cosine * right - sine * down, look.y + sine * right + cosine * down

    centre = placed(values[0] / SHIFT_GAIN, values[1] / SHIFT_GAIN)
    side = look.side * math.exp(min(max(values[2] / SIZE_GAIN, -FARTHEST_LOG_SIZE), FARTHEST_LOG_SIZE))
    pairs = zip(values[3::2], values[4::2], strict=True)
    landmarks = np.array([placed(x / LANDMARK_GAIN, y / LANDMARK_GAIN) for x, y in pairs], np.float32)
    # Landmarks that lie on a heap, as a network that never learned any gives them, show no tilt.
    roll = roll_of(landmarks) if length_of(landmarks) >= SHORTEST_FACE * side else look.roll
    return Refined(Look(*centre, side, roll), 1 / (1 + math.exp(-min(max(score, -30.0), 30.0))), landmarks)


def roll_of(landmarks: NDArray[np.floating]) -> float:
    """Return the tilt in degrees, clockwise, of five landmarks: from the line between eyes and mouth.

    The eyes of a profile coincide; the line from them to the mouth keeps its length.
    """
    right, down = _down(landmarks)
    return math.degrees(math.atan2(-right, down))


def length_of(landmarks: NDArray[np.floating]) -> float:
    """Return the distance between the middle of the eyes and that of the mouth."""
    return math.hypot(*_down(landmarks))


def _down(landmarks: NDArray[np.floating]) -> tuple[float, float]:
    """Return how far the middle of the mouth is from that of the eyes, to the right and down."""
    (ax, ay), (bx, by), _, (cx, cy), (dx, dy) = landmarks.tolist()
    return (cx + dx - ax - bx) / 2, (cy + dy - ay - by) / 2
