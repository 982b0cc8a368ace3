"""Where and how closely each picture of a film is searched, so that every picture costs about the same.

A face that was found is looked for around where it should be now, which costs a hundredth of the whole
picture. What moved, and more slowly the whole picture, is searched for new faces a bit at a time: a round
goes through it once with every size of window, on a picture shrunk so far that the window moves in steps
of two pixels, and each picture of the film gets its share of the round. What looks like a face is then
looked at closely.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from time import perf_counter
from typing import Protocol

from fer_edge.device.detection.cascade import OVERLAP, SIDES, HaarCascade, suppress_overlaps
from fer_edge.device.detection.motion import Changes
from fer_edge.device.detection.pyramid import Pyramid
from fer_edge.device.detection.scan import Piece, Round, pieces
from fer_edge.device.detection.skin import Regions, SkinSegmentation
from fer_edge.device.detection.template import ALIKE, SAME, Follower
from fer_edge.device.faces import SAME_FACE, Detection, area, clip, grow, iou, merge_boxes, scaled, shared
from fer_edge.device.frame import Frame, shrunk
from fer_edge.device.tracking.tracker import Track, predict
from fer_edge.preprocess import Box

SEARCHED = 4_000_000
"""Pixels in which a picture is searched whole; of a larger one a copy is, whose faces are still hundreds wide."""

ROUND = 2.0
"""Seconds in which the whole picture is searched once for all faces but the smallest, whatever moves."""

MOVING_ROUND = 0.4
"""Seconds in which what moved is searched once for these faces."""

SMALL_ROUND = 1.0
"""Seconds of a round for the smallest faces, those below twice the window."""

LONGEST_STEP = 1 / 3
"""Part of a round that one picture may cost at most, however late it comes."""

CROWD = 2.5
"""Known faces from which the rounds become shorter, in proportion: where many are, more come and go."""

LOST = 2.0
"""Times faster that the rounds go while a known face is not found, as it may be back anywhere near."""

GLANCE = 0.09
"""Seconds for which a face that looks the same is only followed."""

VERIFY = 0.5
"""Seconds after which a known face is looked at closely again."""

LOOKED = 0.5
"""Intersection over union from which a close look at one window has answered for another, too."""


class FaceDetector(Protocol):
    """Finds faces in one picture."""

    def detect(self, frame: Frame, regions: Regions) -> list[Detection]:
        """Return the faces left to right; `regions` says where small ones need be looked for."""


@dataclasses.dataclass(frozen=True)
class Found:
    """What the search of one picture brought.

    Attributes:
        detections: left to right; those without votes were not found but followed.
        searched: area that was searched, as a share of the picture's; more than 1 where sizes were searched apart.
        full: a search of the whole picture ended with this one.
        skin: seconds spent on finding skin.
    """

    detections: list[Detection]
    searched: float
    full: bool
    skin: float


class Search(Protocol):
    """Finds the faces of the next picture."""

    def find(self, frame: Frame, tracks: Sequence[Track]) -> Found:
        """Return the faces of `frame`, given the tracks up to the picture before."""

    def reset(self) -> None:
        """Forget the pictures before."""


class WholePictures:
    """Searches every picture by itself: for photos, and for detectors that know no other way."""

    def __init__(self, detector: FaceDetector, skin: SkinSegmentation) -> None:
        self._detector = detector
        self._skin = skin

    def find(self, frame: Frame, tracks: Sequence[Track]) -> Found:
        """Return what the detector finds in the regions of `frame`."""
        start = perf_counter()
        small = shrunk(frame, SEARCHED)
        regions = self._skin.propose(small, [scaled(track.box, small.width / frame.width) for track in tracks])
        skin = perf_counter() - start
        detections = placed(self._detector.detect(small, regions), small, frame)
        parts = sum(map(area, regions.boxes)) / small.y.size
        return Found(detections, 1.0 + parts, bool(regions.search_all), skin)

    def reset(self) -> None:
        """Forget nothing, as there is nothing to forget."""


def placed(detections: list[Detection], small: Frame, frame: Frame) -> list[Detection]:
    """Return what was found in a smaller copy of a picture where it is in the picture."""
    if small is frame:
        return detections
    factor = frame.width / small.width
    return [
        dataclasses.replace(found, box=clip(scaled(found.box, factor), frame.width, frame.height))
        for found in detections
    ]


class SpreadSearch:
    """Follows known faces, and searches for new ones a bit in every picture."""

    def __init__(self, cascade: HaarCascade, skin: SkinSegmentation) -> None:
        self._cascade = cascade
        self._skin = skin
        self.reset()

    def reset(self) -> None:
        """Begin anew, with a search of the whole next picture."""
        self._pyramid = Pyramid()
        self._changes = Changes()
        self._follower = Follower()
        self._round = Round(ROUND, LONGEST_STEP)
        self._moving_round = Round(MOVING_ROUND, LONGEST_STEP)
        self._small_round = Round(SMALL_ROUND, LONGEST_STEP)
        self._confirmed: dict[int, float] = {}
        self._time = float("-inf")

    def find(self, frame: Frame, tracks: Sequence[Track]) -> Found:
        """Return the known faces of `frame` where they are now, and new ones."""
        self._pyramid.start(frame.y)
        self._changes.add(self._pyramid.level(min(3, self._pyramid.levels - 1)))
        self._searched = self._skin_seconds = 0.0
        again = [(track, self._find_again(frame, track)) for track in tracks]
        known = [detection for _, detection in again if detection]
        lost = any(track.id and not detection for track, detection in again)
        for detection in known:
            self._pyramid.cover(detection.box)
        new, full = self._find_new(frame, [d.box for d in known], lost)
        self._time = frame.time
        self._forget({track.id for track in tracks})
        faces = [clipped(detection, frame) for detection in distinct(known, new)]
        return Found(sorted(faces, key=lambda face: face.box), self._searched, full, self._skin_seconds)

    def _find_again(self, frame: Frame, track: Track) -> Detection | None:
        """Look for a known face: closely now and then, else quickly, by what it looked like, and closely after all."""
        box = clip(predict(track, frame.time), frame.width, frame.height)
        if not track.id:
            return self._confirm(frame, box)
        found = None
        closely = frame.time - self._confirmed.get(track.id, track.confirmed) >= VERIFY
        if closely:
            self._confirmed[track.id] = frame.time
            found = self._confirm(frame, box)
        elif frame.time - track.time < GLANCE:
            found = self._follow(frame, track.id, box, SAME)
        found = found or self._glance(box) or self._follow(frame, track.id, box, ALIKE)
        if not found and not closely:
            found = self._confirm(frame, box)
        if found and found.votes:
            self._follower.remember(track.id, frame.y, clip(found.box, frame.width, frame.height))
        return found

    def _follow(self, frame: Frame, number: int, box: Box, alike: float) -> Detection | None:
        moved = self._follower.follow(number, frame.y, box, alike)
        return Detection(moved, 0, close=False) if moved else None

    def _confirm(self, frame: Frame, box: Box) -> Detection | None:
        self._searched += 3 * area(box) / frame.y.size
        return self._cascade.confirm(frame.y, box)

    def _glance(self, box: Box) -> Detection | None:
        level = self._pyramid.level_for(max(box.w, box.h))
        luma = self._pyramid.level(level)
        self._searched += 2 * area(box) / (luma.size * 4**level)
        found = self._cascade.glance(luma, clip(scaled(box, 0.5**level), luma.shape[1], luma.shape[0]))
        return found and Detection(scaled(found.box, 2.0**level), found.votes, close=False)

    def _find_new(self, frame: Frame, known: list[Box], lost: bool) -> tuple[list[Detection], bool]:
        """Do what is due of the rounds; at the beginning and after a cut that is everything."""
        cut = self._changes.cut
        elapsed = float("inf") if cut else max(frame.time - self._time, 0.0)
        haste = max(LOST if lost else 1.0, len(known) / CROWD)
        if self._round.done or cut:
            self._round.begin(self._search_all(range(self._pyramid.levels - 1, 0, -1)))
        if self._moving_round.done or cut:
            moved = self._changes.moved(frame.width, frame.height)
            self._moving_round.begin(() if cut else self._search_moved(frame, moved))
        if self._small_round.done or cut:
            self._begin_small_round(frame, known)
        busy = not self._round.done
        new: list[Detection] = []
        refused: list[Box] = []
        hurried = (*self._moving_round.take(elapsed * haste), *self._round.take(elapsed * haste))
        for piece in (*hurried, *self._small_round.take(elapsed)):
            for box in self._candidates(piece):
                if any(shared(box, face) > OVERLAP for face in (*known, *(d.box for d in new))):
                    continue
                if any(iou(box, other) > LOOKED for other in refused):
                    continue
                if found := self._confirm(frame, box):
                    new.append(found)
                else:
                    refused.append(box)
        return new, busy and self._round.done

    def _begin_small_round(self, frame: Frame, known: list[Box]) -> None:
        start = perf_counter()
        regions = self._skin.propose(frame, known)
        self._skin_seconds = perf_counter() - start
        if regions.search_all:
            self._small_round.begin(self._search_all((0,)))
        else:
            self._small_round.begin(p for box in regions.boxes for p in pieces(0, box, self._cascade.smallest))

    def _search_all(self, levels: Sequence[int]) -> Iterator[Piece]:
        for level in levels:
            height, width = self._pyramid.shape(level)
            yield from pieces(level, Box(0, 0, width, height), self._cascade.smallest / 2**level)

    def _search_moved(self, frame: Frame, boxes: Sequence[Box]) -> list[Piece]:
        work: list[Piece] = []
        margin = 0
        for level in range(1, self._pyramid.levels):
            # A face that moved lies in its box by half at least.
            wider = (SIDES[-1] // 2 << level) - margin
            margin += wider
            boxes = merge_boxes([grow(box, wider, frame.width, frame.height) for box in boxes])
            there = (self._on_level(level, box) for box in boxes)
            work[:0] = (piece for box in there for piece in pieces(level, box, self._cascade.smallest / 2**level))
        return work

    def _on_level(self, level: int, box: Box) -> Box:
        height, width = self._pyramid.shape(level)
        return clip(scaled(box, 0.5**level), width, height)

    def _candidates(self, piece: Piece) -> list[Box]:
        luma = self._pyramid.level(piece.level)
        self._searched += area(piece.area) / luma.size
        return [scaled(box, 2.0**piece.level) for box in self._cascade.candidates(luma, piece.area, piece.side)]

    def _forget(self, numbers: set[int]) -> None:
        self._follower.forget_others(numbers)
        for number in self._confirmed.keys() - numbers:
            del self._confirmed[number]


def distinct(known: list[Detection], new: list[Detection]) -> list[Detection]:
    """Keep one detection of each face.

    Two known faces may hide one another in part, so that only much the same box makes them one. A new one that
    shares much with any other is a second answer to the same face.
    """
    kept: list[Detection] = []
    for detection in sorted(known, key=lambda d: -d.votes):
        if all(iou(detection.box, other.box) < SAME_FACE for other in kept):
            kept.append(detection)
    places = [detection.box for detection in kept]
    return kept + [d for d in suppress_overlaps(new) if all(shared(d.box, place) <= OVERLAP for place in places)]


def clipped(detection: Detection, frame: Frame) -> Detection:
    """Return the detection with its box inside the picture, without the padding of an odd edge."""
    box = clip(detection.box, frame.width, frame.height)
    return detection if box == detection.box else dataclasses.replace(detection, box=box)
