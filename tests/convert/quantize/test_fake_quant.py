"""Fake quantization gives exactly the values that int8 numbers stand for."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_edge.convert.graph.graph import Node
from fer_edge.convert.quantize.fake_quant import LARGEST_BIAS, FakeQuantization, weight_limits
from fer_edge.convert.quantize.ranges import Range

SEEDS = st.integers(0, 2**32 - 1)
INPUT = Range(0.0, 4.0)


def layer(kind):
    return Node("layer", kind, ("before",))


def rounded(kind, kernel, bias=None):
    channels = kernel.shape[-1] * (kernel.shape[-2] if kind == "depthwise" else 1)
    bias = np.zeros(channels, np.float32) if bias is None else bias
    return FakeQuantization({"before": INPUT}).kernel(layer(kind), tf.constant(kernel), tf.constant(bias)).numpy()


def assert_nearest_steps(found, kernel, limit):
    """Demand that `found` is `kernel` on the nearest of 127 steps to each side; halfway, either neighbour will do."""
    scale = limit / 127
    steps = found / scale
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-3)
    assert np.abs(steps).max() <= 127.001
    assert np.abs(steps - kernel / scale).max() <= 0.501


@settings(max_examples=25, deadline=None)
@given(SEEDS, st.floats(1e-3, 100))
def test_convolution_kernels_have_a_scale_a_channel(seed, size):
    kernel = (np.random.default_rng(seed).normal(size=(3, 3, 2, 4)) * size).astype(np.float32)
    kernel[..., 1] *= 0.01  # a scale for the whole kernel would lose this channel
    assert_nearest_steps(rounded("conv", kernel), kernel, np.abs(kernel).max(axis=(0, 1, 2)))


@settings(max_examples=25, deadline=None)
@given(SEEDS)
def test_depthwise_kernels_have_a_scale_a_channel(seed):
    kernel = np.random.default_rng(seed).normal(size=(3, 3, 4, 2)).astype(np.float32)
    assert_nearest_steps(rounded("depthwise", kernel), kernel, np.abs(kernel).max(axis=(0, 1)))


@settings(max_examples=25, deadline=None)
@given(SEEDS)
def test_dense_kernels_have_one_scale(seed):
    kernel = np.random.default_rng(seed).normal(size=(8, 5)).astype(np.float32)
    assert_nearest_steps(rounded("dense", kernel), kernel, np.abs(kernel).max())


@settings(max_examples=50, deadline=None)
@given(st.floats(0, 1), st.floats(-100, 0), st.floats(0.01, 100))
def test_values_lie_on_256_steps_that_include_zero(position, low, high):
    hooks = FakeQuantization({"value": Range(low, high)})
    node = Node("value", "relu")
    zero, x = 0.0, low + position * (high - low)
    found = hooks.value(node, tf.constant([zero, x, low - 1, high + 1], tf.float32)).numpy()
    scale = (high - low) / 255
    assert found[0] == pytest.approx(0, abs=1e-5 * scale)
    assert abs(found[1] - x) <= scale * 1.01  # half a step, and half a step more where zero was moved onto the grid
    np.testing.assert_allclose(found / scale, np.round(found / scale), atol=0.02)
    assert found[3] - found[2] == pytest.approx(255 * scale, rel=1e-4)


def test_a_value_without_a_range_passes():
    x = tf.constant([0.123456])
    assert FakeQuantization({}).value(Node("value", "conv"), x) is x


def test_the_gradient_passes_the_rounding():
    kernel = tf.Variable(np.linspace(-1, 1, 12, dtype=np.float32).reshape(1, 1, 3, 4))
    hooks = FakeQuantization({"before": INPUT})
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(hooks.kernel(layer("conv"), kernel, tf.zeros(4)) * 3.0)
    np.testing.assert_array_equal(tape.gradient(total, kernel).numpy(), np.full((1, 1, 3, 4), 3.0))


def test_a_bias_always_fits_beside_its_weights():
    """A channel that batch norm has switched off: hardly any weight, an ordinary bias."""
    kernel = np.full((1, 1, 2, 2), 1e-9, np.float32)
    kernel[..., 1] = 0.0
    bias = np.array([3.0, -2.0], np.float32)
    limits = weight_limits(layer("conv"), tf.constant(kernel), tf.constant(bias), INPUT.scale).numpy()
    assert (limits > 0).all()
    assert (np.abs(bias) / (INPUT.scale * limits / 127) <= LARGEST_BIAS * 1.001).all()
    assert np.isfinite(rounded("conv", kernel, bias)).all()
