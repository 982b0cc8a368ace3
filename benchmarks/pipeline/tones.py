"""How light or dark a face looks in a photo: the individual typology angle.

A. Chardon, I. Cretois and C. Hourseau, "Skin colour typology and suntanning pathways", International Journal
of Cosmetic Science 13, 1991; classes of S. Del Bino and F. Bernerd, "Variations in skin colour and the biological
consequences of ultraviolet radiation exposure", British Journal of Dermatology 169(s3), 2013. There it is
measured on skin in a known light. In a photo it holds the photo's light and exposure, too: it sorts faces by
how they look to the detector, and is not a property of the person.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_edge.preprocess import Box

CLASSES = {"very light": 55.0, "light": 41.0, "intermediate": 28.0, "tan": 10.0, "brown": -30.0, "dark": -math.inf}
"""Class -> the angle in degrees above which a face belongs to it, lightest first."""


def typology_angle(bgr: NDArray[np.uint8], box: Box) -> float:
    """Return arctan((L* - 50) / b*) in degrees, of the median L* and b* of the middle half of a face.

    Args:
        bgr: uint8 H x W x 3, sRGB.
        box: the face, in pixels.
    """
    x, y, w, h = box
    middle = bgr[max(y + h // 4, 0) : y + 3 * h // 4, max(x + w // 4, 0) : x + 3 * w // 4]
    lab = cv2.cvtColor(middle.astype(np.float32) / 255, cv2.COLOR_BGR2Lab).reshape(-1, 3)
    lightness, _, yellow = np.median(lab, axis=0)
    # For bluish skin, b* <= 0, the angle goes on instead of jumping, so that light stays light.
    return math.degrees(math.atan2(lightness - 50, yellow))


def tone(bgr: NDArray[np.uint8], box: Box) -> str:
    """Return the class of a face; see `typology_angle`."""
    angle = typology_angle(bgr, box)
    return next(name for name, limit in CLASSES.items() if angle > limit)
