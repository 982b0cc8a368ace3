"""Gradients and Grad-CAM of a model that looks at one quarter of the picture."""

import numpy as np
import pytest

from fer_edge.train.explain.gradients import grad_cam, pixel_gradient, smooth_gradient
from fer_edge.train.explain.network import centred_log
from fer_edge.train.keras_setup import load_keras
from fer_edge.train.zoo.registry import ZOO


def image():
    return np.random.default_rng(2).integers(60, 200, (16, 16), dtype=np.uint8)


def test_the_gradient_is_the_slope_of_the_centred_logit(corner_model):
    start = image().astype(np.float32)
    batch = np.stack([start, start])
    slopes = pixel_gradient(corner_model)(batch, np.array([0, 1]))
    for row, column in ((2, 3), (12, 5)):
        nudged = start.copy()
        nudged[row, column] += 10
        both = np.asarray(corner_model(np.stack([start, nudged])[..., None]))
        before, after = centred_log(both)
        for target in (0, 1):
            assert slopes[target, row, column] == pytest.approx((after - before)[target] / 10, abs=1e-6)
    assert slopes[0, 2, 3] > 0 > slopes[1, 2, 3]


def test_smooth_gradient_is_bright_where_the_model_looks(corner_model):
    found = smooth_gradient(corner_model, image(), 0)
    assert found[:8, :8].min() > 0
    assert found[8:].max() == 0
    assert found[:, 8:].max() == 0


def test_grad_cam_weighs_the_channels_by_their_gradient(corner_model):
    bright = np.full((16, 16), 10, np.uint8)
    bright[3:6, 9:12] = 255  # the channel's mean gradient is positive; its map is bright here
    found = grad_cam(corner_model, bright, 0)
    assert found.layer == "maps"
    assert found.values.shape == (16, 16)
    assert found.values[4, 10] == found.values.max() > 0
    # For the other class the mean gradient is negative, and what is negative is cut off.
    assert grad_cam(corner_model, bright, 1).values.max() == 0


def test_a_model_without_maps_has_no_grad_cam():
    keras = load_keras()
    inputs = keras.Input((16, 16, 1))
    outputs = keras.layers.Dense(2, activation="softmax")(keras.layers.Flatten()(inputs))
    assert grad_cam(keras.Model(inputs, outputs), image(), 0) is None


def test_grad_cam_is_of_the_maps_before_they_are_pooled():
    found = grad_cam(ZOO["nano"].build(48, 7, 0.2), np.zeros((48, 48), np.uint8), 0)
    assert found.layer == "weigh6"
