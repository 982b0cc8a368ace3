import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_edge.device.detection.cascade import SIDES
from fer_edge.device.detection.scan import STRIP, Round, pieces
from fer_edge.preprocess import Box


@settings(max_examples=60, deadline=None)
@given(st.integers(24, 500), st.integers(24, 500), st.integers(0, 60), st.integers(0, 60))
def test_the_pieces_cover_every_window(width, height, x, y):
    area = Box(x, y, width, height)
    for side in SIDES:
        strips = [piece.area for piece in pieces(0, area, 0) if piece.side == side]
        if side > min(width, height):
            assert not strips
            continue
        tops = np.zeros(height, bool)
        for strip in strips:
            assert (strip.x, strip.w) == (x, width)
            tops[strip.y - y : strip.y - y + strip.h - side + 1] = True
        assert tops[: height - side + 1].all()
        assert strips[-1].y + strips[-1].h == y + height


def test_pieces_cost_about_the_same():
    work = list(pieces(0, Box(0, 0, 640, 480), 0))
    assert max(piece.positions for piece in work) < 1.3 * STRIP
    assert {piece.side for piece in pieces(0, Box(0, 0, 640, 480), 30)} == {side for side in SIDES if side >= 30}


@pytest.mark.parametrize("rate", [5, 15, 30, 60])
def test_a_round_takes_its_time_whatever_the_rate(rate):
    whole = list(pieces(0, Box(0, 0, 320, 240), 0))
    turn = Round(1.0, 1 / 3)
    turn.begin(whole)
    taken, pictures = [], 0
    while not turn.done:
        taken += turn.take(1 / rate)
        pictures += 1
    assert taken == whole
    assert pictures / rate == pytest.approx(1.0, abs=0.21)


def test_a_late_picture_does_not_pay_for_all_that_was_missed():
    turn = Round(1.0, 1 / 3)
    turn.begin(pieces(0, Box(0, 0, 320, 240), 0))
    total = sum(piece.positions for piece in pieces(0, Box(0, 0, 320, 240), 0))
    assert sum(piece.positions for piece in turn.take(10.0)) < total / 3 + 1.3 * STRIP
    assert not turn.done


def test_everything_at_once():
    turn = Round(1.0, 1 / 3)
    turn.begin(pieces(1, Box(0, 0, 320, 240), 0))
    assert len(list(turn.take(float("inf")))) == len(list(pieces(1, Box(0, 0, 320, 240), 0)))
    assert turn.done
    assert list(turn.take(1.0)) == []
