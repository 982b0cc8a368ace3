"""Which face is which from one frame to the next, which are real, and what they show over time.

Faces are joined by the overlap of their boxes. A track is confirmed, and its face reported, by one sure detection or
by several in successive frames: a clear face at once, a doubtful one only if it stays, and what flickers never.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_edge.device.faces import FACES_IN_VIDEO, SAME_FACE, Detection, Landmarks, as_rows, ious
from fer_edge.device.tracking.baseline import Baseline, Rest, deviation
from fer_edge.device.tracking.smoothing import Expression, express, smooth
from fer_edge.preprocess import Box

SURE_SCORE = 0.76
"""Score from which one detection confirms a track."""

MIN_HITS = 2
"""Detections in successive frames that confirm a track, whatever their scores."""

MAX_AGE_S = 1.0
"""Seconds for which a confirmed track keeps its number while its face is not found."""

TENTATIVE_MAX_AGE_S = 0.09
"""Seconds for which the face of a track that is not confirmed may be missing, where frames come faster than that."""

MATCHED_MAX_S = 0.5
"""Seconds for which a face is still reported while it is only followed by template matching."""

UNVERIFIED_MAX_S = 1.0
"""Seconds after which a track whose face is not verified is given up."""

VELOCITY_TIME_CONSTANT_S = 0.1
"""Time constant of the velocity's exponential smoothing, in seconds."""

MOST_TRACKS = 2 * FACES_IN_VIDEO
"""Kept at most; of those whose face was not found, those found last. Each is looked for in the next frame."""

PREDICTION_MAX_S = 0.2
"""Seconds for which a face is taken to keep its velocity."""


@dataclasses.dataclass(frozen=True)
class Track:
    """A face over time.

    Attributes:
        id: its number from 1, or 0 while it is not confirmed.
        box: where it was last, in pixels of the source frame.
        hits: verified detections until it was confirmed.
        time: when it was detected last, in seconds.
        placed: when `box` was updated last, detected or followed, in seconds.
        verified: when it was verified last, in seconds.
        velocity: of its centre, to the right and down, in pixels per second.
        expression: what it shows, None before the first scores.
        landmarks: where they were when the face was found last, in pixels of the source frame; None where that
            detection had none.
        levels: of its quality (see `fer_edge.device.tracking.quality`), smoothed like the scores; None before any.
        rest: what the face shows at rest, where a baseline is learned.
    """

    id: int
    box: Box
    hits: int
    time: float
    placed: float = 0.0
    verified: float = 0.0
    velocity: tuple[float, float] = (0.0, 0.0)
    expression: Expression | None = None
    landmarks: Landmarks | None = None
    levels: NDArray[np.float32] | None = None
    rest: Rest | None = None


def predict(track: Track, time: float) -> Box:
    """Return where a face should be at `time`, moving as it did; the box may leave the frame."""
    ahead = min(max(time - track.placed, 0.0), PREDICTION_MAX_S)
    x, y, w, h = track.box
    return Box(round(x + ahead * track.velocity[0]), round(y + ahead * track.velocity[1]), w, h)


def associate(tracks: Sequence[Track], detections: Sequence[Detection], time: float | None = None) -> dict[int, int]:
    """Join tracks and detections, greatest overlap first.

    Args:
        tracks: up to the frame before.
        detections: of this frame.
        time: of this frame, to which the tracks' boxes are moved on; None leaves them where they were.

    Returns:
        Index of the detection -> index of its track, for those that overlap by `SAME_FACE`.
    """
    places = as_rows([t.box if time is None else predict(t, time) for t in tracks])
    overlaps = ious(places, as_rows([d.box for d in detections]))
    pairs = np.argwhere(overlaps >= SAME_FACE)
    order = np.argsort(-overlaps[pairs[:, 0], pairs[:, 1]], kind="stable")
    joined: dict[int, int] = {}
    taken: set[int] = set()
    for i, j in pairs[order].tolist():
        if j not in joined and i not in taken:
            joined[j] = i
            taken.add(i)
    return joined


class Tracker:
    """Keeps the tracks of a source."""

    def __init__(
        self, *, min_hits: int = MIN_HITS, max_age_s: float = MAX_AGE_S, baseline: Baseline | None = None
    ) -> None:
        """Start without tracks.

        Args:
            min_hits: see `MIN_HITS`.
            max_age_s: see `MAX_AGE_S`.
            baseline: has each track's scores told as the deviation from its own at rest.
        """
        self._baseline = baseline
        self._min_hits = min_hits
        self._max_age_s = max_age_s
        self._last_id = 0
        self._before = 0.0
        self.tracks: tuple[Track, ...] = ()

    def reset(self) -> None:
        """Forget all faces, but give none of their numbers again."""
        self.tracks = ()

    def update(self, detections: Sequence[Detection], time: float) -> list[Track]:
        """Take in the faces of the next frame.

        Args:
            detections: left to right.
            time: of the frame, in seconds.

        Returns:
            The confirmed tracks found in this frame, or followed for a short time, in the order of the detections.
        """
        known = [t for t in self.tracks if self._keeps(t, time)]
        joined = associate(known, detections, time)
        found = [
            self._extended(known[joined[j]] if j in joined else None, d, time)
            for j, d in enumerate(detections)
            if d.detected or j in joined
        ]
        again = set(joined.values())
        missed = sorted((t for i, t in enumerate(known) if i not in again), key=lambda track: -track.time)
        self.tracks = (*found, *missed)[: max(MOST_TRACKS, len(found))]
        self._before = time
        return [track for track in found if track.id and time - track.time <= MATCHED_MAX_S]

    def _keeps(self, track: Track, time: float) -> bool:
        age = time - track.time
        if track.id:
            return age <= self._max_age_s and time - track.verified <= UNVERIFIED_MAX_S
        return age <= self._max_age_s and (track.time >= self._before or age <= TENTATIVE_MAX_AGE_S)

    def _extended(self, track: Track | None, detection: Detection, time: float) -> Track:
        if track is None:
            track = Track(0, detection.box, 0, time, time, time)
        hits, number = track.hits, track.id
        if not number and detection.verified:
            hits += 1
            if hits >= self._min_hits or detection.score >= SURE_SCORE:
                self._last_id += 1
                number = self._last_id
        return Track(
            number,
            detection.box,
            hits,
            time if detection.detected else track.time,
            time,
            time if detection.verified and detection.detected else track.verified,
            _velocity(track, detection.box, time),
            track.expression,
            detection.landmarks,
            track.levels,
            track.rest,
        )

    def add_scores(self, track: Track, scores: NDArray[np.float32]) -> Expression:
        """Take in the scores (classes,) of a track that `update` returned, and return what the face shows."""
        rest = track.rest
        if self._baseline is not None:
            rest = self._baseline.observe(rest, scores, track.placed)
            scores = deviation(scores, rest)
        shown = express(track.expression, scores, track.placed)
        self._change(track, expression=shown, rest=rest)
        return shown

    def has_baseline(self, track: Track) -> bool:
        """Say whether the track's scores are told as the deviation from its own at rest by now."""
        return any(t.id == track.id and t.rest is not None and t.rest.weights is not None for t in self.tracks)

    def add_levels(self, track: Track, levels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Take in the levels of quality of a track that `update` returned, before its scores; return smoothed ones."""
        if track.levels is not None and track.expression is not None:
            levels = smooth(track.levels, levels, track.placed - track.expression.time)
        self._change(track, levels=levels)
        return levels

    def _change(self, track: Track, **fields: Any) -> None:
        self.tracks = tuple(dataclasses.replace(t, **fields) if t.id == track.id else t for t in self.tracks)


def _velocity(track: Track, box: Box, time: float) -> tuple[float, float]:
    elapsed = time - track.placed
    if elapsed <= 0:
        return track.velocity
    weight = (1 - math.exp(-elapsed / VELOCITY_TIME_CONSTANT_S)) / elapsed
    keep = math.exp(-elapsed / VELOCITY_TIME_CONSTANT_S)
    across = box.x - track.box.x + (box.w - track.box.w) / 2
    down = box.y - track.box.y + (box.h - track.box.h) / 2
    return keep * track.velocity[0] + weight * across, keep * track.velocity[1] + weight * down
