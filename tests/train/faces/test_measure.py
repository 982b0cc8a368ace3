"""Average precision and recall of known detections."""

import numpy as np
import pytest

from fer_edge.train.faces.measure import ImageResult, average_precision, match, recall_at, threshold_at

FACE = [10, 10, 20, 20]


def result(found, scores, faces=(FACE,), ignored=()):
    arrays = (np.array(rows, np.float32).reshape(-1, 4) for rows in (faces, ignored, found))
    return ImageResult(*arrays, np.array(scores, np.float32))


def test_all_found_and_nothing_else():
    matches = match([result([FACE], [0.9]), result([FACE], [0.4])])
    assert average_precision(matches) == 1
    assert recall_at(matches, 0.5) == 0.5


def test_a_face_counts_once():
    matches = match([result([FACE, FACE], [0.9, 0.8])])
    assert matches.hits.tolist() == [True, False]


def test_precision_falls_with_each_false_face():
    matches = match([result([[100, 100, 20, 20], FACE], [0.9, 0.8])])
    assert average_precision(matches) == pytest.approx(0.5)


def test_what_lies_on_an_ignored_box_counts_neither_way():
    matches = match([result([[60, 10, 20, 20], FACE], [0.9, 0.8], ignored=[[58, 8, 30, 30]])])
    assert matches.hits.tolist() == [True]
    assert average_precision(matches) == 1


def test_nothing_found_and_nothing_there():
    assert average_precision(match([result([], [])])) == 0
    assert np.isnan(average_precision(match([result([], [], faces=())])))


def test_the_threshold_leaves_so_many_false_faces():
    far = [[100 + 30 * k, 100, 20, 20] for k in range(4)]
    matches = match([result([*far, FACE], [0.9, 0.7, 0.5, 0.3, 0.6])])
    threshold = threshold_at(matches, 2)
    assert 0.5 < threshold <= 0.6
    assert recall_at(matches, threshold) == 1
    assert recall_at(matches, threshold_at(matches, 1)) == 0


def test_recall_by_size():
    large = [100, 100, 80, 80]
    matches = match([result([large], [0.9], faces=(FACE, large))])
    assert recall_at(matches, 0.5, (0, 40)) == 0
    assert recall_at(matches, 0.5, (40, np.inf)) == 1
