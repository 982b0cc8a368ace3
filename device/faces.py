"""Faces as boxes in a picture: what a detector finds, and the geometry of it."""

from __future__ import annotations

import dataclasses

from fer_edge.preprocess import Box

SAME_FACE = 0.3
"""Intersection over union from which two boxes are of one face."""


@dataclasses.dataclass(frozen=True)
class Detection:
    """A face found in one picture.

    Attributes:
        box: in pixels of the source picture, inside it.
        votes: number of windows that agreed on it, more is surer; 0 if it was not found but followed.
        close: found by a close look, whose votes mean the same in every picture.
    """

    box: Box
    votes: int
    close: bool = True


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


def union(a: Box, b: Box) -> Box:
    """Return the smallest box that holds both."""
    x, y = min(a.x, b.x), min(a.y, b.y)
    return Box(x, y, max(a.x + a.w, b.x + b.w) - x, max(a.y + a.h, b.y + b.h) - y)


def scaled(box: Box, factor: float) -> Box:
    """Return the box in a picture that is `factor` times as large, at least one pixel."""
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
    """Return the part of the box inside a picture of `width` x `height`, at least one pixel."""
    x, y = min(max(box.x, 0), width - 1), min(max(box.y, 0), height - 1)
    return Box(x, y, max(min(box.x + box.w, width) - x, 1), max(min(box.y + box.h, height) - y, 1))


def grow(box: Box, margin: int, width: int, height: int) -> Box:
    """Return the box with `margin` pixels more on each side, cut to a picture of `width` x `height`."""
    x, y = max(box.x - margin, 0), max(box.y - margin, 0)
    right, bottom = min(box.x + box.w + margin, width), min(box.y + box.h + margin, height)
    return Box(x, y, right - x, bottom - y)


def merge_boxes(boxes: list[Box]) -> list[Box]:
    """Replace boxes by their union where it is no larger than their areas together, that is, as cheap to search."""
    merged: list[Box] = []
    for box in boxes:
        while partner := next((m for m in merged if area(union(m, box)) <= area(m) + area(box)), None):
            merged.remove(partner)
            box = union(partner, box)
        merged.append(box)
    return merged
