"""Faces drawn into a frame, and frames as JPEG for a browser."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from fer_edge.device.frame import Frame, frame_to_bgr
from fer_edge.device.opencv import cv2
from fer_edge.device.results import Face
from fer_edge.text.fonts import stand_in, text_mask

BOX, TEXT = (80, 220, 80), (0, 0, 0)
"""Colours in BGR order."""

LETTERS = 20
"""Pixels of letters that OpenCV has not, in a frame whose shorter side has 480; then as high as its own."""

LONGEST = 960
"""Pixels of the longer side; what is larger is shrunk, which the camera's own size never is."""

QUALITY = 75
"""Of the JPEG pictures, 0..100."""

_FONT = cv2.FONT_HERSHEY_SIMPLEX


def draw_faces(bgr: NDArray[np.uint8], faces: Iterable[Face]) -> NDArray[np.uint8]:
    """Draw boxes, labels and scores into a uint8 H x W x 3 picture, in place, and return it."""
    height, width = bgr.shape[:2]
    unit = max(min(height, width) / 480, 0.5)  # lines and letters grow with the picture
    thickness = max(round(2 * unit), 1)
    for face in faces:
        x, y, w, h = face.box
        cv2.rectangle(bgr, (x, y), (x + w - 1, y + h - 1), BOX, thickness)
        text = f"{face.label} {face.score:.2f}"
        letters = None if text.isascii() else text_mask(text, max(round(LETTERS * unit), 9))
        if letters is not None:
            text_height, text_width, descent = *letters.shape, 0
        else:
            if not text.isascii():
                text = f"{stand_in(face.label, 1 + list(face.scores).index(face.label))} {face.score:.2f}"
            (text_width, text_height), descent = cv2.getTextSize(text, _FONT, 0.6 * unit, max(thickness // 2, 1))
        high = text_height + descent + 4
        left = max(min(x, width - text_width - 4), 0)
        top = y - high if y >= high else min(y + h, height - high)  # above the box, below it where that is outside
        cv2.rectangle(bgr, (left, top), (left + text_width + 4, top + high), BOX, cv2.FILLED)
        if letters is not None:
            _put(bgr, letters, left + 2, max(top + 2, 0))
        else:
            where = (left + 2, top + text_height + 2)
            cv2.putText(bgr, text, where, _FONT, 0.6 * unit, TEXT, max(thickness // 2, 1), cv2.LINE_AA)
    return bgr


def encode(frame: Frame, faces: Sequence[Face] = ()) -> bytes:
    """Return a picture as JPEG of at most `LONGEST` pixels a side, with the given faces drawn in."""
    factor = LONGEST / max(frame.width, frame.height)
    if factor < 1:
        frame = _shrunk(frame, factor)
        faces = [face.resized(factor, frame.width, frame.height) for face in faces]
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


def _put(bgr: NDArray[np.uint8], letters: NDArray[np.uint8], x: int, y: int) -> None:
    """Draw an image of ink, uint8 h x w, at x, y; what is outside the picture is cut off."""
    place = bgr[y : y + letters.shape[0], x : x + letters.shape[1]]
    ink = letters[: place.shape[0], : place.shape[1], None].astype(np.uint16)
    place[:] = (place * (255 - ink) + np.array(TEXT, np.uint16) * ink) // 255
