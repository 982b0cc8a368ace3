"""From the proposer's output to squares in the frame, and which of them remain."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps

from fer_edge.faces.grid import CELLS, CHANNELS, decode
from fer_edge.faces.squares import overlaps, suppress
from fer_edge.faces.tiles import cut, fit_scale, scaled_size, tile_grid

numbers = st.floats(0, 200, width=32)
squares = nps.arrays(np.float32, st.tuples(st.integers(1, 30), st.just(4)), elements=st.floats(1, 100, width=32))


def test_a_cell_says_where_its_face_is():
    output = np.full((len(CELLS), CHANNELS), -9, np.float32)
    cell = int(np.argmin(np.hypot(CELLS[:300, 0] - 44, CELLS[:300, 1] - 28)))
    output[cell] = (2.0, 0.5, -0.25, 0.0)
    (square,) = decode(output.ravel(), 0.5)
    assert square == pytest.approx([48, 26, 16, 1 / (1 + np.exp(-2))], abs=1e-4)


def test_nothing_below_the_threshold_is_decoded():
    output = np.zeros((len(CELLS), CHANNELS), np.float32)
    assert len(decode(output.ravel(), 0.51)) == 0
    assert len(decode(output.ravel(), 0.5)) == len(CELLS)


def test_overlaps_of_known_squares():
    one = np.array([10, 10, 10], np.float32)
    others = np.array([[10, 10, 10], [15, 10, 10], [10, 10, 5], [30, 30, 4]], np.float32)
    iou, inside = overlaps(one, others)
    assert iou == pytest.approx([1, 1 / 3, 0.25, 0])
    assert inside == pytest.approx([1, 0.5, 1, 0])


@given(squares)
def test_what_remains_overlaps_no_better_one_and_what_goes_does(rows):
    kept = suppress(rows)
    assert len(kept)
    for position, index in enumerate(kept[1:], 1):
        iou, inside = overlaps(rows[index], rows[kept[:position]])
        assert (iou <= 0.35).all()
        assert (inside <= 0.7).all()
    for index in set(range(len(rows))) - set(kept.tolist()):
        iou, inside = overlaps(rows[index], rows[kept])
        better = rows[kept, 3] >= rows[index, 3]
        assert ((iou > 0.35) | (inside > 0.7))[better].any()


@given(st.integers(1, 2000), st.integers(1, 1500))
def test_tiles_cover_the_frame_and_stay_inside(width, height):
    tiles = tile_grid(width, height)
    for side, starts, tile in ((width, {t.left for t in tiles}, 160), (height, {t.top for t in tiles}, 120)):
        ends = [start + tile for start in sorted(starts)]
        assert min(starts) == 0
        assert max(ends) >= side
        assert max(ends) <= max(side, tile)
        gaps = np.diff(sorted(starts))
        assert (gaps <= tile * 0.73).all()


def test_a_frame_fits_and_a_tile_at_its_edge_is_filled_up():
    luma = np.full((300, 200), 7, np.uint8)
    scale = fit_scale(200, 300)
    assert scaled_size(200, 300, scale) == (80, 120)
    tile = cut(luma, tile_grid(80, 120)[0], scale)
    assert tile.shape == (120, 160)
    assert (tile[:, :80] == 7).all()
    assert not tile[:, 80:].any()


@given(st.integers(160, 1300), st.integers(120, 1000), st.sampled_from([1, 2, 4]))
def test_tiles_of_a_frame_show_its_parts(width, height, factor):
    luma = np.broadcast_to(np.linspace(0, 255, width, dtype=np.float32), (height, width)).astype(np.uint8)
    scale = fit_scale(width, height) * factor
    size = scaled_size(width, height, scale)
    for tile in tile_grid(*size)[:3]:
        shown = cut(luma, tile, scale)
        assert shown.shape == (120, 160)
        columns = min(160, size[0] - tile.left)
        expected = 255 * (tile.left + (columns - 1) / 2) / max(size[0] - 1, 1)
        assert abs(float(shown[0, :columns].mean()) - expected) < 6
