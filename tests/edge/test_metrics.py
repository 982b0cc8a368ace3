"""Metrics against figures worked out by hand."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_edge.metrics import confusion_matrix, evaluate_scores, expected_calibration_error, top_k_accuracy

NAMES = ("a", "b", "c")
TRUTH = np.array([0, 0, 0, 1, 1, 2])
SCORES = np.array(
    [[0.8, 0.1, 0.1], [0.6, 0.3, 0.1], [0.2, 0.7, 0.1], [0.1, 0.8, 0.1], [0.5, 0.4, 0.1], [0.3, 0.5, 0.2]]
)


def test_by_hand():
    metrics = evaluate_scores(SCORES, TRUTH, NAMES)
    assert metrics.confusion.tolist() == [[2, 1, 0], [1, 1, 0], [0, 1, 0]]
    assert metrics.top1 == pytest.approx(3 / 6)
    assert metrics.top2 == pytest.approx(5 / 6)
    assert metrics.top3 == 1.0
    assert metrics.balanced_accuracy == pytest.approx((2 / 3 + 1 / 2 + 0) / 3)
    a, b, c = metrics.classes
    assert (a.precision, a.recall, a.f1) == pytest.approx((2 / 3, 2 / 3, 2 / 3))
    assert (b.precision, b.recall, b.f1) == pytest.approx((1 / 3, 1 / 2, 2 / 5))
    assert (c.precision, c.recall, c.f1, c.support) == (0.0, 0.0, 0.0, 1)
    assert (a.recall_se, c.recall_se) == pytest.approx(((2 / 3 * 1 / 3 / 3) ** 0.5, 0))
    assert metrics.macro_f1 == pytest.approx((2 / 3 + 2 / 5 + 0) / 3)
    assert metrics.accuracy_se == pytest.approx((0.25 / 6) ** 0.5)


def test_classes_that_do_not_occur_do_not_count():
    metrics = evaluate_scores(SCORES[:3], TRUTH[:3], NAMES)
    assert metrics.balanced_accuracy == pytest.approx(2 / 3)
    assert metrics.macro_f1 == pytest.approx(0.8)


def test_calibration_error_by_hand():
    # Ten bins: 0.75 and 0.8 share (0.7, 0.8], 0.95 has (0.9, 1.0] for itself.
    scores = np.array([[0.75, 0.25], [0.8, 0.2], [0.05, 0.95]])
    labels = np.array([0, 1, 1])
    expected = (2 / 3) * abs((0.75 + 0.8) / 2 - 1 / 2) + (1 / 3) * abs(0.95 - 1)
    assert expected_calibration_error(scores, labels, bins=10) == pytest.approx(expected)


def test_certain_and_right_is_calibrated_certain_and_wrong_is_not():
    scores = np.array([[1.0, 0.0], [0.0, 1.0]])
    assert expected_calibration_error(scores, np.array([0, 1])) == 0
    assert expected_calibration_error(scores, np.array([1, 0])) == 1


def test_nothing_to_measure():
    metrics = evaluate_scores(np.zeros((0, 3)), np.zeros(0, np.int64), NAMES)
    assert (metrics.images, metrics.top1, metrics.macro_f1, metrics.calibration_error) == (0, 0.0, 0.0, 0.0)


def test_json_form():
    fields = json.loads(json.dumps(evaluate_scores(SCORES, TRUTH, NAMES).to_dict()))
    assert fields["classes"][0]["label"] == "a"
    assert fields["confusion"][0] == [2, 1, 0]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=60))
def test_the_confusion_matrix_counts_every_pair(pairs):
    truth, predicted = np.array(pairs).T
    matrix = confusion_matrix(truth, predicted, 5)
    assert matrix.sum() == len(pairs)
    for i, k in pairs:
        assert matrix[i, k] == pairs.count((i, k))


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.integers(0, 10_000))
def test_top_k_grows_with_k_to_one(count, seed):
    rng = np.random.default_rng(seed)
    scores, labels = rng.random((count, 7)), rng.integers(0, 7, count)
    values = [top_k_accuracy(scores, labels, k) for k in range(1, 8)]
    assert values == sorted(values)
    assert values[-1] == 1.0
