"""Opening what OpenCV decodes: a video file or a network stream."""

from __future__ import annotations

from pathlib import Path

from fer_edge.device.opencv import cv2
from fer_edge.device.sources.container import is_cut
from fer_edge.errors import SourceError


def open_capture(location: str, name: str) -> cv2.VideoCapture:
    """Open a file or an address.

    Args:
        location: absolute path or URL.
        name: of the source, for messages.

    Raises:
        SourceError: it cannot be opened, or is no video.
    """
    capture = cv2.VideoCapture(location)
    if not capture.isOpened():
        if Path(location).is_file() and is_cut(Path(location)):
            raise SourceError(
                f"{name}: expected a whole video, found one that ends in the middle of a part, truncated or still "
                "being written; copy it again, or record to Matroska, which can be read up to its end"
            )
        raise SourceError(
            f"{name}: expected a video that this OpenCV can decode, found something else or nothing; "
            "check the file or address, or convert it to MP4 or MKV"
        )
    return capture


def is_endless(capture: cv2.VideoCapture) -> bool:
    """Return whether what was opened announces no length, as a live stream."""
    return bool(capture.get(cv2.CAP_PROP_FRAME_COUNT) <= 0)
