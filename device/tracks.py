"""Which face is which from one picture to the next, which are real, and what they show over time.

Faces are joined by the overlap of their boxes. A face is believed once its detections have gathered
enough votes: a clear one at once, a doubtful one only if it stays, and what flickers never.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fer_edge.device.boxes import iou
from fer_edge.device.cascade import Detection
from fer_edge.preprocess import Box

SAME_FACE = 0.3
"""Intersection over union from which boxes of successive pictures are one face."""

BELIEVED = 30
"""Votes that the detections of a face in successive pictures must gather before it is reported."""

REMEMBERED = 1.0
"""Seconds for which a reported face keeps its number while it is not found."""

SMOOTHING = 0.25
"""Time constant of the scores' exponential smoothing, in seconds."""


@dataclasses.dataclass(frozen=True)
class Track:
    """A face over time.

    Attributes:
        id: its number from 1, or 0 while it is not believed.
        box: where it was found last, in pixels of the source picture.
        votes: gathered so far.
        time: when it was found last, in seconds.
        scores: smoothed probabilities (classes,), None before the first.
        scored: when `scores` was updated last, in seconds.
    """

    id: int
    box: Box
    votes: int
    time: float
    scores: NDArray[np.float32] | None = None
    scored: float = 0.0


def associate(tracks: Sequence[Track], detections: Sequence[Detection]) -> dict[int, int]:
    """Join tracks and detections, greatest overlap first.

    Returns:
        Index of the detection -> index of its track, for those that overlap by `SAME_FACE`.
    """
    pairs = [(iou(t.box, d.box), i, j) for i, t in enumerate(tracks) for j, d in enumerate(detections)]
    joined: dict[int, int] = {}
    for overlap, i, j in sorted(pairs, key=lambda pair: -pair[0]):
        if overlap >= SAME_FACE and j not in joined and i not in joined.values():
            joined[j] = i
    return joined


def smooth(old: NDArray[np.float32] | None, new: NDArray[np.float32], elapsed: float) -> NDArray[np.float32]:
    """Return exponentially smoothed scores; the weight of `new` depends on the time since `old`, not on the rate."""
    if old is None:
        return new
    weight = np.float32(1 - math.exp(-elapsed / SMOOTHING))
    return old + weight * (new - old)


class Tracker:
    """Keeps the tracks of a source."""

    def __init__(self, *, believed: int = BELIEVED, remembered: float = REMEMBERED) -> None:
        """Start without tracks.

        Args:
            believed: see `BELIEVED`.
            remembered: see `REMEMBERED`.
        """
        self._believed = believed
        self._remembered = remembered
        self._last_id = 0
        self.tracks: tuple[Track, ...] = ()

    def update(self, detections: Sequence[Detection], time: float) -> list[Track]:
        """Take in the faces of the next picture.

        Args:
            detections: left to right.
            time: of the picture, in seconds.

        Returns:
            The believed tracks found in this picture, in the order of the detections.
        """
        known = [t for t in self.tracks if time - t.time <= self._remembered]
        joined = associate(known, detections)
        found = [self._extended(known[joined[j]] if j in joined else None, d, time) for j, d in enumerate(detections)]
        missed = [t for i, t in enumerate(known) if t.id and i not in joined.values()]
        self.tracks = (*found, *missed)
        return [track for track in found if track.id]

    def _extended(self, track: Track | None, detection: Detection, time: float) -> Track:
        track = track or Track(0, detection.box, 0, time)
        votes, number = track.votes + detection.votes, track.id
        if not number and votes >= self._believed:
            self._last_id += 1
            number = self._last_id
        return dataclasses.replace(track, id=number, box=detection.box, votes=votes, time=time)

    def add_scores(self, track: Track, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """Take in the scores of a track that `update` returned, and return the smoothed ones, (classes,)."""
        smoothed = smooth(track.scores, scores, track.time - track.scored)
        scored = dataclasses.replace(track, scores=smoothed, scored=track.time)
        self.tracks = tuple(scored if t is track else t for t in self.tracks)
        return smoothed
