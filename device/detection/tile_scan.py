"""When which tile of a video's frame is searched: soon where something moved, later where skin is, seldom elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fer_edge.faces.grid import FRAME_HEIGHT, FRAME_WIDTH
from fer_edge.faces.tiles import Tile, fit_scale, scaled_size, tile_grid
from fer_edge.preprocess import Box

MOVED_S = {2: 0.7, 4: 1.5}
"""Seconds after which a tile of a scale, in which something moved, is searched again."""
SKIN_S = {2: 2.0, 4: 6.0}
"""Seconds after which a tile is that shows skin."""
QUIET_S = {2: 5.0, 4: 20.0}
"""Seconds after which any other tile is."""
MOST_TILES = 3
"""Of each scale in one frame, however late it comes."""
SHARED = 0.3
"""Part of the smaller one of box and tile that lies in both where the box makes the tile interesting."""


class TileScan:
    """The tiles of one scale, handed out as time goes by."""

    def __init__(self, width: int, height: int, factor: int, time: float) -> None:
        """Lay tiles over the frames of a video.

        Args:
            width: of its frames in pixels.
            height: likewise.
            factor: scale, as a multiple of the one that fits a frame into the proposer's input.
            time: of the first frame, in seconds.
        """
        scale = fit_scale(width, height) * factor
        self.tiles = tile_grid(*scaled_size(width, height, scale))
        corners = np.array([(tile.left, tile.top) for tile in self.tiles]) / scale
        self._low, self._high = corners, corners + np.array([FRAME_WIDTH, FRAME_HEIGHT]) / scale
        self._factor, self._quiet = factor, QUIET_S[factor]
        self._periods = np.full(len(self.tiles), self._quiet)
        self._unseen = np.ones(len(self.tiles), bool)
        self._due, self._before, self._next = 0.0, time, time
        self._spread(time)

    def _spread(self, time: float) -> None:
        """Take the tiles for searched one after the other up to now, so that they do not fall due together."""
        count = len(self.tiles)
        self._searched = time - self._quiet * np.arange(1, count + 1) / (count + 1)
        self._periods[:] = self._quiet
        self._next = float((self._searched + self._periods).min())

    def mark(self, moved: Sequence[Box], skin: Sequence[Box]) -> None:
        """Note where faces may be, until the tiles there are searched.

        Args:
            moved: where something moved, in pixels of the frame.
            skin: where skin is.
        """
        areas = (self._high - self._low).prod(1)
        for boxes, seconds in ((skin, SKIN_S), (moved, MOVED_S)):
            for box in boxes:
                low, high = np.array(box[:2]), np.array(box[:2]) + box[2:]
                shared = np.clip(np.minimum(self._high, high) - np.maximum(self._low, low), 0, None).prod(1)
                self._periods[shared > SHARED * np.minimum(areas, box.w * box.h)] = seconds[self._factor]
        self._next = float((self._searched + self._periods).min())

    def take(self, time: float, haste: float = 1.0) -> list[Tile]:
        """Return the tiles that are due, those that are most overdue if there are many.

        Args:
            time: in seconds.
            haste: how many times as often as usual tiles are searched.
        """
        most = MOST_TILES * haste
        self._due = min(self._due + (time - self._before) * haste * len(self.tiles) / MOVED_S[self._factor], most)
        self._before = time
        if haste == 1 and time < self._next:
            return []
        late = (time - self._searched) * haste / self._periods
        return self._handed([int(index) for index in np.argsort(-late)[: int(self._due)] if late[index] >= 1], time)

    def _handed(self, chosen: list[int], time: float) -> list[Tile]:
        self._due -= len(chosen)
        self._searched[chosen] = time
        self._periods[chosen] = self._quiet
        self._unseen[chosen] = False
        self._next = float((self._searched + self._periods).min())
        return [self.tiles[index] for index in chosen]

    def take_all(self, time: float) -> list[Tile]:
        """Return all tiles."""
        self._spread(time)
        self._unseen[:] = False
        return self.tiles

    def ended(self) -> bool:
        """Return whether every tile was handed out since this was true last."""
        if self._unseen.any():
            return False
        self._unseen[:] = True
        return True
