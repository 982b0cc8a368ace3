"""What the proposer should give for a frame: per cell a score, how much it counts, and the square of the face."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from fer_edge.faces.grid import CELLS, LEVELS
from fer_edge.train.faces.data.images import FaceSet

SCORE, WEIGHT, BOX_WEIGHT, BOX = 0, 1, 2, slice(3, 6)
COLUMNS = 6
POSITIVE_RADIUS = 0.2
"""A cell this near the centre of a face, in sides of it, should find it."""
NEUTRAL_RADIUS = 0.4
"""A cell within this many sides, or this near in strides, is neither right nor wrong."""
NEUTRAL_STRIDES = 1.1
DOUBTFUL_RADIUS = 0.6
SIZE_MARGIN = 1.5
"""Faces out of a level's range by no more than this factor are neither right nor wrong there; others background."""


def targets(faces: FaceSet) -> NDArray[np.float32]:
    """Return what every cell should give.

    Args:
        faces: the faces of a frame, in pixels of it.

    Returns:
        Cells x 6: score 0 or 1, weight of the score, weight of the box, offset right and down in strides, log of
        side / (2 strides).
    """
    result = np.zeros((len(CELLS), COLUMNS), np.float32)
    result[:, WEIGHT] = 1
    start = 0
    order = np.argsort(-faces.squares[:, 2])  # the smaller of two faces takes a cell
    for level in LEVELS:
        count = math.prod(level.shape)
        cells, part = CELLS[start : start + count, :2], result[start : start + count]
        start += count
        for index in order:
            square = faces.squares[index]
            side = float(square[2])
            if not level.smallest / SIZE_MARGIN <= side <= level.largest * SIZE_MARGIN:
                continue
            in_range = level.smallest <= side <= level.largest
            distance = np.hypot(*(cells - square[:2]).T)
            if in_range and faces.certain[index]:
                _found(part, cells, distance, square, level.stride)
            else:
                radius = DOUBTFUL_RADIUS if not faces.certain[index] else NEUTRAL_RADIUS
                near = (distance < max(radius * side, level.stride)) & (part[:, SCORE] == 0)
                part[near, WEIGHT] = 0
    return result


def _found(
    part: NDArray[np.float32],
    cells: NDArray[np.float32],
    distance: NDArray[np.float32],
    square: NDArray[np.float32],
    stride: int,
) -> None:
    side = float(square[2])
    positive = distance <= POSITIVE_RADIUS * side
    positive[int(distance.argmin())] |= distance.min() <= stride  # one whose centre left the frame has no cell
    neutral = (distance < max(NEUTRAL_RADIUS * side, NEUTRAL_STRIDES * stride)) & ~positive & (part[:, SCORE] == 0)
    part[neutral, WEIGHT] = 0
    offsets = (square[:2] - cells[positive]) / stride
    part[positive, SCORE] = 1
    part[positive, WEIGHT] = 1
    # An error counts in sides of the face: half a stride is much on a small face and little on a large one.
    part[positive, BOX_WEIGHT] = min(2 * stride / side, 2)
    part[positive, BOX] = np.column_stack([offsets, np.full(len(offsets), math.log(side / (2 * stride)))])


def mirrored(frames: NDArray[np.uint8], wanted: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Return a batch as seen in a mirror; drawing one costs far more.

    Args:
        frames: B x 120 x 160 x 1.
        wanted: B x cells x 6, see `targets`.
    """
    parts, start = [], 0
    for level in LEVELS:
        rows, columns = level.shape
        part = wanted[:, start : start + rows * columns].reshape(len(wanted), rows, columns, COLUMNS)
        parts.append(part[:, :, ::-1].reshape(len(wanted), rows * columns, COLUMNS))
        start += rows * columns
    result = np.concatenate(parts, 1)
    result[..., BOX.start] *= -1
    return np.ascontiguousarray(frames[:, :, ::-1]), result
