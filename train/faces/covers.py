"""Things drawn over faces: masks, sunglasses, bars and hands, so that covered faces are found too."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

LEAST_SIDE_PIXELS = 9.0
RIGHT_EYE, LEFT_EYE, NOSE, RIGHT_MOUTH, LEFT_MOUTH = range(5)


def cover(
    luma: NDArray[np.uint8], square: NDArray[np.float32], landmarks: NDArray[np.float32], rng: np.random.Generator
) -> None:
    """Draw one thing over a face, in place.

    Args:
        luma: H x W, what is drawn on.
        square: centre right and down, side of the face in pixels.
        landmarks: 5 x 2 in pixels; a face without them stays as it is.
        rng: which thing, where and how bright.
    """
    if square[2] < LEAST_SIDE_PIXELS or not np.isfinite(landmarks).all():
        return
    kind = rng.random()
    if kind < 0.5:
        _mask(luma, float(square[2]), landmarks, rng)
    elif kind < 0.7:
        _glasses(luma, float(square[2]), landmarks, rng)
    else:
        _bar(luma, square, rng)


def _axes(landmarks: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return unit vectors to the right of the image and down, along the face."""
    eyes = (landmarks[RIGHT_EYE] + landmarks[LEFT_EYE]) / 2
    mouth = (landmarks[RIGHT_MOUTH] + landmarks[LEFT_MOUTH]) / 2
    down = (mouth - eyes) / max(float(np.hypot(*(mouth - eyes))), 1e-3)
    return np.array([down[1], -down[0]], np.float32), down


def _fill(luma: NDArray[np.uint8], points: NDArray[np.float32], brightness: float) -> None:
    # Four fractional bits place corners between pixels, which matters on small faces.
    cv2.fillPoly(luma, [np.round(points * 16).astype(np.int32)], brightness, cv2.LINE_AA, 4)


def _mask(luma: NDArray[np.uint8], side: float, landmarks: NDArray[np.float32], rng: np.random.Generator) -> None:
    right, down = _axes(landmarks)
    mouth = (landmarks[RIGHT_MOUTH] + landmarks[LEFT_MOUTH]) / 2
    top = landmarks[NOSE] + down * side * rng.uniform(-0.25, 0.02)
    chin = mouth + down * side * rng.uniform(0.18, 0.34)
    middle = (top + chin) / 2
    wide, low = side * rng.uniform(0.38, 0.52), side * rng.uniform(0.18, 0.34)
    outline = [top - right * 0.1 * side, top + right * 0.1 * side, middle - down * 0.12 * side + right * wide]
    outline += [middle + down * 0.08 * side + right * wide * 0.95, chin + right * low, chin - right * low]
    outline += [middle + down * 0.08 * side - right * wide * 0.95, middle - down * 0.12 * side - right * wide]
    brightness = float(rng.uniform(5, 250))
    _fill(luma, np.array(outline, np.float32), brightness)
    if side > 16 and rng.random() < 0.6:  # a fold
        start, end = middle - right * wide * 0.7, middle + right * wide * 0.7
        ends = [tuple(int(v) for v in np.round(point * 16)) for point in (start, end)]
        cv2.line(luma, ends[0], ends[1], float(np.clip(brightness + rng.normal(0, 25), 0, 255)), 1, cv2.LINE_AA, 4)


def _glasses(luma: NDArray[np.uint8], side: float, landmarks: NDArray[np.float32], rng: np.random.Generator) -> None:
    right, down = _axes(landmarks)
    brightness = float(rng.uniform(0, 70) if rng.random() < 0.85 else rng.uniform(120, 255))
    wide, tall = side * rng.uniform(0.15, 0.22), side * rng.uniform(0.09, 0.16)
    for eye in landmarks[[RIGHT_EYE, LEFT_EYE]]:
        corners = [-right * wide - down * tall, right * wide - down * tall, right * wide * 0.8 + down * tall]
        _fill(luma, eye + np.array([*corners, -right * wide * 0.8 + down * tall], np.float32), brightness)


def _bar(luma: NDArray[np.uint8], square: NDArray[np.float32], rng: np.random.Generator) -> None:
    """Cover a strip of the face: a hand, a cup, a pole, another's shoulder."""
    side = float(square[2])
    angle = rng.uniform(0, np.pi)
    along = np.array([np.cos(angle), np.sin(angle)], np.float32)
    across = np.array([-along[1], along[0]], np.float32)
    width = side * rng.uniform(0.12, 0.36)
    middle = square[:2] + across * side * rng.uniform(0.1, 0.55) * (1 if rng.random() < 0.5 else -1)
    start, end = side * rng.uniform(-1.0, 0.1), side * rng.uniform(0.3, 1.0)
    corners = [along * start - across * width / 2, along * end - across * width / 2]
    corners += [along * end + across * width / 2, along * start + across * width / 2]
    _fill(luma, middle + np.array(corners, np.float32), float(rng.uniform(0, 255)))
