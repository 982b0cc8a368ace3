"""OpenCV, imported with its own log switched off.

OpenCV and the FFmpeg inside it report on standard error what fer-edge says itself in one line, and
at greater length. Every module of the device side imports `cv2` from here.
"""

import os

import fer_edge.images  # noqa: F401  # whose limit of pixels OpenCV reads when it is loaded
from fer_edge.lazy import require

# FFmpeg reads its level once, when the first file is opened; -8 is its "quiet". A user's own setting wins.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")

require("cv2", "device")  # says which extra is missing where it is absent

import cv2  # noqa: E402  # after what it reads when it is loaded

if hasattr(cv2, "setLogLevel"):  # up to 4.12, which Raspberry Pi OS 12 has
    cv2.setLogLevel(0)
else:
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)

__all__ = ["cv2"]
