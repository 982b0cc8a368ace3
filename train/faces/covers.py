"""Things drawn over faces: masks, scarves, sunglasses, hats, hands and bars, so that covered faces are found too."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

LEAST_SIDE_PIXELS = 9.0
BOTH_SHARE = 0.15
"""Of the masks and scarves, those with sunglasses above."""
CLOTH_SHARE = 0.6
"""Of the things, those with the pattern and the shade of something else in the picture; the others are plain."""
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
    side = float(square[2])
    kind = rng.random()
    if kind < 0.45:
        _mask(luma, side, landmarks, rng)
    elif kind < 0.55:
        _scarf(luma, side, landmarks, rng)
    elif kind < 0.65:
        _hat(luma, side, landmarks, rng)
    elif kind < 0.75:
        _hand(luma, square, rng)
    elif kind < 0.85:
        _bar(luma, square, rng)
    if kind >= 0.85 or (kind < 0.55 and rng.random() < BOTH_SHARE):
        _glasses(luma, side, landmarks, rng)


def _axes(landmarks: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return unit vectors to the right of the image and down, along the face."""
    eyes = (landmarks[RIGHT_EYE] + landmarks[LEFT_EYE]) / 2
    mouth = (landmarks[RIGHT_MOUTH] + landmarks[LEFT_MOUTH]) / 2
    down = (mouth - eyes) / max(float(np.hypot(*(mouth - eyes))), 1e-3)
    return np.array([down[1], -down[0]], np.float32), down


def _fill(luma: NDArray[np.uint8], points: NDArray[np.float32], brightness: float) -> None:
    # Four fractional bits place corners between pixels, which matters on small faces.
    cv2.fillPoly(luma, [np.round(points * 16).astype(np.int32)], brightness, cv2.LINE_AA, 4)


def _lay(luma: NDArray[np.uint8], points: NDArray[np.float32], rng: np.random.Generator) -> float:
    """Draw a thing of one brightness, or one that looks like another part of the picture; return its brightness."""
    brightness = float(rng.uniform(5, 250))
    if rng.random() >= CLOTH_SHARE:
        _fill(luma, points, brightness)
        return brightness
    low = np.maximum(np.floor(points.min(0)).astype(int) - 1, 0)
    high = np.minimum(np.ceil(points.max(0)).astype(int) + 2, luma.shape[::-1])
    width, height = (high - low).tolist()
    if min(width, height) < 2:
        return brightness
    place = luma[low[1] : high[1], low[0] : high[0]]
    left, top = (int(rng.integers(most + 1)) for most in (luma.shape[1] - width, luma.shape[0] - height))
    pattern = luma[top : top + height, left : left + width].astype(np.float32)
    pattern = (pattern - pattern.mean()) * rng.uniform(0.1, 0.8) + brightness
    # Light from one side: cloth and hands are no flat areas.
    slope = rng.normal(0, 25, 2)
    pattern += np.linspace(-slope[0], slope[0], width) + np.linspace(-slope[1], slope[1], height)[:, None]
    share = np.zeros((height, width), np.uint8)
    _fill(share, points - low, 255.0)
    alpha = share.astype(np.float32) / 255
    place[:] = np.clip(place + alpha * (np.clip(pattern, 0, 255) - place), 0, 255).astype(np.uint8)
    return brightness


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
    brightness = _lay(luma, np.array(outline, np.float32), rng)
    if side > 16 and rng.random() < 0.6:  # a fold
        start, end = middle - right * wide * 0.7, middle + right * wide * 0.7
        ends = [tuple(int(v) for v in np.round(point * 16)) for point in (start, end)]
        cv2.line(luma, ends[0], ends[1], float(np.clip(brightness + rng.normal(0, 25), 0, 255)), 1, cv2.LINE_AA, 4)


def _scarf(luma: NDArray[np.uint8], side: float, landmarks: NDArray[np.float32], rng: np.random.Generator) -> None:
    """Cover all below the nose, or below the eyes, to both sides and down past the chin."""
    right, down = _axes(landmarks)
    top = landmarks[NOSE] + down * side * rng.uniform(-0.25, 0.15)
    half, low, sag = side * rng.uniform(0.45, 0.75), side * rng.uniform(0.6, 1.1), side * rng.uniform(-0.1, 0.1)
    outline = [top - right * half + down * sag, top, top + right * half + down * sag]
    outline += [top + right * half * 1.1 + down * low, top - right * half * 1.1 + down * low]
    _lay(luma, np.array(outline, np.float32), rng)


def _hat(luma: NDArray[np.uint8], side: float, landmarks: NDArray[np.float32], rng: np.random.Generator) -> None:
    """Cover the forehead, at most down to the eyes: a cap, a helmet, hair, a headscarf."""
    right, down = _axes(landmarks)
    eyes = (landmarks[RIGHT_EYE] + landmarks[LEFT_EYE]) / 2
    brim = eyes - down * side * rng.uniform(0.04, 0.25)
    half, high, slant = side * rng.uniform(0.4, 0.7), side * rng.uniform(0.35, 0.7), side * rng.normal(0, 0.05)
    outline = [brim - right * half + down * slant, brim + right * half - down * slant]
    outline += [brim + right * half * 0.7 - down * high, brim - right * half * 0.7 - down * high]
    _lay(luma, np.array(outline, np.float32), rng)


def _hand(luma: NDArray[np.uint8], square: NDArray[np.float32], rng: np.random.Generator) -> None:
    """Cover a part of the face from one side with an oval: a hand, a phone, a microphone, another's head."""
    side = float(square[2])
    angle = rng.uniform(0, 2 * np.pi)
    away = side * rng.uniform(0.3, 0.6)
    middle = square[:2] + away * np.array([np.cos(angle), np.sin(angle)], np.float32)
    long, short = side * rng.uniform(0.2, 0.45), side * rng.uniform(0.12, 0.3)
    turn = rng.uniform(0, np.pi)
    around = np.linspace(0, 2 * np.pi, 14, endpoint=False)
    ring = np.column_stack([long * np.cos(around), short * np.sin(around)]) * rng.uniform(0.85, 1.15, (14, 1))
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    _lay(luma, (middle + ring @ rotation).astype(np.float32), rng)


def _glasses(luma: NDArray[np.uint8], side: float, landmarks: NDArray[np.float32], rng: np.random.Generator) -> None:
    right, down = _axes(landmarks)
    brightness = float(rng.uniform(0, 70) if rng.random() < 0.85 else rng.uniform(120, 255))
    wide, tall = side * rng.uniform(0.15, 0.22), side * rng.uniform(0.09, 0.16)
    for eye in landmarks[[RIGHT_EYE, LEFT_EYE]]:
        corners = [-right * wide - down * tall, right * wide - down * tall, right * wide * 0.8 + down * tall]
        _fill(luma, eye + np.array([*corners, -right * wide * 0.8 + down * tall], np.float32), brightness)


def _bar(luma: NDArray[np.uint8], square: NDArray[np.float32], rng: np.random.Generator) -> None:
    """Cover a strip of the face: a cup, a pole, an arm, another's shoulder."""
    side = float(square[2])
    angle = rng.uniform(0, np.pi)
    along = np.array([np.cos(angle), np.sin(angle)], np.float32)
    across = np.array([-along[1], along[0]], np.float32)
    width = side * rng.uniform(0.12, 0.36)
    middle = square[:2] + across * side * rng.uniform(0.1, 0.55) * (1 if rng.random() < 0.5 else -1)
    start, end = side * rng.uniform(-1.0, 0.1), side * rng.uniform(0.3, 1.0)
    corners = [along * start - across * width / 2, along * end - across * width / 2]
    corners += [along * end + across * width / 2, along * start + across * width / 2]
    _lay(luma, (middle + np.array(corners)).astype(np.float32), rng)
