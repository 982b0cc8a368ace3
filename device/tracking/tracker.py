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

from fer_edge.device.faces import SAME_FACE, Detection, iou
from fer_edge.device.tracking.smoothing import Expression, express
from fer_edge.preprocess import Box

BELIEVED = 10
"""Votes that the detections of a face in successive pictures must gather before it is reported."""

REMEMBERED = 1.0
"""Seconds for which a reported face keeps its number while it is not found."""


TENTATIVE = 0.09
"""Seconds for which a face that is not believed yet may be missing, where pictures come faster than that."""

FOLLOWED = 0.5
"""Seconds for which a face is still reported while it is only followed, and not found."""

DOUBTED = 1.0
"""Seconds after which a face that no close look confirms is given up."""

STEADINESS = 0.1
"""Time constant of the velocity's exponential smoothing, in seconds."""

FORESEEN = 0.2
"""Seconds for which a face is taken to keep its velocity."""


@dataclasses.dataclass(frozen=True)
class Track:
    """A face over time.

    Attributes:
        id: its number from 1, or 0 while it is not believed.
        box: where it was last, in pixels of the source picture.
        votes: gathered until it was believed.
        time: when it was found last, in seconds.
        placed: when `box` was updated last, found or followed, in seconds.
        confirmed: when a close look found it last, in seconds.
        velocity: of its centre, to the right and down, in pixels per second.
        expression: what it shows, None before the first scores.
    """

    id: int
    box: Box
    votes: int
    time: float
    placed: float = 0.0
    confirmed: float = 0.0
    velocity: tuple[float, float] = (0.0, 0.0)
    expression: Expression | None = None


def predict(track: Track, time: float) -> Box:
    """Return where a face should be at `time`, moving as it did; the box may leave the picture."""
    ahead = min(max(time - track.placed, 0.0), FORESEEN)
    x, y, w, h = track.box
    return Box(round(x + ahead * track.velocity[0]), round(y + ahead * track.velocity[1]), w, h)


def associate(tracks: Sequence[Track], detections: Sequence[Detection], time: float | None = None) -> dict[int, int]:
    """Join tracks and detections, greatest overlap first.

    Args:
        tracks: up to the picture before.
        detections: of this picture.
        time: of this picture, to which the tracks' boxes are moved on; None leaves them where they were.

    Returns:
        Index of the detection -> index of its track, for those that overlap by `SAME_FACE`.
    """
    places = [t.box if time is None else predict(t, time) for t in tracks]
    pairs = [(iou(place, d.box), i, j) for i, place in enumerate(places) for j, d in enumerate(detections)]
    joined: dict[int, int] = {}
    for overlap, i, j in sorted(pairs, key=lambda pair: -pair[0]):
        if overlap >= SAME_FACE and j not in joined and i not in joined.values():
            joined[j] = i
    return joined


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
        self._before = 0.0
        self.tracks: tuple[Track, ...] = ()

    def reset(self) -> None:
        """Forget all faces, but give none of their numbers again."""
        self.tracks = ()

    def update(self, detections: Sequence[Detection], time: float) -> list[Track]:
        """Take in the faces of the next picture.

        Args:
            detections: left to right.
            time: of the picture, in seconds.

        Returns:
            The believed tracks found in this picture, or followed for a short time, in the order of the detections.
        """
        known = [t for t in self.tracks if self._remembers(t, time)]
        joined = associate(known, detections, time)
        found = [
            self._extended(known[joined[j]] if j in joined else None, d, time)
            for j, d in enumerate(detections)
            if d.votes or j in joined
        ]
        missed = [t for i, t in enumerate(known) if i not in joined.values()]
        self.tracks = (*found, *missed)
        self._before = time
        return [track for track in found if track.id and time - track.time <= FOLLOWED]

    def _remembers(self, track: Track, time: float) -> bool:
        missing = time - track.time
        if track.id:
            return missing <= self._remembered and time - track.confirmed <= DOUBTED
        return missing <= self._remembered and (track.time >= self._before or missing <= TENTATIVE)

    def _extended(self, track: Track | None, detection: Detection, time: float) -> Track:
        if track is None:
            track = Track(0, detection.box, 0, time, time, time)
        votes, number = track.votes, track.id
        if not number and detection.close:
            votes += detection.votes
            if votes >= self._believed:
                self._last_id += 1
                number = self._last_id
        return Track(
            number,
            detection.box,
            votes,
            time if detection.votes else track.time,
            time,
            time if detection.close and detection.votes else track.confirmed,
            _velocity(track, detection.box, time),
            track.expression,
        )

    def add_scores(self, track: Track, scores: NDArray[np.float32]) -> Expression:
        """Take in the scores (classes,) of a track that `update` returned, and return what the face shows."""
        shown = express(track.expression, scores, track.placed)
        scored = dataclasses.replace(track, expression=shown)
        self.tracks = tuple(scored if t is track else t for t in self.tracks)
        return shown


def _velocity(track: Track, box: Box, time: float) -> tuple[float, float]:
    elapsed = time - track.placed
    if elapsed <= 0:
        return track.velocity
    weight = (1 - math.exp(-elapsed / STEADINESS)) / elapsed
    keep = math.exp(-elapsed / STEADINESS)
    across = box.x - track.box.x + (box.w - track.box.w) / 2
    down = box.y - track.box.y + (box.h - track.box.h) / 2
    return keep * track.velocity[0] + weight * across, keep * track.velocity[1] + weight * down
