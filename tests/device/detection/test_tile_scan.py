"""Which tiles of a video are searched when."""

import pytest

from fer_edge.device.detection.tile_scan import MOST_TILES, MOVED_S, QUIET_S, SKIN_S, TileScan
from fer_edge.preprocess import Box

FPS = 25


def times(scan, seconds, index, mark=lambda now: None, haste=1.0):
    """Return when one tile is handed out."""
    found = []
    for step in range(1, round(seconds * FPS) + 1):
        now = step / FPS
        mark(now)
        if scan.tiles[index] in scan.take(now, haste):
            found.append(now)
    return found


@pytest.mark.parametrize("factor", [2, 4])
def test_every_tile_is_searched_though_nothing_moves(factor):
    scan = TileScan(640, 480, factor, 0.0)
    seen = set()
    for step in range(1, round(QUIET_S[factor] * FPS) + 3):
        seen |= set(scan.take(step / FPS))
    assert seen == set(scan.tiles)


def test_quiet_tiles_are_spread_over_time():
    scan = TileScan(640, 480, 4, 0.0)
    counts = [len(scan.take(step / FPS)) for step in range(1, 500)]
    assert max(counts) <= 2
    assert sum(counts) == pytest.approx(36 * 20 / QUIET_S[4], rel=0.15)


def test_a_tile_in_which_something_moves_is_searched_soon_and_one_with_skin_later():
    box = [Box(5, 5, 60, 50)]
    moved, skin = TileScan(640, 480, 4, 0.0), TileScan(640, 480, 4, 0.0)
    moved.mark(box, [])
    skin.mark([], box)
    assert moved.tiles[0] == skin.tiles[0]
    first = times(moved, 30, 0)[0]
    assert first <= MOVED_S[4] + 0.1
    assert first <= times(skin, 30, 0)[0] <= SKIN_S[4] + 0.1


def test_one_that_moves_on_and_on_is_searched_again_and_again():
    scan = TileScan(640, 480, 4, 0.0)
    found = times(scan, 12, 7, lambda now: scan.mark([Box(0, 0, 640, 480)], []))
    assert len(found) == pytest.approx(12 / MOVED_S[4], abs=2)


def test_haste_searches_more_often():
    calm, hasty = (times(TileScan(640, 480, 2, 0.0), 20, 3, haste=haste) for haste in (1.0, 4.0))
    assert len(hasty) == pytest.approx(4 * len(calm), abs=3)


def test_a_pause_brings_few_tiles_at_once():
    scan = TileScan(640, 480, 4, 0.0)
    assert len(scan.take(60.0)) <= MOST_TILES


def test_the_scan_ends_when_every_tile_was_handed_out():
    scan = TileScan(640, 480, 2, 0.0)
    assert not scan.ended()
    assert len(scan.take_all(0.0)) == 9
    assert scan.ended()
    assert not scan.ended()
