"""Batch norm statistics of the averaged weights: of all the images, in whatever order they lie."""

import numpy as np
import pytest

from fer_edge.train.loop.ema import BATCH, _recompute_statistics
from fer_edge.train.zoo.registry import ZOO


def statistics(images):
    model = ZOO["nano"].build(48, 7, 0.0)
    norm = model.get_layer("norm1")
    model.get_layer("conv1").set_weights([np.full((3, 3, 1, 12), 0.1, np.float32)])
    _recompute_statistics(model, images)
    return np.asarray(norm.moving_mean), np.asarray(norm.moving_variance)


def test_classes_that_lie_apart_do_not_narrow_them():
    random = np.random.default_rng(1)
    dark, bright = (random.integers(low, low + 30, (300, 48, 48), dtype=np.uint8) for low in (0, 200))
    apart = np.concatenate([dark, bright])
    together = apart[random.permutation(len(apart))]
    assert len(apart) % BATCH  # the last ones count too
    for found, expected in zip(statistics(apart), statistics(together), strict=True):
        assert found == pytest.approx(expected, rel=0.03)
    assert statistics(apart)[1].min() > 3 * statistics(dark)[1].max()  # the classes do differ
