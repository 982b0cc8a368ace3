import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_edge.device.faces import area, grow, intersection, iou, merge_boxes, union
from fer_edge.preprocess import Box

BOXES = st.builds(Box, st.integers(0, 30), st.integers(0, 30), st.integers(1, 20), st.integers(1, 20))


def mask(*boxes):
    picture = np.zeros((60, 60), bool)
    for x, y, w, h in boxes:
        picture[y : y + h, x : x + w] = True
    return picture


@settings(max_examples=100, deadline=None)
@given(BOXES, BOXES)
def test_overlap_counts_the_shared_pixels(a, b):
    shared = int((mask(a) & mask(b)).sum())
    assert intersection(a, b) == shared
    assert iou(a, b) == pytest.approx(shared / mask(a, b).sum())


@settings(max_examples=100, deadline=None)
@given(BOXES, BOXES)
def test_union_is_the_smallest_box_around_both(a, b):
    rows, columns = np.nonzero(mask(a, b))
    left, top = columns.min(), rows.min()
    assert union(a, b) == (left, top, columns.max() - left + 1, rows.max() - top + 1)


@settings(max_examples=100, deadline=None)
@given(st.lists(BOXES, max_size=8))
def test_merging_loses_nothing_and_costs_nothing(boxes):
    merged = merge_boxes(boxes)
    assert not (mask(*boxes) & ~mask(*merged)).any()
    assert sum(map(area, merged)) <= sum(map(area, boxes))


def test_neighbours_are_merged_and_strangers_are_not():
    assert merge_boxes([Box(0, 0, 4, 4), Box(4, 0, 4, 4)]) == [Box(0, 0, 8, 4)]
    apart = [Box(0, 0, 4, 4), Box(20, 20, 4, 4)]
    assert merge_boxes(apart) == apart


def test_growing_stops_at_the_edge():
    assert grow(Box(1, 5, 10, 10), 3, 40, 16) == (0, 2, 14, 14)
