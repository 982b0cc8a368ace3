"""Shear, vignette, sharpness and glasses: what each does to a picture, and what it leaves alone."""

import numpy as np
import pytest

from fer_edge.train.augment.face import RandomGlasses, RandomSharpness, RandomShear, RandomVignette

LAYERS = (RandomGlasses, RandomShear, RandomSharpness, RandomVignette)


def apply(kind, images, share=1.0, seed=3):
    return np.asarray(kind(share=share, seed=seed)(images[..., None].astype(np.float32), training=True))[..., 0]


@pytest.fixture
def noise():
    return np.random.default_rng(0).integers(0, 256, (64, 48, 48)).astype(np.float32)


@pytest.mark.parametrize("kind", LAYERS)
def test_a_share_of_the_images_is_changed_and_pixels_stay_in_range(kind, noise):
    result = apply(kind, noise, share=0.5)
    changed = (np.abs(result - noise) > 1e-3).any(axis=(1, 2))
    assert 16 < changed.sum() < 48
    assert result.min() >= 0
    assert result.max() <= 255


@pytest.mark.parametrize("kind", LAYERS)
def test_nothing_happens_outside_training_or_at_a_share_of_none(kind, noise):
    pictures = noise[..., None]
    assert (np.asarray(kind(share=1.0, seed=1)(pictures, training=False)) == pictures).all()
    assert (np.asarray(kind(share=0.0, seed=1)(pictures, training=True)) == pictures).all()


@pytest.mark.parametrize("kind", LAYERS)
def test_the_seed_decides(kind, noise):
    assert (apply(kind, noise) == apply(kind, noise)).all()
    assert not np.allclose(apply(kind, noise), apply(kind, noise, seed=4))


def test_a_shear_moves_rows_in_proportion_to_their_distance_from_the_middle():
    bar = np.zeros((32, 49, 49), np.float32)
    bar[:, :, 24] = 200
    place = (apply(RandomShear, bar) * np.arange(49)).sum(axis=2) / 200
    moved = place - 24
    assert moved[:, 24] == pytest.approx(0, abs=1e-3)
    assert moved[:, 0] == pytest.approx(-moved[:, 48], abs=1e-3)
    assert moved[:, 12] == pytest.approx(moved[:, 0] / 2, abs=1e-3)
    assert 3 < np.abs(moved[:, 0]).max() <= 6.01


def test_a_vignette_darkens_the_corners_and_not_the_middle():
    flat = np.full((32, 48, 48), 200, np.float32)
    result = apply(RandomVignette, flat)
    corners = result[:, [0, 0, -1, -1], [0, -1, 0, -1]].mean(axis=1)
    assert (corners <= result[:, 24, 24]).all()
    assert result[:, 24, 24].min() > 0.9 * 200
    assert corners.min() < 0.5 * 200


def test_sharpening_raises_the_difference_at_an_edge_and_leaves_a_flat_picture():
    edge = np.full((32, 48, 48), 100, np.float32)
    assert np.allclose(apply(RandomSharpness, edge), 100)
    edge[:, :, 24:] = 150
    result = apply(RandomSharpness, edge)
    assert (result[:, :, 24] - result[:, :, 23]).max() > 80
    assert np.allclose(result[:, :, :20], 100)


def test_glasses_are_dark_symmetric_and_at_the_eyes():
    flat = np.full((200, 48, 48), 200, np.float32)
    worn = 1 - apply(RandomGlasses, flat) / 200
    assert (worn.max(axis=(1, 2)) > 0.5).all()
    average = worn.mean(axis=0)
    assert average[:, :24].sum() == pytest.approx(average[:, 24:].sum(), rel=0.05)
    rows = average.sum(axis=1)
    assert 0.34 * 48 < (rows * np.arange(48)).sum() / rows.sum() < 0.44 * 48
    assert not worn[:, 32:].any()
    assert not worn[:, :5].any()
    middle_of_a_lens = average[18, 14]
    assert middle_of_a_lens < 0.3  # most lenses are clear
