"""The face detector: proposals, looked at twice; the second look is straight and close."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from fer_edge.faces.crop import Look, Refined, crop, decode_crop
from fer_edge.faces.search import Proposer, propose
from fer_edge.faces.squares import suppress

Refiner = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""From N x 48 x 48 uint8 to N x 14 float32."""


@dataclasses.dataclass(frozen=True)
class Thresholds:
    """Least scores, 0..1.

    Attributes:
        proposal: of the proposer.
        first: of the refiner's first look, for a second one to follow.
        score: of a face.
    """

    proposal: float = 0.25
    first: float = 0.15
    score: float = 0.7


class FaceFinder:
    """Two networks that find faces in luma."""

    def __init__(self, proposer: Proposer, refiner: Refiner, thresholds: Thresholds | None = None) -> None:
        """Take the networks as functions of arrays.

        Args:
            proposer: suggests squares in a frame of 160 x 120.
            refiner: judges a crop of 48 x 48.
            thresholds: the measured ones if not given.
        """
        self.proposer, self._refiner = proposer, refiner
        self.thresholds = thresholds or Thresholds()

    def find(self, luma: NDArray[np.uint8], factors: Sequence[int] = (1, 2)) -> list[Refined]:
        """Return the faces of a frame, best first.

        Args:
            luma: H x W.
            factors: scales to look at; 1 is the whole frame at 160 x 120, 2 tiles of twice that.
        """
        squares = propose(self.proposer, luma, factors, self.thresholds.proposal)
        return self.judge(luma, [Look(float(x), float(y), float(side)) for x, y, side, _ in squares])

    def judge(self, luma: NDArray[np.uint8], looks: Sequence[Look]) -> list[Refined]:
        """Return which of some places are faces, each where it is exactly, without duplicates, best first."""
        first = [face for face in self.look(luma, looks) if face.score >= self.thresholds.first]
        second = self.look(luma, [face.look for face in first])
        # Both looks must be convinced: what only one takes for a face is mostly none.
        faces = [
            dataclasses.replace(after, score=min(before.score, after.score))
            for before, after in zip(first, second, strict=True)
        ]
        faces = [face for face in faces if face.score >= self.thresholds.score]
        if not faces:
            return []
        rows = np.array([(face.look.x, face.look.y, face.look.side, face.score) for face in faces], np.float32)
        return [faces[index] for index in suppress(rows)]

    def look(self, luma: NDArray[np.uint8], looks: Sequence[Look]) -> list[Refined]:
        """Return what the refiner says of places, whatever their score."""
        if not looks:
            return []
        outputs = self._refiner(np.stack([crop(luma, look) for look in looks]))
        return [decode_crop(output, look) for output, look in zip(outputs, looks, strict=True)]
