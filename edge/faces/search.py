"""The proposer on a whole frame and on finer tiles of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from fer_edge.faces.grid import decode
from fer_edge.faces.squares import suppress
from fer_edge.faces.tiles import Tile, cut, fit_scale, scaled_size, tile_grid

Proposer = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""From N x 120 x 160 uint8 to N x (cells * 4) float32."""
LARGEST_IN_TILE = 80.0
"""Side in pixels of the scaled frame: larger faces are found whole at half the scale."""


def propose(
    proposer: Proposer, luma: NDArray[np.uint8], factors: Sequence[int], threshold: float
) -> NDArray[np.float32]:
    """Return the squares that the proposer suggests in a frame of any size.

    Args:
        proposer: the network.
        luma: H x W.
        factors: scales to look at, as multiples of the one that fits the frame into 160 x 120; 1 is the whole frame.
        threshold: least score, 0..1.

    Returns:
        N x 4 float32: centre right and down, side in pixels of the frame, score; after NMS, best first.
    """
    height, width = luma.shape
    found = [np.zeros((0, 4), np.float32)]
    for factor in factors:
        scale = fit_scale(width, height) * factor
        tiles = tile_grid(*scaled_size(width, height, scale))
        found.append(propose_in(proposer, luma, tiles, scale, factor > 1, threshold))
    squares = np.concatenate(found)
    return squares[suppress(squares)]


def propose_in(
    proposer: Proposer,
    luma: NDArray[np.uint8],
    tiles: Sequence[Tile],
    scale: float,
    fine: bool,
    threshold: float,
) -> NDArray[np.float32]:
    """Return what the proposer suggests in some tiles of a frame, several times where tiles overlap.

    Args:
        proposer: the network.
        luma: the frame, H x W.
        tiles: which parts of it.
        scale: pixels that the tiles are counted in per pixel of the frame.
        fine: whether a coarser scale is searched as well, which finds the large faces.
        threshold: least score, 0..1.

    Returns:
        N x 4 float32: centre right and down, side in pixels of the frame, score.
    """
    found = [np.zeros((0, 4), np.float32)]
    if tiles:
        outputs = proposer(np.stack([cut(luma, tile, scale) for tile in tiles]))
        for tile, output in zip(tiles, outputs, strict=True):
            squares = decode(output, threshold)
            if fine:
                squares = squares[squares[:, 2] < LARGEST_IN_TILE]
            squares[:, :2] += (tile.left, tile.top)
            squares[:, :3] /= scale
            found.append(squares)
    return np.concatenate(found)
