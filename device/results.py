"""What the device loop says about a picture, and its JSON form."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_edge.device.frame import Frame
from fer_edge.preprocess import Box

STAGES = ("capture", "skin", "detect", "classify", "total")
"""What is timed. ``capture`` is the wait for the picture; ``total`` runs from the picture in hand to its result."""


@dataclasses.dataclass(frozen=True)
class Face:
    """A face and its expression.

    Attributes:
        id: the same for the same face in successive pictures, from 1.
        box: in pixels of the source picture.
        label: the expression with the highest score.
        score: its probability in 0..1.
        scores: expression -> probability, in the model's order.
    """

    id: int
    box: Box
    label: str
    score: float
    scores: Mapping[str, float]

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary."""
        return {
            "id": self.id,
            "box": list(self.box),
            "label": self.label,
            "score": round(self.score, 4),
            "scores": {label: round(score, 4) for label, score in self.scores.items()},
        }


def make_face(number: int, box: Box, labels: Sequence[str], scores: NDArray[np.float32]) -> Face:
    """Return the face with the id `number`; `scores` is (classes,) in the order of `labels`."""
    values = scores.tolist()
    best = int(scores.argmax())
    return Face(number, box, labels[best], values[best], dict(zip(labels, values, strict=True)))


@dataclasses.dataclass(frozen=True)
class FrameResult:
    """The faces of one picture.

    Attributes:
        index: number of the picture in its source, from 0.
        time: seconds since the source's first picture.
        faces: left to right.
        timings: stage of `STAGES` -> seconds.
        frame: the picture itself.
    """

    index: int
    time: float
    faces: tuple[Face, ...]
    timings: Mapping[str, float]
    frame: Frame

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready dictionary of a frame's line."""
        line: dict[str, Any] = {
            "frame": self.index,
            "time": round(self.time, 4),
            "faces": [face.to_dict() for face in self.faces],
            "timings_ms": {stage: round(seconds * 1000, 3) for stage, seconds in self.timings.items()},
        }
        if self.frame.file:
            line["file"] = self.frame.file
        return line
