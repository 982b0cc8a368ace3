"""How well faces are found: average precision, and recall at a rate of false faces an image."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fer_edge.train.faces.data.doubt import box_iou


@dataclasses.dataclass(frozen=True)
class ImageResult:
    """What was found in one image and what is there.

    Attributes:
        faces: N x 4, left, top, width, height in pixels.
        ignored: M x 4 boxes of which finding counts neither way.
        found: K x 4 boxes.
        scores: K, 0..1.
    """

    faces: NDArray[np.float32]
    ignored: NDArray[np.float32]
    found: NDArray[np.float32]
    scores: NDArray[np.float32]


@dataclasses.dataclass(frozen=True)
class Matches:
    """All detections of a data set, best score first.

    Attributes:
        scores: of each, 0..1.
        hits: whether each found a face that no better one had found.
        sides: of the face that each hit found, in pixels; 0 for the others.
        images: how many.
        face_sides: of every face there is, in pixels.
    """

    scores: NDArray[np.float32]
    hits: NDArray[np.bool_]
    sides: NDArray[np.float32]
    images: int
    face_sides: NDArray[np.float32]


def match(results: Sequence[ImageResult], iou: float = 0.5) -> Matches:
    """Assign detections to faces, best score first, one each; what lies on an ignored box is left out.

    Args:
        results: one per image.
        iou: least intersection over union.
    """
    rows: list[tuple[float, bool, float]] = []
    for result in results:
        free = np.ones(len(result.faces), bool)
        for index in np.argsort(-result.scores, kind="stable"):
            box, score = result.found[index], float(result.scores[index])
            shared = box_iou(box, result.faces) * free if len(free) else np.zeros(0)
            if len(shared) and shared.max() >= iou:
                best = int(shared.argmax())
                free[best] = False
                rows.append((score, True, _side(result.faces[best])))
            elif not _on_ignored(box, result.ignored):
                rows.append((score, False, 0.0))
    rows.sort(key=lambda row: -row[0])
    table = np.array(rows, np.float32).reshape(-1, 3)
    sides = [_side(box) for result in results for box in result.faces]
    return Matches(table[:, 0], table[:, 1] > 0, table[:, 2], len(results), np.array(sides, np.float32))


def _side(box: NDArray[np.float32]) -> float:
    return float(np.sqrt(box[2] * box[3]))


def _on_ignored(box: NDArray[np.float32], ignored: NDArray[np.float32]) -> bool:
    if not len(ignored):
        return False
    low = np.maximum(box[:2], ignored[:, :2])
    high = np.minimum(box[:2] + box[2:], ignored[:, :2] + ignored[:, 2:])
    shared = np.clip(high - low, 0, None).prod(1)
    smaller = np.minimum(box[2] * box[3], ignored[:, 2] * ignored[:, 3])
    return bool((shared / np.maximum(smaller, 1e-9)).max() >= 0.4)


def average_precision(matches: Matches) -> float:
    """Return the area below the precision-recall curve, 0..1; NaN without faces."""
    if not len(matches.face_sides):
        return float("nan")
    if not len(matches.hits):
        return 0.0
    _, precision = precision_recall(matches)
    best_after = np.maximum.accumulate(precision[::-1])[::-1]
    return float(best_after[matches.hits].sum() / len(matches.face_sides))


def precision_recall(matches: Matches) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return recall and precision, 0..1, after each detection, best first."""
    hits = np.cumsum(matches.hits)
    return hits / max(len(matches.face_sides), 1), hits / np.arange(1, len(hits) + 1)


def threshold_at(matches: Matches, false_per_image: float) -> float:
    """Return the lowest score at which at most so many false faces an image remain."""
    false = np.cumsum(~matches.hits)
    over = np.flatnonzero(false > false_per_image * matches.images)
    if not len(over):
        return float(matches.scores.min()) if len(matches.scores) else 1.0
    return float(np.nextafter(matches.scores[over[0]], np.float32(2)))


def recall_at(matches: Matches, threshold: float, sides: tuple[float, float] = (0, np.inf)) -> float:
    """Return the share of faces found at a threshold, of those with a side in pixels in a half-open range."""
    low, high = sides
    there = ((matches.face_sides >= low) & (matches.face_sides < high)).sum()
    chosen = (matches.scores >= threshold) & matches.hits & (matches.sides >= low) & (matches.sides < high)
    return float(chosen.sum() / there) if there else float("nan")
