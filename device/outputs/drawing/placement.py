"""Where the labels of faces go: beside their boxes, off all faces and off each other, inside the frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fer_edge.device.faces import intersection
from fer_edge.preprocess import Box

GAP = 2
"""Pixels between a box and its label."""

ROWS = 4
"""Labels that may be stacked above or below a box in a crowd."""

Size = tuple[int, int]
"""Width and height of a label in pixels."""


def place_labels(faces: Sequence[Box], sizes: Sequence[Size], frame: Size) -> list[Box]:
    """Return the place of each face's label, in pixels of the frame.

    Large faces choose first. Each takes the first place where the label covers nothing; where there is none, the one
    where it covers least: another label counts thrice, a face once, and the distance a little.

    Args:
        faces: the boxes, which may leave the frame.
        sizes: of the labels.
        frame: width and height; a label that fits into it lies in it.
    """
    placed: dict[int, Box] = {}
    for index in sorted(range(len(faces)), key=lambda i: -faces[i].h):
        places = [_inside(place, frame) for place in _around(faces[index], sizes[index])]
        costs = [_cost(place, rank, faces, list(placed.values())) for rank, place in enumerate(places)]
        placed[index] = places[costs.index(min(costs))]
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


def _cost(place: Box, rank: int, faces: Sequence[Box], labels: Sequence[Box]) -> float:
    covered = sum(intersection(place, face) for face in faces) + 3 * sum(intersection(place, other) for other in labels)
    return 0.0 if covered == 0 and rank == 0 else covered + 0.001 * rank


def touches(face: Box, label: Box) -> bool:
    """Say whether a label lies at its face, so that nobody needs a line from one to the other."""
    near = Box(face.x - 2 * GAP, face.y - 2 * GAP, face.w + 4 * GAP, face.h + 4 * GAP)
    return intersection(near, label) > 0
