import numpy as np
import pytest

from fer_edge.device.detection.template import ALIKE, SAME, TemplateMatcher
from fer_edge.device.frame import frame_from_bgr
from fer_edge.preprocess import Box

FACE = Box(79, 65, 98, 98)  # in the portrait


@pytest.fixture
def luma(portrait):
    return frame_from_bgr(portrait).y


@pytest.fixture
def matcher(luma):
    matcher = TemplateMatcher()
    matcher.remember(7, luma, FACE)
    return matcher


@pytest.mark.parametrize("by", [(0, 0), (20, -12), (-30, 16)])
def test_a_face_is_found_where_it_moved_to(matcher, luma, by):
    moved = np.roll(luma, (by[1], by[0]), (0, 1))
    box = matcher.match(7, moved, FACE, SAME)
    assert abs(box.x - FACE.x - by[0]) <= 4
    assert abs(box.y - FACE.y - by[1]) <= 4
    assert (box.w, box.h) == (FACE.w, FACE.h)


def test_a_face_half_hidden_is_alike_but_not_the_same(matcher, luma):
    hidden = luma.copy()
    hidden[FACE.y + 60 : FACE.y + 98, FACE.x : FACE.x + FACE.w] = 90
    assert matcher.match(7, hidden, FACE, SAME) is None
    box = matcher.match(7, hidden, FACE, ALIKE)
    assert abs(box.x - FACE.x) < 12


def test_where_there_is_no_face_nothing_matches(matcher, luma):
    assert matcher.match(7, np.full_like(luma, 90), FACE, ALIKE) is None
    noise = np.random.default_rng(0).integers(0, 256, luma.shape, dtype=np.uint8)
    assert matcher.match(7, noise, FACE, ALIKE) is None


@pytest.mark.parametrize("box", [Box(-90, -90, 98, 98), Box(240, 280, 98, 98), Box(-500, 0, 98, 98)])
def test_a_place_outside_the_frame_is_no_error(matcher, luma, box):
    moved = matcher.match(7, luma, box, -1.0)
    assert moved is None or (0 <= moved.x < luma.shape[1] and 0 <= moved.y < luma.shape[0])


def test_forgotten_faces_do_not_match(matcher, luma):
    matcher.forget_others({7})
    assert matcher.match(7, luma, FACE, SAME)
    matcher.forget_others({8})
    assert matcher.match(7, luma, FACE, SAME) is None
