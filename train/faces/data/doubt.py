"""Which annotated boxes count as faces, which as background, and which as neither.

A teacher (another face detector) misses faces, and it takes animals for people. People draw boxes around the whole head
and leave out small or turned faces. A box that neither settles is *doubtful*: training leaves its surroundings out.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

SURE = 0.75
"""Teacher's score from which its box counts as a face without a person's word."""
SAME_IOU = 0.35
"""Overlap from which a person's and the teacher's box are one face: their styles differ."""
SURE_ON_ANIMALS = 0.9
"""Teacher's score from which a box on an animal's picture may be a person's."""
LARGE_ANIMAL_PIXELS = 40
"""Side from which a face on an animal's picture is taken to be the animal's, below `SURE_ON_ANIMALS`."""
LEAST_UNSEEN_PIXELS = 12
"""Side from which a face in a mask that the teacher missed counts: smaller ones show too little."""
MASKED, ANIMALS, EMPTY = ("mask853",), ("animals",), ("rooms", "street")
"""Folders with a rule of their own: people in masks; animals, whose faces are background; scenes without people."""
HEAD_TO_FACE = (0.0, -0.1, 1.03)
"""From a person's box to the teacher's style: shift right and down, and factor on the side (medians of the pairs)."""


@dataclasses.dataclass(frozen=True)
class TeacherRow:
    """One detection of the teacher: box (left, top, width, height), score 0..1, landmarks 5 x 2, all in pixels."""

    box: NDArray[np.float32]
    score: float
    landmarks: NDArray[np.float32]


@dataclasses.dataclass(frozen=True)
class Judged:
    """The faces of an image: boxes N x 4, landmarks N x 5 x 2 (NaN where unknown), certain N."""

    boxes: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    certain: NDArray[np.bool_]


def judge(folder: str, people: NDArray[np.float32], teacher: Sequence[TeacherRow]) -> Judged:
    """Return the faces of one image, certain and doubtful; what is left out is background.

    Args:
        folder: the set that the image belongs to.
        people: N x 4 boxes drawn by people, in pixels.
        teacher: the teacher's detections.
    """
    boxes: list[NDArray[np.float32]] = []
    landmarks: list[NDArray[np.float32]] = []
    certain: list[bool] = []
    matched = np.zeros(len(people), bool)
    for row in teacher:
        agreed = box_iou(row.box, people) >= SAME_IOU if len(people) else np.zeros(0, bool)
        matched |= agreed
        state = _teachers(folder, row, bool(agreed.any()))
        if state is not None:
            boxes.append(row.box)
            landmarks.append(row.landmarks)
            certain.append(state)
    for box in people[~matched]:
        side = float(np.sqrt(box[2] * box[3]))
        certain.append(folder in MASKED and side >= LEAST_UNSEEN_PIXELS)
        boxes.append(_as_face(box))
        landmarks.append(np.full((5, 2), np.nan, np.float32))
    if not boxes:
        return Judged(np.zeros((0, 4), np.float32), np.zeros((0, 5, 2), np.float32), np.zeros(0, bool))
    return Judged(np.stack(boxes), np.stack(landmarks), np.array(certain))


def _teachers(folder: str, row: TeacherRow, agreed: bool) -> bool | None:
    """Return whether the teacher's box is certain, or None where it is background."""
    if folder in ANIMALS:
        large = float(np.sqrt(row.box[2] * row.box[3])) >= LARGE_ANIMAL_PIXELS
        return None if large and row.score < SURE_ON_ANIMALS else False
    if agreed or row.score >= SURE:
        return True
    return None if folder in EMPTY else False


def _as_face(box: NDArray[np.float32]) -> NDArray[np.float32]:
    right, down, factor = HEAD_TO_FACE
    side = float(np.sqrt(box[2] * box[3]))
    centre = box[:2] + box[2:] / 2 + np.array([right, down], np.float32) * side
    size = box[2:] * factor
    return np.concatenate([centre - size / 2, size]).astype(np.float32)


def box_iou(box: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the intersection over union of one box (left, top, width, height) with each of `others` (N x 4)."""
    low = np.maximum(box[:2], others[:, :2])
    high = np.minimum(box[:2] + box[2:], others[:, :2] + others[:, 2:])
    shared = np.clip(high - low, 0, None).prod(1)
    return np.asarray(shared / np.maximum(box[2] * box[3] + others[:, 2] * others[:, 3] - shared, 1e-9), np.float32)
