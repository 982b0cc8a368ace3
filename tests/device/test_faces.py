import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_edge.device.faces import (
    Detection,
    area,
    as_rows,
    first_of_each,
    foremost,
    grow,
    intersection,
    intersections,
    iou,
    ious,
    merge_boxes,
    shared,
    shares,
    union,
)
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


@settings(max_examples=50, deadline=None)
@given(st.lists(BOXES, max_size=6), st.lists(BOXES, max_size=6))
def test_many_boxes_at_once_give_what_two_by_two_give(some, others):
    for every, one in ((intersections, intersection), (ious, iou), (shares, shared)):
        expected = [[one(a, b) for b in others] for a in some]
        assert every(as_rows(some), as_rows(others)).tolist() == expected


@settings(max_examples=50, deadline=None)
@given(st.lists(BOXES, max_size=12))
def test_the_first_of_each_is_kept(boxes):
    kept = []
    for index, box in enumerate(boxes):
        if all(iou(box, boxes[other]) < 0.3 for other in kept):
            kept.append(index)
    assert first_of_each(boxes, lambda box, others: ious(box, others) >= 0.3) == kept


def test_the_largest_and_surest_come_first_and_in_their_order():
    def found(side, score):
        return Detection(Box(0, 0, side, side), score)

    faces = [found(10, 0.9), found(40, 0.8), found(20, 0.9), found(41, 0.1), found(30, 0.0)]
    assert foremost(faces, 9) == faces
    assert foremost(faces, 2) == [faces[1], faces[4]]  # one that is followed is known to be there
    assert foremost(faces, 3) == [faces[1], faces[2], faces[4]]


def test_a_crowd_of_boxes_is_merged_quickly():
    rng = np.random.default_rng(1)
    boxes = [Box(*map(int, box)) for box in np.column_stack([rng.integers(0, 9000, (1000, 2)), np.full((1000, 2), 20)])]
    start = time.process_time()
    merged = merge_boxes(boxes)
    assert time.process_time() - start < 0.5
    assert 900 < len(merged) <= 1000
