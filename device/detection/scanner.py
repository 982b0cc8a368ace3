"""Scanning: searches for new faces a bit in every frame.

Three scans go on side by side: of what moved, of the whole frame, and of the smallest faces. Each goes through its
tiles once and begins again. Each frame gets the tiles that are due by its time. What looks like a face is verified.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from time import perf_counter

import numpy as np

from fer_edge.device.detection.cascade import CONTAINMENT, SIDES
from fer_edge.device.detection.motion import Changes
from fer_edge.device.detection.scan import Scan, Tile, tiles
from fer_edge.device.detection.skin import SkinSegmentation
from fer_edge.device.detection.verify import Verifier
from fer_edge.device.faces import Detection, as_rows, clip, grow, iou, ious, merge_boxes, scaled, shared, shares
from fer_edge.device.frame import Frame
from fer_edge.preprocess import Box

FRAME_SCAN_S = 2.0
"""Seconds in which the whole frame is scanned once for all faces but the smallest, whatever moves."""

MOTION_SCAN_S = 0.4
"""Seconds in which what moved is scanned once for these faces."""

SMALL_SCAN_S = 1.0
"""Seconds of a scan for the smallest faces, those below twice the window."""

LONGEST_STEP = 1 / 3
"""Part of a scan that one frame may cost at most, however late it comes."""

CROWD_FACES = 2.5
"""Known faces from which the scans become faster, in proportion: where many are, more come and go."""

LOST_SPEED = 2.0
"""Times faster that the scans go while a known face is not found, as it may be back anywhere near."""

REFUSED_IOU = 0.5
"""Intersection over union from which the refusal of one window has answered for another, too."""


LOOKS = 250
"""Places looked at closely in one frame at most, those for large faces first; each takes a millisecond or more. Frames
without a crowd have up to some 25."""


class Scanner:
    """Finds new faces.

    Attributes:
        skin_seconds: spent on finding skin in the current frame.
        left_out: places of the current frame that look like a face and were beyond `LOOKS`.
    """

    def __init__(self, verifier: Verifier, skin: SkinSegmentation) -> None:
        """Start with all scans due.

        Args:
            verifier: asked about the frame that it has begun with.
            skin: says where the smallest faces are sought.
        """
        self.skin_seconds = 0.0
        self.left_out = 0
        self._verifier = verifier
        self._pyramid = verifier.pyramid
        self._skin = skin
        self._changes = Changes()
        self._frame_scan = Scan(FRAME_SCAN_S, LONGEST_STEP)
        self._motion_scan = Scan(MOTION_SCAN_S, LONGEST_STEP)
        self._small_scan = Scan(SMALL_SCAN_S, LONGEST_STEP)
        self._time = float("-inf")

    def start(self) -> None:
        """Take in what the frame shows, before known faces are painted over."""
        self._changes.add(self._pyramid.level(min(3, self._pyramid.levels - 1)))
        self.skin_seconds = 0.0

    def find(self, frame: Frame, known: list[Box], lost: bool) -> tuple[list[Detection], bool]:
        """Scan what is due; in the first frame and after a cut that is everything.

        Args:
            frame: the one that the verifier has begun with.
            known: boxes of the faces that were found again.
            lost: whether a face with a number was not found again.

        Returns:
            The new faces, verified, and whether a scan of the whole frame ended with this frame.
        """
        cut = self._changes.cut
        elapsed = float("inf") if cut else max(frame.time - self._time, 0.0)
        self._time = frame.time
        self._begin_scans(frame, known, cut)
        busy = not self._frame_scan.done
        speed = max(LOST_SPEED if lost else 1.0, len(known) / CROWD_FACES)
        due = (*self._motion_scan.take(elapsed * speed), *self._frame_scan.take(elapsed * speed))
        new = self._scan((*due, *self._small_scan.take(elapsed)), known)
        return new, busy and self._frame_scan.done

    def _scan(self, due: Sequence[Tile], known: Sequence[Box]) -> list[Detection]:
        new: list[Detection] = []
        places, refused = list(known), list[Box]()
        looks = self.left_out = 0
        for tile in due:
            answered, unanswered = len(places), len(refused)
            for box in _unlike(self._verifier.candidates(tile), places, refused):
                # What this tile has brought is little, and is not worth arrays.
                if any(shared(box, face) > CONTAINMENT for face in places[answered:]):
                    continue
                if any(iou(box, other) > REFUSED_IOU for other in refused[unanswered:]):
                    continue
                looks += 1
                if looks > LOOKS:
                    self.left_out += 1
                    if len(refused) < 2 * LOOKS:  # so that windows on one place count once, as far as that is cheap
                        refused.append(box)
                elif found := self._verifier.verify(box):
                    new.append(found)
                    places.append(found.box)
                else:
                    refused.append(box)
        return new

    def _begin_scans(self, frame: Frame, known: list[Box], cut: bool) -> None:
        if self._frame_scan.done or cut:
            self._frame_scan.begin(self._whole(range(self._pyramid.levels - 1, 0, -1)))
        if self._motion_scan.done or cut:
            moved = self._changes.moved(frame.width, frame.height)
            self._motion_scan.begin(() if cut else self._around(frame, moved))
        if self._small_scan.done or cut:
            start = perf_counter()
            regions = self._skin.propose(frame, known)
            self.skin_seconds = perf_counter() - start
            everywhere = regions.search_all is not None
            self._small_scan.begin(self._whole((0,)) if everywhere else self._within(regions.boxes))

    def _whole(self, levels: Sequence[int]) -> Iterator[Tile]:
        for level in levels:
            height, width = self._pyramid.shape(level)
            yield from self._tiles(level, Box(0, 0, width, height))

    def _within(self, boxes: Sequence[Box]) -> Iterator[Tile]:
        return (tile for box in boxes for tile in self._tiles(0, box))

    def _around(self, frame: Frame, boxes: Sequence[Box]) -> list[Tile]:
        """Return tiles for faces that moved, which lie in the boxes of what moved by half at least."""
        work: list[Tile] = []
        margin = 0
        for level in range(1, self._pyramid.levels):
            wider = (SIDES[-1] // 2 << level) - margin
            margin += wider
            boxes = merge_boxes([grow(box, wider, frame.width, frame.height) for box in boxes])
            there = (self._on_level(level, box) for box in boxes)
            work[:0] = (tile for box in there for tile in self._tiles(level, box))
        return work

    def _tiles(self, level: int, box: Box) -> Iterator[Tile]:
        return tiles(level, box, self._verifier.smallest / 2**level)

    def _on_level(self, level: int, box: Box) -> Box:
        height, width = self._pyramid.shape(level)
        return clip(scaled(box, 0.5**level), width, height)


def _unlike(boxes: Sequence[Box], places: Sequence[Box], refused: Sequence[Box]) -> list[Box]:
    """Return the boxes that are neither within a face nor much like a refused window."""
    rows = as_rows(boxes)
    within = shares(rows, as_rows(places)) > CONTAINMENT
    alike = ious(rows, as_rows(refused)) > REFUSED_IOU
    unlike = np.flatnonzero(~(within.any(axis=1) | alike.any(axis=1)))
    return [boxes[index] for index in unlike.tolist()]
