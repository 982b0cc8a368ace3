"""Pictures that a model takes for a class as strongly as it can: activation maximisation in the manner of DeepDream.

Climbing the gradient alone ends in patterns that no eye can read. So the picture is moved, turned, zoomed
and mirrored a little before each step (Mordvintsev et al. 2015, "Inceptionism"; Olah et al. 2017, "Feature
Visualization", distill.pub/2017/feature-visualization), blurred between steps (Yosinski et al. 2015,
arXiv:1506.06579, section 3), and kept from fine ripples by total variation (Mahendran and Vedaldi 2015,
arXiv:1412.0035, section 2.2). The strengths, and the seed of the movements, were chosen by eye.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from fer_edge.lazy import require
from fer_edge.train.explain.gradients import Gradient

SHIFT, ANGLE, ZOOM = 1 / 12, 8.0, 0.08
"""Of the movement before each step, up to: a share of the side, degrees, and the logarithm of the scale."""

BLUR_EVERY = 4
"""Steps between two blurs."""

GREY, NOISE = 128, 10
"""Mean and standard deviation of the noise from which a dream begins."""


@dataclasses.dataclass(frozen=True)
class Ascent:
    """How far and how smoothly to climb.

    Attributes:
        steps: number of gradient steps.
        rate: root mean square of the first step, in grey values; it falls linearly to zero.
        blur: standard deviation of the first and of the last blur, in pixels.
        variation: weight of the total variation, in logits per pixel that differs by the whole range.
    """

    steps: int
    rate: float
    blur: tuple[float, float]
    variation: float


FROM_NOISE = Ascent(steps=300, rate=4.0, blur=(0.8, 0.5), variation=0.02)
FROM_FACE = Ascent(steps=40, rate=2.0, blur=(0.4, 0.4), variation=0.01)


def dream(
    gradient: Gradient,
    start: NDArray[np.float32],
    classes: NDArray[np.int64],
    ascent: Ascent,
    advance: Callable[[int], None] = lambda steps: None,
    seed: int = 1,
) -> NDArray[np.float32]:
    """Change pictures so that each is taken for its class.

    Args:
        gradient: of the model, see `fer_edge.train.explain.gradients.pixel_gradient`.
        start: float32 N x size x size, grey values 0..255.
        classes: (N,) the class each picture is to become.
        ascent: how far and how smoothly.
        advance: is told each step.
        seed: of the movements.

    Returns:
        float32 N x size x size, grey values 0..255.
    """
    cv2 = require("cv2", "train")
    rng = np.random.default_rng(seed)
    size = start.shape[1]
    pictures = start.astype(np.float32)
    for step in range(ascent.steps):
        done = step / ascent.steps
        there = _movement(rng, size)
        back = cv2.invertAffineTransform(there)
        # Moving the gradient back stands for differentiating the movement, up to its scale, which is normalized.
        climb = _moved(gradient(_moved(pictures, there, cv2.BORDER_REPLICATE), classes), back, cv2.BORDER_CONSTANT)
        climb -= ascent.variation * variation_gradient(pictures)
        climb /= np.sqrt(np.mean(climb**2, axis=(1, 2), keepdims=True)) + np.float32(1e-12)
        pictures = np.clip(pictures + ascent.rate * (1 - done) * climb, 0, 255).astype(np.float32)
        if step % BLUR_EVERY == BLUR_EVERY - 1:
            width = ascent.blur[0] * (1 - done) + ascent.blur[1] * done
            pictures = np.stack([cv2.GaussianBlur(p, (0, 0), width) for p in pictures])
        advance(1)
    return pictures


def noise(shape: tuple[int, ...], seed: int) -> NDArray[np.float32]:
    """Return float32 noise about grey, in the shape of a crop."""
    return np.random.default_rng(seed).normal(GREY, NOISE, shape).astype(np.float32)


def stretched(pictures: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return pictures with their contrast stretched to 0..255, less a hundredth of the pixels at either end."""
    low, high = np.percentile(pictures, (1, 99), axis=(1, 2), keepdims=True)
    shares = (pictures - low) / np.maximum(high - low, 1)
    grey: NDArray[np.uint8] = np.clip(shares * 255, 0, 255).round().astype(np.uint8)
    return grey


def variation_gradient(pictures: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the derivative of the total variation, sum of sqrt(dx^2 + dy^2 + 1) / 255, by the pixels."""
    down = np.diff(pictures, axis=1, append=pictures[:, -1:])
    right = np.diff(pictures, axis=2, append=pictures[:, :, -1:])
    length = 255 * np.sqrt(down**2 + right**2 + 1)
    down, right = down / length, right / length
    slope: NDArray[np.float32] = -down - right
    slope[:, 1:] += down[:, :-1]
    slope[:, :, 1:] += right[:, :, :-1]
    return slope


def _movement(rng: np.random.Generator, size: int) -> NDArray[np.float64]:
    """Return a 2 x 3 affine matrix about the picture's centre."""
    angle, scale = np.deg2rad(rng.uniform(-ANGLE, ANGLE)), np.exp(rng.uniform(-ZOOM, ZOOM))
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    if rng.random() < 0.5:
        turn[:, 0] *= -1  # mirrored
    centre = np.full(2, (size - 1) / 2)
    offset = centre - turn @ centre + rng.uniform(-SHIFT, SHIFT, 2) * size
    return np.column_stack([turn, offset])


def _moved(pictures: NDArray[np.float32], matrix: NDArray[np.float64], border: int) -> NDArray[np.float32]:
    cv2 = require("cv2", "train")
    size = pictures.shape[1]
    return np.stack([cv2.warpAffine(p, matrix, (size, size), borderMode=border) for p in pictures])
