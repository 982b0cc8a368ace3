"""What an action unit does to the drawing, measured on the pixels."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_edge.train.data.demo_face import Actions, Face, View, draw_face

FACE = Face(
    half_width=0.74,
    jaw=2.2,
    skin=180,
    hair=30,
    background=120,
    hairline=-0.85,
    long_hair=False,
    brow_thickness=0.07,
    brow_y=-0.35,
    eye_x=0.32,
    eye_width=0.17,
    eye_height=0.08,
    iris=40,
    nose_y=0.24,
    nose_width=0.15,
    mouth_y=0.54,
    mouth_width=0.3,
    lip=0.05,
    lip_tone=0.7,
    beard=0,
    glasses=False,
)
STILL = View()
UPPER, EYES, LOWER = slice(0, 21), slice(17, 29), slice(29, 48)


def draw(**actions):
    return draw_face(FACE, Actions(**actions), STILL).astype(int)


@pytest.mark.parametrize(
    ("unit", "rows"),
    [
        ("au1", UPPER),
        ("au2", UPPER),
        ("au4", UPPER),
        ("au5", EYES),
        ("au6", EYES),
        ("au7", EYES),
        ("au12", LOWER),
        ("au15", LOWER),
        ("au16", LOWER),
        ("au20", LOWER),
        ("au23", LOWER),
        ("au25", LOWER),
        ("au26", LOWER),
    ],
)
def test_an_action_changes_its_own_part_of_the_face(unit, rows):
    change = np.abs(draw(**{unit: 1.0}) - draw())
    assert change.sum() > 150
    assert change[rows].sum() > 0.9 * change.sum()


def mouth_line(picture):
    """Return the row of the darkest pixel at the mouth's left corner, middle and right corner."""
    return [
        32 + picture[32:46, columns].sum(axis=1).argmin() for columns in (slice(17, 20), slice(22, 26), slice(28, 31))
    ]


def test_a_smile_lifts_the_corners_and_sadness_lowers_them():
    left, middle, right = mouth_line(draw(au12=0.7))
    assert left < middle > right
    left, middle, right = mouth_line(draw(au15=1.0))
    assert left > middle < right


def test_jaw_drop_opens_a_dark_mouth():
    def dark(picture):
        return (picture[LOWER, 14:34] < 80).sum()

    assert dark(draw(au26=1.0)) > dark(draw()) + 15


def test_raised_lids_show_the_white_of_the_eye_and_tightened_ones_hide_it():
    def bright(picture):
        return np.clip(picture[EYES, 10:38] - FACE.skin, 0, None).sum()

    assert bright(draw(au5=1.0)) > bright(draw()) > bright(draw(au7=1.0))


def test_nose_wrinkles_stand_between_the_eyes():
    def roughness(picture):
        return np.abs(np.diff(picture[19:24, 22:26], axis=0)).sum()

    assert roughness(draw(au9=1.0)) > 3 * roughness(draw())


def test_a_face_that_looks_ahead_is_symmetric_where_the_light_is():
    picture = draw(au12=1.0)
    difference = np.abs(picture - picture[:, ::-1])[30:]  # below the nose's shaded side
    assert difference.mean() < 6


@given(
    st.builds(Actions, **{f.name: st.floats(0, 1) for f in dataclasses.fields(Actions)}),
    st.builds(
        View,
        x=st.floats(-0.2, 0.2),
        y=st.floats(-0.2, 0.2),
        scale=st.floats(0.5, 2),
        roll=st.floats(-1, 1),
        yaw=st.floats(-1, 1),
        pitch=st.floats(-1, 1),
        shear=st.floats(-0.3, 0.3),
        light=st.floats(-1, 1),
    ),
)
@settings(max_examples=60, deadline=None)
def test_any_actions_in_any_view_can_be_drawn(actions, view):
    picture = draw_face(FACE, actions, view)
    assert picture.shape == (48, 48)
    assert picture.dtype == np.uint8
    assert picture.std() > 5
