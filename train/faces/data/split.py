"""Which images train and which are held out; near copies stay on one side."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_edge.train.faces.data.annotations import LabelledImage
from fer_edge.train.faces.data.images import TrainingImage

THUMBNAIL_PIXELS = 12
COPY_DISTANCE = 0.25
"""Root mean squared difference of standardized thumbnails below which two images are near copies."""
HELD_OUT_PERCENT = 10
ROWS_AT_A_TIME = 512


def held_out(labelled: Sequence[LabelledImage], images: Sequence[TrainingImage]) -> NDArray[np.bool_]:
    """Return for every image whether it is held out: about a tenth, the same at every call, copies together."""
    groups = copy_groups(np.stack([_thumbnail(image.luma) for image in images]))
    names = [f"{item.path.parent.name}/{item.path.name}" for item in labelled]
    first: dict[int, str] = {}
    for group, name in zip(groups, names, strict=True):
        first[group] = min(first.get(group, name), name)
    return np.array([_percent(first[group]) < HELD_OUT_PERCENT for group in groups])


def copy_groups(thumbnails: NDArray[np.float32]) -> list[int]:
    """Return a group's number for every thumbnail (N x values); near copies, and copies of copies, share one."""
    parents = list(range(len(thumbnails)))

    def root(index: int) -> int:
        while parents[index] != index:
            parents[index] = parents[parents[index]]
            index = parents[index]
        return index

    squares = (thumbnails**2).sum(1)
    for start in range(0, len(thumbnails), ROWS_AT_A_TIME):
        part = thumbnails[start : start + ROWS_AT_A_TIME]
        distance = squares[start : start + len(part), None] + squares - 2 * part @ thumbnails.T
        for row, column in zip(*np.nonzero(distance < COPY_DISTANCE**2 * thumbnails.shape[1]), strict=True):
            parents[root(start + int(row))] = root(int(column))
    return [root(index) for index in range(len(thumbnails))]


def _thumbnail(luma: NDArray[np.uint8]) -> NDArray[np.float32]:
    small = cv2.resize(luma, (THUMBNAIL_PIXELS, THUMBNAIL_PIXELS), interpolation=cv2.INTER_AREA)
    values = np.asarray(small, np.float32).ravel()
    return np.asarray((values - values.mean()) / max(float(values.std()), 1.0), np.float32)


def _percent(name: str) -> int:
    return int.from_bytes(hashlib.sha256(os.fsencode(name)).digest()[:4]) % 100
