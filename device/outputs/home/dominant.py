"""One expression for all the faces of a picture."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from fer_edge.device.results import Face


@dataclasses.dataclass(frozen=True)
class Dominant:
    """What a picture shows, in short.

    Attributes:
        label: the expression of most faces; where several are equally many, the one with the higher score. None
            without a face.
        score: the mean score of the faces that show it, in 0..1; None without a face.
        faces: number of faces.
    """

    label: str | None
    score: float | None
    faces: int


def dominant(faces: Sequence[Face]) -> Dominant:
    """Sum up the faces of a picture."""
    scores: dict[str, list[float]] = {}
    for face in faces:
        scores.setdefault(face.label, []).append(face.score)
    if not scores:
        return Dominant(None, None, 0)
    label = max(scores, key=lambda name: (len(scores[name]), sum(scores[name])))
    return Dominant(label, sum(scores[label]) / len(scores[label]), len(faces))
