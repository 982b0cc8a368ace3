"""Geometry of boxes in a picture."""

from __future__ import annotations

from fer_edge.preprocess import Box


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


def union(a: Box, b: Box) -> Box:
    """Return the smallest box that holds both."""
    x, y = min(a.x, b.x), min(a.y, b.y)
    return Box(x, y, max(a.x + a.w, b.x + b.w) - x, max(a.y + a.h, b.y + b.h) - y)


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
