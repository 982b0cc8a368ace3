import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_edge.device.detection.cascade import SIDES
from fer_edge.device.detection.scan import TILE_POSITIONS, Scan, tiles
from fer_edge.preprocess import Box


@settings(max_examples=60, deadline=None)
@given(st.integers(24, 500), st.integers(24, 500), st.integers(0, 60), st.integers(0, 60))
def test_the_tiles_cover_every_window(width, height, x, y):
    area = Box(x, y, width, height)
    for side in SIDES:
        strips = [tile.area for tile in tiles(0, area, 0) if tile.side == side]
        if side > min(width, height):
            assert not strips
            continue
        tops = np.zeros(height, bool)
        for strip in strips:
            assert (strip.x, strip.w) == (x, width)
            tops[strip.y - y : strip.y - y + strip.h - side + 1] = True
        assert tops[: height - side + 1].all()
        assert strips[-1].y + strips[-1].h == y + height


def test_tiles_cost_about_the_same():
    work = list(tiles(0, Box(0, 0, 640, 480), 0))
    assert max(tile.positions for tile in work) < 1.3 * TILE_POSITIONS
    assert {tile.side for tile in tiles(0, Box(0, 0, 640, 480), 30)} == {side for side in SIDES if side >= 30}


@pytest.mark.parametrize("rate", [5, 15, 30, 60])
def test_a_scan_takes_its_time_whatever_the_rate(rate):
    whole = list(tiles(0, Box(0, 0, 320, 240), 0))
    scan = Scan(1.0, 1 / 3)
    scan.begin(whole)
    taken, frames = [], 0
    while not scan.done:
        taken += scan.take(1 / rate)
        frames += 1
    assert taken == whole
    assert frames / rate == pytest.approx(1.0, abs=0.21)


def test_a_late_frame_does_not_pay_for_all_that_was_missed():
    scan = Scan(1.0, 1 / 3)
    scan.begin(tiles(0, Box(0, 0, 320, 240), 0))
    total = sum(tile.positions for tile in tiles(0, Box(0, 0, 320, 240), 0))
    assert sum(tile.positions for tile in scan.take(10.0)) < total / 3 + 1.3 * TILE_POSITIONS
    assert not scan.done


def test_everything_at_once():
    scan = Scan(1.0, 1 / 3)
    scan.begin(tiles(1, Box(0, 0, 320, 240), 0))
    assert len(list(scan.take(float("inf")))) == len(list(tiles(1, Box(0, 0, 320, 240), 0)))
    assert scan.done
    assert list(scan.take(1.0)) == []
