"""Faces of a video by the two networks: known ones are looked at in every frame, new ones sought a bit in each.

The refiner looks at a known face where it should be now, at the tilt it had. The proposer looks at the whole frame a
few times a second, and at once after a cut or when a face was lost; tiles at finer scales follow one after the other,
often where something moved or skin is besides the known faces, seldom elsewhere. No tile is left out.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from fer_edge.device.detection.detector import Found
from fer_edge.device.detection.face import detection
from fer_edge.device.detection.motion import Changes
from fer_edge.device.detection.skin import SkinSegmentation
from fer_edge.device.detection.tile_scan import MOVED_S, TileScan
from fer_edge.device.faces import FACES_IN_VIDEO, intersection
from fer_edge.device.frame import Frame
from fer_edge.device.tracking.tracker import Track, predict
from fer_edge.faces.crop import Look, Refined
from fer_edge.faces.finder import FaceFinder
from fer_edge.faces.photo import box_of, factors
from fer_edge.faces.search import propose_in
from fer_edge.faces.squares import NMS_CONTAINMENT, NMS_IOU, overlaps, suppress
from fer_edge.faces.tiles import Tile, fit_scale
from fer_edge.preprocess import Box

WHOLE_INTERVAL_S = 0.45
"""Between two looks at the whole frame."""
MOST_HASTE = 8
"""The search may cost what the known faces cost: with so many, tiles are searched so many times as often."""
SKIN_INTERVAL_S = 2.0
"""Between two segmentations of skin, which take as long as a look at the whole frame."""
PROPOSAL_SCORE, CROWD_PROPOSAL_SCORE = 0.35, 0.2
"""Least score of a proposal in a video, and where several faces are known: there less likely ones are worth a look."""
NEW_SCORE = 0.75
"""Least score of a new face."""
CLEAR_SCORE = 0.5
"""Score from which a known face is clear; a new one needs more."""
KEPT_SCORE = 0.15
"""Least score of a known face that turns away or is covered for a moment,"""
UNCLEAR_S = 1.0
"""and the seconds for which it may."""
WEAK_SCORE = 0.6
"""Score of a known face below which it is looked at once more."""
STILL = 0.06
"""Movement and growth, in sides of the face, below which a face is taken to stay, and its place to be a mean."""
STEADY = 0.3
"""Weight of the new place of a face that stays."""
EXPLAINED = 0.6
"""Part of a moved or skin-coloured box near a known face that keeps it from being interesting."""
MOVING_CAMERA = 0.6
"""Share of the frame that moved from which movement says nothing about where faces are."""
MOTION_COLUMNS = 128
"""So many columns of the luma are enough for the thumbnail that shows motion."""


@dataclasses.dataclass(frozen=True)
class _Known:
    """Where a face was last, and when it was clear last, in seconds."""

    look: Look
    clear: float


class NetworkSearch:
    """Follows known faces with the refiner, and searches for new ones with the proposer; a `Search`."""

    def __init__(self, finder: FaceFinder, skin: SkinSegmentation) -> None:
        self._finder = finder
        self._skin = skin
        self.reset()

    def reset(self) -> None:
        """Begin again, with a search of the whole next frame."""
        self._known: dict[Box, _Known] = {}
        self._changes = Changes()
        self._scans: dict[int, TileScan] | None = None
        self._least = PROPOSAL_SCORE
        self._whole_time = self._skin_time = float("-inf")

    def find(self, frame: Frame, tracks: Sequence[Track]) -> Found:
        """Return the known faces of `frame` where they are now, and new ones."""
        step = max(frame.width // MOTION_COLUMNS, 1)
        self._changes.add(frame.y[::step, ::step])
        self._searched = self._skin_seconds = 0.0
        self._left_out = 0
        kept, lost = self._follow(frame, tracks)
        known = [face for face, _ in kept]
        new, full = self._seek(frame, known, lost)
        faces = [*kept, *((face, frame.time) for face in new)]
        waiting = {track.box: self._known[track.box] for track in tracks if track.box in self._known}
        found = [detection(face, frame) for face, _ in faces]
        self._known = waiting | {d.box: _Known(f.look, clear) for d, (f, clear) in zip(found, faces, strict=True)}
        return Found(sorted(found, key=lambda d: d.box), self._searched, full, self._skin_seconds, self._left_out)

    def _follow(self, frame: Frame, tracks: Sequence[Track]) -> tuple[list[tuple[Refined, float]], bool]:
        """Look at each known face where it should be.

        Returns:
            Those that are there, each with the time when it was clear last; whether one is not that was reported.
        """
        known = [(track, self._known[track.box]) for track in tracks if track.box in self._known]
        expected = [_moved(before.look, track, frame.time) for track, before in known]
        found = self._again(frame, self._finder.look(frame.y, expected))
        kept, lost = [], False
        for (track, before), place, face in zip(known, expected, found, strict=True):
            clear = frame.time if face.score >= CLEAR_SCORE else before.clear
            if face.score >= KEPT_SCORE and frame.time - clear <= UNCLEAR_S:
                kept.append((dataclasses.replace(face, look=_steadied(place, face.look)), clear))
            else:
                lost |= bool(track.id)
        if len(kept) > 1:
            kept = [kept[index] for index in suppress(_rows([face for face, _ in kept]))]
        return kept, lost

    def _again(self, frame: Frame, faces: list[Refined]) -> list[Refined]:
        """Look once more at weak faces, where the first look saw them: they moved, or turned."""
        weak = [index for index, face in enumerate(faces) if face.score < WEAK_SCORE]
        for index, second in zip(weak, self._finder.look(frame.y, [faces[index].look for index in weak]), strict=True):
            if second.score > faces[index].score:
                faces[index] = second
        return faces

    def _seek(self, frame: Frame, known: list[Refined], lost: bool) -> tuple[list[Refined], bool]:
        cut = self._changes.cut
        self._least = PROPOSAL_SCORE if len(known) < 2 else CROWD_PROPOSAL_SCORE
        squares = []
        whole = cut or lost or frame.time - self._whole_time >= WHOLE_INTERVAL_S
        if whole:
            self._whole_time = frame.time
            squares.append(self._propose(frame, 1, [Tile(0, 0)]))
        scans = self._scans_of(frame)
        if whole and scans:
            moved, skin = self._interesting(frame, known)
            for scan in scans.values():
                scan.mark(moved, skin)
        haste = float(min(max(len(known), 1), MOST_HASTE))
        for factor, scan in scans.items():
            tiles = scan.take_all(frame.time) if cut and factor == 2 else scan.take(frame.time, haste)
            squares.append(self._propose(frame, factor, tiles))
        full = 2 in scans and scans[2].ended()
        squares = [found for found in squares if len(found)]
        if not squares:
            return [], full
        proposed = np.concatenate(squares)
        proposed = proposed[_apart(proposed, known)]
        apart = suppress(proposed)  # the likeliest first
        self._left_out = max(len(apart) - FACES_IN_VIDEO, 0)
        new = self._finder.judge(frame.y, proposed[apart[:FACES_IN_VIDEO]], NEW_SCORE)
        return [face for face in new if _apart(_rows([face]), known)[0]], full

    def _scans_of(self, frame: Frame) -> dict[int, TileScan]:
        if self._scans is None:
            size = frame.width, frame.height
            # A video has no time for the finest tiles of a large frame.
            self._scans = {f: TileScan(*size, f, frame.time) for f in factors(*size) if f in MOVED_S}
        return self._scans

    def _propose(self, frame: Frame, factor: int, tiles: Sequence[Tile]) -> NDArray[np.float32]:
        if not tiles:
            return np.zeros((0, 4), np.float32)
        self._searched += len(tiles) / factor**2
        scale = fit_scale(frame.width, frame.height) * factor
        return propose_in(self._finder.proposer, frame.y, tiles, scale, factor > 1, self._least)

    def _interesting(self, frame: Frame, known: Sequence[Refined]) -> tuple[list[Box], list[Box]]:
        """Return where something moved, and where skin is, that no known face explains."""
        faces = [box_of(face.look) for face in known]
        around = [Box(box.x - box.w // 2, box.y - box.h // 2, 2 * box.w, 2 * box.h) for box in faces]

        def unexplained(boxes: Sequence[Box]) -> list[Box]:
            return [b for b in boxes if all(intersection(b, face) < EXPLAINED * b.w * b.h for face in around)]

        moved = self._changes.moved(frame.width, frame.height)
        if sum(box.w * box.h for box in moved) > MOVING_CAMERA * frame.width * frame.height:
            moved = []
        skin: Sequence[Box] = ()
        if frame.time - self._skin_time >= SKIN_INTERVAL_S:
            self._skin_time, start = frame.time, perf_counter()
            skin = self._skin.propose(frame, faces).boxes
            self._skin_seconds += perf_counter() - start
        return unexplained(moved), unexplained(skin)


def _moved(look: Look, track: Track, time: float) -> Look:
    there = predict(track, time)
    return dataclasses.replace(look, x=look.x + there.x - track.box.x, y=look.y + there.y - track.box.y)


def _steadied(expected: Look, found: Look) -> Look:
    """Return the new place of a face: a mean with the expected one where it stays, as found where it moves."""
    change = max(abs(found.x - expected.x), abs(found.y - expected.y), abs(found.side - expected.side))
    if change >= STILL * expected.side:
        return found
    return Look(
        expected.x + STEADY * (found.x - expected.x),
        expected.y + STEADY * (found.y - expected.y),
        expected.side + STEADY * (found.side - expected.side),
        found.roll,
    )


def _rows(faces: Sequence[Refined]) -> NDArray[np.float32]:
    rows = [(face.look.x, face.look.y, face.look.side, face.score) for face in faces]
    return np.array(rows, np.float32).reshape(-1, 4)


def _apart(squares: NDArray[np.float32], known: Sequence[Refined]) -> NDArray[np.bool_]:
    """Return which squares show none of the known faces."""
    apart = np.ones(len(squares), bool)
    for face in _rows(known):
        iou, inside = overlaps(face, squares)
        apart &= (iou <= NMS_IOU) & (inside <= NMS_CONTAINMENT)
    return apart
