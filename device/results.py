"""What the device loop says about a picture, and its JSON form."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_edge.device.faces import Landmarks, clip, scaled, scaled_landmarks
from fer_edge.device.frame import Frame
from fer_edge.preprocess import Box

STAGES = ("capture", "skin", "detect", "classify", "total")
"""What is timed. ``capture`` is the wait for the picture; ``total`` runs from the picture in hand to its result."""


UNCERTAIN = 0.4
"""Score below which the label is uncertain; of seven expressions each has 0.14 by chance."""


@dataclasses.dataclass(frozen=True)
class Face:
    """A face and its expression.

    Attributes:
        id: the same for the same face in successive pictures, from 1.
        box: in pixels of the source picture.
        label: the expression shown. In a film it changes only when another one clearly leads or has led for a
            while (see `fer_edge.device.tracking.smoothing`), so that for a moment another score may be higher.
        score: its probability in 0..1.
        scores: expression -> probability, in the model's order.
        uncertain: the score is below `UNCERTAIN`, or there is a `reason`; the label is the best guess all the same.
        landmarks: five points in pixels of the source frame, see `Landmarks`; None where the detector has none.
        quality: how well the face can be judged, in 0..1; below 0.5 there is a reason.
        baseline: its scores are the deviation from what it shows at rest, see `fer_edge.device.tracking.baseline`.
        reason: why it can hardly be judged, one of `fer_edge.device.tracking.quality.REASONS`, else None.
    """

    id: int
    box: Box
    label: str
    score: float
    scores: Mapping[str, float]
    uncertain: bool = False
    landmarks: Landmarks | None = None
    quality: float = 1.0
    reason: str | None = None
    baseline: bool = False

    def resized(self, factor: float, width: int, height: int) -> Face:
        """Return the face in a frame of `width` x `height` that is `factor` times as large."""
        return dataclasses.replace(
            self, box=clip(scaled(self.box, factor), width, height), landmarks=scaled_landmarks(self.landmarks, factor)
        )

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary; ``landmarks`` and ``reason`` are in it where there are any."""
        face: dict[str, Any] = {
            "id": self.id,
            "box": list(self.box),
            "label": self.label,
            "score": round(self.score, 4),
            "uncertain": self.uncertain,
            "quality": round(self.quality, 2),
            "scores": {label: round(score, 4) for label, score in self.scores.items()},
        }
        if self.reason:
            face["reason"] = self.reason
        if self.baseline:
            face["baseline"] = True
        if self.landmarks:
            face["landmarks"] = [[round(x, 1), round(y, 1)] for x, y in self.landmarks]
        return face


@dataclasses.dataclass(frozen=True)
class Counters:
    """What happened to the frames of a source; it is always so that captured >= processed + dropped + skipped.

    Attributes:
        captured: came from the source, whole or not.
        processed: went through the loop.
        dropped: came from a live source while the loop was busy.
        skipped: damaged or empty.
        restarts: times that a live source was opened again.
        full_searches: pictures with which a search of the whole picture was complete.
    """

    captured: int
    processed: int
    dropped: int
    skipped: int
    restarts: int
    full_searches: int


def label_of(face: Face) -> str:
    """Return what is written at a face: ``happy 0.93``, and of an uncertain one ``happy? 0.31``."""
    return f"{face.label}{'?' if face.uncertain else ''} {face.score:.2f}"


def make_face(
    number: int,
    box: Box,
    labels: Sequence[str],
    scores: NDArray[np.float32],
    shown: int | None = None,
    landmarks: Landmarks | None = None,
    quality: float = 1.0,
    reason: str | None = None,
    baseline: bool = False,
) -> Face:
    """Return the face with the id `number`.

    Args:
        number: its id.
        box: in pixels of the source picture.
        labels: the model's, in its order.
        scores: probabilities (classes,) in the order of `labels`.
        shown: index of the label, by default that of the highest score.
        landmarks: of the face, in pixels of the source frame.
        quality: as of `Face`.
        baseline: as of `Face`.
        reason: as of `Face`; with one the face is uncertain whatever its score.
    """
    values = scores.tolist()
    best = int(scores.argmax()) if shown is None else shown
    by_label = dict(zip(labels, values, strict=True))
    uncertain = values[best] < UNCERTAIN or reason is not None
    return Face(number, box, labels[best], values[best], by_label, uncertain, landmarks, quality, reason, baseline)


@dataclasses.dataclass(frozen=True)
class FrameResult:
    """The faces of one picture.

    Attributes:
        index: number of the picture in its source, from 0.
        time: seconds since the source's first picture.
        faces: left to right.
        timings: stage of `STAGES` -> seconds.
        frame: the picture itself.
        searched: area searched for faces, as a share of the picture's; more than 1 where sizes are searched apart.
        full_search: a search of the whole picture ended with this one.
        left_out: faces, and places that look like one, that were too many to be worked on; the largest and surest were.
    """

    index: int
    time: float
    faces: tuple[Face, ...]
    timings: Mapping[str, float]
    frame: Frame
    searched: float = 0.0
    full_search: bool = False
    left_out: int = 0

    def of_quality(self, least: float) -> FrameResult:
        """Return the result without the faces whose quality is below `least`."""
        if all(face.quality >= least for face in self.faces):
            return self
        return dataclasses.replace(self, faces=tuple(face for face in self.faces if face.quality >= least))

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready dictionary of a frame's line."""
        line: dict[str, Any] = {
            "frame": self.index,
            "time": round(self.time, 4),
            "faces": [face.to_dict() for face in self.faces],
            "timings_ms": {stage: round(seconds * 1000, 3) for stage, seconds in self.timings.items()},
        }
        if self.left_out:
            line["left_out"] = self.left_out
        if self.frame.file:
            line["file"] = self.frame.file
        return line
