"""What a model loses on pictures as a device sees them: crops that lie badly, poor light, noise, cover.

Every condition is a fixed change of a test image, drawn from a seed that depends on the image's position alone, so
that two models are measured on the same pictures. FER2013's crops end at the face: where a change
looks past the edge, the edge's pixels are repeated.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from fer_edge.lazy import require

Image = NDArray[np.uint8]


@dataclasses.dataclass(frozen=True)
class Condition:
    """A change of the picture.

    Attributes:
        name: for tables and JSON.
        what: one line that says it exactly.
        change: (uint8 S x S, random generator) -> uint8 S x S.
    """

    name: str
    what: str
    change: Callable[[Image, np.random.Generator], Image]


def under(condition: Condition, images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return images, uint8 N x S x S, under a condition; the same ones each time."""
    return np.stack([condition.change(image, np.random.default_rng((7, i))) for i, image in enumerate(images)])


def _affine(image: Image, degrees: float = 0.0, zoom: float = 1.0, shift: tuple[float, float] = (0.0, 0.0)) -> Image:
    cv2 = require("cv2", "device")
    size = image.shape[0]
    matrix = cv2.getRotationMatrix2D(((size - 1) / 2, (size - 1) / 2), degrees, zoom)
    matrix[:, 2] += np.asarray(shift) * size
    moved: Image = cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return moved


def _shift(image: Image, random: np.random.Generator, share: float) -> Image:
    x, y = random.choice([-share, share], 2)
    return _affine(image, shift=(x, y))


def _scale(image: Image, random: np.random.Generator, zoom: float) -> Image:
    return _affine(image, zoom=zoom)


def _rotation(image: Image, random: np.random.Generator, degrees: float) -> Image:
    return _affine(image, degrees=float(random.choice([-degrees, degrees])))


def _blur(image: Image, random: np.random.Generator, sigma: float) -> Image:
    blurred: Image = require("cv2", "device").GaussianBlur(image, (0, 0), sigma)
    return blurred


def _noise(image: Image, random: np.random.Generator, sigma: float) -> Image:
    return _to_pixels(image + random.normal(0, sigma, image.shape))


def _light(image: Image, random: np.random.Generator, factor: float) -> Image:
    return _to_pixels(image * np.float64(factor))


def _low_light(image: Image, random: np.random.Generator) -> Image:
    return _noise(_light(image, random, 0.25), random, 4)


def _jpeg(image: Image, random: np.random.Generator, quality: int) -> Image:
    cv2 = require("cv2", "device")
    _, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded: Image = cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE if image.ndim == 2 else cv2.IMREAD_COLOR)
    return decoded


def _covered(image: Image, random: np.random.Generator) -> Image:
    covered, half = image.copy(), image.shape[0] // 2
    side = random.integers(4)
    part = (np.s_[:half], np.s_[half:], np.s_[:, :half], np.s_[:, half:])[side]
    covered[part] = np.uint8(round(float(image.mean())))
    return covered


def _to_pixels(values: NDArray[np.float64]) -> Image:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


CONDITIONS = (
    Condition("shift", "10 % of the side along both axes, direction drawn", functools.partial(_shift, share=0.1)),
    Condition("scale 0.8", "face smaller: a looser crop", functools.partial(_scale, zoom=0.8)),
    Condition("scale 1.25", "face larger: a tighter crop", functools.partial(_scale, zoom=1.25)),
    Condition("rotation", "15 degrees, direction drawn", functools.partial(_rotation, degrees=15.0)),
    Condition("blur", "Gaussian, sigma 1 pixel of 48", functools.partial(_blur, sigma=1.0)),
    Condition("noise", "Gaussian, sigma 16 of 255", functools.partial(_noise, sigma=16.0)),
    Condition("low light", "a quarter of the light, noise of sigma 4", _low_light),
    Condition("over-exposure", "1.7 times the light, clipped", functools.partial(_light, factor=1.7)),
    Condition("JPEG 30", "compressed at quality 30", functools.partial(_jpeg, quality=30)),
    Condition("half covered", "the upper, lower, left or right half is flat grey, drawn", _covered),
)
"""In the order of the tables."""
