"""Follows a face that the cascade loses for a moment: it blinks, turns, or something passes before it."""

from __future__ import annotations

from fer_edge.device.faces import clip, grow
from fer_edge.device.frame import Plane
from fer_edge.device.opencv import cv2
from fer_edge.preprocess import Box

SIDE = 24
"""Side of the remembered picture of a face, in pixels."""

SAME = 0.9
"""Correlation with the remembered picture from which the face has not changed."""

ALIKE = 0.6
"""Correlation from which it is still that face, turned or half hidden."""


class Follower:
    """Remembers what each face looked like when it was last found."""

    def __init__(self) -> None:
        self._faces: dict[int, Plane] = {}

    def remember(self, number: int, luma: Plane, box: Box) -> None:
        """Keep a small picture of the face in `box`, which lies inside `luma`."""
        x, y, w, h = box
        crop = luma[y : y + h, x : x + w]
        self._faces[number] = cv2.resize(crop, (SIDE, SIDE), dst=self._faces.get(number))

    def forget_others(self, numbers: set[int]) -> None:
        """Keep the pictures of these faces only."""
        for number in self._faces.keys() - numbers:
            del self._faces[number]

    def follow(self, number: int, luma: Plane, box: Box, alike: float) -> Box | None:
        """Look for a face near `box` by what it looked like.

        Args:
            number: of the face.
            luma: the picture.
            box: where it should be; it may reach out of the picture.
            alike: least correlation, `SAME` or `ALIKE`.

        Returns:
            The box moved to where the face is most alike, inside the picture; None if it is nowhere alike.
        """
        height, width = luma.shape
        region = grow(clip(box, width, height), max(box.w, box.h) // 2, width, height)
        across, down = round(region.w * SIDE / box.w), round(region.h * SIDE / box.h)
        if number not in self._faces or min(across, down) < SIDE:
            return None
        x, y, w, h = region
        patch = cv2.resize(luma[y : y + h, x : x + w], (across, down))
        _, most, _, (left, top) = cv2.minMaxLoc(cv2.matchTemplate(patch, self._faces[number], cv2.TM_CCOEFF_NORMED))
        if not alike <= most <= 1.01:  # a patch without any structure has no correlation
            return None
        moved = Box(x + round(left * box.w / SIDE), y + round(top * box.h / SIDE), box.w, box.h)
        return clip(moved, width, height)
