"""A scan: a search for new faces, cut into tiles of about the same cost and spread over several frames."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Iterable, Iterator

from fer_edge.device.detection.cascade import SIDES
from fer_edge.preprocess import Box

TILE_POSITIONS = 2500
"""Positions of the window in one tile, a third of a millisecond on a desktop processor."""


@dataclasses.dataclass(frozen=True)
class Tile:
    """A part of a frame to search with windows of one size.

    Attributes:
        level: of the pyramid.
        area: the part, in pixels of that level.
        side: of the window, one of `SIDES`.
    """

    level: int
    area: Box
    side: int

    @property
    def positions(self) -> int:
        """Places of the window, which is what the search costs."""
        step = 2 * self.side / SIDES[0]
        return max(int((self.area.w - self.side + step) * (self.area.h - self.side + step) / step**2), 1)


def tiles(level: int, area: Box, smallest: float) -> Iterator[Tile]:
    """Cut the search of an area on one level, for all sizes of the window, into strips that miss no window.

    Args:
        level: of the pyramid.
        area: in pixels of that level.
        smallest: side of the smallest face sought there.
    """
    for side in SIDES:
        if side < smallest or side > min(area.w, area.h):
            continue
        whole = Tile(level, area, side)
        strips = -(-whole.positions // TILE_POSITIONS)
        rows = area.h - side
        for strip in range(strips):
            first, last = rows * strip // strips, rows * (strip + 1) // strips
            yield Tile(level, Box(area.x, area.y + first, area.w, last - first + side), side)


class Scan:
    """Hands out the tiles of a scan as time goes by."""

    def __init__(self, seconds: float, longest_step: float) -> None:
        """Start with nothing to do.

        Args:
            seconds: how long a scan takes.
            longest_step: part of a scan that is handed out at once, at most.
        """
        self._seconds = seconds
        self._longest_step = longest_step
        self._left: deque[Tile] = deque()
        self._positions = 0
        self._credit = 0.0

    @property
    def done(self) -> bool:
        """Whether every tile was handed out."""
        return not self._left

    def begin(self, work: Iterable[Tile]) -> None:
        """Begin again, largest faces first as they come in `work`."""
        self._left = deque(work)
        self._positions = sum(tile.positions for tile in self._left)
        self._credit = 0.0

    def take(self, elapsed: float) -> Iterator[Tile]:
        """Yield what is due `elapsed` seconds after the last time; infinity yields all that is left."""
        share = min(elapsed / self._seconds, self._longest_step) if elapsed < float("inf") else 1.0
        self._credit += self._positions * share
        while self._left and self._credit > 0:
            tile = self._left.popleft()
            self._credit -= tile.positions
            yield tile
