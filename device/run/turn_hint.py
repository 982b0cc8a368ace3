"""A line for whoever hung the camera upside down: no face for a while, but turned frames show one."""

from __future__ import annotations

import logging
import math
from collections import Counter

from fer_edge.device.detection.cascade import SMALLEST, HaarCascade
from fer_edge.device.detection.choice import DetectorChoice
from fer_edge.device.detection.detector import FaceDetector
from fer_edge.device.detection.image_search import ImageSearch
from fer_edge.device.detection.skin import segmentation
from fer_edge.device.faces import Landmarks
from fer_edge.device.frame import Frame, shrunk
from fer_edge.device.results import FrameResult
from fer_edge.device.sources.mounting import Mounting
from fer_edge.device.tracking.tracker import SURE_SCORE

_log = logging.getLogger(__name__)

WINDOW_S = 10.0
"""Time without an upright face after which turned frames are looked at; it doubles after looks that showed none."""
LONGEST_WINDOW_S = 640.0

UPRIGHT_SHARE = 0.34
"""Of the frames of a window, at most: in turned frames the cascade sees a false face now and then."""

LEANING_SHARE = 0.5
"""Of the frames of a window, at least, whose faces all lean alike, where the detector finds leaning ones."""

LOOK_INTERVAL_S = 0.5
TURNS = (180, 90, 270)
LOOKS = 2
"""Looks at each turn; as many must show a face, because one alone may be a false one."""

LOOK_PIXELS = 320 * 240
"""Pixels of the copy that is looked at, so that a look costs little; faces of a tenth of its height are found in it."""


class TurnHint:
    """Watches the results of a run, and says at most once which ``--rotate`` would show faces."""

    def __init__(self, name: str, mounting: Mounting, choice: DetectorChoice) -> None:
        """Prepare.

        Args:
            name: of the source, for the line.
            mounting: what the frames have been through.
            choice: the detector of the run; another one is opened when it is needed first.
        """
        self._name, self._mounting, self._choice = name, mounting, choice
        self._search: ImageSearch | None = None
        self._said = False
        self._window_s = WINDOW_S
        self._since: float | None = None
        self._frames = self._upright = 0
        self._leaning: Counter[int] = Counter()
        self._looks: list[int] = []
        self._shown: Counter[int] = Counter()
        self._next_look = 0.0

    def watch(self, result: FrameResult) -> None:
        """Take in the result of a frame; now and then looks at the frame turned, in the loop's thread."""
        if self._said:
            return
        if self._since is None:
            self._begin(result.time)
        self._count(result)
        if self._looks and result.time >= self._next_look:
            self._look(result)
        elif not self._looks and result.time - (self._since or 0.0) >= self._window_s:
            self._judge(result.time)

    def _begin(self, time: float) -> None:
        self._since = time
        self._frames = self._upright = 0
        self._leaning.clear()

    def _count(self, result: FrameResult) -> None:
        self._frames += 1
        turns = {turn_upright(face.landmarks) for face in result.faces}
        if 0 in turns:
            self._upright += 1
        elif len(turns) == 1:
            self._leaning.update(turns)

    def _judge(self, time: float) -> None:
        """Decide at the end of a window what to do next."""
        turn, frames = (self._leaning.most_common(1) or [(0, 0)])[0]
        if self._upright > UPRIGHT_SHARE * self._frames:
            self._begin(time)
        elif frames >= LEANING_SHARE * self._frames:
            self._say(turn, "all faces lean")
        else:
            self._looks, self._next_look = [*TURNS] * LOOKS, time
            self._shown.clear()

    def _look(self, result: FrameResult) -> None:
        turn = self._looks.pop(0)
        self._next_look = result.time + LOOK_INTERVAL_S
        if self._shows_face(Mounting(rotate=turn).applied(shrunk(result.frame, LOOK_PIXELS))):
            self._shown[turn] += 1
            if self._shown[turn] == LOOKS:
                seconds = result.time - (self._since or 0.0)
                self._say(turn, f"hardly a face in {seconds:.0f} s, but turned frames show one")
                return
        if not self._looks:
            self._window_s = min(2 * self._window_s, LONGEST_WINDOW_S)
            self._begin(result.time)

    def _shows_face(self, frame: Frame) -> bool:
        if self._search is None:
            detector: FaceDetector = self._choice.open() or HaarCascade()
            self._search = ImageSearch(detector, segmentation("off", SMALLEST))
        found = self._search.find(frame, ()).detections
        return any(each.score >= SURE_SCORE and turn_upright(each.landmarks) == 0 for each in found)

    def _say(self, turn: int, why: str) -> None:
        self._said = True
        before = self._mounting.rotate
        rotate = (before - turn if self._mounting.flip else before + turn) % 360  # frames are mirrored after turning
        _log.warning("%s: %s; if the camera hangs like that, use --rotate %d", self._name, why, rotate)


def turn_upright(landmarks: Landmarks | None) -> int:
    """Return by how many degrees clockwise a frame must be turned to show a face upright: 0, 90, 180 or 270.

    A face without landmarks is taken for upright, because only a detector that knows them finds others.
    """
    if landmarks is None:
        return 0
    eyes, mouth = landmarks[0:2], landmarks[3:5]
    across = sum(x for x, _ in mouth) - sum(x for x, _ in eyes)
    down = sum(y for _, y in mouth) - sum(y for _, y in eyes)
    lean = round(math.degrees(math.atan2(-across, down)) / 90) * 90  # clockwise
    return -lean % 360
