"""Where the labels of faces go: beside their boxes, off all faces and off each other, inside the frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from fer_edge.device.faces import as_rows, intersection, intersections
from fer_edge.preprocess import Box

GAP = 2
"""Pixels between a box and its label."""

ROWS = 4
"""Labels that may be stacked above or below a box in a crowd."""

MOST = 30
"""Faces up to which labels keep off what they would cover; in a larger crowd there is no room, and it takes long."""

Size = tuple[int, int]
"""Width and height of a label in pixels."""


def place_labels(faces: Sequence[Box], sizes: Sequence[Size], frame: Size) -> list[Box]:
    """Return the place of each face's label, in pixels of the frame.

    Large faces choose first. Each takes the first place where the label covers nothing; where there is none, the one
    where it covers least: another label counts thrice, a face once, and the distance a little. Of more than `MOST`
    faces, each takes its first place.

    Args:
        faces: the boxes, which may leave the frame.
        sizes: of the labels.
        frame: width and height; a label that fits into it lies in it.
    """
    if len(faces) > MOST:
        return [_inside(next(_around(face, size)), frame) for face, size in zip(faces, sizes, strict=True)]
    boxes, placed = as_rows(faces), dict[int, Box]()
    for index in sorted(range(len(faces)), key=lambda i: -faces[i].h):
        places = [_inside(place, frame) for place in _around(faces[index], sizes[index])]
        rows, labels = as_rows(places), as_rows(list(placed.values()))
        covered = intersections(rows, boxes).sum(axis=1) + 3 * intersections(rows, labels).sum(axis=1)
        placed[index] = places[int((covered + 0.001 * np.arange(len(places))).argmin())]
    return [placed[index] for index in range(len(faces))]


def _around(face: Box, size: Size) -> Iterator[Box]:
    """Yield the places of a label, the best ones first."""
    width, height = size
    lefts = (face.x, face.x + face.w - width, face.x + (face.w - width) // 2)
    above, below = face.y - height - GAP, face.y + face.h + GAP
    for top in (above, below):
        for left in lefts:
            yield Box(left, top, width, height)
    for left in (face.x + face.w + GAP, face.x - width - GAP):
        for top in (face.y, face.y + face.h - height):
            yield Box(left, top, width, height)
    for row in range(1, ROWS):
        for top in (above - row * (height + GAP), below + row * (height + GAP)):
            for left in lefts:
                yield Box(left, top, width, height)


def _inside(place: Box, frame: Size) -> Box:
    width, height = frame
    x, y = max(min(place.x, width - place.w), 0), max(min(place.y, height - place.h), 0)
    return Box(x, y, place.w, place.h)


def touches(face: Box, label: Box) -> bool:
    """Say whether a label lies at its face, so that nobody needs a line from one to the other."""
    near = Box(face.x - 2 * GAP, face.y - 2 * GAP, face.w + 4 * GAP, face.h + 4 * GAP)
    return intersection(near, label) > 0
