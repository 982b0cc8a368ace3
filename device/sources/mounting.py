"""The camera as it hangs: frames turned, mirrored and cut, of the size and rate that were asked for."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator

import numpy as np

from fer_edge.config import check_type
from fer_edge.device.frame import Frame, Plane
from fer_edge.device.opencv import cv2
from fer_edge.device.sources.base import Source
from fer_edge.errors import ConfigError

TURNS = (0, 90, 180, 270)
MAX_FPS = 1000
SIDES = (16, 16384)
"""Pixels of a side that may be asked for, at least and at most."""

EARLY = 0.25
"""Part of a frame's duration by which it may come early and still count; cameras are not punctual."""

_CV2_TURNS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}

Region = tuple[float, float, float, float]
"""Left, top, width and height as shares of a frame's width and height, 0..1."""


@dataclasses.dataclass(frozen=True)
class Mounting:
    """How a camera hangs, and what it is asked for.

    Frames are turned, then mirrored, then cut; what is still larger than `size` is shrunk to fit into it.

    Attributes:
        rotate: degrees clockwise by which frames are turned: 0, 90, 180 or 270.
        flip: frames are mirrored, left to right.
        size: width and height to ask the camera for, in pixels, before its frames are turned.
        fps: frames per second to ask for; of a live source that sends more, the others are left out.
        roi: the part that is kept, of the turned frame; None is all of it.

    Raises:
        ConfigError: a value out of its range; its ``option`` names the field.
    """

    rotate: int = 0
    flip: bool = False
    size: tuple[int, int] | None = None
    fps: float | None = None
    roi: Region | None = None

    def __post_init__(self) -> None:
        if isinstance(self.rotate, bool) or self.rotate not in TURNS:
            raise ConfigError("rotate", f"`rotate`: expected 0, 90, 180 or 270 degrees, found {self.rotate!r}")
        check_type("flip", self.flip, "true or false", bool)
        number = isinstance(self.fps, (int, float)) and not isinstance(self.fps, bool)
        if self.fps is not None and not (number and 0 < self.fps <= MAX_FPS):
            raise ConfigError("fps", f"expected an `fps` above 0 and up to {MAX_FPS}, found {self.fps!r}")

    def applied(self, frame: Frame) -> Frame:
        """Return a frame as the mounting wants it; its planes may be views of the given one's."""
        planes = [frame.y[: frame.height & ~1, : frame.width & ~1]]
        planes += [plane[: frame.height // 2, : frame.width // 2] for plane in (frame.cb, frame.cr)]
        if self.rotate:
            planes = [cv2.rotate(plane, _CV2_TURNS[self.rotate]) for plane in planes]
        if self.flip:
            planes = [cv2.flip(plane, 1) for plane in planes]
        if self.roi:
            planes = _cut(planes, self.roi)
        if self.size:
            planes = _fitted(planes, self.size[::-1] if self.rotate in (90, 270) else self.size)
        y, cb, cr = planes
        return dataclasses.replace(frame, y=y, cb=cb, cr=cr, width=y.shape[1], height=y.shape[0])


def _cut(planes: list[Plane], roi: Region) -> list[Plane]:
    """Return views of a part, whose edges lie between pixels of the chroma planes."""
    left, top, width, height = roi
    rows, columns = planes[1].shape
    x, y = min(int(left * columns), columns - 1), min(int(top * rows), rows - 1)
    right, bottom = max(round((left + width) * columns), x + 1), max(round((top + height) * rows), y + 1)
    luma, *chroma = planes
    return [luma[2 * y : 2 * bottom, 2 * x : 2 * right], *(plane[y:bottom, x:right] for plane in chroma)]


def _fitted(planes: list[Plane], size: tuple[int, int]) -> list[Plane]:
    rows, columns = planes[1].shape
    factor = min(size[0] / (2 * columns), size[1] / (2 * rows))
    if factor >= 1:
        return planes
    half = max(round(columns * factor), 1), max(round(rows * factor), 1)
    sizes = ((2 * half[0], 2 * half[1]), half, half)
    return [
        cv2.resize(np.ascontiguousarray(plane), to, interpolation=cv2.INTER_AREA)
        for plane, to in zip(planes, sizes, strict=True)
    ]


AS_IT_COMES = Mounting()
"""Neither turned nor cut, of the size and rate that the camera has by itself."""


def parse_size(value: object) -> tuple[int, int] | None:
    """Return width and height of ``WxH``, or of a pair of numbers; raises ConfigError for all else."""
    if value is None:
        return None
    found = re.fullmatch(r"(\d{1,6})[xX](\d{1,6})", value.strip()) if isinstance(value, str) else None
    sides = tuple(map(int, found.groups())) if found else value
    if isinstance(sides, (tuple, list)) and len(sides) == 2 and all(_is_side(side) for side in sides):
        return (sides[0], sides[1])
    least, most = SIDES
    raise ConfigError(
        "size", f"`size`: expected WIDTHxHEIGHT such as 1280x720, even numbers from {least} to {most}, found {value!r}"
    )


def _is_side(value: object) -> bool:
    return isinstance(value, int) and SIDES[0] <= value <= SIDES[1] and value % 2 == 0


def parse_roi(value: object) -> Region | None:
    """Return the region of ``X,Y,W,H``, or of four numbers; raises ConfigError for all else."""
    if value is None:
        return None
    try:
        parts = value.split(",") if isinstance(value, str) else list(value)  # type: ignore[call-overload]
        left, top, width, height = map(float, parts)
    except (TypeError, ValueError):
        left = top = width = height = float("nan")
    slack = 1 + 1e-6  # 0.7 + 0.3 is more than 1 in binary
    if left >= 0 and top >= 0 and width > 0 and height > 0 and left + width <= slack and top + height <= slack:
        return (left, top, width, height)
    raise ConfigError(
        "roi",
        f"`roi`: expected X,Y,WIDTH,HEIGHT as shares of the frame, such as 0.25,0,0.5,1, found {value!r}",
    )


class Mounted(Source):
    """A source whose frames are changed as a mounting says."""

    def __init__(self, source: Source, mounting: Mounting) -> None:
        """Wrap a source and take over closing it."""
        self._source, self._mounting = source, mounting
        self.name, self.live, self.stills, self.fps = source.name, source.live, source.stills, source.fps
        self.takes_fps = source.takes_fps

    @property
    def skipped(self) -> int:  # type: ignore[override]
        """Damaged frames that the source left out; those that come too fast are not counted."""
        return self._source.skipped

    def __iter__(self) -> Iterator[Frame]:
        """Deliver the frames as the mounting wants them; of a live source no more than `Mounting.fps` a second."""
        interval = 1 / self._mounting.fps if self._mounting.fps and self.live else 0.0
        due = 0.0
        for frame in self._source:
            if interval and frame.time < due - EARLY * interval:
                continue
            due = max(due, frame.time - interval) + interval
            yield self._mounting.applied(frame)

    def reopen(self) -> Mounted | None:
        """Open the source again; raises SourceError while it is not there."""
        opened = self._source.reopen()
        return None if opened is None else Mounted(opened, self._mounting)

    def close(self) -> None:
        """Close the source."""
        self._source.close()
