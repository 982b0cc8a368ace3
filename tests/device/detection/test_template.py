import numpy as np
import pytest

from fer_edge.device.detection.template import ALIKE, SAME, Follower
from fer_edge.device.frame import frame_from_bgr
from fer_edge.preprocess import Box

FACE = Box(79, 65, 98, 98)  # in the portrait


@pytest.fixture
def luma(portrait):
    return frame_from_bgr(portrait).y


@pytest.fixture
def follower(luma):
    follower = Follower()
    follower.remember(7, luma, FACE)
    return follower


@pytest.mark.parametrize("by", [(0, 0), (20, -12), (-30, 16)])
def test_a_face_is_found_where_it_moved_to(follower, luma, by):
    moved = np.roll(luma, (by[1], by[0]), (0, 1))
    box = follower.follow(7, moved, FACE, SAME)
    assert abs(box.x - FACE.x - by[0]) <= 4
    assert abs(box.y - FACE.y - by[1]) <= 4
    assert (box.w, box.h) == (FACE.w, FACE.h)


def test_a_face_half_hidden_is_alike_but_not_the_same(follower, luma):
    hidden = luma.copy()
    hidden[FACE.y + 60 : FACE.y + 98, FACE.x : FACE.x + FACE.w] = 90
    assert follower.follow(7, hidden, FACE, SAME) is None
    box = follower.follow(7, hidden, FACE, ALIKE)
    assert abs(box.x - FACE.x) < 12


def test_where_there_is_no_face_none_is_followed(follower, luma):
    assert follower.follow(7, np.full_like(luma, 90), FACE, ALIKE) is None
    noise = np.random.default_rng(0).integers(0, 256, luma.shape, dtype=np.uint8)
    assert follower.follow(7, noise, FACE, ALIKE) is None


@pytest.mark.parametrize("box", [Box(-90, -90, 98, 98), Box(240, 280, 98, 98), Box(-500, 0, 98, 98)])
def test_a_place_outside_the_picture_is_no_error(follower, luma, box):
    moved = follower.follow(7, luma, box, -1.0)
    assert moved is None or (0 <= moved.x < luma.shape[1] and 0 <= moved.y < luma.shape[0])


def test_forgotten_faces_are_not_followed(follower, luma):
    follower.forget_others({7})
    assert follower.follow(7, luma, FACE, SAME)
    follower.forget_others({8})
    assert follower.follow(7, luma, FACE, SAME) is None
