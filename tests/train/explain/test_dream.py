"""Activation maximisation on a gradient that is known."""

import numpy as np
import pytest

from fer_edge.train.explain.dream import FROM_FACE, Ascent, dream, noise, stretched, variation_gradient


def total_variation(pictures):
    down = np.diff(pictures, axis=1, append=pictures[:, -1:])
    right = np.diff(pictures, axis=2, append=pictures[:, :, -1:])
    return np.sqrt(down**2 + right**2 + 1).sum() / 255


def test_the_gradient_of_total_variation_is_its_slope():
    pictures = np.random.default_rng(0).uniform(0, 255, (2, 5, 5))
    slope = variation_gradient(pictures)
    for place in np.ndindex(pictures.shape):
        nudged = pictures.copy()
        nudged[place] += 1e-4
        assert slope[place] == pytest.approx((total_variation(nudged) - total_variation(pictures)) / 1e-4, abs=1e-5)


def towards_halves(pictures, classes):
    """Class 0 wants the upper half bright, class 1 the lower; mirroring changes neither."""
    half = np.linspace(1, -1, pictures.shape[1], dtype=np.float32)[:, None] * np.ones(pictures.shape[2], np.float32)
    return np.where(classes[:, None, None] == 0, half, -half).astype(np.float32)


def test_each_picture_climbs_towards_its_own_class():
    start = np.repeat(noise((24, 24), 1)[None], 2, axis=0)
    top, bottom = dream(towards_halves, start, np.array([0, 1]), Ascent(40, 4.0, (0.8, 0.5), 0.01))
    assert top[:8].mean() > top[16:].mean() + 50
    assert bottom[:8].mean() < bottom[16:].mean() - 50


def test_grey_values_stay_in_range_and_the_steps_are_told():
    steps = []
    start = np.repeat(noise((24, 24), 1)[None], 2, axis=0)
    result = dream(towards_halves, start, np.array([0, 1]), Ascent(30, 60.0, (0.4, 0.4), 0.0), steps.append)
    assert result.min() == 0
    assert result.max() == 255
    assert sum(steps) == 30


def test_without_a_slope_a_picture_stays_finite():
    flat = np.full((1, 24, 24), 128, np.float32)
    result = dream(lambda pictures, classes: np.zeros_like(pictures), flat, np.array([0]), FROM_FACE)
    assert np.allclose(result, 128, atol=1e-3)


def test_the_same_beginning_gives_the_same_dream():
    start = noise((24, 24), 1)[None]
    first, second = (dream(towards_halves, start, np.array([0]), FROM_FACE) for _ in range(2))
    assert np.array_equal(first, second)
    assert not np.array_equal(noise((24, 24), 1), noise((24, 24), 2))


def test_contrast_is_stretched_picture_by_picture():
    ramp = np.linspace(100, 120, 576, dtype=np.float32).reshape(24, 24)
    dark, bright = stretched(np.stack([ramp, ramp + 50]))
    assert np.array_equal(dark, bright)
    assert (dark.min(), dark.max()) == (0, 255)
    assert not stretched(np.full((1, 4, 4), 7, np.float32)).any()
