"""Template matching: finds a known face by what it looked like, in each frame that the detector is not asked."""

from __future__ import annotations

from fer_edge.device.faces import clip, grow
from fer_edge.device.frame import Plane
from fer_edge.device.opencv import cv2
from fer_edge.preprocess import Box

TEMPLATE_SIDE = 24
"""Side of a template, in pixels."""

SAME = 0.9
"""Correlation with the template from which the face has not changed."""

ALIKE = 0.6
"""Correlation from which it is still that face, turned or half hidden."""


class TemplateMatcher:
    """Keeps a template of each face: what it looked like when the detector found it last."""

    def __init__(self) -> None:
        self._templates: dict[int, Plane] = {}

    def remember(self, number: int, luma: Plane, box: Box) -> None:
        """Make the template of the face in `box`, which lies inside `luma`."""
        x, y, w, h = box
        crop = luma[y : y + h, x : x + w]
        self._templates[number] = cv2.resize(crop, (TEMPLATE_SIDE, TEMPLATE_SIDE), dst=self._templates.get(number))

    def forget_others(self, numbers: set[int]) -> None:
        """Keep the templates of these faces only."""
        for number in self._templates.keys() - numbers:
            del self._templates[number]

    def match(self, number: int, luma: Plane, box: Box, least: float) -> Box | None:
        """Look for a face near `box` by what it looked like.

        Args:
            number: of the face.
            luma: of the frame.
            box: where it should be; it may reach out of the frame.
            least: correlation asked for, `SAME` or `ALIKE`.

        Returns:
            The box moved to where the face is most alike, inside the frame; None if it is nowhere alike.
        """
        height, width = luma.shape
        region = grow(clip(box, width, height), max(box.w, box.h) // 2, width, height)
        across, down = round(region.w * TEMPLATE_SIDE / box.w), round(region.h * TEMPLATE_SIDE / box.h)
        if number not in self._templates or min(across, down) < TEMPLATE_SIDE:
            return None
        x, y, w, h = region
        patch = cv2.resize(luma[y : y + h, x : x + w], (across, down))
        correlations = cv2.matchTemplate(patch, self._templates[number], cv2.TM_CCOEFF_NORMED)
        _, correlation, _, (left, top) = cv2.minMaxLoc(correlations)
        if not least <= correlation <= 1.01:  # a patch without any structure has no correlation
            return None
        moved = Box(x + round(left * box.w / TEMPLATE_SIDE), y + round(top * box.h / TEMPLATE_SIDE), box.w, box.h)
        return clip(moved, width, height)
