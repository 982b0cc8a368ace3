"""The range of the least rounding error: never worse than the widest, and narrower where few values lie far out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_edge.convert.quantize.range_search import BINS, histogram, least_error_range
from fer_edge.convert.quantize.ranges import Range


def rounding_error(values, limits):
    """Mean square error of values rounded to 256 steps of a range."""
    clipped = np.clip(values, *limits)
    return np.square(np.round(clipped / limits.scale) * limits.scale - values).mean()


def found(values):
    widest = Range(min(0.0, float(values.min())), max(0.0, float(values.max())))
    return least_error_range(histogram(values, widest), widest), widest


@given(st.integers(0, 2**32 - 1), st.sampled_from(["normal", "exponential", "laplace"]), st.floats(0.01, 100))
def test_it_is_within_the_widest_range_and_no_worse(seed, distribution, scale):
    values = getattr(np.random.default_rng(seed), distribution)(size=5000).astype(np.float32) * np.float32(scale)
    best, widest = found(values)
    assert widest.low <= best.low <= 0 <= best.high <= widest.high
    assert rounding_error(values, best) <= rounding_error(values, widest) * 1.1  # it sees bins, not values


def test_a_few_large_values_are_clipped():
    values = np.concatenate([np.random.default_rng(1).exponential(size=1_000_000), [20.0]]).astype(np.float32)
    best, widest = found(values)
    assert widest == (0, 20)
    assert best.low == 0
    assert best.high < 15
    assert rounding_error(values, best) < 0.9 * rounding_error(values, widest)


def test_evenly_spread_values_keep_their_range():
    assert found(np.linspace(-1, 1, 5001, dtype=np.float32))[0] == (-1, 1)


def test_values_at_the_end_of_a_bounded_activation_are_not_clipped():
    values = np.minimum(np.random.default_rng(1).exponential(2, 10_000), 6).astype(np.float32)
    assert found(values)[0] == (0, 6)


def test_zeros_do_not_count_and_values_beyond_the_range_count_as_its_ends():
    counts = histogram(np.array([0, 0, 5, -9, 1.999], np.float32), Range(-2, 2))
    assert counts.sum() == 3
    assert counts[0] == 1
    assert counts[-1] == 2
    assert len(counts) == BINS


def test_a_value_that_is_always_zero_keeps_its_range():
    widest = Range(0.0, 1e-3)
    best = least_error_range(histogram(np.zeros(9, np.float32), widest), widest)
    assert best.low == 0
    assert best.high == pytest.approx(1e-3)
