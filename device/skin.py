"""Where skin is: regions in which to look for small faces, from the chroma planes alone.

Skin of all tones lies in one box of the chroma plane, Cb 77..127 and Cr 133..173 (D. Chai and K. N.
Ngan, "Face segmentation using skin-color map in videophone applications", IEEE Transactions on
Circuits and Systems for Video Technology 9(4), 1999). Coloured light and many a wall lie outside or
inside it wrongly, so skin proposes where to look first and never forbids to look elsewhere.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fer_edge.device.boxes import grow, merge_boxes
from fer_edge.device.frame import Frame
from fer_edge.device.opencv import cv2
from fer_edge.preprocess import Box

LOWER, UPPER = (77, 133), (127, 173)
"""Bounds of (Cb, Cr), inclusive (Chai and Ngan 1999, section III-A)."""

FLAT = 3.0
"""Chroma whose standard deviation is below this in both planes holds no colour: a grey or infrared camera."""

COVERED = 0.7
"""Share of skin in the picture beyond which the mask says nothing: a wall or light of that colour."""

LARGE, LARGE_AREA = 48, 640 * 480
"""Side from which a face counts as large, in a picture of `LARGE_AREA` pixels; see `large_side`."""

LARGEST = 6
"""A component longer than this many sides of a large face is a near face or a wall, not a small face."""

MARGIN = 20
"""Luma pixels around a component, because the box of a small face takes in more than its skin."""

SEARCH_ALL_EVERY = 10
"""Every so many frames the whole picture is searched, however good the regions look."""


@dataclasses.dataclass(frozen=True)
class Regions:
    """Where to look for faces.

    Attributes:
        boxes: in pixels of the luma plane, inside it; they may overlap.
        search_all: why the whole picture is due at every size: ``off``, ``periodic``, ``flat``,
            ``empty`` or ``covered``; None if it is enough to look into the boxes for small faces.
    """

    boxes: tuple[Box, ...]
    search_all: str | None


def large_side(height: int, width: int) -> int:
    """Return the side in luma pixels from which a face is searched for in the whole picture, skin or not.

    It grows with the picture, so that this search costs the same for every picture above VGA.
    """
    return round(LARGE * max(1.0, math.sqrt(height * width / LARGE_AREA)))


def skin_mask(cb: NDArray[np.uint8], cr: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return 255 where the chroma is that of skin, else 0, without specks and thin bridges.

    Args:
        cb: uint8 h x w, full range.
        cr: the same.
    """
    in_cb = cv2.inRange(cb, LOWER[0], UPPER[0])
    mask = cv2.bitwise_and(in_cb, cv2.inRange(cr, LOWER[1], UPPER[1]), dst=in_cb)
    opened: NDArray[np.uint8] = cv2.morphologyEx(mask, cv2.MORPH_OPEN, _OPENING, dst=mask)
    return opened


_OPENING = np.ones((5, 5), np.uint8)


def skin_boxes(mask: NDArray[np.uint8], smallest: int, largest: int) -> list[Box]:
    """Return boxes in which small faces may be, around the connected components of a mask.

    Args:
        mask: uint8 h x w of the chroma planes' size.
        smallest: side of the smallest face in luma pixels; a component of less than half of it is left out.
        largest: side of the largest component in luma pixels; a larger one is left out.

    Returns:
        Boxes in pixels of the 2h x 2w luma plane, inside it.
    """
    height, width = 2 * mask.shape[0], 2 * mask.shape[1]
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8, ltype=cv2.CV_32S)
    boxes = []
    for left, top, w, h in (2 * stats[1:, :4]).tolist():
        if min(w, h) < smallest / 2 or max(w, h) > largest:
            continue
        boxes.append(grow(Box(left, top, w, h), MARGIN, width, height))
    return boxes


class SkinSegmentation(Protocol):
    """Says where to look for faces."""

    def propose(self, frame: Frame, known: Sequence[Box]) -> Regions:
        """Return where to look for faces in `frame`, given where they were in the one before."""


class NoSkin:
    """Looks everywhere, always."""

    def propose(self, frame: Frame, known: Sequence[Box]) -> Regions:
        """Return the whole picture."""
        return Regions((), "off")


class StaticSkin:
    """Proposes regions by the published bounds, and keeps count of when the whole picture is due."""

    def __init__(self, smallest: int) -> None:
        """Args: smallest: side of the smallest face looked for, in luma pixels."""
        self._smallest = smallest
        self._since = SEARCH_ALL_EVERY

    def propose(self, frame: Frame, known: Sequence[Box]) -> Regions:
        """Return where to look for small faces in `frame`.

        Args:
            frame: its chroma is read.
            known: faces of the frame before; each is looked for around where it was, whatever its colour.
        """
        self._since += 1
        regions = self._look(frame, known)
        if regions.search_all:
            self._since = 0
        return regions

    def _look(self, frame: Frame, known: Sequence[Box]) -> Regions:
        if self._since >= SEARCH_ALL_EVERY:
            return Regions((), "periodic")
        if _is_flat(frame.cb) and _is_flat(frame.cr):
            return Regions((), "flat")
        mask = skin_mask(frame.cb, frame.cr)
        skin = cv2.countNonZero(mask)
        if not skin:
            return Regions((), "empty")
        if skin > COVERED * mask.size:
            return Regions((), "covered")
        height, width = frame.y.shape
        large = large_side(height, width)
        boxes = skin_boxes(mask, self._smallest, LARGEST * large)
        boxes += [grow(box, box.w // 2, width, height) for box in known if box.w < large]
        return Regions(tuple(merge_boxes(boxes)), None)


def segmentation(kind: str, smallest: int) -> SkinSegmentation:
    """Return the segmentation called ``off`` or ``static``; `smallest` as for `StaticSkin`."""
    return StaticSkin(smallest) if kind == "static" else NoSkin()


def _is_flat(plane: NDArray[np.uint8]) -> bool:
    return float(cv2.meanStdDev(plane)[1][0, 0]) < FLAT
