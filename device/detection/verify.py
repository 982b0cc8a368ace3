"""Verifying: what the cascade says about places of the current frame, and how much of the frame that searches."""

from __future__ import annotations

import dataclasses

from fer_edge.device.detection.cascade import HaarCascade
from fer_edge.device.detection.pyramid import Pyramid
from fer_edge.device.detection.scan import Tile
from fer_edge.device.faces import Detection, area, clip, scaled
from fer_edge.device.frame import Plane
from fer_edge.preprocess import Box


class Verifier:
    """Asks the cascade about places of one frame after the other.

    Attributes:
        pyramid: the current frame and its smaller copies.
        smallest: side of the smallest face sought, in pixels of the frame.
        searched: area searched in the current frame, as a share of the frame's.
    """

    def __init__(self, cascade: HaarCascade) -> None:
        self._cascade = cascade
        self.pyramid = Pyramid()
        self.smallest = cascade.smallest
        self.searched = 0.0

    def start(self, luma: Plane) -> None:
        """Begin with the next frame."""
        self.pyramid.start(luma)
        self.searched = 0.0

    def verify(self, box: Box) -> Detection | None:
        """Look at one place as closely as a search of the whole frame does.

        Args:
            box: in pixels of the frame, inside it.
        """
        luma = self.pyramid.level(0)
        self.searched += 3 * area(box) / luma.size
        return self._cascade.verify(luma, box)

    def detect_near(self, box: Box) -> Detection | None:
        """Search one place quickly, in the smallest copy that will do.

        Args:
            box: in pixels of the frame, inside it.
        """
        level = self.pyramid.level_for(max(box.w, box.h))
        luma = self.pyramid.level(level)
        self.searched += 2 * area(box) / (luma.size * 4**level)
        found = self._cascade.detect_near(luma, clip(scaled(box, 0.5**level), luma.shape[1], luma.shape[0]))
        return found and dataclasses.replace(found, box=scaled(found.box, 2.0**level))

    def candidates(self, tile: Tile) -> list[Box]:
        """Return the windows of a tile that look like a face, in pixels of the frame; many lie on one another."""
        luma = self.pyramid.level(tile.level)
        self.searched += area(tile.area) / luma.size
        return [scaled(box, 2.0**tile.level) for box in self._cascade.candidates(luma, tile.area, tile.side)]
