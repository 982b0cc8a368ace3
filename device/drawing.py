"""Faces drawn into a picture."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from fer_edge.device.opencv import cv2
from fer_edge.device.results import Face

BOX, TEXT = (80, 220, 80), (0, 0, 0)
"""Colours in BGR order."""

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
        (text_width, text_height), descent = cv2.getTextSize(text, _FONT, 0.6 * unit, max(thickness // 2, 1))
        high = text_height + descent + 4
        left = max(min(x, width - text_width - 4), 0)
        top = y - high if y >= high else min(y + h, height - high)  # above the box, below it where that is outside
        cv2.rectangle(bgr, (left, top), (left + text_width + 4, top + high), BOX, cv2.FILLED)
        where = (left + 2, top + text_height + 2)
        cv2.putText(bgr, text, where, _FONT, 0.6 * unit, TEXT, max(thickness // 2, 1), cv2.LINE_AA)
    return bgr
