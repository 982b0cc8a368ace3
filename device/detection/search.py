"""How each frame of a video is searched, so that every frame costs about the same.

A known face is looked for around where it should be now (`follow`), which costs a hundredth of the whole frame. New
faces are sought a bit at a time (`scanner`): a scan goes through the frame once with every size of window, on a
copy shrunk so far that the window moves in steps of two pixels, and each frame gets its share of the scan. What looks
like a face is verified (`verify`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from fer_edge.device.detection.cascade import CONTAINMENT, HaarCascade, suppress_overlaps
from fer_edge.device.detection.detector import Found
from fer_edge.device.detection.follow import Follower
from fer_edge.device.detection.scanner import Scanner
from fer_edge.device.detection.skin import SkinSegmentation
from fer_edge.device.detection.verify import Verifier
from fer_edge.device.faces import SAME_FACE, Detection, as_rows, clip, first_of_each, ious, shares
from fer_edge.device.frame import Frame
from fer_edge.device.tracking.tracker import Track


class SpreadSearch:
    """Follows known faces, and scans for new ones a bit in every frame; a `Search`."""

    def __init__(self, cascade: HaarCascade, skin: SkinSegmentation) -> None:
        self._cascade = cascade
        self._skin = skin
        self.reset()

    def reset(self) -> None:
        """Begin again, with a search of the whole next frame."""
        self._verifier = Verifier(self._cascade)
        self._follower = Follower(self._verifier)
        self._scanner = Scanner(self._verifier, self._skin)

    def find(self, frame: Frame, tracks: Sequence[Track]) -> Found:
        """Return the known faces of `frame` where they are now, and new ones."""
        self._verifier.start(frame.y)
        self._scanner.start()
        again = [(track, self._follower.find(frame, track)) for track in tracks]
        known = [detection for _, detection in again if detection]
        lost = any(track.id and not detection for track, detection in again)
        for detection in known:
            self._verifier.pyramid.cover(detection.box)
        new, full = self._scanner.find(frame, [d.box for d in known], lost)
        self._follower.forget_others({track.id for track in tracks})
        faces = [_clipped(detection, frame) for detection in distinct(known, new)]
        return Found(
            sorted(faces, key=lambda face: face.box),
            self._verifier.searched,
            full,
            self._scanner.skin_seconds,
            self._scanner.left_out,
        )


def distinct(known: list[Detection], new: list[Detection]) -> list[Detection]:
    """Keep one detection of each face.

    Two known faces may hide one another in part, so that only much the same box makes them one. A new one that
    shares much with any other is a second answer to the same face.
    """
    surest = sorted(known, key=lambda d: -d.score)
    apart = first_of_each([d.box for d in surest], lambda box, others: ious(box, others) >= SAME_FACE)
    kept = [surest[index] for index in apart]
    others = suppress_overlaps(new)
    within = shares(as_rows([d.box for d in others]), as_rows([d.box for d in kept])) > CONTAINMENT
    return kept + [others[index] for index in np.flatnonzero(~within.any(axis=1)).tolist()]


def _clipped(detection: Detection, frame: Frame) -> Detection:
    """Return the detection with its box inside the frame, without the padding of an odd edge."""
    box = clip(detection.box, frame.width, frame.height)
    return detection if box == detection.box else dataclasses.replace(detection, box=box)
