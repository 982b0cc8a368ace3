"""Augmentation by what changes on a face and around it: glasses, the pose, a lens.

Layers for pictures of B x S x S x 1 with pixels 0..255, on any backend, each with its own seeded generator. Glasses
belong before the geometry, so that they turn and move with the face.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fer_edge.train.augment.camera import Sometimes, filtered
from fer_edge.train.keras_setup import load_keras

keras = load_keras()
ops = keras.ops

STEEPEST_SHEAR = 0.25
"""Columns that a row moves for each row of distance from the middle; an eye line of a turned head tilts less."""

DARKEST_CORNER = 0.7
"""Share of the light that a vignette takes from the corners at most."""

SHARPEST = 1.5
"""Weight of the difference to a blurred copy in unsharp masking, at most."""

EYE_LEVEL, EYE_DISTANCE = (0.34, 0.44), (0.17, 0.23)
"""Where the glasses sit in a crop of a face, as shares of its side: rows from the top, columns from the middle.
Judged by eye on FER2013, whose crops are tight."""


class RandomShear(Sometimes):
    """Moves rows sideways in proportion to their distance from the middle, edges repeated: much like a turned head."""

    def change(self, images: Any) -> Any:
        """Return the images sheared."""
        slope = self.draw(images, -STEEPEST_SHEAR, STEEPEST_SHEAR)[:, 0, 0, 0]
        one, zero = ops.ones_like(slope), ops.zeros_like(slope)
        centre = (images.shape[1] - 1) / 2
        matrix = ops.stack([one, slope, -slope * centre, zero, one, zero, zero, zero], axis=1)
        return ops.image.affine_transform(images, matrix, interpolation="bilinear", fill_mode="nearest")


class RandomVignette(Sometimes):
    """Darkens with the square of the distance from a point near the middle, up to `DARKEST_CORNER` in the corners."""

    def change(self, images: Any) -> Any:
        """Return the images with dark corners."""
        across, down = _grid(images.shape[1])
        x, y = across - self.draw(images, -0.15, 0.15), down - self.draw(images, -0.15, 0.15)
        distance = (x * x + y * y) / 0.5  # 1 in the corners of a centred one
        return images * ops.maximum(1 - self.draw(images, 0.0, DARKEST_CORNER) * distance, 0.0)


class RandomSharpness(Sometimes):
    """Adds up to `SHARPEST` times the difference to a copy blurred over 3 x 3 pixels (unsharp masking)."""

    def change(self, images: Any) -> Any:
        """Return the images sharpened."""
        line = np.array([1, 2, 1]) / 4
        kernel = np.outer(line, line).astype(np.float32)
        padded = ops.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="reflect")
        return images + self.draw(images, 0.0, SHARPEST) * (images - filtered(padded, kernel))


class RandomGlasses(Sometimes):
    """Draws glasses where the eyes of a face crop are: two rims, a bridge, temples; one pair in four is tinted."""

    def change(self, images: Any) -> Any:
        """Return the images with glasses."""
        size = images.shape[1]
        across, down = _grid(size)
        y = down - (self.draw(images, *EYE_LEVEL) - 0.5)
        middle = across - self.draw(images, -0.02, 0.02)
        apart, wide = self.draw(images, *EYE_DISTANCE), self.draw(images, 0.11, 0.15)
        high, thick = wide * self.draw(images, 0.7, 1.0), self.draw(images, 0.5, 1.2) / size
        # Superellipses: round at 2, nearly rectangular at 5.
        power = self.draw(images, 2.0, 5.0)
        x = ops.abs(middle) - apart
        radius = ((ops.abs(x) / wide + 1e-6) ** power + (ops.abs(y) / high + 1e-6) ** power) ** (1 / power)
        outside = (radius - 1) * high
        line = ops.where(ops.logical_or(x < -wide, x > wide), ops.abs(y + 0.3 * high), 1.0)
        frame = ops.maximum(_cover(ops.abs(outside) - thick, size), _cover(line - thick, size))
        tinted = ops.cast(self.draw(images, 0.0, 1.0) < 0.25, "float32")
        lens = _cover(outside, size) * self.draw(images, 0.3, 0.9) * tinted
        cover = ops.maximum(frame, lens)
        return images * (1 - cover) + self.draw(images, 0.0, 70.0) * cover


def _grid(size: int) -> tuple[Any, Any]:
    """Return the columns (1 x 1 x S x 1) and rows (1 x S x 1 x 1) of pixels as shares of the side from the middle."""
    # A tensor of the backend: PyTorch's do not mix with NumPy's arrays.
    position = (ops.arange(size, dtype="float32") + 0.5) / size - 0.5
    return position[None, None, :, None], position[None, :, None, None]


def _cover(distance: Any, size: int) -> Any:
    """Return how much of a pixel a shape covers whose edge is at `distance`, a share of the side, negative inside."""
    return ops.clip(0.5 - distance * size, 0.0, 1.0)
