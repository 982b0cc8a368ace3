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
    linear = np.array([[cosine, sine], [-sine, cosine]])
    middle = np.array([CROP_SIZE / 2, CROP_SIZE / 2]) - 0.5
    return np.column_stack([linear, middle - linear @ np.array([look.x, look.y])])


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
    middle = CROP_SIZE / 2 - 0.5
    shift = (square[:2] - middle) * SHIFT_GAIN
    size = math.log(float(square[2]) * CROP_CONTEXT / CROP_SIZE) * SIZE_GAIN
    return np.concatenate([shift, [size], ((landmarks - middle) * LANDMARK_GAIN).ravel()]).astype(np.float32)


def decode_crop(output: NDArray[np.float32], look: Look) -> Refined:
    """Return the face that the refiner found at a look.

    Args:
        output: 14 float32 of the refiner.
        look: where it looked.
    """
    back = np.linalg.inv(look_matrix(look)[:, :2])
    origin = np.array([look.x, look.y])
    centre = back @ (output[1:3] / SHIFT_GAIN) + origin
    growth = math.exp(float(np.clip(output[3] / SIZE_GAIN, -FARTHEST_LOG_SIZE, FARTHEST_LOG_SIZE)))
    landmarks = (output[4:].reshape(-1, 2) / LANDMARK_GAIN) @ back.T + origin
    score = 1 / (1 + math.exp(-float(np.clip(output[0], -30, 30))))
    side = look.side * growth
    # Landmarks that lie on a heap, as a network that never learned any gives them, show no tilt.
    roll = roll_of(landmarks) if length_of(landmarks) >= SHORTEST_FACE * side else look.roll
    found = Look(float(centre[0]), float(centre[1]), side, roll)
    return Refined(found, score, landmarks.astype(np.float32))


def roll_of(landmarks: NDArray[np.floating]) -> float:
    """Return the tilt in degrees, clockwise, of five landmarks: from the line between eyes and mouth.

    The eyes of a profile coincide; the line from them to the mouth keeps its length.
    """
    down = _down(landmarks)
    return math.degrees(math.atan2(-float(down[0]), float(down[1])))


def length_of(landmarks: NDArray[np.floating]) -> float:
    """Return the distance between the middle of the eyes and that of the mouth."""
    return float(np.hypot(*_down(landmarks)))


def _down(landmarks: NDArray[np.floating]) -> NDArray[np.floating]:
    return np.asarray((landmarks[3] + landmarks[4]) / 2 - (landmarks[0] + landmarks[1]) / 2)
