"""What a camera does: off when not training, in its share of the images, within its limits."""

import numpy as np
import pytest

from fer_edge.train.augment.camera import BRIGHTEST, DARKEST, NOISE_SIGMA, RandomBlur, RandomLight, RandomNoise

GREY = np.full((400, 16, 16, 1), 100, np.float32)
PICTURES = np.random.default_rng(0).uniform(0, 255, (40, 48, 48, 1)).astype(np.float32)


@pytest.mark.parametrize("layer", [RandomLight, RandomNoise, RandomBlur])
def test_share_and_range(layer):
    assert np.array_equal(layer(share=1.0, seed=1)(PICTURES), PICTURES)
    assert np.array_equal(layer(share=0.0, seed=1)(PICTURES, training=True), PICTURES)
    out = np.asarray(layer(share=0.3, seed=1)(np.repeat(PICTURES, 10, axis=0), training=True))
    changed = (out != np.repeat(PICTURES, 10, axis=0)).any(axis=(1, 2, 3)).mean()
    assert 0.2 < changed < 0.4
    assert 0 <= out.min() <= out.max() <= 255
    again = np.asarray(layer(share=0.3, seed=1)(np.repeat(PICTURES, 10, axis=0), training=True))
    assert np.array_equal(out, again)


def test_light_uses_its_range():
    factors = np.asarray(RandomLight(share=1.0, seed=1)(GREY, training=True))[:, 0, 0, 0] / 100
    assert DARKEST <= factors.min() < 1.1 * DARKEST
    assert BRIGHTEST / 1.1 < factors.max() <= BRIGHTEST


def test_noise_uses_its_range():
    out = np.asarray(RandomNoise(share=1.0, seed=1)(GREY, training=True))
    deviations = out.std(axis=(1, 2, 3))
    assert out.mean() == pytest.approx(100, abs=0.5)
    assert 0.85 * NOISE_SIGMA < deviations.max() < 1.2 * NOISE_SIGMA
    assert deviations.min() < 1


def test_blur_smooths_and_keeps_the_mean():
    out = np.asarray(RandomBlur(share=1.0, seed=1)(PICTURES, training=True))
    assert (out.std(axis=(1, 2, 3)) < PICTURES.std(axis=(1, 2, 3))).all()
    assert out.mean() == pytest.approx(PICTURES.mean(), rel=0.01)
    assert np.allclose(np.asarray(RandomBlur(share=1.0, seed=1)(GREY, training=True)), 100, atol=1e-3)
