"""Following: finds each known face again where it should be now, as cheaply as it can be done safely."""

from __future__ import annotations

from fer_edge.device.detection.template import ALIKE, SAME, TemplateMatcher
from fer_edge.device.detection.verify import Verifier
from fer_edge.device.faces import Detection, clip
from fer_edge.device.frame import Frame
from fer_edge.device.tracking.tracker import Track, predict
from fer_edge.preprocess import Box

DETECT_INTERVAL_S = 0.09
"""Seconds for which template matching is enough for a face that looks the same."""

VERIFY_INTERVAL_S = 0.5
"""Seconds after which a known face is verified again."""


class Follower:
    """Finds known faces again: by template matching, a quick search or a close look."""

    def __init__(self, verifier: Verifier) -> None:
        """Start without faces.

        Args:
            verifier: asked about the frame that it has begun with.
        """
        self._verifier = verifier
        self._matcher = TemplateMatcher()
        self._verified: dict[int, float] = {}

    def find(self, frame: Frame, track: Track) -> Detection | None:
        """Look for a known face: closely when that is due, else quickly, by its template, and closely after all."""
        box = clip(predict(track, frame.time), frame.width, frame.height)
        if not track.id:
            return self._verifier.verify(box)
        found = None
        due = frame.time - self._verified.get(track.id, track.verified) >= VERIFY_INTERVAL_S
        if due:
            self._verified[track.id] = frame.time
            found = self._verifier.verify(box)
        elif frame.time - track.time < DETECT_INTERVAL_S:
            found = self._match(frame, track.id, box, SAME)
        found = found or self._verifier.detect_near(box) or self._match(frame, track.id, box, ALIKE)
        if not found and not due:
            found = self._verifier.verify(box)
        if found and found.detected:
            self._matcher.remember(track.id, frame.y, clip(found.box, frame.width, frame.height))
        return found

    def forget_others(self, numbers: set[int]) -> None:
        """Forget all faces but these."""
        self._matcher.forget_others(numbers)
        for number in self._verified.keys() - numbers:
            del self._verified[number]

    def _match(self, frame: Frame, number: int, box: Box, least: float) -> Detection | None:
        moved = self._matcher.match(number, frame.y, box, least)
        return Detection(moved, 0.0, verified=False) if moved else None
