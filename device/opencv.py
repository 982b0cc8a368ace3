"""OpenCV, imported with its own log switched off.

OpenCV and the FFmpeg inside it report on standard error what fer-edge says itself in one line, and
at greater length. Every module of the device side imports `cv2` from here.
"""

import os
from pathlib import Path

from fer_edge.lazy import require

# FFmpeg reads its level once, when the first file is opened; -8 is its "quiet". A user's own setting wins.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")

BYTES_A_PIXEL = 10
"""What a photo takes at its peak, decoded, searched and drawn on: 6.4 to 9 measured at 40 to 400 million pixels."""


def most_pixels(meminfo: str) -> int:
    """Return how many pixels a picture may have so that it fits into what /proc/meminfo calls available.

    At most 2^30, OpenCV's own limit, also where nothing is known. A file of a megabyte can hold a picture for which
    a small device has no memory, and Linux kills a process rather than tell it so.
    """
    for line in meminfo.splitlines():
        name, _, size = line.partition(":")
        if name == "MemAvailable":
            return min(2**30, int(size.split()[0]) * 1024 // BYTES_A_PIXEL)
    return 2**30


def _meminfo() -> str:
    try:
        return Path("/proc/meminfo").read_text(encoding="ascii")
    except OSError:
        return ""


# OpenCV reads it once, when it is loaded, and raises cv2.error for a picture whose header says more.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(most_pixels(_meminfo())))

require("cv2", "device")  # says which extra is missing where it is absent

import cv2  # noqa: E402  # after what it reads when it is loaded

if hasattr(cv2, "setLogLevel"):  # up to 4.12, which Raspberry Pi OS 12 has
    cv2.setLogLevel(0)
else:
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)

__all__ = ["cv2"]
