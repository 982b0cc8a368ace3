"""Parts of a frame at several scales, each as large as the proposer's input."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from numpy.typing import NDArray

import fer_edge.images  # noqa: F401  # whose limit of pixels OpenCV reads when it is loaded
from fer_edge.faces.grid import FRAME_HEIGHT, FRAME_WIDTH
from fer_edge.faces.upright import halved
from fer_edge.lazy import require

cv2 = require("cv2", "device")

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


def scaled_size(width: int, height: int, scale: float) -> tuple[int, int]:
    """Return width and height of a scaled frame, at least a pixel each."""
    return max(1, round(width * scale)), max(1, round(height * scale))


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


def cut(luma: NDArray[np.uint8], tile: Tile, scale: float) -> NDArray[np.uint8]:
    """Return one tile of a frame as the proposer takes it: 120 x 160, black where the frame ends.

    Args:
        luma: H x W, the frame as it is.
        tile: in pixels of the scaled frame.
        scale: pixels of the scaled frame per pixel of `luma`.
    """
    width, height = scaled_size(luma.shape[1], luma.shape[0], scale)
    columns, rows = min(FRAME_WIDTH, width - tile.left), min(FRAME_HEIGHT, height - tile.top)
    left, top = round(tile.left / scale), round(tile.top / scale)
    right, bottom = (round((start + side) / scale) for start, side in ((tile.left, columns), (tile.top, rows)))
    part = luma[top : max(bottom, top + 1), left : max(right, left + 1)]
    shown = resized(part, columns, rows)
    if shown.shape == (FRAME_HEIGHT, FRAME_WIDTH):
        return shown
    result = np.zeros((FRAME_HEIGHT, FRAME_WIDTH), np.uint8)
    result[:rows, :columns] = shown
    return result


def resized(luma: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """Return luma at another size: halved as often as it goes, then interpolated.

    OpenCV halves in a tenth of the time that its exact mean over other areas takes. An odd row or column is left out.
    """
    while luma.shape[1] >= 2 * width and luma.shape[0] >= 2 * height:
        luma = halved(luma, 1)
    if luma.shape == (height, width):
        return luma
    return np.asarray(cv2.resize(luma, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
