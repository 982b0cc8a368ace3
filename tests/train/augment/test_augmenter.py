"""Augmentation: off when not training, right in its geometry, within its limits."""

import numpy as np
import pytest

from fer_edge.train.augment.augmenter import (
    Augmentation,
    AugmentedCopy,
    Augmenter,
    CutMix,
    Mixup,
    RandomAffine,
    RandomContrast,
    RandomErasing,
)
from fer_edge.train.keras_setup import load_keras

keras = load_keras()
OFF = {"flip": False, "rotation": 0.0, "scale": 0.0, "shift": 0.0}


def smooth(count=64):
    """Pictures of one blob right of the centre."""
    y, x = np.mgrid[:48, :48]
    blob = 255 * np.exp(-((x - 32) ** 2 + (y - 23.5) ** 2) / 30)
    return np.repeat(blob[None, ..., None].astype(np.float32), count, axis=0)


def centres(images):
    weights = np.asarray(images)[..., 0]
    total = weights.sum(axis=(1, 2))
    y, x = np.mgrid[:48, :48]
    return (weights * x).sum(axis=(1, 2)) / total, (weights * y).sum(axis=(1, 2)) / total


def test_nothing_changes_when_not_training():
    images, targets = smooth(4), {"label": np.eye(7, dtype=np.float32)[:4]}
    out, mixed = Augmenter(Augmentation(mixup=0.99, erasing=0.99), 1)(images, targets, training=False)
    assert (np.asarray(out) == images).all()
    assert (np.asarray(mixed["label"]) == targets["label"]).all()


def test_switched_off_it_is_the_identity():
    out = RandomAffine(**OFF, seed=1)(smooth(), training=True)
    assert np.abs(np.asarray(out) - smooth()).max() < 1e-3


def test_flip_mirrors_about_half_of_the_images():
    x, _ = centres(RandomAffine(**{**OFF, "flip": True}, seed=1)(smooth(400), training=True))
    mirrored = np.abs(x - (47 - 32)) < 0.5
    assert (mirrored | (np.abs(x - 32) < 0.5)).all()
    assert 0.4 < mirrored.mean() < 0.6


def test_mirroring_alone_moves_pixels_and_changes_none():
    images = np.random.default_rng(1).uniform(0, 255, (40, 48, 48, 1)).astype(np.float32)
    out = np.asarray(RandomAffine(**{**OFF, "flip": True}, seed=1)(images, training=True))
    same = [(o == i).all() for o, i in zip(out, images, strict=True)]
    turned = [(o == i[:, ::-1]).all() for o, i in zip(out, images, strict=True)]
    assert all(a != b for a, b in zip(same, turned, strict=True))
    assert any(same)
    assert any(turned)


def test_shift_stays_within_its_limit_and_uses_it():
    x, y = centres(RandomAffine(**{**OFF, "shift": 0.1}, seed=1)(smooth(400), training=True))
    assert 4.3 < np.abs(x - 32).max() < 4.9
    assert 4.3 < np.abs(y - 23.5).max() < 4.9


def test_rotation_turns_about_the_centre_by_at_most_its_limit():
    x, y = centres(RandomAffine(**{**OFF, "rotation": 20.0}, seed=1)(smooth(400), training=True))
    angle = np.degrees(np.arctan2(y - 23.5, x - 23.5))
    assert np.allclose(np.hypot(x - 23.5, y - 23.5), 8.5, atol=0.3)
    assert 18 < np.abs(angle).max() < 20.5


def test_scale_is_symmetric_in_the_logarithm():
    x, _ = centres(RandomAffine(**{**OFF, "scale": 0.25}, seed=1)(smooth(400), training=True))
    zoom = (x - 23.5) / 8.5
    assert 1.2 < zoom.max() < 1.27
    assert 0.78 < zoom.min() < 0.83


def test_faces_get_smaller_still_and_no_larger():
    x, _ = centres(RandomAffine(**{**OFF, "scale": 0.25}, smaller=0.2, seed=1)(smooth(400), training=True))
    zoom = (x - 23.5) / 8.5
    assert 1.2 < zoom.max() < 1.27
    assert 0.655 < zoom.min() < 0.69
    assert (zoom < 0.8).mean() == pytest.approx(np.log(1.2) / np.log(1.2 * 1.25**2), abs=0.05)


def test_contrast_keeps_the_range():
    images = np.random.default_rng(0).uniform(0, 255, (32, 48, 48, 1)).astype(np.float32)
    out = np.asarray(RandomContrast(limit=0.5, seed=1)(images, training=True))
    assert out.min() >= 0
    assert out.max() <= 255
    assert np.ptp(out.mean(axis=(1, 2, 3))) > 40


def test_erasing_covers_rectangles_in_its_share_of_images():
    images = np.full((300, 48, 48, 1), 100, np.float32)
    changed = np.asarray(RandomErasing(share=0.3, seed=1)(images, training=True))[..., 0] != 100
    erased = changed.any(axis=(1, 2))
    assert 0.2 < erased.mean() < 0.4
    for mask in changed[erased]:
        rows, columns = mask.any(axis=1), mask.any(axis=0)
        assert mask.sum() == rows.sum() * columns.sum()  # a full rectangle
        assert mask.mean() < 0.25


def test_mixup_mixes_pictures_and_targets_alike():
    layer = Mixup(share=0.999, seed=3)
    values = np.arange(8, dtype=np.float32)
    images = np.tile(values[:, None, None, None], (1, 4, 4, 1))
    mixed = False
    for _ in range(20):
        out, targets = layer(images, {"label": values[:, None], "teachers": values[:, None]}, training=True)
        of_pictures = np.asarray(out)[:, 0, 0, 0]
        for name in ("label", "teachers"):
            assert np.allclose(of_pictures, np.asarray(targets[name])[:, 0], atol=1e-4)
        mixed = mixed or not np.allclose(of_pictures, values, atol=0.1)
    assert mixed


def test_cutmix_pastes_rectangles_and_mixes_targets_by_area():
    images = np.concatenate([np.zeros((4, 48, 48, 1)), np.full((4, 48, 48, 1), 255)]).astype(np.float32)
    targets = np.eye(2, dtype=np.float32)[[0] * 4 + [1] * 4]
    layer = CutMix(share=1.0, seed=1)
    shares = set()
    for _ in range(8):
        changed, mixed_targets = layer(images, {"label": targets}, training=True)
        mixed, label = np.asarray(changed), np.asarray(mixed_targets["label"])
        assert set(np.unique(mixed)) <= {0.0, 255.0}
        pasted = (mixed[0, ..., 0] == 255).mean()
        assert np.allclose(label[0], [1 - pasted, pasted], atol=1e-6)
        assert np.allclose(label[7], [pasted, 1 - pasted], atol=1e-6)
        shares.add(round(float(pasted), 3))
    assert len(shares) > 4


def test_a_copy_is_a_fixed_draw_of_geometry_and_light():
    images = np.random.default_rng(0).integers(0, 255, (40, 48, 48)).astype(np.uint8)
    one = AugmentedCopy(Augmentation(), 1, 0).apply(images, batch=16)
    assert np.array_equal(one, AugmentedCopy(Augmentation(), 1, 0).apply(images, batch=16))
    assert not np.array_equal(one, AugmentedCopy(Augmentation(), 1, 1).apply(images, batch=16))
    unchanged = Augmentation(rotation=0, scale=0, shift=0, contrast=0)
    assert np.array_equal(AugmentedCopy(unchanged, 1, 0).apply(images), images)


def test_the_same_seed_draws_the_same():
    first, again, other = (
        np.asarray(
            Augmenter(Augmentation(), seed)(smooth(8), {"label": np.zeros((8, 7), np.float32)}, training=True)[0]
        )
        for seed in (5, 5, 6)
    )
    assert (first == again).all()
    assert np.abs(first - other).max() > 1


@pytest.mark.parametrize("size", [16, 48])
def test_shapes_are_kept(size):
    images = np.zeros((5, size, size, 1), np.float32)
    out, targets = Augmenter(Augmentation(), 1)(images, {"label": np.zeros((5, 7), np.float32)}, training=True)
    assert tuple(out.shape) == images.shape
    assert tuple(targets["label"].shape) == (5, 7)
