"""Pictures as a browser takes them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from fer_edge.device.drawing import draw_faces
from fer_edge.device.faces import clip, scaled
from fer_edge.device.frame import Frame, frame_to_bgr
from fer_edge.device.opencv import cv2
from fer_edge.device.results import Face

LONGEST = 960
"""Pixels of the longer side; what is larger is shrunk, which the camera's own size never is."""

QUALITY = 75
"""Of the JPEG pictures, 0..100."""


def encode(frame: Frame, faces: Sequence[Face] = ()) -> bytes:
    """Return a picture as JPEG of at most `LONGEST` pixels a side, with the given faces drawn in."""
    factor = LONGEST / max(frame.width, frame.height)
    if factor < 1:
        frame = _shrunk(frame, factor)
        faces = [
            dataclasses.replace(face, box=clip(scaled(face.box, factor), frame.width, frame.height)) for face in faces
        ]
    bgr = draw_faces(frame_to_bgr(frame), faces)
    _, jpeg = cv2.imencode(".jpg", bgr, (cv2.IMWRITE_JPEG_QUALITY, QUALITY))
    return jpeg.tobytes()


def _shrunk(frame: Frame, factor: float) -> Frame:
    """Shrink the planes, which is cheaper than to shrink the colours."""
    width, height = (max(2 * round(side * factor / 2), 2) for side in (frame.width, frame.height))
    y = cv2.resize(frame.y[: frame.height, : frame.width], (width, height), interpolation=cv2.INTER_AREA)
    half = (width // 2, height // 2)
    cb = cv2.resize(frame.cb, half, interpolation=cv2.INTER_AREA)
    cr = cv2.resize(frame.cr, half, interpolation=cv2.INTER_AREA)
    return dataclasses.replace(frame, y=y, cb=cb, cr=cr, width=width, height=height)
