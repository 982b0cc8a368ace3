"""The annotated video."""

from __future__ import annotations

import contextlib
from pathlib import Path

from fer_edge.device.frame import frame_to_bgr
from fer_edge.device.opencv import cv2
from fer_edge.device.outputs.base import Output
from fer_edge.device.outputs.drawing import draw_faces
from fer_edge.device.outputs.matroska import MatroskaWriter
from fer_edge.device.results import FrameResult
from fer_edge.errors import OutputError

QUALITY = 80
"""Of the JPEG pictures, 0..100."""

STILL = 1 / 25
"""Seconds for which the last picture is seen where the source knows no rate."""


class VideoOutput(Output):
    """Writes the pictures with their faces drawn in, of the size of the first, at their own times.

    Whatever ends the process, the file can be played up to the last picture that was written.
    """

    def __init__(self, path: Path, fps: float | None) -> None:
        """Open the file, which gets its head with the first picture.

        Args:
            path: ends in .mkv; overwritten.
            fps: nominal pictures per second, None if they come as they come.

        Raises:
            OutputError: another ending, or a file that cannot be written.
        """
        if path.suffix.lower() != ".mkv":
            raise OutputError(
                f"{path}: expected a name ending in .mkv for --save, which can be played whatever ends the run; "
                "convert it afterwards, such as: ffmpeg -i out.mkv out.mp4"
            )
        if path.exists() and not path.is_file():
            raise OutputError(f"{path}: cannot be written (no regular file); choose another --save")
        self.name = str(path)
        self._fps = fps
        self._size = (0, 0)
        self._start = 0.0
        self._writer: MatroskaWriter | None = None
        try:
            self._file = path.open("wb", buffering=0)
        except OSError as error:
            raise OutputError(f"{path}: cannot be written ({error.strerror}); choose another --save") from error

    def write(self, result: FrameResult) -> None:
        """Add a picture, resized if its size is not the first one's; raises OutputError if it does not fit."""
        picture = draw_faces(frame_to_bgr(result.frame), result.faces, numbers=True)
        size = (picture.shape[1], picture.shape[0])
        if self._writer is None:
            self._size, self._start = size, result.time
            self._writer = MatroskaWriter(self._file, self.name, size, self._fps)
        if size != self._size:
            picture = cv2.resize(picture, self._size)
        try:
            stored, jpeg = cv2.imencode(".jpg", picture, (cv2.IMWRITE_JPEG_QUALITY, QUALITY))
        except cv2.error:
            stored = False
        if not stored:  # a side above 65,500 pixels
            raise OutputError(f"{self.name}: OpenCV cannot store pictures of {size[0]}x{size[1]}; leave --save out")
        self._writer.add(jpeg.tobytes(), result.time - self._start)

    def close(self) -> None:
        """Finish the file."""
        with contextlib.closing(self._file):
            if self._writer is not None:
                self._writer.finish(1 / self._fps if self._fps else STILL)
