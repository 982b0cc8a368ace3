"""The face detector on held-out images: average precision and recall, by tilt, size and cover."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_edge.faces.crop import Refined
from fer_edge.train.faces.data.annotations import LabelledImage
from fer_edge.train.faces.data.doubt import MASKED
from fer_edge.train.faces.data.images import FaceSet, TrainingImage
from fer_edge.train.faces.measure import ImageResult, Matches, average_precision, match, recall_at, threshold_at

Find = Callable[[NDArray[np.uint8]], Sequence[Refined]]
"""From luma H x W to faces."""
TILTS = (0, 30, 60, 90)
"""Degrees clockwise."""
SIZES = ((0, 16), (16, 32), (32, 64), (64, np.inf))
"""Sides of faces in pixels, half-open."""
RATES = (0.01, 0.1, 1.0)
"""False faces an image."""


@dataclasses.dataclass(frozen=True)
class Row:
    """How the detector does under one condition.

    Attributes:
        condition: such as ``tilt 30`` or ``masked``.
        faces: how many there are.
        images: how many were searched.
        precision: average precision, 0..1.
        recalls: recall at each of `RATES`.
    """

    condition: str
    faces: int
    images: int
    precision: float
    recalls: tuple[float, ...]


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """What a detector does on a set of images.

    Attributes:
        rows: one for every tilt, for masked scenes, and for the sizes where the images were searched upright.
        matches: condition -> all detections.
        upright: what was found in each image as it is; empty if it was not searched so.
    """

    rows: list[Row]
    matches: dict[str, Matches]
    upright: list[ImageResult]


def evaluate(
    find: Find, images: Sequence[tuple[LabelledImage, TrainingImage]], iou: float = 0.5, tilts: Sequence[int] = TILTS
) -> Evaluation:
    """Search images at every tilt.

    Args:
        find: the detector, at a threshold low enough for the curve.
        images: held-out ones.
        iou: least overlap of a detection with a face.
        tilts: degrees by which the images are turned.
    """
    matches: dict[str, Matches] = {}
    as_they_are: list[ImageResult] = []
    for degrees in tilts:
        results = [search(find, image, degrees) for _, image in images]
        matches[f"tilt {degrees}"] = match(results, iou)
        if degrees == 0:
            as_they_are = results
            masked = [result for (item, _), result in zip(images, results, strict=True) if is_masked(item)]
            matches["masked"] = match(masked, iou)
    rows = [_row(condition, found) for condition, found in matches.items()]
    upright = matches.get("tilt 0")
    rows += [_size_row(upright, low, high) for low, high in SIZES] if upright else []
    return Evaluation(rows, matches, as_they_are)


def is_masked(item: LabelledImage) -> bool:
    """Return whether an image is of the sets with people in masks."""
    return item.path.parent.name in MASKED


def search(find: Find, image: TrainingImage, degrees: float) -> ImageResult:
    """Return what is found in an image turned clockwise, and what is there; doubtful faces are ignored."""
    luma, squares = turned(image.luma, image.faces, degrees)
    found = find(luma)
    rows = np.array([(face.look.x, face.look.y, face.look.side) for face in found], np.float32).reshape(-1, 3)
    certain = image.faces.certain
    scores = np.array([face.score for face in found], np.float32)
    return ImageResult(_boxes(squares[certain]), _boxes(squares[~certain]), _boxes(rows), scores)


def turned(luma: NDArray[np.uint8], faces: FaceSet, degrees: float) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Return an image turned clockwise, whole on a black ground, and its squares there."""
    if degrees == 0:
        return luma, faces.squares
    height, width = luma.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1)
    cosine, sine = abs(matrix[0, 0]), abs(matrix[0, 1])
    size = (int(height * sine + width * cosine), int(height * cosine + width * sine))
    matrix[:, 2] += np.array(size) / 2 - (width / 2, height / 2)
    squares = faces.squares.copy()
    squares[:, :2] = squares[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    return np.asarray(cv2.warpAffine(luma, matrix, size), np.uint8), squares


def _boxes(squares: NDArray[np.float32]) -> NDArray[np.float32]:
    sides = squares[:, 2:3]
    return np.hstack([squares[:, :2] - sides / 2, sides, sides])


def _row(condition: str, matches: Matches) -> Row:
    recalls = tuple(recall_at(matches, threshold_at(matches, rate)) for rate in RATES)
    return Row(condition, len(matches.face_sides), matches.images, average_precision(matches), recalls)


def _size_row(matches: Matches, low: float, high: float) -> Row:
    """Return recall of faces of a size, at thresholds of all; its precision is that of no size and left out."""
    recalls = tuple(recall_at(matches, threshold_at(matches, rate), (low, high)) for rate in RATES)
    there = int(((matches.face_sides >= low) & (matches.face_sides < high)).sum())
    return Row(f"{low:g} to {high:g} pixels", there, matches.images, float("nan"), recalls)


def table(rows: Sequence[Row]) -> str:
    """Return rows as a Markdown table."""
    heads = ["condition", "faces", "images", "AP"] + [f"recall at {rate:g} false an image" for rate in RATES]
    lines = ["| " + " | ".join(heads) + " |", "|---" + "|---:" * (len(heads) - 1) + "|"]
    for row in rows:
        values: list[Any] = [row.condition, row.faces, row.images, _percent(row.precision)]
        lines.append("| " + " | ".join(map(str, values + [_percent(recall) for recall in row.recalls])) + " |")
    return "\n".join(lines)


def _percent(share: float) -> str:
    return "" if np.isnan(share) else f"{100 * share:.1f} %"
