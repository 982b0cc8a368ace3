"""Crops of the refiner, and how its output returns to the frame."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_edge.faces.crop import Look, crop, decode_crop, encode, look_matrix, roll_of

UPRIGHT = np.array([[-0.25, -0.2], [0.25, -0.2], [0, 0.05], [-0.18, 0.3], [0.18, 0.3]])
coordinates = st.floats(0, 300)
looks = st.builds(Look, coordinates, coordinates, st.floats(10, 200), st.floats(-120, 120))


def turned(points, degrees):
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return points @ np.array([[cosine, sine], [-sine, cosine]])


@given(looks, st.floats(-0.2, 0.2), st.floats(-0.2, 0.2), st.floats(0.8, 1.25), st.floats(-100, 100))
def test_what_is_encoded_in_a_crop_is_decoded_in_the_frame(look, right, down, growth, roll):
    face = np.array([look.x + right * look.side, look.y + down * look.side, look.side * growth])
    landmarks = face[:2] + face[2] * turned(UPRIGHT, roll)
    matrix = look_matrix(look)
    scale = math.sqrt(np.linalg.det(matrix[:, :2]))
    square = np.array([*(matrix[:, :2] @ face[:2] + matrix[:, 2]), face[2] * scale], np.float32)
    values = encode(square, (landmarks @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32))
    found = decode_crop(np.concatenate([[0], values]).astype(np.float32), look)
    assert found.score == 0.5
    near = look.side * 1e-3
    assert (found.look.x, found.look.y, found.look.side) == pytest.approx(tuple(face), abs=near)
    assert found.landmarks == pytest.approx(landmarks, abs=near)
    assert found.look.roll == pytest.approx(roll, abs=0.5)


@pytest.mark.parametrize("side", [12, 40, 130, 400])
@pytest.mark.parametrize("roll", [0, 35, -80])
def test_a_crop_shows_the_place_turned_upright(side, roll):
    y, x = np.mgrid[:900, :900].astype(np.float32)
    down = np.array([-math.sin(math.radians(roll)), math.cos(math.radians(roll))])
    along = ((x - 450) * down[0] + (y - 450) * down[1]) / side
    luma = np.clip(128 + 120 * along, 0, 255).astype(np.uint8)  # brighter towards the chin
    got = crop(luma, Look(450, 450, side, roll)).astype(float)
    wanted = np.clip(128 + 120 * (np.arange(48) - 23.5) * 1.5 / 48, 0, 255)
    assert got.shape == (48, 48)
    assert np.abs(got - wanted[:, None]).mean() < 4


def test_a_crop_beyond_the_frame_goes_on_with_its_border():
    luma = np.full((40, 40), 90, np.uint8)
    assert (crop(luma, Look(-50, 10, 300, 20)) == 90).all()


@pytest.mark.parametrize("degrees", [-100, -45, 0, 30, 90])
def test_roll_of_a_profile_too(degrees):
    profile = UPRIGHT * [0.1, 1]
    for points in (UPRIGHT, profile):
        assert roll_of(turned(points, degrees)) == pytest.approx(degrees, abs=1e-6)


def test_landmarks_on_a_heap_leave_the_tilt_as_it_was():
    output = np.zeros(14, np.float32)
    output[4:] = np.linspace(-0.4, 0.4, 10)
    assert decode_crop(output, Look(50, 50, 40, 25)).look.roll == 25
