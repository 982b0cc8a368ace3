"""The search of each frame by itself: for images, and for detectors that know no other way."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter

from fer_edge.device.detection.detector import FaceDetector, Found
from fer_edge.device.detection.skin import SkinSegmentation
from fer_edge.device.faces import Detection, area, scaled
from fer_edge.device.frame import Frame, shrunk
from fer_edge.device.tracking.tracker import Track
from fer_edge.faces.photo import SEARCH_PIXELS


class ImageSearch:
    """Asks a detector for the faces of every frame."""

    def __init__(self, detector: FaceDetector, skin: SkinSegmentation) -> None:
        self._detector = detector
        self._skin = skin

    def find(self, frame: Frame, tracks: Sequence[Track]) -> Found:
        """Return what the detector finds in the regions of `frame`; see `Search`."""
        start = perf_counter()
        small = shrunk(frame, SEARCH_PIXELS)
        regions = self._skin.propose(small, [scaled(track.box, small.width / frame.width) for track in tracks])
        skin = perf_counter() - start
        detections = in_frame(self._detector.detect(small, regions), small, frame)
        parts = sum(map(area, regions.boxes)) / small.y.size
        return Found(detections, 1.0 + parts, bool(regions.search_all), skin)

    def reset(self) -> None:
        """Forget nothing, as nothing is remembered."""


def in_frame(detections: list[Detection], small: Frame, frame: Frame) -> list[Detection]:
    """Return what was found in `small`, a smaller copy of a frame, in pixels of `frame`."""
    if small is frame:
        return detections
    return [found.resized(frame.width / small.width, frame.width, frame.height) for found in detections]
