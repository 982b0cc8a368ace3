"""Histograms of oriented gradients (Dalal and Triggs 2005) of a model input, by OpenCV.

The one definition of the second input of models such as ``hog-cnn``: the device computes it here, and the layer that
computes it inside a network in training is tested against this.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_edge.lazy import require

CELL, BLOCK, STRIDE, BINS = 8, 16, 8, 9
"""Side of a cell and of a block and step between blocks, in pixels; unsigned orientations of 20 degrees."""

DEFINITION = {"cell": CELL, "block": BLOCK, "stride": STRIDE, "bins": BINS}
"""What a model file says about the features it was trained on."""


def hog_length(size: int) -> int:
    """Return the number of features of a crop of `size` x `size`: 900 for 48."""
    return int(((size - BLOCK) // STRIDE + 1) ** 2 * (BLOCK // CELL) ** 2 * BINS)


class HogExtractor:
    """Computes the features of crops of one size; all of them lie in 0..1, and each block's norm is 1."""

    def __init__(self, size: int) -> None:
        """Prepare for crops of `size` x `size`; raises MissingExtraError without OpenCV."""
        cv2 = require("cv2", "device")
        self._descriptor: Any = cv2.HOGDescriptor((size, size), (BLOCK,) * 2, (STRIDE,) * 2, (CELL,) * 2, BINS)

    def features(self, crop: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the features, float32 (length,), of a uint8 crop of size x size."""
        found: NDArray[np.float32] = self._descriptor.compute(np.ascontiguousarray(crop)).reshape(-1)
        return found
