"""Faces in a frame: what a detector finds, and the geometry of boxes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from fer_edge.preprocess import Box

Rows = NDArray[np.int64]
"""Boxes as N x 4: x, y, w, h."""

SAME_FACE = 0.3
"""Intersection over union from which two boxes are of one face."""

FACES_IN_VIDEO = 100
"""Of one frame at most, so that a crowd does not stop the loop; see `foremost`."""

FACES_IN_IMAGE = 1000
"""Of one image at most, which has more time."""

Landmarks = tuple[tuple[float, float], ...]
"""Five points (x, y) in pixels: the eye at the left of the frame, the eye at its right, the tip of the nose, the corner
of the mouth at the left, the corner at the right. They may lie outside the frame."""


@dataclasses.dataclass(frozen=True)
class Detection:
    """A face found in one frame.

    Attributes:
        box: in pixels of the source frame, inside it.
        score: how sure the detector is, in 0..1. 0 says that it did not find the face: the face was followed here
            by template matching.
        landmarks: of the face, in pixels of the source frame; None where the detector has none.
        verified: whether the score means the same in every frame, as after a close look. A quick search for a known
            face sets False.
    """

    box: Box
    score: float
    landmarks: Landmarks | None = None
    verified: bool = True

    @property
    def detected(self) -> bool:
        """Whether the detector found the face here; a face that was only followed is not detected."""
        return self.score > 0

    def resized(self, factor: float, width: int, height: int) -> Detection:
        """Return the detection in a frame of `width` x `height` that is `factor` times as large."""
        return dataclasses.replace(
            self, box=clip(scaled(self.box, factor), width, height), landmarks=scaled_landmarks(self.landmarks, factor)
        )


def scaled_landmarks(landmarks: Landmarks | None, factor: float) -> Landmarks | None:
    """Return the landmarks in a frame that is `factor` times as large."""
    return landmarks and tuple((x * factor, y * factor) for x, y in landmarks)


def area(box: Box) -> int:
    """Return the area of a box in pixels."""
    return box.w * box.h


def intersection(a: Box, b: Box) -> int:
    """Return the area that two boxes share, in pixels."""
    w = min(a.x + a.w, b.x + b.w) - max(a.x, b.x)
    h = min(a.y + a.h, b.y + b.h) - max(a.y, b.y)
    return max(w, 0) * max(h, 0)


def iou(a: Box, b: Box) -> float:
    """Return intersection over union, in 0..1."""
    shared = intersection(a, b)
    return shared / (area(a) + area(b) - shared)


def shared(a: Box, b: Box) -> float:
    """Return the area that two boxes share, as a part of the smaller one's."""
    return intersection(a, b) / min(area(a), area(b))


def as_rows(boxes: Sequence[Box]) -> Rows:
    """Return boxes as N x 4."""
    return np.array(boxes, np.int64).reshape(-1, 4)


def areas(rows: Rows) -> NDArray[np.int64]:
    """Return the area of each of N boxes in pixels."""
    return rows[:, 2] * rows[:, 3]


def intersections(a: Rows, b: Rows) -> NDArray[np.int64]:
    """Return the area that each of N boxes shares with each of M others, N x M, in pixels."""
    ends = np.minimum((a[:, :2] + a[:, 2:])[:, None], b[:, :2] + b[:, 2:])
    sides = np.maximum(ends - np.maximum(a[:, None, :2], b[:, :2]), 0)
    common: NDArray[np.int64] = sides[:, :, 0] * sides[:, :, 1]
    return common


def ious(a: Rows, b: Rows) -> NDArray[np.float64]:
    """Return intersection over union of each of N boxes with each of M others, N x M."""
    common = intersections(a, b)
    return common / (areas(a)[:, None] + areas(b) - common)


def shares(a: Rows, b: Rows) -> NDArray[np.float64]:
    """Return the area that each of N boxes shares with each of M others as a part of the smaller one's, N x M."""
    return intersections(a, b) / np.minimum(areas(a)[:, None], areas(b))


def first_of_each(boxes: Sequence[Box], same: Callable[[Rows, Rows], NDArray[np.bool_]]) -> list[int]:
    """Return the indices of boxes that remain when each that is the same as an earlier one is dropped.

    Args:
        boxes: the best first.
        same: says of N boxes and M others which are the same, N x M.
    """
    rows, left, kept = as_rows(boxes), np.arange(len(boxes)), []
    while left.size:
        first, left = int(left[0]), left[1:]
        kept.append(first)
        if left.size:
            left = left[~same(rows[[first]], rows[left])[0]]
    return kept


def foremost(detections: Sequence[Detection], most: int) -> list[Detection]:
    """Return the `most` largest and surest detections, in their order; a face that is followed counts as sure."""
    if len(detections) <= most:
        return list(detections)
    ranks = [area(found.box) * (found.score if found.detected else 1.0) for found in detections]
    return [detections[index] for index in sorted(np.argsort(np.negative(ranks), kind="stable")[:most].tolist())]


def union(a: Box, b: Box) -> Box:
    """Return the smallest box that holds both."""
    x, y = min(a.x, b.x), min(a.y, b.y)
    return Box(x, y, max(a.x + a.w, b.x + b.w) - x, max(a.y + a.h, b.y + b.h) - y)


def scaled(box: Box, factor: float) -> Box:
    """Return the box in a frame that is `factor` times as large, at least one pixel."""
    return Box(
        round(box.x * factor), round(box.y * factor), max(round(box.w * factor), 1), max(round(box.h * factor), 1)
    )


def move(box: Box, right: int, down: int) -> Box:
    """Return the box that many pixels further."""
    return Box(box.x + right, box.y + down, box.w, box.h)


def contains_centre(outer: Box, inner: Box) -> bool:
    """Say whether the centre of `inner` lies in `outer`."""
    x, y = inner.x + inner.w / 2, inner.y + inner.h / 2
    return outer.x <= x < outer.x + outer.w and outer.y <= y < outer.y + outer.h


def clip(box: Box, width: int, height: int) -> Box:
    """Return the part of the box inside a frame of `width` x `height`, at least one pixel."""
    x, y = min(max(box.x, 0), width - 1), min(max(box.y, 0), height - 1)
    return Box(x, y, max(min(box.x + box.w, width) - x, 1), max(min(box.y + box.h, height) - y, 1))


def grow(box: Box, margin: int, width: int, height: int) -> Box:
    """Return the box with `margin` pixels more on each side, cut to a frame of `width` x `height`."""
    x, y = max(box.x - margin, 0), max(box.y - margin, 0)
    right, bottom = min(box.x + box.w + margin, width), min(box.y + box.h + margin, height)
    return Box(x, y, right - x, bottom - y)


def merge_boxes(boxes: list[Box]) -> list[Box]:
    """Replace boxes by their union where it is no larger than their areas together, that is, as cheap to search."""
    merged, alive = np.zeros((len(boxes), 4), np.int64), np.zeros(len(boxes), bool)
    for count, box in enumerate(as_rows(boxes)):
        others = merged[:count]
        while True:
            starts = np.minimum(others[:, :2], box[:2])
            sides = np.maximum(others[:, :2] + others[:, 2:], box[:2] + box[2:]) - starts
            fits = alive[:count] & (sides[:, 0] * sides[:, 1] <= areas(others) + box[2] * box[3])
            if not fits.any():
                break
            partner = fits.argmax()
            alive[partner] = False
            box = np.concatenate([starts[partner], sides[partner]])
        merged[count], alive[count] = box, True
    return [Box(*row) for row in merged[alive].tolist()]
