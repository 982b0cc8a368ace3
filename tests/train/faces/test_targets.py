"""What the proposer should give, and that its decoding gives the face back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_edge.faces.grid import CELLS, CHANNELS, decode
from fer_edge.faces.squares import overlaps, suppress
from fer_edge.train.faces.data.images import FaceSet
from fer_edge.train.faces.targets import BOX, BOX_WEIGHT, SCORE, WEIGHT, mirrored, targets


def faces(*squares, certain=True):
    rows = np.array(squares, np.float32).reshape(-1, 3)
    return FaceSet(rows, np.zeros((len(rows), 5, 2), np.float32), np.full(len(rows), certain))


@given(st.floats(5, 155), st.floats(5, 115), st.floats(6, 150))
def test_a_network_that_gives_its_targets_finds_the_face(x, y, side):
    wanted = targets(faces((x, y, side)))
    output = np.zeros((len(CELLS), CHANNELS), np.float32)
    output[:, 0] = np.where(wanted[:, SCORE] > 0, 5, -5)
    output[:, 1:] = wanted[:, BOX]
    squares = decode(output.ravel(), 0.5)
    assert len(squares)
    assert overlaps(np.array([x, y, side], np.float32), squares)[0].min() > 0.98
    assert len(suppress(squares)) == 1


def test_without_faces_everything_is_background():
    wanted = targets(faces())
    assert not wanted[:, SCORE].any()
    assert (wanted[:, WEIGHT] == 1).all()
    assert not wanted[:, BOX_WEIGHT].any()


def test_a_doubtful_face_is_neither_face_nor_background():
    wanted = targets(faces((80, 60, 40), certain=False))
    assert not wanted[:, SCORE].any()
    ignored = CELLS[wanted[:, WEIGHT] == 0]
    assert len(ignored)
    assert (np.hypot(ignored[:, 0] - 80, ignored[:, 1] - 60) <= 33).all()


def test_a_large_face_is_background_for_the_finest_grid():
    wanted = targets(faces((80, 60, 100)))
    fine = CELLS[:, 2] == 8
    assert (wanted[fine, WEIGHT] == 1).all()
    assert not wanted[fine, SCORE].any()


def test_the_smaller_face_takes_the_cell():
    wanted = targets(faces((84, 60, 24), (84, 60, 16)))
    (cell,) = np.flatnonzero((wanted[:, SCORE] > 0) & (np.hypot(CELLS[:, 0] - 84, CELLS[:, 1] - 60) < 1))
    assert 16 * np.exp(wanted[cell, BOX][2]) == pytest.approx(16, rel=1e-3)


def test_the_mirror_of_targets_is_that_of_the_faces():
    frames = np.arange(160, dtype=np.uint8)[None, None, :, None] * np.ones((1, 120, 1, 1), np.uint8)
    turned, wanted = mirrored(frames, targets(faces((30, 40, 20), (100, 60, 90)))[None])
    assert (turned[0, 0, :, 0] == np.arange(160)[::-1]).all()
    assert wanted[0] == pytest.approx(targets(faces((130, 40, 20), (60, 60, 90))), abs=1e-5)
