"""Parts of a frame at several scales, each as large as the proposer's input."""

from __future__ import annotations

import dataclasses
import math

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_edge.faces.grid import FRAME_HEIGHT, FRAME_WIDTH

STEP = 0.72
"""Distance of neighbouring tiles as a share of a tile: a face as large as the overlap is whole in one of them."""


@dataclasses.dataclass(frozen=True)
class Tile:
    """A part of a scaled frame: left and top in pixels of the scaled frame."""

    left: int
    top: int


def fit_scale(width: int, height: int) -> float:
    """Return the factor that brings a frame into the proposer's input."""
    return min(FRAME_WIDTH / width, FRAME_HEIGHT / height)


def scaled(luma: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    """Return luma H x W scaled by `scale`."""
    height, width = (max(1, round(side * scale)) for side in luma.shape)
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(luma, (width, height), interpolation=method), np.uint8)


def tile_grid(width: int, height: int) -> list[Tile]:
    """Return the tiles that cover a scaled frame, evenly spread."""
    columns, rows = _starts(width, FRAME_WIDTH), _starts(height, FRAME_HEIGHT)
    return [Tile(left, top) for top in rows for left in columns]


def _starts(side: int, tile: int) -> list[int]:
    spare = side - tile
    if spare <= 0:
        return [0]
    count = math.ceil(spare / (tile * STEP)) + 1
    return [round(spare * index / (count - 1)) for index in range(count)]


def cut(luma: NDArray[np.uint8], tile: Tile) -> NDArray[np.uint8]:
    """Return one tile of a scaled frame as the proposer takes it: 120 x 160, black where the frame ends."""
    part = luma[tile.top : tile.top + FRAME_HEIGHT, tile.left : tile.left + FRAME_WIDTH]
    if part.shape == (FRAME_HEIGHT, FRAME_WIDTH):
        return part
    result = np.zeros((FRAME_HEIGHT, FRAME_WIDTH), np.uint8)
    result[: part.shape[0], : part.shape[1]] = part
    return result
