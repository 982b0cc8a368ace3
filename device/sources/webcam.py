"""USB cameras, through OpenCV."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

from fer_edge.device.frame import Converter, Frame
from fer_edge.device.opencv import cv2
from fer_edge.device.sources.base import Source
from fer_edge.device.sources.mounting import AS_IT_COMES, Mounting
from fer_edge.errors import SourceError

FAILING = 1.0
"""Seconds of damaged or missing pictures after which the camera has failed; a loose cable costs a picture or two."""


class WebcamSource(Source):
    """A camera of the operating system, by its number or device; 0 is ``/dev/video0`` on Linux."""

    live = True

    def __init__(self, device: int | Path, mounting: Mounting = AS_IT_COMES) -> None:
        """Open a camera.

        Args:
            device: the camera's index, or a character device or a link to one, such as ``/dev/v4l/by-id/...``. A link
                is followed each time, because a camera that is plugged in again may get another number.
            mounting: size and rate to ask for, 640 x 480 if it has none; the camera may answer with others.

        Raises:
            SourceError: there is no such camera, or another program holds it.
        """
        self.name = f"webcam {device}" if isinstance(device, int) else str(device)
        self._device, self._mounting = device, mounting
        self._lock = threading.Lock()
        self._capture = _open(device)
        if not self._capture.isOpened():
            raise SourceError(
                f"{self.name}: no camera answers there; plug one in, close the program that uses it, "
                "or choose another --source (a number, picamera2, a file, demo)"
            )
        width, height = mounting.size or (640, 480)
        self._capture.set(cv2.CAP_PROP_FRAME_WIDTH, width)
        self._capture.set(cv2.CAP_PROP_FRAME_HEIGHT, height)
        if mounting.fps:
            self._capture.set(cv2.CAP_PROP_FPS, mounting.fps)
        self.fps = self._capture.get(cv2.CAP_PROP_FPS) or None

    def __iter__(self) -> Iterator[Frame]:
        """Deliver pictures as they come, timed by their arrival."""
        converter, bgr = Converter(), None
        index, start, good = 0, 0.0, time.monotonic()
        while True:
            with self._lock:
                ok, bgr = self._capture.read(bgr)
            now = time.monotonic()
            if ok and bgr is not None and bgr.size:
                good = now
                start = start or now
                yield converter.convert(bgr, now - start, index)
                index += 1
            elif now - good > FAILING:
                raise SourceError(
                    f"{self.name}: it stopped delivering pictures after {index}; was it unplugged, "
                    "or does another program use it?"
                )
            else:
                self.skipped += 1
                time.sleep(0.01)

    def reopen(self) -> WebcamSource:
        """Open the camera again; raises SourceError while it is not there."""
        return WebcamSource(self._device, self._mounting)

    def close(self) -> None:
        """Release the camera, unless a read that hangs still uses it."""
        if self._lock.acquire(timeout=1):
            self._capture.release()
            self._lock.release()


def _open(device: int | Path) -> cv2.VideoCapture:
    number = str(device if isinstance(device, int) else device.resolve()).removeprefix("/dev/video")
    if number.isdecimal():
        # A number that does not fit OpenCV's integer names no camera either.
        return cv2.VideoCapture(min(int(number), 2**31 - 1))
    return cv2.VideoCapture(str(device), cv2.CAP_V4L2)
