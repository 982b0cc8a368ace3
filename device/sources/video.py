"""Video files, through OpenCV."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

from fer_edge.device.frame import Converter, Frame
from fer_edge.device.opencv import cv2
from fer_edge.device.sources.base import Source
from fer_edge.device.sources.capture import is_endless, open_capture
from fer_edge.device.sources.container import holds_text, is_cut
from fer_edge.device.sources.edit_list import shows_all
from fer_edge.errors import SourceError
from fer_edge.text.address import without_secrets

_log = logging.getLogger(__name__)

COMPLETE = 0.95
"""Share of the frames that a file is known to hold which must decode."""

NOMINAL_FPS = 25.0
"""What FFmpeg takes for the rate of a file that stores none."""


class VideoSource(Source):
    """A video file, or the address of one.

    Rotation stored in the file is applied by OpenCV. Files that are damaged give the frames that can
    be decoded and then a warning. A raw stream (.h264, .hevc, .mjpeg), as cameras' programs write it, has no times.
    """

    def __init__(self, location: str, capture: cv2.VideoCapture | None = None, *, fps: float | None = None) -> None:
        """Open a video.

        Args:
            location: path or URL.
            capture: the video, where it is open already; it is closed with the source.
            fps: frames per second where it stores no times; otherwise of no effect.

        Raises:
            SourceError: it cannot be opened, or is no video.
        """
        self.name = without_secrets(location) if "://" in location else location
        # Absolute, because FFmpeg takes what is before a colon for a protocol.
        self._location = location if "://" in location else str(Path(location).absolute())
        self._begun = self._warned = False
        if Path(self._location).is_file() and holds_text(Path(self._location)):
            raise SourceError(
                f"{self.name}: expected a video that this OpenCV can decode, found text; to work on the files of a "
                "list, put them or links to them into a folder and name that"
            )
        self._capture = capture or open_capture(self._location, self.name)
        self._announced = int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))
        self.takes_fps = is_endless(self._capture) and _is_raw(Path(self._location), self._capture)
        self._is_said = fps is not None
        self.fps = (fps if self.takes_fps else None) or self._capture.get(cv2.CAP_PROP_FPS) or None

    def __iter__(self) -> Iterator[Frame]:
        """Deliver the frames from the first one on, with the times stored in the file."""
        if self._begun:
            self._capture = open_capture(self._location, self.name)
        self._begun = True
        if self.takes_fps and not self._is_said:
            self._warn(
                f"{self.name}: a raw stream stores no times; {self.fps:g} frames per second are assumed, "
                "--fps N says otherwise"
            )
        step = 1 / (self.fps or NOMINAL_FPS)
        converter, bgr = Converter(), None
        index, start, time = 0, 0.0, 0.0
        while True:
            ok, bgr = self._capture.read(bgr)
            if not ok:
                break
            stamp = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            if index == 0:
                start = stamp
            elif not self.takes_fps:
                # Where two parts were joined the times may step back, and a missing one is that of the frame before.
                time = stamp - start if stamp - start > time else time + step
            else:
                time = index * step
            if bgr is not None and bgr.size:
                yield converter.convert(bgr, time, index)
            else:
                self.skipped += 1
            index += 1
        self._finish(index)

    def _finish(self, frames: int) -> None:
        self.close()
        if frames == 0:
            raise SourceError(f"{self.name}: a video of which not one picture can be decoded; the file is damaged")
        path = Path(self._location)
        # A pipe cannot be read again, and a file of which every announced frame came is whole.
        if 0 < self._announced <= frames or not path.is_file():
            return
        if 0 < self._announced * COMPLETE > frames and shows_all(path):
            self._warn(
                f"{self.name}: only {frames} of its {self._announced} frames could be decoded; the file is damaged"
            )
        elif is_cut(path):
            self._warn(
                f"{self.name}: the file ends in the middle of a part, it is truncated or still being written; "
                f"{frames} frames could be decoded"
            )

    def _warn(self, message: str) -> None:
        if not self._warned:  # and not in every round of --loop
            self._warned = True
            _log.warning("%s", message)

    def close(self) -> None:
        """Release the decoder."""
        self._capture.release()


def _is_raw(path: Path, capture: cv2.VideoCapture) -> bool:
    """Return whether a file without a length is a raw stream."""
    if not path.is_file():  # a pipe, which is read only once; what FFmpeg assumes is all that can be seen
        return bool(capture.get(cv2.CAP_PROP_FPS) == NOMINAL_FPS)
    with path.open("rb") as file:
        head = file.read(4)
    # The start codes of MPEG's and ITU's video streams, but not of a program stream, and that of a JPEG image.
    return head.startswith((b"\xff\xd8\xff", b"\0\0\0\1")) or (head[:3] == b"\0\0\1" and head[3:] != b"\xba")
