"""Smaller and smaller copies of a frame's luma, made when they are asked for, in memory that is used again."""

from __future__ import annotations

import math

import numpy as np

from fer_edge.device.detection.cascade import SMALLEST
from fer_edge.device.frame import Plane
from fer_edge.device.opencv import cv2
from fer_edge.preprocess import Box

COVER = 128
"""Grey of what is painted over."""


class Pyramid:
    """Level 0 is the frame, each further one half as wide and high."""

    def __init__(self) -> None:
        self._buffers: list[Plane] = []
        self._planes: list[Plane] = []

    def start(self, luma: Plane) -> None:
        """Begin with the next frame; the levels of the one before become invalid."""
        if not self._planes or self._planes[0].shape != luma.shape:
            self._buffers = [luma]
            height, width = luma.shape
            while min(height, width) >= 2 * SMALLEST:
                height, width = height // 2, width // 2
                self._buffers.append(np.empty((height, width), np.uint8))
        self._planes = [luma]

    @property
    def levels(self) -> int:
        """Levels in which a window of the cascade has room."""
        return len(self._buffers)

    def shape(self, level: int) -> tuple[int, int]:
        """Return height and width of a level."""
        height, width = self._buffers[level].shape
        return height, width

    def level(self, level: int) -> Plane:
        """Return the luma of a level, valid until the next `start`."""
        while len(self._planes) <= level:
            buffer = self._buffers[len(self._planes)]
            size = (buffer.shape[1], buffer.shape[0])
            self._planes.append(cv2.resize(self._planes[-1], size, dst=buffer, interpolation=cv2.INTER_AREA))
        return self._planes[level]

    def cover(self, box: Box) -> None:
        """Paint over the middle of a face in all levels but the frame itself.

        The cascade rejects most windows at once, and spends most of its time on those that are a face.
        """
        left, right = max(box.x + box.w // 5, 0), max(box.x + box.w - box.w // 5, 0)
        top, bottom = max(box.y + box.h // 5, 0), max(box.y + box.h - box.h // 5, 0)
        for level in range(1, self.levels):
            self.level(level)[top >> level : bottom >> level, left >> level : right >> level] = COVER

    def level_for(self, side: float) -> int:
        """Return the level on which a face of `side` pixels has least pixels, but no fewer than a window needs."""
        return min(max(int(math.log2(max(side, 1) / (SMALLEST * 1.2))), 0), self.levels - 1)
