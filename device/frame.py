"""The picture that flows through the device loop: planar YUV420, and the conversions at its borders.

The luma plane is the grey picture that the cascade and the classifier want, and the quarter-size
chroma planes are what the skin mask wants, so nothing inside the loop converts colours. All planes are
full-range BT.601 as in JPEG (ITU-T T.871, section 7): Y = 0.299 R + 0.587 G + 0.114 B,
Cb = 128 + 0.564 (B - Y), Cr = 128 + 0.713 (R - Y).
"""

from __future__ import annotations

import dataclasses
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_edge.device.opencv import cv2

Plane = NDArray[np.uint8]

POOL = 8
"""Pictures whose memory is used again; who holds more of them at once pays for new memory."""


@dataclasses.dataclass(frozen=True)
class Frame:
    """One picture of a source.

    Attributes:
        y: luma, uint8 H x W, H and W even; may be a view with a row stride.
        cb: blue difference, uint8 H/2 x W/2; may be a view.
        cr: red difference, uint8 H/2 x W/2; may be a view.
        time: seconds since the source's first picture, never decreasing.
        index: number of the picture in the source, from 0; a live source's dropped pictures count.
        width: width of the source picture, which is W or, where an odd one was padded, W - 1.
        height: the same for the height.
        file: the file that holds this picture, where each has its own.

    Nobody writes into the planes: they may share memory with whoever made them.
    """

    y: Plane
    cb: Plane
    cr: Plane
    time: float
    index: int
    width: int
    height: int
    file: str | None = None


def frame_from_bgr(bgr: NDArray[np.uint8], time: float = 0.0, index: int = 0) -> Frame:
    """Convert a single picture as OpenCV delivers it; see `Converter.convert`."""
    return Converter().convert(bgr, time, index)


class Converter:
    """Converts the pictures of a film, in memory that is used again once nobody holds a picture any more.

    Fresh memory for each picture costs more than the conversion, because the operating system must clear it.
    """

    def __init__(self) -> None:
        self._pool: list[tuple[Plane, Plane, Plane]] = []
        self._half: Plane | None = None
        self._ycrcb: Plane | None = None
        self._padded: Plane | None = None

    def convert(self, bgr: NDArray[np.uint8], time: float = 0.0, index: int = 0) -> Frame:
        """Convert a picture as OpenCV delivers it.

        Luma equals ``cv2.COLOR_BGR2GRAY``, which is what a model sees in training. Chroma is that of the
        mean colour of 2 x 2 pixels. An odd edge is padded by repeating its last row or column.

        Args:
            bgr: uint8 H x W x 3, any size; may be written over afterwards.
            time: see `Frame`.
            index: see `Frame`.

        Returns:
            A frame whose planes stay as they are for as long as anything refers to them.
        """
        height, width = bgr.shape[:2]
        if height % 2 or width % 2:
            bgr = self._padded = cv2.copyMakeBorder(
                bgr, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE, dst=self._padded
            )
        rows, columns = bgr.shape[:2]
        y, cb, cr = self._planes(rows, columns)
        cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY, dst=y)
        self._half = cv2.resize(bgr, (columns // 2, rows // 2), dst=self._half, interpolation=cv2.INTER_AREA)
        self._ycrcb = cv2.cvtColor(self._half, cv2.COLOR_BGR2YCrCb, dst=self._ycrcb)
        cv2.extractChannel(self._ycrcb, 1, dst=cr)
        cv2.extractChannel(self._ycrcb, 2, dst=cb)
        return Frame(y, cb, cr, time, index, width, height)

    def _planes(self, rows: int, columns: int) -> tuple[Plane, Plane, Plane]:
        """Return planes that nobody refers to but the pool, or new ones."""
        if self._pool and self._pool[0][0].shape != (rows, columns):
            self._pool.clear()
        for planes in self._pool:
            if all(sys.getrefcount(plane) <= _UNUSED for plane in planes):
                return planes
        made = (
            np.empty((rows, columns), np.uint8),
            np.empty((rows // 2, columns // 2), np.uint8),
            np.empty((rows // 2, columns // 2), np.uint8),
        )
        if len(self._pool) < POOL:
            self._pool.append(made)
        return made


def _references_of_unused() -> int:
    """Count the references to a plane that only the pool holds, as `Converter` counts them."""
    pool = [(np.empty(1, np.uint8),)]
    return max(sys.getrefcount(plane) for planes in pool for plane in planes)


_UNUSED = _references_of_unused()


def shrunk(frame: Frame, pixels: int) -> Frame:
    """Return a smaller copy with about `pixels` pixels at most; the frame itself if it has no more."""
    height, width = frame.y.shape
    if frame.width * frame.height <= pixels:
        return frame
    factor = (pixels / (width * height)) ** 0.5
    w, h = (max(int(side * factor) // 2, 1) for side in (width, height))
    y = cv2.resize(frame.y, (2 * w, 2 * h), interpolation=cv2.INTER_AREA)
    cb, cr = (cv2.resize(plane, (w, h), interpolation=cv2.INTER_AREA) for plane in (frame.cb, frame.cr))
    return dataclasses.replace(frame, y=y, cb=cb, cr=cr, width=2 * w, height=2 * h)


def frame_to_bgr(frame: Frame) -> NDArray[np.uint8]:
    """Return the picture as uint8 height x width x 3 in BGR order, newly allocated, for drawing."""
    height, width = frame.y.shape
    cr = cv2.resize(frame.cr, (width, height), interpolation=cv2.INTER_LINEAR)
    cb = cv2.resize(frame.cb, (width, height), interpolation=cv2.INTER_LINEAR)
    bgr: NDArray[np.uint8] = cv2.cvtColor(cv2.merge((frame.y, cr, cb)), cv2.COLOR_YCrCb2BGR)
    return np.ascontiguousarray(bgr[: frame.height, : frame.width])


def split_planes(buffer: Plane, layout: str, width: int, height: int, stride: int) -> tuple[Plane, Plane, Plane]:
    """Find the planes in a camera's buffer, as views.

    Args:
        buffer: uint8, one-dimensional; bytes behind the last plane are ignored.
        layout: ``YUV420`` (Y, then Cb, then Cr, chroma rows half a stride apart) or ``NV12`` (Y, then
            Cb and Cr alternating in rows one stride apart).
        width: pixels of a row, even.
        height: rows, even.
        stride: bytes from one luma row to the next, at least `width`.

    Returns:
        y, cb and cr.

    Raises:
        ValueError: another layout, odd sizes, or a buffer that is too short.
    """
    luma, chroma = stride * height, stride * height // 2
    if width % 2 or height % 2 or stride % 2 or stride < width or buffer.size < luma + chroma:
        raise ValueError(f"a buffer of {buffer.size} bytes cannot hold {width}x{height} with stride {stride}")
    y = buffer[:luma].reshape(height, stride)[:, :width]
    colour = buffer[luma : luma + chroma]
    if layout == "YUV420":
        planes = colour.reshape(2, height // 2, stride // 2)[:, :, : width // 2]
        return y, planes[0], planes[1]
    if layout == "NV12":
        pairs = colour.reshape(height // 2, stride)[:, :width]
        return y, pairs[:, 0::2], pairs[:, 1::2]
    raise ValueError(f"unknown layout {layout}")


def expand_range(y: Plane, cb: Plane, cr: Plane) -> tuple[Plane, Plane, Plane]:
    """Stretch limited-range planes (luma 16..235, chroma 16..240; ITU-R BT.601) to full range, as copies."""
    return cv2.LUT(y, _FULL_LUMA), cv2.LUT(cb, _FULL_CHROMA), cv2.LUT(cr, _FULL_CHROMA)


def _table(values: NDArray[np.floating[Any]]) -> Plane:
    table: Plane = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return table


_LEVELS = np.arange(256, dtype=np.float64)
_FULL_LUMA = _table((_LEVELS - 16) * 255 / 219)
_FULL_CHROMA = _table((_LEVELS - 128) * 255 / 224 + 128)
