"""The face detector: proposals, each looked at three times; from the second time on upright and close."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from fer_edge.faces.crop import Look, Refined, crop, decode_crop
from fer_edge.faces.search import Proposer, propose
from fer_edge.faces.squares import suppress

Refiner = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""From N x 48 x 48 uint8 to N x 14 float32."""

WEIGHTS = (0.35, 0.1, 0.275, 0.275)
"""Of the proposal and the looks in the score of a face, a mean of logits: what only one takes for a face is mostly
none, and a tilted face is clear only to the looks that are turned."""
FARTHEST_LOGIT = 7.0


@dataclasses.dataclass(frozen=True)
class Thresholds:
    """Least scores, 0..1.

    Attributes:
        proposal: of the proposer.
        first: of each look of the refiner, for the next one to follow.
        score: of a face.
    """

    proposal: float = 0.2
    first: float = 0.15
    score: float = 0.77


@dataclasses.dataclass(frozen=True)
class _Candidate:
    """A place and what speaks for a face there so far, in logits; the face as it was seen last."""

    look: Look
    evidence: float
    face: Refined | None = None

    def judged(self) -> Refined:
        assert self.face is not None, "expected a candidate that was looked at"
        return dataclasses.replace(self.face, score=1 / (1 + math.exp(-self.evidence)))


def _logit(score: float) -> float:
    bounded = min(max(score, 1e-6), 1 - 1e-6)
    return min(max(math.log(bounded / (1 - bounded)), -FARTHEST_LOGIT), FARTHEST_LOGIT)


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
        return self.judge(luma, propose(self.proposer, luma, factors, self.thresholds.proposal))

    def judge(self, luma: NDArray[np.uint8], squares: NDArray[np.float32], least: float | None = None) -> list[Refined]:
        """Return which proposals are faces, each where it is exactly, without duplicates, best first.

        Args:
            luma: H x W.
            squares: N x 4, see `propose`.
            least: score of a face, that of the thresholds if not given.
        """
        least = self.thresholds.score if least is None else least
        candidates = [
            _Candidate(Look(float(x), float(y), float(side)), WEIGHTS[0] * _logit(float(score)))
            for x, y, side, score in squares
        ]
        for weight in WEIGHTS[1:]:
            faces = self.look(luma, [candidate.look for candidate in candidates])
            candidates = [
                _Candidate(face.look, candidate.evidence + weight * _logit(face.score), face)
                for candidate, face in zip(candidates, faces, strict=True)
                if face.score >= self.thresholds.first
            ]
        found = [candidate.judged() for candidate in candidates]
        found = [face for face in found if face.score >= least]
        if not found:
            return []
        rows = np.array([(face.look.x, face.look.y, face.look.side, face.score) for face in found], np.float32)
        return [found[index] for index in suppress(rows)]

    def look(self, luma: NDArray[np.uint8], looks: Sequence[Look]) -> list[Refined]:
        """Return what the refiner says of places, whatever their score."""
        if not looks:
            return []
        outputs = self._refiner(np.stack([crop(luma, look) for look in looks]))
        return [decode_crop(output, look) for output, look in zip(outputs, looks, strict=True)]
