"""Intervals against closed forms, brute force and simulation."""

import numpy as np
import pytest

from fer_edge.metrics import evaluate_scores
from fer_edge.train.evaluate.intervals import Z, macro_f1, mean_of, paired, tango, wilson


@pytest.mark.parametrize(("hits", "count"), [(0, 56), (56, 56), (3, 10), (700, 1000)])
def test_a_share_lies_inside_and_its_ends_are_z_errors_away(hits, count):
    low, high = wilson(hits, count)
    share = hits / count
    assert low <= share <= high
    assert high - low > 0.01
    for end in (low, high):
        if 0 < end < 1 and abs(end - share) > 1e-9:
            assert abs(share - end) / np.sqrt(end * (1 - end) / count) == pytest.approx(Z)


def test_none_of_56_is_no_certainty():
    assert wilson(0, 56) == pytest.approx((0, Z**2 / (56 + Z**2)))
    assert wilson(0, 0) == (0, 1)


def test_models_that_never_disagree_may_still_differ():
    low, high = tango(0, 0, 56)
    assert (low, high) == pytest.approx((-(Z**2) / (56 + Z**2), Z**2 / (56 + Z**2)))
    assert tango(0, 0, 0) == (-1, 1)


@pytest.mark.parametrize(("won", "lost", "count"), [(12, 2, 50), (0, 7, 30), (40, 40, 90), (30, 0, 30)])
def test_the_ends_of_a_difference_are_z_errors_away(won, lost, count):
    """The nuisance share is found by trying all, not by the formula."""
    found = (won - lost) / count
    low, high = tango(won, lost, count)
    assert low <= found <= high
    for end in (low, high):
        if abs(end) > 1 - 1e-6:
            continue
        losing = np.linspace(max(0, -end), (1 - end) / 2, 400_001)[1:-1]
        winning, same = losing + end, 1 - 2 * losing - end
        likelihood = won * np.log(winning) + lost * np.log(losing) + (count - won - lost) * np.log(same)
        best = losing[np.nanargmax(likelihood)]
        error = np.sqrt((2 * best + end * (1 - end)) / count)
        assert abs(found - end) / error == pytest.approx(Z, rel=2e-3)


def test_ninety_five_of_a_hundred_hold_the_truth():
    random = np.random.default_rng(1)
    held = 0
    for won, lost, _ in random.multinomial(60, [0.2, 0.1, 0.7], 1000):
        low, high = tango(int(won), int(lost), 60)
        held += low <= 0.1 <= high
    assert 930 <= held <= 975


def test_pairs_are_counted():
    before = np.array([True, True, False, False, True])
    after = np.array([True, False, True, True, True])
    assert paired(before, after) == tango(2, 1, 5)


def test_a_mean_is_as_sure_as_its_parts_together():
    assert mean_of([0.5], [(0.2, 0.9)]) == pytest.approx((0.2, 0.9))
    low, high = mean_of([0.5, 0.7], [(0.2, 0.9), (0.3, 0.7)])
    assert (low, high) == pytest.approx((0.6 - 0.5 / 2, 0.6 + 0.4 / 2))


def test_macro_f1_of_a_few_right_images_is_not_certain():
    truth = np.repeat([0, 1], 4)
    low, high = macro_f1(truth, [truth], 2)
    assert high == 1
    assert 0.5 < low < 0.95


def test_macro_f1_lies_inside_and_more_images_are_surer():
    random = np.random.default_rng(2)
    widths = []
    for count in (100, 10_000):
        truth = random.integers(0, 3, count)
        called = np.where(random.random(count) < 0.7, truth, random.integers(0, 3, count))
        low, high = macro_f1(truth, [called], 4)
        found = evaluate_scores(np.eye(4)[called], truth, tuple("abcd")).macro_f1
        assert low < found < high
        widths.append(high - low)
    assert widths[0] == pytest.approx(10 * widths[1], rel=0.3)


def test_a_paired_difference_of_macro_f1_is_surer_than_two_apart():
    random = np.random.default_rng(3)
    truth = random.integers(0, 3, 2000)
    first = np.where(random.random(2000) < 0.7, truth, (truth + 1) % 3)
    other = np.where(random.random(2000) < 0.02, truth, first)
    low, high = macro_f1(truth, [first, other], 3)
    assert 0 < low < high
    apart = macro_f1(truth, [first], 3)
    assert high - low < (apart[1] - apart[0]) / 2
    same = macro_f1(truth, [first, first], 3)
    assert same[0] < 0 < same[1]
