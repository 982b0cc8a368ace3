"""Images with faces in them, as every format of a face data set is read into."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_edge.errors import DataError
from fer_edge.train.faces.data.doubt import TeacherRow, judge

LANDMARKS = 5
"""Right eye, left eye, nose, right and left corner of the mouth, as seen on the person."""


@dataclasses.dataclass(frozen=True)
class LabelledImage:
    """An image file and what is known of the faces in it.

    Attributes:
        path: the image.
        boxes: N x 4 float32, left, top, width, height in pixels of the image.
        landmarks: N x 5 x 2 float32 in pixels of the image; NaN where a face has none.
        certain: N bool; a box that is not certain counts neither as a face nor as background.
    """

    path: Path
    boxes: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    certain: NDArray[np.bool_]


def no_landmarks(count: int) -> NDArray[np.float32]:
    """Return the landmarks of `count` faces that have none."""
    return np.full((count, LANDMARKS, 2), np.nan, np.float32)


def read_json_lines(path: Path) -> list[LabelledImage]:
    """Read a file of one JSON object a line: ``file``, ``boxes`` made by people, ``teacher`` made by a detector.

    ``boxes`` holds ``[x, y, width, height]``, ``teacher`` the same with a score 0..1 and five landmarks, 15 numbers.
    Either may be missing. What is doubtful about them is decided by `fer_edge.train.faces.data.doubt`.

    Raises:
        DataError: the file cannot be read, or a line is not such an object.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: expected a readable JSON lines file, found: {error}") from error
    return [_image(path, number, line) for number, line in enumerate(lines, 1) if line.strip()]


def _image(path: Path, number: int, line: str) -> LabelledImage:
    try:
        row = json.loads(line)
        name = row["file"]
        boxes = _numbers(row.get("boxes", []), 4)
        teacher = _numbers(row.get("teacher", []), 15)
        if not isinstance(name, str) or not name:
            raise ValueError("no file name")
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise DataError(
            f"{path}:{number}: expected an object with 'file', 'boxes' of 4 numbers and 'teacher' of 15, "
            f"found: {error!r}"
        ) from error
    rows = [TeacherRow(t[:4], float(t[4]), t[5:].reshape(LANDMARKS, 2)) for t in teacher]
    judged = judge(name.split("/")[0], boxes, rows)
    return LabelledImage(path.parent / name, judged.boxes, judged.landmarks, judged.certain)


def _numbers(rows: Any, width: int) -> NDArray[np.float32]:
    array = np.asarray(rows, np.float32).reshape(-1, width) if len(rows) else np.zeros((0, width), np.float32)
    if len(array) != len(rows) or not np.isfinite(array).all() or (array[:, 2:4] <= 0).any():
        raise ValueError(f"rows of {width} finite numbers with a positive width and height are needed")
    return array
