"""Faces drawn into a frame, and frames as JPEG for a browser."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fer_edge.device.frame import Frame, frame_to_bgr
from fer_edge.device.opencv import cv2
from fer_edge.device.outputs.drawing.placement import place_labels, touches
from fer_edge.device.results import Face, label_of
from fer_edge.labels import ON_DARK, OTHER_ON_DARK
from fer_edge.preprocess import Box
from fer_edge.text.fonts import stand_in, text_mask

GROUND = (22, 20, 16)
"""Of labels, and the edge of each line, in BGR order: dark, so that colours and letters stand out on any picture."""
GROUND_OPACITY = 0.82
TEXT, UNCERTAIN_TEXT = (255, 255, 255), (200, 200, 200)

SHORTER_SIDE = 480
"""Pixels of a frame's shorter side for which the sizes below are; with a larger frame they grow."""
LETTERS = 15
"""Pixels of letters at a face of a fifth of the frame's shorter side or more; at smaller faces they shrink to half."""
LEAST_LETTERS = 9
LINE = 2
DASH = 7

LONGEST = 960
"""Pixels of the longer side; what is larger is shrunk, which the camera's own size never is."""

QUALITY = 75
"""Of the JPEG pictures, 0..100."""

Point = tuple[int, int]

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_FONT_PIXELS = 22
"""Height of a capital letter of OpenCV's font at scale 1, and what is below its line."""


@dataclasses.dataclass(frozen=True)
class _Label:
    """The words at a face: letters of OpenCV at a scale, or the ink of those that it has not, uint8 H x W."""

    text: str
    pixels: int
    size: tuple[int, int]
    ink: NDArray[np.uint8] | None


def draw_faces(bgr: NDArray[np.uint8], faces: Sequence[Face], *, numbers: bool = False) -> NDArray[np.uint8]:
    """Draw boxes, labels and scores into a uint8 H x W x 3 picture, in place, and return it.

    A certain face has a line around it, an uncertain one dashes, a question mark and grey letters.

    Args:
        bgr: the picture.
        faces: in its pixels.
        numbers: whether the faces' ids are shown as well; those of a film mean something.
    """
    height, width = bgr.shape[:2]
    unit = max(min(height, width) / SHORTER_SIDE, 0.5)  # lines and letters grow with the picture
    labels = [_label(face, unit, numbers) for face in faces]
    places = place_labels([face.box for face in faces], [label.size for label in labels], (width, height))
    for face, place in zip(faces, places, strict=True):
        _draw_box(bgr, face, unit)
        if not touches(face.box, place):
            _draw_leader(bgr, face, place, unit)
    for face, label, place in zip(faces, labels, places, strict=True):
        _draw_label(bgr, face, label, place)
    return bgr


def colour_of(label: str) -> tuple[int, int, int]:
    """Return the colour of an expression in BGR order."""
    value = int(ON_DARK.get(label, OTHER_ON_DARK)[1:], 16)
    return value & 255, value >> 8 & 255, value >> 16


def _label(face: Face, unit: float, numbers: bool) -> _Label:
    share = min(max(face.box.h / (0.2 * SHORTER_SIDE * unit), 0.5), 1.0)
    pixels = max(round(LETTERS * unit * share), LEAST_LETTERS)
    number = f"{face.id}  " if numbers else ""
    text = f"{number}{label_of(face)}"
    ink = None if text.isascii() else text_mask(text, round(1.3 * pixels))
    if ink is not None:
        high, wide = ink.shape
    else:
        if not text.isascii():
            name = stand_in(face.label, 1 + list(face.scores).index(face.label))
            text = number + label_of(dataclasses.replace(face, label=name))
        (wide, _), _ = cv2.getTextSize(text, _FONT, pixels / _FONT_PIXELS, _strokes(pixels))
        high = round(1.4 * pixels)
    margin = pixels // 2
    return _Label(text, pixels, (wide + 3 * margin, high + margin), ink)


def _strokes(pixels: int) -> int:
    return max(round(pixels / 11), 1)


def _draw_box(bgr: NDArray[np.uint8], face: Face, unit: float) -> None:
    x, y, w, h = face.box
    line = max(round(LINE * unit), 1)
    corners = [(x, y), (x + w - 1, y), (x + w - 1, y + h - 1), (x, y + h - 1)]
    # The dark edge is drawn first, a little wider, so that the line is seen on what has its own colour.
    for colour, thickness in ((GROUND, line + 2 * max(line // 2, 1)), (colour_of(face.label), line)):
        for start, end in zip(corners, corners[1:] + corners[:1], strict=True):
            for first, last in _dashes(start, end, DASH * unit) if face.uncertain else [(start, end)]:
                cv2.line(bgr, first, last, colour, thickness)


def _dashes(start: Point, end: Point, length: float) -> list[tuple[Point, Point]]:
    """Cut a line into dashes and gaps of about `length`; return the dashes, of which one begins and one ends it."""
    count = 2 * max(round(max(abs(end[0] - start[0]), abs(end[1] - start[1])) / length / 2), 1) + 1
    points = [
        (round(start[0] + (end[0] - start[0]) * i / count), round(start[1] + (end[1] - start[1]) * i / count))
        for i in range(count + 1)
    ]
    return [(points[i], points[i + 1]) for i in range(0, count, 2)]


def _draw_leader(bgr: NDArray[np.uint8], face: Face, place: Box, unit: float) -> None:
    """Draw the line from a box to its label."""
    x, w = face.box.x, face.box.w
    across = min(max(place.x + place.w // 2, x), x + w - 1)
    at_box = face.box.y if place.y < face.box.y else face.box.y + face.box.h - 1
    at_label = (min(max(across, place.x), place.x + place.w - 1), place.y + place.h // 2)
    line = max(round(LINE * unit / 2), 1)
    for colour, thickness in ((GROUND, line + 2), (colour_of(face.label), line)):
        cv2.line(bgr, (across, at_box), at_label, colour, thickness, cv2.LINE_AA)


def _draw_label(bgr: NDArray[np.uint8], face: Face, label: _Label, place: Box) -> None:
    x, y, w, h = place
    ground = bgr[y : y + h, x : x + w]
    ground[:] = ground * (1 - GROUND_OPACITY) + np.array(GROUND) * GROUND_OPACITY
    margin = label.pixels // 2
    cv2.rectangle(bgr, (x, y), (x + max(margin // 2, 1), y + h - 1), colour_of(face.label), cv2.FILLED)
    colour = UNCERTAIN_TEXT if face.uncertain else TEXT
    if label.ink is not None:
        _put(bgr, label.ink, x + round(1.5 * margin), y + margin // 2, colour)
    else:
        where = (x + round(1.5 * margin), y + margin // 2 + round(1.15 * label.pixels))
        scale = label.pixels / _FONT_PIXELS
        cv2.putText(bgr, label.text, where, _FONT, scale, colour, _strokes(label.pixels), cv2.LINE_AA)


def encode(frame: Frame, faces: Sequence[Face] = ()) -> bytes:
    """Return a picture as JPEG of at most `LONGEST` pixels a side, with the given faces drawn in."""
    factor = LONGEST / max(frame.width, frame.height)
    if factor < 1:
        frame = _shrunk(frame, factor)
        faces = [face.resized(factor, frame.width, frame.height) for face in faces]
    bgr = draw_faces(frame_to_bgr(frame), faces, numbers=True)
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


def _put(bgr: NDArray[np.uint8], letters: NDArray[np.uint8], x: int, y: int, colour: tuple[int, int, int]) -> None:
    """Draw an image of ink, uint8 h x w, at x, y; what is outside the picture is cut off."""
    place = bgr[y : y + letters.shape[0], x : x + letters.shape[1]]
    ink = letters[: place.shape[0], : place.shape[1], None].astype(np.uint16)
    place[:] = (place * (255 - ink) + np.array(colour, np.uint16) * ink) // 255
