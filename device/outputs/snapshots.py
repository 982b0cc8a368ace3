"""A picture of a face whenever its expression changes."""

from __future__ import annotations

import dataclasses
import os
import re
from datetime import UTC, datetime
from pathlib import Path

from fer_edge.device.faces import grow
from fer_edge.device.frame import frame_to_bgr
from fer_edge.device.opencv import cv2
from fer_edge.device.outputs.base import Output
from fer_edge.device.results import Face, FrameResult
from fer_edge.errors import OutputError
from fer_edge.files import write_atomically

INTERVAL = 1.0
"""Seconds of the source between two pictures of the same face."""

MARGIN = 0.25
"""Surroundings on each side of the face, as a share of its width."""

LABEL_LETTERS = 40
"""Of a label in the name of a file, which can have 255 bytes."""

QUALITY = 90
"""Of the JPEG files, 0..100."""

FORGOTTEN = 60.0
"""Seconds of the source after which a face that is gone is no longer kept in mind; its number never comes again."""


@dataclasses.dataclass
class _Seen:
    """The latest picture of a face: its expression, and when it was taken and the face last there."""

    label: str
    taken: float
    last: float


class Snapshots(Output):
    """Writes the part of the picture around a face, undrawn, when the face appears and when its label changes.

    A face whose label flickers has its picture taken once per `INTERVAL`. Files are named
    ``TIME-frameN-faceN-LABEL.jpg``, the time being that of the clock in UTC, and are whole or not there.
    """

    def __init__(self, folder: Path) -> None:
        """Make the folder.

        Raises:
            OutputError: it cannot be made or written.
        """
        self.name = str(folder)
        self._folder = folder
        self._seen: dict[int, _Seen] = {}
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"{folder}: cannot be made ({error.strerror}); choose another folder for --snapshots"
            ) from error
        if not os.access(folder, os.W_OK | os.X_OK):
            raise OutputError(f"{folder}: cannot be written; choose another folder for --snapshots")

    def write(self, result: FrameResult) -> None:
        """Take the pictures that are due; raises OutputError if one cannot be written."""
        for face in result.faces:
            if self._is_due(face, result.time):
                self._take(face, result)
        if len(self._seen) > len(result.faces):
            self._seen = {number: seen for number, seen in self._seen.items() if result.time - seen.last < FORGOTTEN}

    def _is_due(self, face: Face, time: float) -> bool:
        seen = self._seen.get(face.id)
        if seen is None:
            self._seen[face.id] = _Seen(face.label, time, time)
            return True
        seen.last = time
        if seen.label == face.label or time - seen.taken < INTERVAL:
            return False
        seen.label, seen.taken = face.label, time
        return True

    def _take(self, face: Face, result: FrameResult) -> None:
        frame = result.frame
        x, y, w, h = grow(face.box, round(MARGIN * face.box.w), frame.width, frame.height)
        bgr = frame_to_bgr(frame)[y : y + h, x : x + w]
        moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%f")[:-3] + "Z"
        label = re.sub(r"[^\w-]", "_", face.label)[:LABEL_LETTERS]  # a model file from elsewhere may bring any label
        path = self._folder / f"{moment}-frame{result.index}-face{face.id}-{label}.jpg"
        try:
            stored, jpeg = cv2.imencode(".jpg", bgr, (cv2.IMWRITE_JPEG_QUALITY, QUALITY))
        except cv2.error:
            stored = False
        if not stored:  # a side above 65,500 pixels
            raise OutputError(f"{path}: OpenCV cannot store pictures of {w}x{h}; leave --snapshots out")
        try:
            write_atomically(path, jpeg.tobytes())
        except OSError as error:
            raise OutputError(f"{path}: cannot be written ({error.strerror}); the files before are whole") from error

    def close(self) -> None:
        """Nothing is left to do: each file is whole."""
