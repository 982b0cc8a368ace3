"""Bias correction: rounded sums with the float network's means, which brings the answers nearer to its."""

import numpy as np
import pytest
import tensorflow as tf

from fer_edge.convert.graph.fold import fold_batch_norms
from fer_edge.convert.graph.forward import Unchanged, forward
from fer_edge.convert.graph.from_keras import read_keras
from fer_edge.convert.quantize.bias_correction import correct_biases
from fer_edge.convert.quantize.calibration import calibrate
from fer_edge.convert.quantize.fake_quant import FakeQuantization
from tests.convert.conftest import shake, varied_model

CALIBRATION, OTHERS = (
    np.random.default_rng(seed).integers(90, 256, (80, 4, 4), dtype=np.uint8).repeat(4, axis=1).repeat(4, axis=2)
    for seed in (1, 2)
)
"""Bright pictures, on which the errors of a kernel do not cancel."""


@pytest.fixture(scope="module")
def graph():
    return fold_batch_norms(read_keras(shake(varied_model())))


@pytest.fixture(scope="module")
def ranges(graph):
    return calibrate(graph, CALIBRATION, lambda _: None)


def values(graph, images, hooks):
    """Return the value of every node, before it is rounded."""
    seen = {}

    class Keep(type(hooks)):
        def value(self, node, value):
            seen[node.name] = value.numpy()
            return super().value(node, value)

    keep = Keep(hooks.ranges) if isinstance(hooks, FakeQuantization) else Keep()
    forward(graph, tf.constant(images[..., None] / np.float32(255)), {n.name: n.weights for n in graph.nodes}, keep)
    return seen


def test_the_means_of_all_sums_are_those_of_the_float_network(graph, ranges):
    exact = values(graph, CALIBRATION, Unchanged())
    rounded = values(graph, CALIBRATION, FakeQuantization(ranges))
    corrected = values(correct_biases(graph, ranges, CALIBRATION), CALIBRATION, FakeQuantization(ranges))
    layers = [node.name for node in graph.nodes if node.weights]
    assert len(layers) > 3

    def shift(found):
        return max(np.abs((found[n] - exact[n]).reshape(-1, exact[n].shape[-1]).mean(axis=0)).max() for n in layers)

    assert shift(corrected) < 1e-3
    assert shift(rounded) > 10 * shift(corrected)


def test_answers_about_other_pictures_come_nearer(graph, ranges):
    exact = values(graph, OTHERS, Unchanged())[graph.output.name]

    def distance(network):
        return np.square(values(network, OTHERS, FakeQuantization(ranges))[graph.output.name] - exact).mean()

    assert distance(correct_biases(graph, ranges, CALIBRATION)) < 0.8 * distance(graph)


def test_only_biases_change(graph, ranges):
    corrected = correct_biases(graph, ranges, CALIBRATION)
    for before, after in zip(graph.nodes, corrected.nodes, strict=True):
        assert (before.name, before.inputs, list(before.weights)) == (after.name, after.inputs, list(after.weights))
        for key in before.weights:
            assert np.array_equal(before.weights[key], after.weights[key]) == (key != "bias")
