import numpy as np
import pytest

from fer_edge.device.detection.pyramid import Pyramid
from fer_edge.preprocess import Box


def test_each_level_is_half_the_one_before():
    luma = np.random.default_rng(0).integers(0, 256, (240, 320), dtype=np.uint8)
    pyramid = Pyramid()
    pyramid.start(luma)
    assert [pyramid.shape(level) for level in range(pyramid.levels)] == [(240, 320), (120, 160), (60, 80), (30, 40)]
    assert pyramid.level(0) is luma
    wanted = luma.reshape(120, 2, 160, 2).mean((1, 3))
    assert np.abs(pyramid.level(1) - wanted).max() <= 1


def test_the_levels_use_their_memory_again():
    pyramid = Pyramid()
    pyramid.start(np.zeros((96, 96), np.uint8))
    first = pyramid.level(1)
    pyramid.start(np.full((96, 96), 200, np.uint8))
    assert pyramid.level(1) is first
    assert first.min() == 200
    pyramid.start(np.zeros((200, 96), np.uint8))
    assert pyramid.level(1).shape == (100, 48)


@pytest.mark.parametrize("side", [1, 24, 30, 58, 100, 480])
def test_a_face_keeps_enough_pixels(side):
    pyramid = Pyramid()
    pyramid.start(np.zeros((480, 640), np.uint8))
    level = pyramid.level_for(side)
    assert level == 0 or side / 2**level >= 28
    assert side / 2**level < 58 or level == pyramid.levels - 1


def test_a_face_is_covered_in_the_copies_only():
    pyramid = Pyramid()
    luma = np.zeros((480, 640), np.uint8)
    pyramid.start(luma)
    pyramid.cover(Box(200, 100, 100, 100))
    pyramid.cover(Box(600, -50, 100, 100))  # reaches out of the picture
    assert luma.max() == 0
    for level in range(1, pyramid.levels):
        rows, columns = np.nonzero(pyramid.level(level)[:, : 500 >> level])
        assert columns.min() == pytest.approx(220 / 2**level, abs=1)
        assert rows.max() == pytest.approx(180 / 2**level, abs=1)
