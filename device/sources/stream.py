"""Live network streams (rtsp, http), through OpenCV."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

from fer_edge.device.frame import Converter, Frame
from fer_edge.device.opencv import cv2
from fer_edge.device.sources.base import Source
from fer_edge.device.sources.capture import open_capture
from fer_edge.errors import SourceError
from fer_edge.text.address import without_secrets


class StreamSource(Source):
    """Frames that somebody sends, timed by their arrival.

    The times in a stream are those of its sender's clock, which may be set while it sends. A stream of JPEG images
    over HTTP has none: FFmpeg numbers its frames and takes them for 25 per second, whatever their pace.
    """

    live = True

    def __init__(self, url: str, capture: cv2.VideoCapture | None = None) -> None:
        """Connect to a stream.

        Args:
            url: its address.
            capture: the connection, where there is one already; it is closed with the source.

        Raises:
            SourceError: nobody sends it, or it is no video.
        """
        self.name = without_secrets(url)
        self._url = url
        self._lock = threading.Lock()
        self._capture = capture or open_capture(url, self.name)

    def __iter__(self) -> Iterator[Frame]:
        """Deliver the frames as they come; raises SourceError when the stream ends."""
        converter, bgr = Converter(), None
        index, start = 0, 0.0
        while True:
            with self._lock:
                ok, bgr = self._capture.read(bgr)
            if not ok:
                break
            now = time.monotonic()
            start = start or now
            if bgr is not None and bgr.size:
                yield converter.convert(bgr, now - start, index)
            else:
                self.skipped += 1
            index += 1
        raise SourceError(f"{self.name}: the stream ended after {index} pictures; is its camera still running?")

    def reopen(self) -> StreamSource:
        """Connect to the stream again; raises SourceError while nobody sends it."""
        return StreamSource(self._url)

    def close(self) -> None:
        """Release the decoder, unless a read that hangs still uses it."""
        if self._lock.acquire(timeout=1):
            self._capture.release()
            self._lock.release()
