"""Drawing one face from facial actions: the pen of the generated data set.

A face is described in its own units: x to the viewer's right, y down, the top of the skull at -1 and
the chin at +1. Facial actions move the features as their action units do (Ekman & Friesen 1978,
Facial Action Coding System). Everything is drawn four times larger than it is delivered and reduced
by averaging, in integer arithmetic, so that edges are smooth and the pixels the same everywhere.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fer_edge.lazy import require

SIZE = 48
OVERSAMPLING = 4
SHIFT = 4  # fractional bits of OpenCV's fixed-point drawing coordinates
UNIT = 0.5  # of the picture's side: one face unit at scale 1
DEPTH = 0.45  # how far the middle of the face stands before its outline, in face units

Points = NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class Actions:
    """Strengths of the action units that the drawing knows, each 0 (absent) to 1 (full)."""

    au1: float = 0.0  # inner brow raiser
    au2: float = 0.0  # outer brow raiser
    au4: float = 0.0  # brow lowerer
    au5: float = 0.0  # upper lid raiser
    au6: float = 0.0  # cheek raiser
    au7: float = 0.0  # lid tightener
    au9: float = 0.0  # nose wrinkler
    au12: float = 0.0  # lip corner puller
    au15: float = 0.0  # lip corner depressor
    au16: float = 0.0  # lower lip depressor
    au20: float = 0.0  # lip stretcher
    au23: float = 0.0  # lip tightener
    au25: float = 0.0  # lips part
    au26: float = 0.0  # jaw drop


@dataclasses.dataclass(frozen=True)
class Face:
    """Who is drawn. Lengths in face units, tones in grey levels 0..255."""

    half_width: float
    jaw: float  # exponent of the lower outline: 2 round, larger squarer
    skin: float
    hair: float
    background: float
    hairline: float  # y of the hair's lower edge at the middle
    long_hair: bool
    brow_thickness: float
    brow_y: float
    eye_x: float
    eye_width: float
    eye_height: float
    iris: float
    nose_y: float
    nose_width: float
    mouth_y: float
    mouth_width: float
    lip: float  # thickness
    lip_tone: float  # relative to the skin
    beard: float  # 0 none to 1 dark
    glasses: bool


@dataclasses.dataclass(frozen=True)
class View:
    """How the face stands before the camera. Angles in radians, shifts as shares of the picture's side."""

    x: float = 0.0
    y: float = 0.0
    scale: float = 1.0
    roll: float = 0.0
    yaw: float = 0.0
    pitch: float = 0.0
    shear: float = 0.0
    light: float = 0.0  # -1 from the left to 1 from the right


def draw_face(face: Face, actions: Actions, view: View) -> NDArray[np.uint8]:
    """Return the picture, uint8 `SIZE` x `SIZE`, without noise.

    Raises:
        MissingExtraError: OpenCV is not installed.
    """
    pen = _Pen(face, view)
    _draw_head(pen, face, actions, view)
    _draw_nose(pen, face, actions)
    _draw_mouth(pen, face, actions)
    for side in (-1, 1):
        _draw_eye(pen, face, actions, side)
        _draw_brow(pen, face, actions, side)
    _draw_wrinkles(pen, face, actions)
    if face.glasses:
        _draw_glasses(pen, face)
    return pen.picture()


class _Pen:
    """A canvas that takes face units."""

    def __init__(self, face: Face, view: View) -> None:
        self._cv2 = require("cv2", "train")
        side = SIZE * OVERSAMPLING
        self._canvas = np.full((side, side), _tone(face.background), np.uint8)
        self._half_width, self._view = face.half_width, view
        cosine, sine = np.cos(view.roll) * view.scale, np.sin(view.roll) * view.scale
        turn = np.array([[cosine, -sine], [sine, cosine]]) @ np.array([[1.0, view.shear], [0.0, 1.0]])
        self._matrix = turn.T * UNIT * side
        self._offset = np.array([0.5 + view.x, 0.5 + view.y]) * side
        self._unit = UNIT * side * view.scale

    def _pixels(self, points: Points, on_surface: bool) -> NDArray[np.int32]:
        if on_surface:  # what lies nearer to the camera moves further when the head turns
            x, y = points[:, 0], points[:, 1]
            depth = DEPTH * np.sqrt(np.maximum(1 - (x / self._half_width) ** 2 * 0.8 - y**2 * 0.5, 0))
            shift = np.stack([np.sin(self._view.yaw) * depth, np.sin(self._view.pitch) * depth], axis=1)
            points = points + shift
        pixels: Points = points @ self._matrix + self._offset
        return np.round(pixels * (1 << SHIFT)).astype(np.int32)

    def fill(self, points: Points, tone: float, *, on_surface: bool = True) -> None:
        self._cv2.fillPoly(
            self._canvas, [self._pixels(points, on_surface)], _tone(tone), lineType=self._cv2.LINE_8, shift=SHIFT
        )

    def stroke(self, points: Points, tone: float, width: float, *, closed: bool = False) -> None:
        """Draw a line of `width` face units."""
        thickness = max(1, round(width * self._unit))
        pixels = [self._pixels(points, True)]
        self._cv2.polylines(self._canvas, pixels, closed, _tone(tone), thickness, self._cv2.LINE_8, SHIFT)

    def picture(self) -> NDArray[np.uint8]:
        blocks = self._canvas.reshape(SIZE, OVERSAMPLING, SIZE, OVERSAMPLING).astype(np.uint16)
        total: NDArray[np.uint16] = blocks.sum(axis=(1, 3), dtype=np.uint16)
        return ((total + OVERSAMPLING**2 // 2) // OVERSAMPLING**2).astype(np.uint8)


def _tone(value: float) -> int:
    return int(min(max(round(value), 0), 255))


_T = np.linspace(0, 1, 9)
_BASIS: Points = np.stack([(1 - _T) * (1 - 2 * _T), 4 * _T * (1 - _T), _T * (2 * _T - 1)], axis=1)  # Lagrange's
_TURN = np.linspace(0, 2 * np.pi, 28, endpoint=False)
_COS, _SIN = np.cos(_TURN), np.sin(_TURN)


def _curve(start: Sequence[float], middle: Sequence[float], end: Sequence[float]) -> Points:
    """Return the parabola from `start` to `end` that passes `middle` halfway."""
    points: Points = _BASIS @ np.array([start, middle, end], float)
    return points


def _ellipse(x: float, y: float, width: float, height: float) -> Points:
    return np.stack([x + width * _COS, y + height * _SIN], axis=1)


def _draw_head(pen: _Pen, face: Face, actions: Actions, view: View) -> None:
    width, chin = face.half_width, 1 + 0.16 * actions.au26
    if face.long_hair:
        pen.fill(_ellipse(0, 0.05, width * 1.22, 1.2), face.hair, on_surface=False)
    neck = np.array([[-0.45 * width, 0.6], [0.45 * width, 0.6], [0.55 * width, 2], [-0.55 * width, 2]])
    pen.fill(neck, face.skin * 0.7, on_surface=False)
    for side in (-1, 1):
        pen.fill(_ellipse(side * width, 0.02, 0.09, 0.2), face.skin * 0.8, on_surface=False)
    # A superellipse below (the jaw), an ellipse above; smaller and brighter copies towards the light make it round.
    power = 2 / np.where(_SIN > 0, face.jaw, 2.0)
    outline_x = np.sign(_COS) * np.abs(_COS) ** power * width
    outline_y = np.where(_SIN > 0, np.abs(_SIN) ** power * chin, _SIN)
    for shrink, tone in ((1.0, 0.78), (0.93, 0.88), (0.84, 0.95), (0.72, 1.0)):
        moved = (1 - shrink) * view.light * 0.6
        points = np.stack([outline_x * shrink + moved, outline_y * shrink], axis=1)
        pen.fill(points, face.skin * tone, on_surface=False)
    if face.beard:
        tone = face.skin + (min(face.hair, face.skin * 0.6) - face.skin) * face.beard
        low = np.stack([outline_x, outline_y], axis=1)[_SIN > 0.35]
        moustache = _curve((-width * 0.75, 0.55), (0, face.nose_y + 0.1), (width * 0.75, 0.55))
        pen.fill(np.concatenate([low, moustache]), tone)
    top = np.stack([outline_x * 1.04, outline_y * 1.06], axis=1)[_SIN < -0.25]
    fringe = _curve((width, -0.35), (0, face.hairline), (-width, -0.35))
    pen.fill(np.concatenate([top, fringe]), face.hair, on_surface=False)


def _draw_brow(pen: _Pen, face: Face, actions: Actions, side: int) -> None:
    a = actions
    lowered = 0.11 * a.au4 + 0.07 * a.au9
    inner_y = face.brow_y - 0.19 * a.au1 + lowered * (1.5 if not a.au1 else 0.4)
    middle_y = face.brow_y - 0.05 - 0.07 * a.au1 - 0.11 * a.au2 + lowered * 0.8
    outer_y = face.brow_y + 0.02 - 0.16 * a.au2 + lowered * 0.25 + 0.05 * a.au1 * (1 - a.au2)
    inner_x = face.eye_x - face.eye_width * 1.0 - 0.05 * max(a.au4, a.au9)
    outer_x = face.eye_x + face.eye_width * 1.25
    upper = _curve((side * inner_x, inner_y), (side * face.eye_x, middle_y), (side * outer_x, outer_y))
    taper = face.brow_thickness * np.linspace(1.0, 0.45, len(upper))
    lower = upper + np.stack([np.zeros(len(upper)), taper], axis=1)
    pen.fill(np.concatenate([upper, lower[::-1]]), min(face.hair, face.skin * 0.55))


def _draw_eye(pen: _Pen, face: Face, actions: Actions, side: int) -> None:
    a, x, y, width = actions, side * face.eye_x, -0.12, face.eye_width
    squint = 1 - 0.45 * a.au6 - 0.35 * a.au7 - 0.4 * a.au9
    up = face.eye_height * max(squint, 0.15) * (1 + 0.95 * a.au5)
    down = face.eye_height * 0.7 * max(1 - 0.7 * a.au6 - 0.45 * a.au7 - 0.45 * a.au9, 0.12) * (1 + 0.4 * a.au5)
    inner, outer = (x - side * width, y + 0.02), (x + side * width, y - 0.01)
    upper, lower = _curve(inner, (x, y - up), outer), _curve(inner, (x, y + down), outer)
    shade = face.skin * 0.85
    pen.fill(_curve((x - width * 1.2, y), (x, y - up * 1.9), (x + width * 1.2, y)), shade)
    pen.fill(np.concatenate([upper, lower[::-1]]), min(face.skin * 0.5 + 135, 250))
    iris = _ellipse(x, y - 0.005, face.eye_height * 0.95, face.eye_height * 0.95)
    order = np.argsort(upper[:, 0])
    top = np.interp(iris[:, 0], upper[order, 0], upper[order, 1])
    bottom = np.interp(iris[:, 0], lower[order, 0], lower[order, 1])
    pen.fill(np.stack([iris[:, 0], np.clip(iris[:, 1], top, bottom)], axis=1), face.iris)
    pen.stroke(upper, face.skin * 0.25, 0.03)
    pen.stroke(lower, face.skin * 0.6, 0.015)


def _draw_nose(pen: _Pen, face: Face, actions: Actions) -> None:
    y, width = face.nose_y - 0.07 * actions.au9, face.nose_width * (1 + 0.2 * actions.au9 + 0.1 * actions.au12)
    pen.stroke(_curve((0.06, -0.1), (0.09, y * 0.4), (width * 0.8, y - 0.05)), face.skin * 0.84, 0.03)
    pen.fill(_ellipse(0, y - 0.04, width * 0.7, 0.09), face.skin * 1.08)
    pen.stroke(_curve((-width, y - 0.03), (0, y + 0.07), (width, y - 0.03)), face.skin * 0.66, 0.025)
    for side in (-1, 1):
        pen.fill(_ellipse(side * width * 0.5, y + 0.01, width * 0.24, 0.025), face.skin * 0.35)


def _draw_mouth(pen: _Pen, face: Face, actions: Actions) -> None:
    a, y = actions, face.mouth_y
    width = face.mouth_width * (1 + 0.42 * a.au12 + 0.38 * a.au20 - 0.22 * a.au23 - 0.2 * a.au26 * (1 - a.au20))
    raised = 0.07 * a.au9 + 0.03 * a.au12 + 0.03 * a.au15
    gap = 0.12 * a.au25 + 0.4 * a.au26 * (1 - 0.4 * a.au20) + 0.07 * a.au16
    corner_y = y + 0.45 * gap - 0.2 * a.au12 + 0.13 * a.au15 + 0.06 * a.au20
    lip = face.lip * (1 - 0.6 * a.au23) * (1 - 0.25 * a.au12)
    top = y - raised + 0.02 * a.au12
    bottom = top + gap + 0.05 * a.au12
    left, right = (-width, corner_y), (width, corner_y)
    inner_top, inner_bottom = _curve(left, (0, top), right), _curve(left, (0, bottom), right)
    outer_top = _curve(left, (0, top - lip), right)
    outer_bottom = _curve(left, (0, bottom + lip * (1.3 + 0.8 * a.au16)), right)
    tone = face.skin * face.lip_tone
    pen.fill(np.concatenate([outer_top, outer_bottom[::-1]]), tone)
    if gap > 0.03:
        pen.fill(np.concatenate([inner_top, inner_bottom[::-1]]), face.skin * 0.18)
        bared = max(a.au12, 0.7 * a.au9)
        teeth = inner_top + (inner_bottom - inner_top) * min(0.25 + 0.6 * bared, 0.85)
        if bared > 0.15:
            pen.fill(np.concatenate([inner_top, teeth[::-1]])[1:-1], min(face.skin * 0.4 + 140, 245))
    else:
        pen.stroke(inner_top, face.skin * 0.3, 0.028 + 0.02 * a.au23)
    pen.stroke(
        _curve((-width * 0.4, bottom + lip + 0.12), (0, bottom + lip + 0.09), (width * 0.4, bottom + lip + 0.12)),
        face.skin * (0.86 - 0.1 * a.au15),
        0.03,
    )


def _draw_wrinkles(pen: _Pen, face: Face, actions: Actions) -> None:
    """The folds that an action leaves, deeper with its strength."""
    a, skin = actions, face.skin
    brows = min(a.au1, a.au2) if a.au2 else 0.5 * a.au1
    if brows > 0.2:
        for y in (-0.56, -0.66):
            reach = 0.4 if a.au2 else 0.18
            pen.stroke(_curve((-reach, y + 0.02), (0, y), (reach, y + 0.02)), skin * (1 - 0.22 * brows), 0.02)
    if a.au4 > 0.2:
        for x in (-0.05, 0.05):
            pen.stroke(np.array([[x, -0.4], [x * 0.8, -0.24]]), skin * (1 - 0.4 * a.au4), 0.022)
    if a.au9 > 0.2:
        for y in (-0.2, -0.12, -0.04):
            pen.stroke(_curve((-0.1, y + 0.02), (0, y - 0.02), (0.1, y + 0.02)), skin * (1 - 0.4 * a.au9), 0.022)
    fold = max(a.au12, a.au9, 0.5 * a.au15)
    if fold > 0.15:
        corner = face.mouth_width * (1.15 + 0.4 * a.au12)
        for side in (-1, 1):
            start, end = (side * face.nose_width * 1.25, face.nose_y - 0.06), (side * corner, face.mouth_y - 0.02)
            middle = (side * (face.nose_width + corner) * 0.6, (start[1] + end[1]) / 2 - 0.03)
            pen.stroke(_curve(start, middle, end), skin * (1 - 0.3 * fold), 0.028)
    if a.au6 > 0.2:
        for side in (-1, 1):
            x, width = side * face.eye_x, face.eye_width
            pen.stroke(_curve((x - width, 0.02), (x, 0.07), (x + width, 0.02)), skin * (1 - 0.25 * a.au6), 0.022)


def _draw_glasses(pen: _Pen, face: Face) -> None:
    reach = min(face.eye_width * 1.6, face.eye_x - 0.04)
    for side in (-1, 1):
        pen.stroke(_ellipse(side * face.eye_x, -0.1, reach, 0.2), 45, 0.028, closed=True)
    pen.stroke(np.array([[-face.eye_x + reach, -0.12], [face.eye_x - reach, -0.12]]), 45, 0.028)
