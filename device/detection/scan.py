"""A round: the search of the whole picture for new faces, cut into pieces of about the same cost."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Iterable, Iterator

from fer_edge.device.detection.cascade import SIDES
from fer_edge.preprocess import Box

STRIP = 2500
"""Positions of the window in one piece, a third of a millisecond on a desktop processor."""


@dataclasses.dataclass(frozen=True)
class Piece:
    """A part of a picture to search with windows of one size.

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


def pieces(level: int, area: Box, smallest: float) -> Iterator[Piece]:
    """Cut the search of an area on one level, for all sizes of the window, into strips that miss nothing.

    Args:
        level: of the pyramid.
        area: in pixels of that level.
        smallest: side of the smallest face sought there.
    """
    for side in SIDES:
        if side < smallest or side > min(area.w, area.h):
            continue
        whole = Piece(level, area, side)
        strips = -(-whole.positions // STRIP)
        rows = area.h - side
        for strip in range(strips):
            first, last = rows * strip // strips, rows * (strip + 1) // strips
            yield Piece(level, Box(area.x, area.y + first, area.w, last - first + side), side)


class Round:
    """Hands out the pieces of a round as time goes by."""

    def __init__(self, seconds: float, longest_step: float) -> None:
        """Start with nothing to do.

        Args:
            seconds: how long a round takes.
            longest_step: part of a round that is handed out at once, at most.
        """
        self._seconds = seconds
        self._longest_step = longest_step
        self._left: deque[Piece] = deque()
        self._positions = 0
        self._credit = 0.0

    @property
    def done(self) -> bool:
        """Whether every piece was handed out."""
        return not self._left

    def begin(self, work: Iterable[Piece]) -> None:
        """Begin anew, largest faces first as they come in `work`."""
        self._left = deque(work)
        self._positions = sum(piece.positions for piece in self._left)
        self._credit = 0.0

    def take(self, elapsed: float) -> Iterator[Piece]:
        """Yield what is due `elapsed` seconds after the last time; infinity yields all that is left."""
        share = min(elapsed / self._seconds, self._longest_step) if elapsed < float("inf") else 1.0
        self._credit += self._positions * share
        while self._left and self._credit > 0:
            piece = self._left.popleft()
            self._credit -= piece.positions
            yield piece
