"""Opening what OpenCV decodes: a video file or a network stream."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from urllib.parse import urlsplit

from fer_edge.device.opencv import cv2
from fer_edge.device.sources.container import is_cut
from fer_edge.errors import SourceError

PORTS = {"rtsp": 554, "rtsps": 322, "rtmp": 1935, "rtmps": 443, "http": 80, "https": 443}
"""Of an address that names none."""

CONNECT_TIMEOUT_S = 3.0
"""Time that a camera has to answer when it is asked whether it is there at all, after it sent no stream."""


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
        if "://" in location:
            raise SourceError(f"{name}: expected a stream or a video, {_found_at(location)}")
        raise SourceError(
            f"{name}: expected a video that this OpenCV can decode, found something else; convert it to MP4 or MKV"
        )
    return capture


def _found_at(url: str) -> str:
    """Say what is at an address from which no video came, and what to do; of the address only host and port."""
    parts = urlsplit(url)
    try:
        host, port = parts.hostname or "", parts.port or PORTS.get(parts.scheme, 0)
    except ValueError:
        host, port = "", 0
    if not host or not port:
        return "found none; check the address"
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        socket.create_connection((host, port), timeout=CONNECT_TIMEOUT_S).close()
    except OSError as error:  # that of a name that leads nowhere has a number below 0
        known = error.errno is not None and error.errno > 0
        reason = os.strerror(error.errno or 0) if known else error.strerror or "no answer in time"
        return (
            f"but nothing answers at {place} ({reason}); check that the camera is on and in this network, and its "
            "host and port"
        )
    return (
        f"but {place} answers and sends none that this OpenCV can decode; check the address's path, user and "
        "password, and set the camera to H.264"
    )


def is_endless(capture: cv2.VideoCapture) -> bool:
    """Return whether what was opened announces no length, as a live stream."""
    return bool(capture.get(cv2.CAP_PROP_FRAME_COUNT) <= 0)
