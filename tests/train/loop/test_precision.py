"""The fused batch norm computes what Keras's own does, forwards and backwards, for any number of channels."""

import numpy as np
import pytest

from fer_edge.train.keras_setup import load_keras
from fer_edge.train.loop.precision import computing_in, fuse_batch_norm

keras = load_keras()
tf = pytest.importorskip("tensorflow")


def _layer(channels):
    inputs = keras.Input((6, 6, channels))
    model = keras.Model(inputs, keras.layers.BatchNormalization(momentum=0.9)(inputs))
    draw = np.random.default_rng(channels)
    model.set_weights([draw.uniform(0.5, 1.5, channels).astype(np.float32) for _ in range(4)])
    return model


def _trained(model, images, targets):
    with tf.GradientTape() as tape:
        tape.watch(images)
        loss = tf.reduce_mean((tf.cast(model(images, training=True), tf.float32) - targets) ** 2)
    gradients = tape.gradient(loss, [images, *model.trainable_variables])
    return [loss.numpy(), *(np.asarray(g, np.float32) for g in gradients), *model.get_weights()]


@pytest.mark.parametrize("channels", [1, 12, 16, 24, 44])
def test_fused_batch_norm_is_that_of_keras(channels):
    draw = np.random.default_rng(1)
    images = tf.constant(draw.normal(1.0, 3.0, (16, 6, 6, channels)).astype(np.float32))
    targets = tf.constant(draw.normal(0.0, 1.0, (16, 6, 6, channels)).astype(np.float32))
    plain, fused = _layer(channels), _layer(channels)
    fuse_batch_norm(fused)
    for ours, theirs in zip(_trained(fused, images, targets), _trained(plain, images, targets), strict=True):
        # The kernel keeps the unbiased variance, N / (N - 1) with N = 576 here.
        np.testing.assert_allclose(ours, theirs, rtol=3e-3, atol=1e-5)


def test_what_is_measured_goes_through_the_plain_layer():
    plain, fused = _layer(12), _layer(12)
    fuse_batch_norm(fused)
    images = np.random.default_rng(2).normal(size=(4, 6, 6, 12)).astype(np.float32)
    np.testing.assert_array_equal(fused(images, training=False), plain(images, training=False))


def test_maps_stay_in_bfloat16():
    with computing_in("bfloat16"):
        model = _layer(12)
    fuse_batch_norm(model)
    assert keras.backend.standardize_dtype(model(np.ones((2, 6, 6, 12), np.float32), training=True).dtype) == "bfloat16"
