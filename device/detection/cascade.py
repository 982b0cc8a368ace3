"""Frontal faces by OpenCV's Haar cascade (Viola and Jones 2001; Lienhart and Maydt 2002).

A cascade slides a window over the frame at every size. Nearly all of its time goes into the smallest
windows, so `HaarCascade.detect` searches the whole frame for large faces only, and for small ones where
there is skin. It searches for the large ones coarsely, in a frame of half the size. It then verifies what looks
like a face there, with the windows that a search of the whole frame has.

OpenCV moves the window by two pixels of the shrunken frame as long as that is at least half the size
of the one it was given, else by one. `HaarCascade.detect_near` makes use of it: in a frame where the
face is little larger than the window, it costs a quarter, and a quarter as many windows agree on a face.

How many windows agree on a face stays in this file: `score` turns the number into the score of a `Detection`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_edge.device.detection.skin import Regions, large_side
from fer_edge.device.faces import SAME_FACE, Detection, clip, first_of_each, grow, iou, move, scaled, shares
from fer_edge.device.frame import Frame, Plane
from fer_edge.device.opencv import cv2
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

SIDES_STEP = 1.2
SIDES = tuple(round(SMALLEST * SIDES_STEP**k) for k in range(4))
"""Sides of the windows that together find faces of one to two times `SMALLEST`, coarsely.

Half as many as `SCALE_STEP` makes: a face agrees with windows a good tenth larger or smaller than itself.
"""

NEAR_SIDE = 28
"""Side to which `HaarCascade.detect_near` shrinks a face, in pixels: it leaves room for the face to become smaller."""

MIN_VOTES = 5
"""More windows than these must agree on a face."""

HALF_SURE_VOTES = 3
"""Windows whose agreement has a score of one half; see `score`."""

GROUPING = 0.2
"""How far the corners of agreeing windows may lie apart, as a share of their size (OpenCV's own value)."""

CONTAINMENT = 0.5
"""Two boxes that share more than this part of the smaller one are one face; the one with the higher score stays."""


def score(votes: int) -> float:
    """Return the score in 0..1 of a face on which so many windows agree: votes / (votes + 3).

    It grows with the votes and never reaches 1. The fewest that make a face, 6, have 0.67, 10 have 0.77 and 30 have
    0.91. `fer_edge.device.tracking.tracker.SURE_SCORE` lies between 9 and 10 votes.
    """
    return votes / (votes + HALF_SURE_VOTES)


def find_cascade() -> Path:
    """Return the file of the frontal-face cascade.

    Raises:
        MissingExtraError: this OpenCV has no cascades, or their data are nowhere to be found.
    """
    if not hasattr(cv2, "CascadeClassifier"):
        raise MissingExtraError(
            f"OpenCV {cv2.__version__} has no CascadeClassifier, it went with version 5; search with --detector face, "
            "or install an older one with: pip install 'opencv-python-headless<5'"
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
    """Finds upright frontal faces of at least `smallest` pixels; one of the detectors of the module ``detector``."""

    def __init__(self, smallest: int = SMALLEST) -> None:
        """Load the cascade.

        Args:
            smallest: side of the smallest face to find, in pixels; below 24 counts as 24.

        Raises:
            MissingExtraError: see `find_cascade`.
        """
        path = find_cascade()
        self._cascade = _load(path)
        # OpenCV prepares its features again whenever the number of sizes changes, which costs as much as `detect_near`;
        # a search of one place has several, one for candidates has one.
        self._places = _load(path)
        self.smallest = max(smallest, SMALLEST)

    def detect(self, frame: Frame, regions: Regions) -> list[Detection]:
        """Return the faces of a frame, left to right.

        Args:
            frame: only its luma is read.
            regions: the boxes to search for small faces, or the reason to search everywhere.
        """
        if regions.search_all:
            faces = group_windows(self._windows(frame.y, self.smallest), frame.width, frame.height)
        else:
            large = max(large_side(*frame.y.shape), self.smallest)
            faces = self._large(frame, large) + self._small(frame, regions.boxes, large - 1)
        return sorted(suppress_overlaps(faces), key=lambda face: face.box)

    def _large(self, frame: Frame, smallest: int) -> list[Detection]:
        """Search the whole frame coarsely, and verify what looks like a face."""
        height, width = frame.y.shape
        half = cv2.resize(frame.y, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
        side = max(smallest // 2, SMALLEST)
        places = self._cascade.detectMultiScale(half, SCALE_STEP, 1, 0, (side, side))
        boxes = [scaled(Box(*place), 2) for place in np.reshape(places, (-1, 4)).tolist()]
        found = [face for box in boxes if (face := self.verify(frame.y, box)) and face.box.w >= self.smallest]
        return [Detection(clip(face.box, frame.width, frame.height), face.score) for face in found]

    def _small(self, frame: Frame, boxes: Sequence[Box], largest: int) -> list[Detection]:
        """Search regions for faces of at most `largest` pixels."""
        if largest < self.smallest or not boxes:
            return []
        found = [
            self._windows(frame.y[y : y + h, x : x + w], self.smallest, largest) + np.array((x, y, 0, 0), np.int32)
            for x, y, w, h in boxes
        ]
        return group_windows(np.concatenate(found), frame.width, frame.height)

    def verify(self, luma: Plane, box: Box) -> Detection | None:
        """Look at one place as closely as `detect` does: with the same windows and threshold.

        Args:
            luma: the whole frame.
            box: where a face may be.

        Returns:
            The surest face of about that size there, if any.
        """
        side = max(box.w, box.h)
        # With a margin of a half, the largest windows still have room to move, so that votes are not lost.
        x, y, w, h = grow(box, side // 2, luma.shape[1], luma.shape[0])
        smallest = max(round(side * 0.75), self.smallest)
        there = move(box, -x, -y)
        found = self._surest(luma[y : y + h, x : x + w], there, MIN_VOTES, smallest, round(side * 1.35))
        return found and Detection(move(found.box, x, y), found.score)

    def detect_near(self, luma: Plane, box: Box) -> Detection | None:
        """Search one place quickly, for a face that is known to be about there.

        Args:
            luma: a frame in which the face has at least `SMALLEST` pixels; the fewer, the better.
            box: where it should be, in pixels of `luma`, inside it.

        Returns:
            The surest face there, if any, not verified; two windows are enough.
        """
        side = max(box.w, box.h)
        x, y, w, h = grow(box, side // 4, luma.shape[1], luma.shape[0])
        shrink = min(NEAR_SIDE / side, 1.0)
        size = (max(round(w * shrink), 1), max(round(h * shrink), 1))
        small = cv2.resize(luma[y : y + h, x : x + w], size, interpolation=cv2.INTER_AREA)
        there = scaled(move(box, -x, -y), shrink)
        found = self._surest(small, there, 1, SMALLEST, round(side * shrink * 1.25))
        return found and Detection(move(scaled(found.box, 1 / shrink), x, y), found.score, verified=False)

    def _surest(self, luma: Plane, there: Box, votes: int, smallest: int, largest: int) -> Detection | None:
        """Return the surest face in `there`; one beside it, in a crowd, is another."""
        found, counts = self._places.detectMultiScale2(
            luma, SCALE_STEP, votes, 0, (smallest, smallest), (largest, largest)
        )
        faces = [
            Detection(Box(*place), score(int(count)))
            for place, count in zip(np.reshape(found, (-1, 4)).tolist(), np.ravel(counts).tolist(), strict=True)
        ]
        return max((f for f in faces if iou(f.box, there) >= SAME_FACE), key=lambda f: f.score, default=None)

    def candidates(self, luma: Plane, area: Box, side: int) -> list[Box]:
        """Look through a part of a frame with windows of one size; see `SIDES`.

        Args:
            luma: a frame shrunk so that the faces sought have `side` pixels.
            area: the part, inside it.
            side: one of `SIDES`.

        Returns:
            The windows that look like a face, in pixels of `luma`; many lie on one another.
        """
        x, y, w, h = area
        # The step leads from the window to `side`, which would be missed by a rounding error otherwise.
        step = max(side / SMALLEST, SIDES_STEP)
        found = self._cascade.detectMultiScale(luma[y : y + h, x : x + w], step, 0, 0, (side, side), (side, side))
        return [Box(x + left, y + top, w, h) for left, top, w, h in np.asarray(found).tolist()]

    def _windows(self, luma: Plane, smallest: int, largest: int = 0) -> NDArray[np.int32]:
        found = self._cascade.detectMultiScale(
            luma, SCALE_STEP, 0, 0, (smallest, smallest), (largest, largest) if largest else None
        )
        return np.asarray(found, np.int32).reshape(-1, 4)


def _load(path: Path) -> cv2.CascadeClassifier:
    cascade = cv2.CascadeClassifier()
    try:
        loaded = cascade.load(str(path))
    except cv2.error:
        loaded = False
    if not loaded:
        raise MissingExtraError(f"{path}: OpenCV cannot load this cascade, it is damaged; install OpenCV again")
    return cascade


def group_windows(windows: NDArray[np.int32], width: int, height: int) -> list[Detection]:
    """Turn agreeing windows into faces.

    Args:
        windows: N x 4 of x, y, w, h.
        width: of the frame, to which boxes are clipped; a padded edge is no part of it.
        height: likewise.
    """
    boxes, votes = cv2.groupRectangles(windows.tolist(), MIN_VOTES, GROUPING)
    detections = []
    for (x, y, w, h), count in zip(np.reshape(boxes, (-1, 4)).tolist(), np.ravel(votes).tolist(), strict=True):
        box = Box(x, y, min(w, width - x), min(h, height - y))
        detections.append(Detection(box, score(int(count))))
    return detections


def suppress_overlaps(detections: list[Detection]) -> list[Detection]:
    """Keep one of each group of boxes on the same face, surest first.

    The cascade also answers to a head with its hair and to the middle of a face. Such boxes lie one in
    the other, so that their overlap is measured by the smaller one, which an overlap by union misses.
    """
    surest = sorted(detections, key=lambda d: -d.score)
    kept = first_of_each([d.box for d in surest], lambda box, others: shares(box, others) > CONTAINMENT)
    return [surest[index] for index in kept]
