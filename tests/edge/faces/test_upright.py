"""Crops that landmarks frame: upright, in the same place of the crop whatever the tilt, the size or the place."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_edge.faces.upright import EYES_APART, EYES_DOWN, EYES_TO_MOUTH, Square, turned_crop, upright_square
from fer_edge.preprocess import Box, face_to_input, face_to_rgb, planes_of

HALF = EYES_APART / 2
POINTS = np.array([[-HALF, 0], [HALF, 0], [0, 0.2], [-0.14, EYES_TO_MOUTH], [0.14, EYES_TO_MOUTH]])
POINTS += np.array([0, EYES_DOWN - 0.5])
"""A face about the middle of its crop, in sides."""


def landmarks(x=300.0, y=200.0, side=100.0, roll=0.0, points=POINTS):
    cosine, sine = math.cos(math.radians(roll)), math.sin(math.radians(roll))
    return [tuple(point) for point in (points @ [[cosine, sine], [-sine, cosine]]) * side + [x, y]]


@given(st.floats(-50, 600), st.floats(-50, 600), st.floats(8, 400), st.floats(-179, 179))
def test_the_square_follows_the_face(x, y, side, roll):
    assert upright_square(landmarks(x, y, side, roll)) == pytest.approx(Square(x, y, side, roll), abs=1e-6 * side)


@pytest.mark.parametrize("roll", [100, 150, -130, -175])
def test_eyes_may_be_named_by_their_place_in_the_picture(roll):
    first, second, *others = landmarks(roll=roll)
    by_place = [second, first, *others]
    assert upright_square(by_place) == pytest.approx(upright_square([first, second, *others]))


def test_a_face_turned_aside_and_an_open_mouth_change_the_side_by_less_than_what_they_change():
    aside = upright_square(landmarks(points=POINTS * [0.7, 1]))
    assert 85 < aside.side < 90
    opened = POINTS.copy()
    opened[3:, 1] += 0.2 * EYES_TO_MOUTH
    assert 105 < upright_square(landmarks(points=opened)).side < 112


def dot_picture(points, width=640, height=480):
    y, x = np.mgrid[:height, :width]
    picture = np.zeros((height, width))
    for px, py in points:
        picture = np.maximum(picture, 255 * np.exp(-((x - px) ** 2 + (y - py) ** 2) / 60))
    return picture.astype(np.uint8)


@pytest.mark.parametrize("roll", [0, 30, -45, 80, 170])
@pytest.mark.parametrize("side", [70, 150])
def test_eyes_and_mouth_lie_at_the_same_pixels_of_every_crop(side, roll):
    points = landmarks(320, 240, side, roll)
    crop = face_to_input(dot_picture(points[:2]), Box(270, 190, 100, 100), 48, points)
    rows, columns = np.mgrid[:48, :48]
    weight = crop.astype(float)
    assert (rows * weight).sum() / weight.sum() == pytest.approx(EYES_DOWN * 48 - 0.5, abs=0.4)
    left = weight * (columns < 24)
    assert (columns * left).sum() / left.sum() == pytest.approx((0.5 - HALF) * 48 - 0.5, abs=0.4)


@pytest.mark.parametrize("points", [[(300, 200)] * 5, landmarks(side=900), landmarks(x=float("nan"))], ids=str)
def test_landmarks_that_do_not_fit_the_box_leave_it_the_frame(points):
    luma = np.random.default_rng(0).integers(0, 256, (480, 640), dtype=np.uint8)
    box = Box(250, 150, 100, 100)
    assert (face_to_input(luma, box, 48, points) == face_to_input(luma, box, 48)).all()


def test_a_crop_beyond_the_picture_goes_on_with_its_border():
    luma = np.full((60, 60), 90, np.uint8)
    assert (turned_crop(luma, Square(-500, 4000, 300, 33), 48) == 90).all()


def test_large_faces_are_shrunk_by_mean_and_not_by_skipping_pixels():
    checkerboard = (np.indices((800, 800)).sum(axis=0) % 2 * 200).astype(np.uint8)
    crop = turned_crop(checkerboard, Square(400, 400, 500, 20), 48)
    assert np.abs(crop.astype(int) - 100).max() <= 1


@pytest.mark.parametrize("roll", [0, 25, -70])
def test_colours_of_an_upright_crop_lie_where_its_luma_does(roll):
    points = landmarks(320, 240, 120, roll)
    bgr = np.full((480, 640, 3), 60, np.uint8)
    bgr[dot_picture(points[:1]) > 100] = (30, 30, 220)
    crop = face_to_rgb(planes_of(bgr), Box(260, 180, 120, 120), 48, points).astype(float)
    red = np.clip(crop[:, :, 0] - crop[:, :, 1] - 40, 0, None)
    rows, columns = np.mgrid[:48, :48]
    assert (rows * red).sum() / red.sum() == pytest.approx(EYES_DOWN * 48 - 0.5, abs=0.5)
    assert (columns * red).sum() / red.sum() == pytest.approx((0.5 - HALF) * 48 - 0.5, abs=0.5)
