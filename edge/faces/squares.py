"""Squares around faces: how much they overlap, and which of them are one face.

Squares are rows of float32: centre right and down, side, in pixels, and where noted a score 0..1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

NMS_IOU = 0.35
"""Intersection over union above which two squares count as one face."""
NMS_CONTAINMENT = 0.7
"""Intersection over the smaller area above which they count as one face."""


def suppress(
    squares: NDArray[np.float32], iou: float = NMS_IOU, containment: float = NMS_CONTAINMENT
) -> NDArray[np.intp]:
    """Return which squares remain when weaker ones that overlap a stronger one are dropped (greedy NMS).

    Args:
        squares: N x 4 or more: centre right and down, side, score.
        iou: intersection over union from which two squares count as one face.
        containment: intersection over the smaller area from which they count as one.

    Returns:
        Indices into `squares`, highest score first.
    """
    order = np.argsort(-squares[:, 3], kind="stable")
    kept = []
    while len(order):
        first, order = order[0], order[1:]
        kept.append(first)
        overlap, inside = overlaps(squares[first], squares[order])
        order = order[(overlap <= iou) & (inside <= containment)]
    return np.array(kept, np.intp)


def overlaps(square: NDArray[np.float32], others: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
    """Return intersection over union, and over the smaller area, of a square with each of N others (N x 3 or more)."""
    half, halves = square[2] / 2, others[:, 2] / 2
    gap = np.abs(others[:, :2] - square[:2])
    sides = np.clip(np.minimum(half + halves[:, None] - gap, 2 * np.minimum(half, halves)[:, None]), 0, None)
    shared = sides[:, 0] * sides[:, 1]
    area, areas = square[2] ** 2, others[:, 2] ** 2
    return shared / np.maximum(area + areas - shared, 1e-9), shared / np.maximum(np.minimum(area, areas), 1e-9)
