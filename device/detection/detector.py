"""What every face detector has in common, so that the loop need not know which one it has.

A detector finds the faces of one frame: `FaceDetector`, which `HaarCascade` and `YuNet` are. A search finds those of
one frame after the other and may use what it knows of the frames before: `Search`, which `ImageSearch` makes of any
detector and `SpreadSearch` of the cascade. Both answer with `Detection`: a box, a score in 0..1 that means
the same for all detectors, and five landmarks where the detector has them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Protocol

from fer_edge.device.detection.skin import Regions
from fer_edge.device.faces import Detection, Landmarks
from fer_edge.device.frame import Frame
from fer_edge.device.tracking.tracker import Track

__all__ = ["Detection", "FaceDetector", "Found", "Landmarks", "Search"]


class FaceDetector(Protocol):
    """Finds faces in one frame."""

    def detect(self, frame: Frame, regions: Regions) -> list[Detection]:
        """Return the faces of a frame, left to right, one detection each.

        Args:
            frame: only read.
            regions: where small faces need be searched for; a detector may search everywhere all the same.
        """


@dataclasses.dataclass(frozen=True)
class Found:
    """What the search of one frame brought.

    Attributes:
        detections: left to right, one of each face; known faces that were only followed have a score of 0.
        searched: area that was searched, as a share of the frame's; more than 1 where sizes were searched apart.
        full: a search of the whole frame ended with this one.
        skin: seconds spent on finding skin.
        left_out: places that look like a face and were too many to be looked at.
    """

    detections: list[Detection]
    searched: float
    full: bool
    skin: float
    left_out: int = 0


class Search(Protocol):
    """Finds the faces of the next frame."""

    def find(self, frame: Frame, tracks: Sequence[Track]) -> Found:
        """Return the faces of `frame`, given the tracks up to the frame before."""

    def reset(self) -> None:
        """Forget the frames before: the next one has another size or shows another scene."""
