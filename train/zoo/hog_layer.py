"""Histograms of oriented gradients as a Keras layer, equal to OpenCV's descriptor.

Training augments inside the step, so the features of what the network sees cannot be computed beforehand; and a layer
of differentiable operations runs on every backend and lets a gradient reach the pixels. What it computes is
``cv2.HOGDescriptor`` with its constructor's defaults (no gamma, Gaussian window, trilinear votes, L2-Hys norm; Dalal
and Triggs 2005, section 6), whose values the device feeds to a converted file.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_edge.preprocess import HOG_BINS, HOG_BLOCK, HOG_CELL, HOG_STRIDE, hog_length
from fer_edge.train.keras_setup import load_keras

keras = load_keras()
ops = keras.ops

GAIN = float(HOG_BLOCK // HOG_CELL * math.sqrt(HOG_BINS))
"""6: a block's 36 features have norm 1, so this makes them 1 in the root mean square, as batch norm does its channels;
joined to those they need not share int8 steps that are too coarse for them."""

SIGMA = HOG_BLOCK / 4
"""Of the Gaussian window over a block, in pixels: OpenCV's (width + height) / 8."""

TINY = 1e-6
"""Squared grey levels and squared norms below this count as zero."""

CLIP, FIRST_EPSILON, SECOND_EPSILON = 0.2, 0.1, 1e-3
"""L2-Hys: the limit between the two normalizations, and what OpenCV adds to each norm (the first: per feature)."""


def cell_weights() -> NDArray[np.float32]:
    """Return how much each pixel of a block counts for each of its cells, block x block x cells, cells down columns.

    The Gaussian window times bilinear interpolation between the centres of the cells.
    """
    at = np.arange(HOG_BLOCK)
    window = np.exp(-((at - HOG_BLOCK / 2) ** 2) / (2 * SIGMA**2))
    centres = (np.arange(HOG_BLOCK // HOG_CELL) + 0.5) * HOG_CELL
    share = np.maximum(1 - np.abs((at + 0.5)[:, None] - centres) / HOG_CELL, 0)  # pixel x cell
    one = window[:, None] * share
    both = one[:, None, None, :] * one[None, :, :, None]  # row, column, cell column, cell row
    weights: NDArray[np.float32] = both.reshape(HOG_BLOCK, HOG_BLOCK, -1).astype(np.float32)
    return weights


@keras.saving.register_keras_serializable(package="fer_edge")
class Hog(keras.layers.Layer):  # type: ignore[misc, name-defined]
    """Pixels 0..255, B x size x size x 1, to features, B x `hog_length(size)`, in the order of OpenCV's."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**(options | {"dtype": "float32"}))
        cells = (HOG_BLOCK // HOG_CELL) ** 2
        self.kernel = np.tile(cell_weights()[:, :, None, :], (1, 1, HOG_BINS, 1))
        self.cells = cells

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, int]:
        """Return B x length."""
        return input_shape[0], hog_length(int(input_shape[1] or 0))

    def call(self, images: Any) -> Any:
        """Return the features."""
        images = ops.cast(images, "float32")
        padded = ops.pad(images, [[0, 0], [1, 1], [1, 1], [0, 0]], mode="reflect")
        dx = padded[:, 1:-1, 2:] - padded[:, 1:-1, :-2]
        dy = padded[:, 2:, 1:-1] - padded[:, :-2, 1:-1]
        squared = dx * dx + dy * dy
        # Where nothing changes there is no direction, and neither root nor angle has a finite slope.
        flat = ops.cast(squared < TINY, "float32")
        magnitude = ops.sqrt(squared + flat) - flat
        turn = ops.arctan2(dy, dx + flat) * (HOG_BINS / math.pi) - 0.5
        # Each orientation votes for its two nearest bins; angle and angle + 180 degrees are the same.
        distance = ops.mod(turn - ops.arange(HOG_BINS, dtype="float32") + HOG_BINS / 2, HOG_BINS) - HOG_BINS / 2
        votes = magnitude * ops.maximum(1 - ops.abs(distance), 0.0)
        blocks = ops.depthwise_conv(votes, self.kernel, HOG_STRIDE, padding="valid", data_format="channels_last")
        side = blocks.shape[1]
        blocks = ops.reshape(blocks, (-1, side, side, HOG_BINS, self.cells))
        # OpenCV walks through blocks and cells column by column, with the bins of a cell together.
        blocks = ops.reshape(ops.transpose(blocks, (0, 2, 1, 4, 3)), (-1, side * side, self.cells * HOG_BINS))
        blocks = ops.minimum(blocks / (_norm(blocks) + FIRST_EPSILON * self.cells * HOG_BINS), CLIP)
        blocks = blocks / (_norm(blocks) + SECOND_EPSILON)
        return ops.reshape(blocks, (-1, side * side * self.cells * HOG_BINS))


def _norm(blocks: Any) -> Any:
    return ops.sqrt(ops.sum(blocks * blocks, axis=-1, keepdims=True) + TINY)
