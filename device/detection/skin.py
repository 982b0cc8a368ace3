"""Where skin is: regions in which to look for small faces, from the colour of the frame alone.

Coloured light and many a wall look like skin, or keep skin from looking like it. So skin regions only set the order
of the search and never exclude an area: `Regions.search_all` says when the whole frame is due.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fer_edge.device.detection.skin_models import AdaptiveModel, BoxModel, EllipseModel, SkinModel
from fer_edge.device.faces import grow, merge_boxes
from fer_edge.device.frame import Frame, Plane
from fer_edge.device.opencv import cv2
from fer_edge.preprocess import Box

FLAT = 3.0
"""Chroma whose standard deviation is below this in both planes holds no colour: a grey or infrared camera."""

COVERED = 0.7
"""Share of skin in the frame beyond which the mask says nothing: a wall or light of that colour."""

LARGE, LARGE_AREA = 48, 640 * 480
"""Side from which a face counts as large, in a frame of `LARGE_AREA` pixels; see `large_side`."""

LARGEST = 6
"""A component longer than this many sides of a large face is a near face or a wall, not a small face."""

MARGIN = 20
"""Luma pixels around a component, because the box of a small face takes in more than its skin."""

SEARCH_ALL_EVERY = 10
"""Every so many frames the whole frame is searched, however good the regions look."""

_OPENING = np.ones((5, 5), np.uint8)


@dataclasses.dataclass(frozen=True)
class Regions:
    """Where to look for faces.

    Attributes:
        boxes: in pixels of the luma plane, inside it; they may overlap.
        search_all: why the whole frame is due at every size: ``off``, ``periodic``, ``flat``,
            ``empty`` or ``covered``; None if it is enough to look into the boxes for small faces.
    """

    boxes: tuple[Box, ...]
    search_all: str | None


def large_side(height: int, width: int) -> int:
    """Return the side in luma pixels from which a face is searched for in the whole frame, skin or not.

    It grows with the frame, so that this search costs the same for every frame above VGA.
    """
    return round(LARGE * max(1.0, math.sqrt(height * width / LARGE_AREA)))


class SkinSegmentation(Protocol):
    """Says where to look for faces."""

    def propose(self, frame: Frame, known: Sequence[Box]) -> Regions:
        """Return where to look for faces in `frame`, given where they were in the one before."""


class NoSkin:
    """Looks everywhere, always."""

    def propose(self, frame: Frame, known: Sequence[Box]) -> Regions:
        """Return the whole frame."""
        return Regions((), "off")


class SkinRegions:
    """Proposes regions by a model of skin, and keeps count of when the whole frame is due."""

    def __init__(self, model: SkinModel, smallest: int) -> None:
        """Start with the whole frame due.

        Args:
            model: of the colour of skin.
            smallest: side of the smallest face looked for, in luma pixels.
        """
        self.model = model
        self._smallest = smallest
        self._since = SEARCH_ALL_EVERY
        self._mask = self._opened = np.empty((0, 0), np.uint8)
        self._labels = np.empty((0, 0), np.int32)

    def propose(self, frame: Frame, known: Sequence[Box]) -> Regions:
        """Return where to look for small faces in `frame`, and let the model learn from the known ones.

        Args:
            frame: only read.
            known: faces of the frame before; each is looked for around where it was, whatever its colour.
        """
        self.model.learn(frame, known)
        self._since += 1
        regions = Regions((), "periodic") if self._since >= SEARCH_ALL_EVERY else self.look(frame, known)
        if regions.search_all:
            self._since = 0
        return regions

    def look(self, frame: Frame, known: Sequence[Box]) -> Regions:
        """Return where to look by the frame alone, as in `propose`; nothing is counted or learned."""
        if _is_flat(frame.cb) and _is_flat(frame.cr):
            return Regions((), "flat")
        mask = self.mask(frame)
        skin = cv2.countNonZero(mask)
        if not skin:
            return Regions((), "empty")
        if skin > COVERED * mask.size:
            return Regions((), "covered")
        height, width = frame.y.shape
        large = large_side(height, width)
        boxes = self._boxes(mask, LARGEST * large)
        boxes += [grow(box, box.w // 2, width, height) for box in known if box.w < large]
        return Regions(tuple(merge_boxes(boxes)), None)

    def mask(self, frame: Frame) -> Plane:
        """Return 255 where skin is, else 0, without specks and thin bridges.

        Returns:
            uint8 of the chroma planes' size, overwritten by the next call.
        """
        if self._mask.shape != frame.cb.shape:
            self._mask, self._opened = np.empty_like(frame.cb, order="C"), np.empty_like(frame.cb, order="C")
            self._labels = np.empty(frame.cb.shape, np.int32)
        self.model.mask(frame, self._mask)
        cv2.morphologyEx(self._mask, cv2.MORPH_OPEN, _OPENING, dst=self._opened)
        return self._opened

    def _boxes(self, mask: Plane, largest: int) -> list[Box]:
        """Return boxes of the luma plane around the components in which small faces may be."""
        height, width = 2 * mask.shape[0], 2 * mask.shape[1]
        _, _, stats, _ = cv2.connectedComponentsWithStats(mask, self._labels, connectivity=8, ltype=cv2.CV_32S)
        boxes = []
        for left, top, w, h in (2 * stats[1:, :4]).tolist():
            # A face's hair and beard hide up to half of it; a component that is too large holds no small face.
            if min(w, h) < self._smallest / 2 or max(w, h) > largest:
                continue
            boxes.append(grow(Box(left, top, w, h), MARGIN, width, height))
        return boxes


def segmentation(kind: str, smallest: int) -> SkinSegmentation:
    """Return the segmentation called ``off``, ``static``, ``ellipse`` or ``adaptive``.

    Args:
        kind: its name.
        smallest: side of the smallest face looked for, in luma pixels.
    """
    if kind == "off":
        return NoSkin()
    models: dict[str, Callable[[], SkinModel]] = {
        "static": BoxModel,
        "ellipse": EllipseModel,
        "adaptive": AdaptiveModel,
    }
    return SkinRegions(models[kind](), smallest)


def _is_flat(plane: NDArray[np.uint8]) -> bool:
    return float(cv2.meanStdDev(plane)[1][0, 0]) < FLAT
