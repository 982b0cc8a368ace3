"""Saliency by covering (Zeiler and Fergus 2014, arXiv:1311.2901, section 4.2).

It asks the model only for answers, not for gradients, so int8 models have it too.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

PATCH = 1 / 4
"""Side of the grey square as a share of the picture's: an eye or half a mouth."""

STRIDE = 1 / 24
"""Step of the square as a share of the picture's side; 361 pictures at 48 x 48."""


def occlusion_map(
    logits: Callable[[NDArray[np.uint8]], NDArray[np.float32]], image: NDArray[np.uint8], target: int
) -> NDArray[np.float32]:
    """Cover the picture piece by piece with its mean grey and see what that does to one class.

    Args:
        logits: uint8 N x size x size -> N x classes.
        image: uint8 size x size.
        target: index of the class.

    Returns:
        float32 size x size: by how much covering a pixel lowers the class's logit, averaged over the
        squares that cover it. Positive: what is there speaks for the class.
    """
    size = len(image)
    side, stride = max(round(size * PATCH), 1), max(round(size * STRIDE), 1)
    starts = [*range(0, size - side, stride), size - side]
    corners = [(top, left) for top in starts for left in starts]
    covered = np.repeat(image[None], len(corners), axis=0)
    for picture, (top, left) in zip(covered, corners, strict=True):
        picture[top : top + side, left : left + side] = round(float(image.mean()))
    drops = logits(image[None])[0, target] - logits(covered)[:, target]
    total, count = np.zeros((2, size, size))
    for drop, (top, left) in zip(drops, corners, strict=True):
        total[top : top + side, left : left + side] += drop
        count[top : top + side, left : left + side] += 1
    return (total / count).astype(np.float32)
