"""The annotated video."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_edge.device.frame import frame_to_bgr
from fer_edge.device.opencv import cv2
from fer_edge.device.outputs.base import Output
from fer_edge.device.outputs.draw import draw_faces
from fer_edge.device.results import FrameResult
from fer_edge.errors import OutputError

CODECS = {".avi": "XVID", ".mkv": "mp4v", ".mp4": "mp4v"}
"""File name -> code of MPEG-4 part 2, which every OpenCV wheel can encode; H.264 they cannot."""

DEFAULT_FPS = 25.0
"""For sources that know no rate."""

RESERVE = 1 << 20
"""Bytes that must stay free. OpenCV does not say when a picture could not be stored, so it is asked beforehand."""


class VideoOutput(Output):
    """Writes the pictures with their faces drawn in, of the size of the first."""

    def __init__(self, path: Path, fps: float | None) -> None:
        """Check the target; the file is made with the first picture, whose size it takes.

        Args:
            path: ends in .mkv, .mp4 or .avi; overwritten.
            fps: pictures per second to store.

        Raises:
            OutputError: another ending, or a folder that cannot be written.
        """
        if path.suffix.lower() not in CODECS:
            raise OutputError(f"{path}: expected a name ending in {', '.join(CODECS)}; choose one of these for --save")
        if not os.access(path.parent, os.W_OK) or path.is_dir():
            raise OutputError(f"{path}: cannot be written; choose a folder for --save that exists and is writable")
        self._path = path
        self._fps = fps or DEFAULT_FPS
        self._writer: Any = None
        self._size = (0, 0)

    def write(self, result: FrameResult) -> None:
        """Add a picture, resized if its size is not the first one's."""
        picture = draw_faces(frame_to_bgr(result.frame), result.faces)
        writer = self._writer = self._writer or self._open(picture)
        if shutil.disk_usage(self._path.parent).free < RESERVE:
            raise OutputError(f"{self._path}: the disk is full; what was written before can be played")
        size = (picture.shape[1], picture.shape[0])
        writer.write(picture if size == self._size else cv2.resize(picture, self._size))

    def _open(self, picture: NDArray[np.uint8]) -> Any:
        self._size = (picture.shape[1], picture.shape[0])
        code = cv2.VideoWriter.fourcc(*CODECS[self._path.suffix.lower()])
        writer = cv2.VideoWriter(str(self._path), code, self._fps, self._size)
        if not writer.isOpened():
            raise OutputError(
                f"{self._path}: OpenCV cannot write a video of {self._size[0]}x{self._size[1]} there; "
                "choose another folder or ending for --save"
            )
        return writer

    def close(self) -> None:
        """Finish the file, so that it can be played."""
        if self._writer is not None:
            self._writer.release()
