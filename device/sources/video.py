"""Video files and network streams, through OpenCV."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator

from fer_edge.device.frame import Converter, Frame
from fer_edge.device.opencv import cv2
from fer_edge.device.sources.base import Source
from fer_edge.errors import SourceError

_log = logging.getLogger(__name__)

COMPLETE = 0.95
"""Share of the announced frames that must decode; containers announce a length, not an exact count."""


class VideoSource(Source):
    """A video file, or the address of one or of a live stream (rtsp, http).

    Rotation stored in the file is applied by OpenCV. Files that are damaged give the frames that can
    be decoded and then a warning.
    """

    def __init__(self, location: str) -> None:
        """Open a video.

        Args:
            location: path or URL.

        Raises:
            SourceError: it cannot be opened, or is no video.
        """
        self.name = location
        self._lock = threading.Lock()
        self._begun = self._warned = False
        self._open()
        self.fps = self._capture.get(cv2.CAP_PROP_FPS) or None
        self._announced = int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))
        self.live = "://" in location and self._announced <= 0

    def _open(self) -> None:
        self._capture = cv2.VideoCapture(self.name)
        if not self._capture.isOpened():
            raise SourceError(
                f"{self.name}: expected a video that this OpenCV can decode, found something else or nothing; "
                "check the file or address, or convert it to MP4 or MKV"
            )

    def __iter__(self) -> Iterator[Frame]:
        """Deliver the frames from the first one on, with the times stored in the file."""
        if self._begun:
            self._open()
        self._begun = True
        step = 1 / (self.fps or 25.0)
        converter, bgr = Converter(), None
        index, start, time = 0, 0.0, 0.0
        while True:
            with self._lock:
                ok, bgr = self._capture.read(bgr)
                stamp = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            if not ok:
                break
            if index == 0:
                start = stamp
            else:
                # Some containers store no times, and OpenCV then reports the same one again and again.
                time = stamp - start if stamp - start > time else time + step
            if bgr is not None and bgr.size:
                yield converter.convert(bgr, time, index)
            else:
                self.skipped += 1
            index += 1
        self._finish(index)

    def _finish(self, frames: int) -> None:
        self.close()
        if self.live:
            raise SourceError(f"{self.name}: the stream ended after {frames} pictures; is its camera still running?")
        if frames == 0:
            raise SourceError(f"{self.name}: a video of which not one picture can be decoded; the file is damaged")
        if frames < self._announced * COMPLETE and not self._warned:
            self._warned = True
            _log.warning(
                "%s: only %d of its %d pictures could be decoded; the file is truncated or damaged",
                self.name,
                frames,
                self._announced,
            )

    def reopen(self) -> VideoSource:
        """Connect to the stream again; raises SourceError while nobody sends it."""
        return VideoSource(self.name)

    def close(self) -> None:
        """Release the decoder, unless a read that hangs still uses it."""
        if self._lock.acquire(timeout=1):
            self._capture.release()
            self._lock.release()
