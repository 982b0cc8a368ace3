"""How much the scene changes, from a thumbnail of its luma."""

from __future__ import annotations

from fer_edge.device.frame import Plane
from fer_edge.device.opencv import cv2

SIZE = (32, 24)
"""Width and height of the thumbnail."""

CUT = 24.0
"""Mean difference of successive thumbnails, in grey levels, from which the picture shows another scene."""

STILL = 6.0
"""Largest difference of a thumbnail's pixel below which nothing came into the scene; noise averages out in it."""


class Changes:
    """Compares each picture with the one before, and with one that was marked."""

    def __init__(self) -> None:
        self._now: Plane | None = None
        self._before: Plane | None = None
        self._marked: Plane | None = None

    def add(self, luma: Plane) -> None:
        """Take in the next picture."""
        self._before, self._now = self._now, cv2.resize(luma, SIZE, dst=self._spare(), interpolation=cv2.INTER_AREA)

    def _spare(self) -> Plane | None:
        return self._before if self._before is not self._marked else None

    @property
    def cut(self) -> bool:
        """Whether the picture has little in common with the one before, or is the first."""
        if self._before is None:
            return True
        return bool(cv2.norm(self._now, self._before, cv2.NORM_L1) > CUT * SIZE[0] * SIZE[1])

    @property
    def still(self) -> bool:
        """Whether nothing has changed since `mark`."""
        return self._marked is not None and bool(cv2.norm(self._now, self._marked, cv2.NORM_INF) < STILL)

    def mark(self) -> None:
        """Remember the present picture for `still`."""
        self._marked = self._now
