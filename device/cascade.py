"""Frontal faces by OpenCV's Haar cascade (Viola and Jones 2001; Lienhart and Maydt 2002).

A cascade slides a window over the picture at every size. Nearly all of its time goes into the smallest
windows, so a normal pass searches the whole picture for large faces only, and for small ones where
there is skin. The windows of all passes are grouped together, so that a face counts the same wherever
its windows were found.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_edge.device.boxes import intersection
from fer_edge.device.frame import Frame, Plane
from fer_edge.device.opencv import cv2
from fer_edge.device.skin import Regions, large_side
from fer_edge.errors import MissingExtraError
from fer_edge.preprocess import Box

FILE = "haarcascade_frontalface_default.xml"

FOLDERS = (
    "/usr/share/opencv4/haarcascades",
    "/usr/local/share/opencv4/haarcascades",
    "/usr/share/opencv/haarcascades",
    "/usr/local/share/opencv/haarcascades",
)
"""Where distributions put the cascades; OpenCV's wheels bring their own."""

SMALLEST = 24
"""Side of the cascade's window, which is the smallest face it can find, in pixels."""

SCALE_STEP = 1.1
"""Ratio of one window size to the next."""

MIN_VOTES = 5
"""More windows than these must agree on a face."""

GROUPING = 0.2
"""How far the corners of agreeing windows may lie apart, as a share of their size (OpenCV's own value)."""

OVERLAP = 0.5
"""Two boxes that share more than this part of the smaller one are one face; the one with more votes stays."""


@dataclasses.dataclass(frozen=True)
class Detection:
    """A face found in one picture.

    Attributes:
        box: in pixels of the source picture, inside it.
        votes: number of windows that agreed on it, more is surer.
    """

    box: Box
    votes: int


def find_cascade() -> Path:
    """Return the file of the frontal-face cascade.

    Raises:
        MissingExtraError: this OpenCV has no cascades, or their data are nowhere to be found.
    """
    if not hasattr(cv2, "CascadeClassifier"):
        raise MissingExtraError(
            f"OpenCV {cv2.__version__} has no CascadeClassifier, it went with version 5; "
            "install an older one with: pip install 'opencv-python-headless<5'"
        )
    wheel = getattr(getattr(cv2, "data", None), "haarcascades", None)
    folders = [Path(folder) for folder in ((wheel,) if wheel else ()) + FOLDERS]
    for folder in folders:
        if (folder / FILE).is_file():
            return folder / FILE
    raise MissingExtraError(
        f"{FILE} is in none of {', '.join(map(str, folders))}; install it with: sudo apt install opencv-data"
    )


class HaarCascade:
    """Finds upright frontal faces of at least `smallest` pixels."""

    def __init__(self, smallest: int = SMALLEST) -> None:
        """Load the cascade.

        Args:
            smallest: side of the smallest face to find, in pixels; below 24 counts as 24.

        Raises:
            MissingExtraError: see `find_cascade`.
        """
        path = find_cascade()
        self._cascade = cv2.CascadeClassifier()
        try:
            loaded = self._cascade.load(str(path))
        except cv2.error:
            loaded = False
        if not loaded:
            raise MissingExtraError(f"{path}: OpenCV cannot load this cascade, it is damaged; install OpenCV again")
        self.smallest = max(smallest, SMALLEST)

    def detect(self, frame: Frame, regions: Regions) -> list[Detection]:
        """Return the faces of a picture, left to right.

        Args:
            frame: only its luma is read.
            regions: the boxes to search for small faces, or the reason to search everywhere.
        """
        if regions.search_all:
            windows = self._windows(frame.y, self.smallest)
        else:
            large = max(large_side(*frame.y.shape), self.smallest)
            passes = [self._windows(frame.y, large)]
            if large > self.smallest:
                for x, y, w, h in regions.boxes:
                    found = self._windows(frame.y[y : y + h, x : x + w], self.smallest, large - 1)
                    passes.append(found + np.array((x, y, 0, 0), np.int32))
            windows = np.concatenate(passes)
        faces = suppress_overlaps(group_windows(windows, frame.width, frame.height))
        return sorted(faces, key=lambda face: face.box)

    def _windows(self, luma: Plane, smallest: int, largest: int = 0) -> NDArray[np.int32]:
        found = self._cascade.detectMultiScale(
            luma, SCALE_STEP, 0, 0, (smallest, smallest), (largest, largest) if largest else None
        )
        return np.asarray(found, np.int32).reshape(-1, 4)


def group_windows(windows: NDArray[np.int32], width: int, height: int) -> list[Detection]:
    """Turn agreeing windows into faces.

    Args:
        windows: N x 4 of x, y, w, h.
        width: of the picture, to which boxes are clipped; a padded edge is no part of it.
        height: likewise.
    """
    boxes, votes = cv2.groupRectangles(windows.tolist(), MIN_VOTES, GROUPING)
    detections = []
    for (x, y, w, h), count in zip(np.reshape(boxes, (-1, 4)).tolist(), np.ravel(votes).tolist(), strict=True):
        box = Box(x, y, min(w, width - x), min(h, height - y))
        detections.append(Detection(box, int(count)))
    return detections


def suppress_overlaps(detections: list[Detection]) -> list[Detection]:
    """Keep one of each heap of boxes on the same face, surest first.

    The cascade also answers to a head with its hair and to the middle of a face. Such boxes lie one in
    the other, so that their overlap is measured by the smaller one, which an overlap by union misses.
    """
    kept: list[Detection] = []
    for detection in sorted(detections, key=lambda d: -d.votes):
        if all(_shared(detection.box, other.box) <= OVERLAP for other in kept):
            kept.append(detection)
    return kept


def _shared(a: Box, b: Box) -> float:
    return intersection(a, b) / min(a.w * a.h, b.w * b.h)
