"""Saliency by covering, on answers that are known."""

import numpy as np

from fer_edge.train.explain.occlusion import occlusion_map


def brightness(top, left, side=8):
    """Two logits: the brightness of one square of the picture, and its negative."""

    def logits(images):
        mean = images[:, top : top + side, left : left + side].mean(axis=(1, 2)) / 255
        return np.stack([mean, -mean], axis=1).astype(np.float32)

    return logits


def picture():
    image = np.full((48, 48), 40, np.uint8)
    image[30:38, 6:14] = 250
    return image


def test_what_counts_is_red_and_what_does_not_is_zero():
    found = occlusion_map(brightness(30, 6), picture(), 0)
    assert found.shape == (48, 48)
    assert found[30:38, 6:14].min() > 0.1
    assert np.unravel_index(found.argmax(), found.shape)[0] in range(28, 40)
    assert np.abs(found[:16]).max() == 0
    assert np.abs(found[:, 28:]).max() == 0


def test_the_other_class_has_the_opposite_sign():
    for_class, against = (occlusion_map(brightness(30, 6), picture(), target) for target in (0, 1))
    assert np.allclose(for_class, -against)
    assert for_class.max() > 0


def test_every_pixel_is_covered_whatever_the_size():
    for size in (8, 25, 40, 64):
        found = occlusion_map(lambda images: images.reshape(len(images), -1)[:, :2].astype(np.float32), noise(size), 0)
        assert np.isfinite(found).all()
        assert found.shape == (size, size)


def test_the_picture_is_left_alone():
    image = picture()
    occlusion_map(brightness(0, 0), image, 0)
    assert np.array_equal(image, picture())


def noise(size):
    return np.random.default_rng(1).integers(0, 256, (size, size), dtype=np.uint8)
