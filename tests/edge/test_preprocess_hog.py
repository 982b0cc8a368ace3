"""HOG features of a crop: their number, their form, and what they see."""

import numpy as np
import pytest

from fer_edge.preprocess import HOG_BINS, HogExtractor, hog_length


@pytest.mark.parametrize(("size", "length"), [(48, 900), (16, 36), (64, 1764)])
def test_the_length_is_opencvs(size, length):
    assert hog_length(size) == length
    assert HogExtractor(size).features(np.zeros((size, size), np.uint8)).shape == (length,)


def test_each_block_has_norm_one():
    crop = np.random.default_rng(0).integers(0, 256, (48, 48), dtype=np.uint8)
    features = HogExtractor(48).features(crop)
    assert features.dtype == np.float32
    assert features.min() >= 0
    np.testing.assert_allclose(np.linalg.norm(features.reshape(25, 36), axis=1), 1, atol=0.01)


@pytest.mark.parametrize(("angle", "bins"), [(0, {0, 8}), (90, {4}), (45, {1, 2})])
def test_a_slope_votes_for_its_direction(angle, bins):
    x, y = np.meshgrid(np.arange(48), np.arange(48))
    slope = np.cos(np.radians(angle)) * x + np.sin(np.radians(angle)) * y
    histogram = HogExtractor(48).features((slope * 3).astype(np.uint8)).reshape(-1, HOG_BINS).sum(axis=0)
    assert set(np.flatnonzero(histogram > 0.3 * histogram.max())) == bins


def test_a_strided_crop_is_read_right():
    wide = np.random.default_rng(1).integers(0, 256, (48, 64), dtype=np.uint8)
    extractor = HogExtractor(48)
    np.testing.assert_array_equal(extractor.features(wide[:, :48]), extractor.features(wide[:, :48].copy()))
