"""Faces of a video by the two networks: known ones are looked at in every frame, new ones sought a bit in each.

The refiner looks at a known face where it should be now, at the tilt it had. The proposer looks at the whole frame a
few times a second, and at once after a cut or when a face was lost; tiles at finer scales follow one after the other,
those where something moved or skin is first. Skin never keeps a tile from being searched.
"""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Sequence
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from fer_edge.device.detection.detector import Found
from fer_edge.device.detection.face import detection
from fer_edge.device.detection.motion import Changes
from fer_edge.device.detection.skin import SkinSegmentation
from fer_edge.device.faces import intersection
from fer_edge.device.frame import Frame
from fer_edge.device.tracking.tracker import Track, predict
from fer_edge.faces.crop import Look, Refined
from fer_edge.faces.finder import FaceFinder
from fer_edge.faces.grid import FRAME_HEIGHT, FRAME_WIDTH
from fer_edge.faces.photo import box_of, factors
from fer_edge.faces.search import propose_in
from fer_edge.faces.squares import NMS_CONTAINMENT, NMS_IOU, overlaps, suppress
from fer_edge.faces.tiles import Tile, fit_scale, scaled_size, tile_grid
from fer_edge.preprocess import Box

WHOLE_INTERVAL_S = 0.3
"""Between two looks at the whole frame."""
SCAN_S = {2: 1.0, 4: 2.5}
"""Seconds in which all tiles of a scale are searched once."""
MOST_TILES = 3
"""Of each scale in one frame, however late it comes."""
PROPOSAL_SCORE = 0.35
"""Least score of a proposal in a video; an image has time for less likely ones."""
KEPT_SCORE = 0.35
"""Least score of a known face; a new one needs more."""
STILL = 0.06
"""Movement and growth, in sides of the face, below which a face is taken to stay, and its place to be a mean."""
STEADY = 0.3
"""Weight of the new place of a face that stays."""
MOTION_STEP = 4
"""Every so many pixels of the luma are enough for the thumbnail that shows motion."""


class NetworkSearch:
    """Follows known faces with the refiner, and searches for new ones with the proposer; a `Search`."""

    def __init__(self, finder: FaceFinder, skin: SkinSegmentation) -> None:
        self._finder = finder
        self._skin = skin
        self.reset()

    def reset(self) -> None:
        """Begin again, with a search of the whole next frame."""
        self._looks: dict[Box, Look] = {}
        self._changes = Changes()
        self._scans: dict[int, _Scan] = {}
        self._whole_time = self._time = float("-inf")

    def find(self, frame: Frame, tracks: Sequence[Track]) -> Found:
        """Return the known faces of `frame` where they are now, and new ones."""
        self._changes.add(frame.y[::MOTION_STEP, ::MOTION_STEP])
        self._searched = self._skin_seconds = 0.0
        known, lost = self._follow(frame, tracks)
        new, full = self._seek(frame, known, lost)
        self._time = frame.time
        faces = [*known, *new]
        waiting = {track.box: self._looks[track.box] for track in tracks if track.box in self._looks}
        found = [detection(face, frame) for face in faces]
        self._looks = waiting | {d.box: face.look for d, face in zip(found, faces, strict=True)}
        return Found(sorted(found, key=lambda d: d.box), self._searched, full, self._skin_seconds)

    def _follow(self, frame: Frame, tracks: Sequence[Track]) -> tuple[list[Refined], bool]:
        """Look at each known face where it should be; say whether one that was there is not."""
        places = [(track, self._looks[track.box]) for track in tracks if track.box in self._looks]
        expected = [_moved(look, track, frame.time) for track, look in places]
        found = self._finder.look(frame.y, expected)
        kept = [
            dataclasses.replace(face, look=_steadied(place, face.look))
            for place, face in zip(expected, found, strict=True)
            if face.score >= KEPT_SCORE
        ]
        lost = any(t.id and f.score < KEPT_SCORE for (t, _), f in zip(places, found, strict=True))
        return [kept[index] for index in suppress(_rows(kept))], lost

    def _seek(self, frame: Frame, known: list[Refined], lost: bool) -> tuple[list[Refined], bool]:
        cut = self._changes.cut
        squares = []
        if cut or lost or frame.time - self._whole_time >= WHOLE_INTERVAL_S:
            self._whole_time = frame.time
            squares.append(self._propose(frame, 1, [Tile(0, 0)]))
        full = False
        for factor in factors(frame.width, frame.height)[1:]:
            scan = self._scans.setdefault(factor, _Scan(frame, factor))
            everything = cut and factor == 2
            if everything or scan.ended:
                scan.begin(self._interesting(frame, known))
            tiles = scan.take(np.inf if everything else frame.time - self._time)
            squares.append(self._propose(frame, factor, tiles))
            full |= factor == 2 and scan.ended
        proposed = np.concatenate([np.zeros((0, 4), np.float32), *squares])
        proposed = proposed[_apart(proposed, known)]
        new = self._finder.judge(frame.y, proposed[suppress(proposed)])
        return [face for face in new if _apart(_rows([face]), known)[0]], full

    def _propose(self, frame: Frame, factor: int, tiles: Sequence[Tile]) -> NDArray[np.float32]:
        if not tiles:
            return np.zeros((0, 4), np.float32)
        self._searched += len(tiles) / factor**2
        scale = fit_scale(frame.width, frame.height) * factor
        return propose_in(self._finder.proposer, frame.y, tiles, scale, factor > 1, PROPOSAL_SCORE)

    def _interesting(self, frame: Frame, known: Sequence[Refined]) -> list[Box]:
        start = perf_counter()
        skin = self._skin.propose(frame, [box_of(face.look) for face in known])
        self._skin_seconds += perf_counter() - start
        return [*skin.boxes, *self._changes.moved(frame.width, frame.height)]


class _Scan:
    """The tiles of one scale, handed out as time goes by."""

    def __init__(self, frame: Frame, factor: int) -> None:
        scale = fit_scale(frame.width, frame.height) * factor
        self._seconds = SCAN_S[factor]
        self._tiles = tile_grid(*scaled_size(frame.width, frame.height, scale))
        self._scale = scale
        self._waiting: deque[Tile] = deque()
        self._due = 0.0

    @property
    def ended(self) -> bool:
        """Whether all tiles were handed out."""
        return not self._waiting

    def begin(self, interesting: Sequence[Box]) -> None:
        """Start again, with the tiles that share most with interesting boxes first."""
        self._waiting = deque(sorted(self._tiles, key=lambda tile: -self._shared(tile, interesting)))

    def _shared(self, tile: Tile, boxes: Sequence[Box]) -> int:
        area = Box(*(round(v / self._scale) for v in (tile.left, tile.top, FRAME_WIDTH, FRAME_HEIGHT)))
        return sum(intersection(area, box) for box in boxes)

    def take(self, elapsed: float) -> list[Tile]:
        """Return the tiles that are due after so many seconds; all of them after an infinite time."""
        if elapsed == np.inf:
            count = len(self._waiting)
        else:
            self._due = min(self._due + elapsed / self._seconds * len(self._tiles), MOST_TILES)
            count = min(int(self._due), len(self._waiting))
            self._due -= count
        return [self._waiting.popleft() for _ in range(count)]


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
