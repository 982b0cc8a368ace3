"""Crops of a picture that are turned upright: by a given tilt, or by the landmarks of a face."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

import fer_edge.images  # noqa: F401  # whose limit of pixels OpenCV reads when it is loaded
from fer_edge.lazy import require

Points = Sequence[tuple[float, float]]
"""(x, y) in pixels of a picture; they may lie outside of it."""

EYES_APART, EYES_TO_MOUTH, EYES_DOWN = 0.36, 0.376, 0.394
"""Distance of the eyes, distance from between them to the middle of the mouth, and place of the eyes below the upper
edge, in sides of an upright crop. They are the medians of the crops that the face networks' boxes give of CK+ and of
web faces, so that a model sees nearly the same whether or not there are landmarks. Other values: another framing."""


class Square(NamedTuple):
    """A square of a picture, in pixels: centre right and down, side; and its tilt in degrees, clockwise."""

    x: float
    y: float
    side: float
    roll: float


def upright_square(landmarks: Points) -> Square:
    """Return the square that frames a face by its eyes and mouth.

    The tilt is that of two lines together: between the eyes, and from them to the mouth. The side comes from the
    lengths of both: a face turned aside keeps one of them, and an open mouth changes only the other.

    Args:
        landmarks: five points in pixels of the picture: two eyes, tip of the nose, two corners of the mouth.
    """
    (ax, ay), (bx, by), _, (cx, cy), (dx, dy) = landmarks
    eyes_x, eyes_y = (ax + bx) / 2, (ay + by) / 2
    down_x, down_y = (cx + dx) / 2 - eyes_x, (cy + dy) / 2 - eyes_y
    right_x, right_y = bx - ax, by - ay
    if right_x * down_y < right_y * down_x:  # a face upside down, its eyes named by where they are in the picture
        right_x, right_y = -right_x, -right_y
    roll = math.atan2(right_y - down_x, right_x + down_y)
    side = math.hypot(right_x, right_y, down_x, down_y) / math.hypot(EYES_APART, EYES_TO_MOUTH)
    # From the middle between eyes and mouth, which an error of either moves least.
    below = (0.5 - EYES_DOWN - EYES_TO_MOUTH / 2) * side
    x = eyes_x + down_x / 2 - math.sin(roll) * below
    y = eyes_y + down_y / 2 + math.cos(roll) * below
    return Square(x, y, side, math.degrees(roll))


def turned_crop(picture: NDArray[np.uint8], square: Square, size: int) -> NDArray[np.uint8]:
    """Cut a tilted square out of a picture, upright and as `size` x `size`; the border's pixels go on outside of it.

    Args:
        picture: uint8 H x W; only the part around the square is read.
        square: what to cut out.
        size: side of the result.
    """
    cv2 = require("cv2", "device")
    x, y, side, roll = square
    scale = size / max(side, 1e-3)
    halvings = int(math.log2(max(1 / scale, 1)))
    if halvings:
        # Linear interpolation would skip pixels: the part that is looked at is halved before.
        reach = side * 0.75
        left, top = max(0, int(x - reach)), max(0, int(y - reach))
        part = picture[top : max(int(y + reach) + 1, 0), left : max(int(x + reach) + 1, 0)]
        if min(part.shape) >> halvings:
            picture, scale = halved(part, halvings), scale * 2**halvings
            x, y = (x - left + 0.5) / 2**halvings - 0.5, (y - top + 0.5) / 2**halvings - 0.5
    cosine, sine = scale * math.cos(math.radians(roll)), scale * math.sin(math.radians(roll))
    middle = size / 2 - 0.5
    matrix = np.array([[cosine, sine, middle - cosine * x - sine * y], [-sine, cosine, middle + sine * x - cosine * y]])
    turned: NDArray[np.uint8] = cv2.warpAffine(
        picture, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return turned


def halved(picture: NDArray[np.uint8], times: int) -> NDArray[np.uint8]:
    """Return a picture at half its size, `times` over; an odd row or column is left out."""
    cv2 = require("cv2", "device")
    for _ in range(times):
        rows, columns = picture.shape[0] // 2, picture.shape[1] // 2
        picture = cv2.resize(picture[: 2 * rows, : 2 * columns], (columns, rows), interpolation=cv2.INTER_AREA)
    return picture
