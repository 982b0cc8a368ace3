"""The comparison with the float model, against figures worked out by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_edge.convert.compare import compare_kernels, compare_scores
from fer_edge.train.evaluate.intervals import Z

TRUTH = np.array([0, 1, 1, 0])
FLOAT = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.7, 0.3]], np.float32)  # right, right, wrong, right
FOUND = np.array([[0.8, 0.2], [0.7, 0.3], [0.6, 0.4], [0.4, 0.6]], np.float32)  # right, wrong, wrong, wrong


def test_by_hand():
    compared = compare_scores("PublicTest", FLOAT, FOUND, TRUTH)
    assert (compared.split, compared.images) == ("PublicTest", 4)
    assert (compared.float_top1, compared.top1, compared.difference) == (0.75, 0.25, -0.5)
    assert compared.difference_se == pytest.approx(np.sqrt(1 / 3) / 2)  # of 0, -1, 0, -1
    assert compared.agreement == 0.5
    assert compared.largest_difference == pytest.approx(0.5)
    assert compared.mean_difference == pytest.approx((0.1 + 0.5 + 0.0 + 0.3) / 4)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 50))
def test_a_model_agrees_with_itself(seed, count):
    rng = np.random.default_rng(seed)
    scores = rng.random((count, 7), np.float32)
    compared = compare_scores("x", scores, scores.copy(), rng.integers(0, 7, count))
    assert compared.agreement == 1.0
    assert compared.difference == compared.difference_se == compared.largest_difference == 0.0
    low, high = compared.difference_interval
    assert low == pytest.approx(-high)
    assert high == pytest.approx(Z**2 / (count + Z**2))  # which is no certainty, however few the images


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_pairing_never_makes_the_error_larger_than_disagreement_allows(seed):
    rng = np.random.default_rng(seed)
    compared = compare_scores(
        "x", rng.random((60, 7), np.float32), rng.random((60, 7), np.float32), rng.integers(0, 7, 60)
    )
    disagreement = 1 - compared.agreement
    assert abs(compared.difference) <= disagreement + 1e-12
    assert compared.difference_se <= np.sqrt(disagreement / 59) + 1e-12


def test_kernels_by_hand():
    found = compare_kernels(
        np.array([[0.5, 0.3, 0.2], [0.4, 0.35, 0.25]], np.float32),
        np.array([[0.5, 0.3, 0.2], [0.3, 0.42, 0.28]], np.float32),
    )
    assert found.agreement == 0.5
    assert found.largest_difference == pytest.approx(0.1)
    assert found.largest_margin == pytest.approx(0.12)


def test_kernels_that_agree_overturn_nothing():
    found = compare_kernels(FLOAT, FLOAT)
    assert (found.agreement, found.largest_difference, found.largest_margin) == (1.0, 0.0, 0.0)
