"""What the two networks of the face detector agree on: sizes, grids, and how their outputs become boxes.

A face is a square: its centre and its side, the root of the area of a tight box from brow to chin. A square keeps its
meaning when the head is tilted.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

FRAME_WIDTH, FRAME_HEIGHT = 160, 120
"""Pixels of the luma frame that the proposer takes."""
CROP_SIZE = 48
"""Side in pixels of the square that the refiner takes."""
CROP_CONTEXT = 1.5
"""Side of the refiner's crop as a multiple of the side of the face."""
CHANNELS = 4
"""Values per cell of the proposer: logit of the score, offset right and down in strides, log of side / (2 strides)."""


@dataclasses.dataclass(frozen=True)
class Level:
    """One grid of the proposer.

    Attributes:
        stride: pixels of the frame between two cells.
        smallest: side in pixels of the smallest faces that it finds.
        largest: side in pixels of the largest faces that it finds.
    """

    stride: int
    smallest: float
    largest: float

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of cells."""
        return -(-FRAME_HEIGHT // self.stride), -(-FRAME_WIDTH // self.stride)


LEVELS = (Level(8, 5, 30), Level(16, 20, 70), Level(32, 48, 200))
"""The grids, in the order of the proposer's output. Their sizes overlap, so no face falls between two."""


def _cells() -> NDArray[np.float32]:
    rows = []
    for level in LEVELS:
        height, width = level.shape
        y, x = np.mgrid[:height, :width]
        centres = (np.stack([x, y], -1).reshape(-1, 2) + 0.5) * level.stride
        rows.append(np.column_stack([centres, np.full(len(centres), level.stride)]))
    return np.concatenate(rows).astype(np.float32)


CELLS: NDArray[np.float32] = _cells()
"""Cells x 3: centre right and down in pixels of the frame, stride."""


def decode(output: NDArray[np.float32], threshold: float) -> NDArray[np.float32]:
    """Return the squares that the proposer suggests in one frame.

    Args:
        output: what the proposer gives for one frame, cells * `CHANNELS` float32 values.
        threshold: least score, 0..1.

    Returns:
        N x 4 float32: centre right and down, side (all in pixels of the frame), score.
    """
    values = output.reshape(len(CELLS), CHANNELS)
    least = np.log(threshold / (1 - threshold))
    chosen = np.flatnonzero(values[:, 0] >= least)
    cells, picked = CELLS[chosen], values[chosen]
    centres = cells[:, :2] + picked[:, 1:3] * cells[:, 2:]
    sides = 2 * cells[:, 2] * np.exp(picked[:, 3])
    return np.column_stack([centres, sides, 1 / (1 + np.exp(-picked[:, 0]))]).astype(np.float32)
