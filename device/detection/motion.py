"""What changes in a scene, from a thumbnail of its luma."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from fer_edge.device.frame import Plane
from fer_edge.device.opencv import cv2
from fer_edge.preprocess import Box

SIZE = (64, 48)
"""Width and height of the thumbnail; one of its pixels is a cell."""

CUT_DIFFERENCE = 24.0
"""Mean difference of successive thumbnails, in grey levels, from which the frame shows another scene."""

MOVED_DIFFERENCE = 6
"""Difference of a cell, in grey levels, from which something moved there; noise averages out in it."""

FILLED_SHARE = 0.5
"""Share of moved cells from which a box is not worth cutting in two."""

SMALL_CELLS = 16
"""Longer side, in cells, of a box that is not worth cutting either, as windows reach over its edges anyway."""


class Changes:
    """Compares each frame with the one before, and each cell with what it was when it was searched last."""

    def __init__(self) -> None:
        self._now: Plane | None = None
        self._before: Plane | None = None
        self._searched: Plane | None = None

    def add(self, luma: Plane) -> None:
        """Take in the next frame."""
        self._before, self._now = self._now, cv2.resize(luma, SIZE, dst=self._before, interpolation=cv2.INTER_AREA)

    @property
    def cut(self) -> bool:
        """Whether the frame has little in common with the one before, or is the first."""
        if self._before is None:
            return True
        return bool(cv2.norm(self._now, self._before, cv2.NORM_L1) > CUT_DIFFERENCE * SIZE[0] * SIZE[1])

    def moved(self, width: int, height: int) -> list[Box]:
        """Return where something changed since it was returned last, fast or slowly.

        Args:
            width: of the frame that the boxes are for.
            height: likewise.

        Returns:
            Boxes that hold all that moved and little else; none the first time.
        """
        if self._now is None:
            return []
        if self._searched is None:
            self._searched = self._now.copy()
        mask = cv2.absdiff(self._now, self._searched) >= MOVED_DIFFERENCE
        np.copyto(self._searched, self._now, where=mask)
        across, down = width / SIZE[0], height / SIZE[1]
        return [
            Box(int(x * across), int(y * down), math.ceil(w * across), math.ceil(h * down))
            for x, y, w, h in tight_boxes(mask)
        ]


def tight_boxes(mask: NDArray[np.bool_], x: int = 0, y: int = 0) -> list[Box]:
    """Cover what is set in a mask with boxes of which at least `FILLED_SHARE` is set, or which are `SMALL_CELLS`.

    A box that is mostly empty is cut in the middle of its longer side, again and again.

    Args:
        mask: H x W.
        x: added to the boxes.
        y: likewise.
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return []
    top, left = int(rows[0]), int(columns[0])
    inner = mask[top : rows[-1] + 1, left : columns[-1] + 1]
    x, y, (h, w) = x + left, y + top, inner.shape
    if max(w, h) <= SMALL_CELLS or np.count_nonzero(inner) >= FILLED_SHARE * inner.size:
        return [Box(x, y, w, h)]
    if w > h:
        return tight_boxes(inner[:, : w // 2], x, y) + tight_boxes(inner[:, w // 2 :], x + w // 2, y)
    return tight_boxes(inner[: h // 2], x, y) + tight_boxes(inner[h // 2 :], x, y + h // 2)
