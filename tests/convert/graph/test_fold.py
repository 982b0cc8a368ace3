"""Folding leaves the function as it was."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_edge.convert.graph.fold import fold, fold_batch_norms
from fer_edge.convert.graph.forward import Unchanged, forward
from fer_edge.convert.graph.from_keras import read_keras
from fer_edge.convert.graph.graph import Graph, Node
from fer_edge.errors import ConversionError
from fer_edge.train.keras_setup import load_keras
from tests.convert.conftest import plain_model, shake, varied_model


def run(graph, images):
    weights = {node.name: node.weights for node in graph.nodes}
    return forward(graph, tf.constant(images), weights, Unchanged()).numpy()


@pytest.mark.parametrize(("build", "size"), [(plain_model, 48), (varied_model, 16)])
def test_the_folded_graph_computes_what_the_model_does(build, size):
    model = shake(build(size))
    pixels = np.random.default_rng(1).integers(0, 256, (6, size, size, 1)).astype(np.float32)
    folded = fold_batch_norms(read_keras(model))
    assert "batch_norm" not in {node.kind for node in folded.nodes}
    expected = model.predict(pixels, verbose=0)
    assert expected.std() > 0.01  # not a constant
    np.testing.assert_allclose(run(folded, pixels / 255), expected, atol=1e-5)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["conv", "depthwise", "dense"]), st.integers(1, 5), st.integers(1, 3))
def test_each_layer_takes_its_norm_in(seed, kind, inputs, outputs):
    rng = np.random.default_rng(seed)
    shape = (3, 2, inputs, outputs) if kind != "dense" else (inputs, outputs)
    channels = inputs * outputs if kind == "depthwise" else outputs

    def draw(*shape):
        return rng.normal(size=shape).astype(np.float32)

    options = {"strides": [1, 1], "padding": "VALID"} if kind != "dense" else {}
    layer = Node("layer", kind, ("input",), options, {"kernel": draw(*shape), "bias": draw(channels)})
    norm = {"gamma": draw(channels), "beta": draw(channels), "mean": draw(channels), "variance": draw(channels) ** 2}
    x = draw(4, 5, 5, inputs) if kind != "dense" else draw(4, inputs)
    before = run(Graph(5, (Node("input", "input"), layer)), x)
    expected = (before - norm["mean"]) / np.sqrt(norm["variance"] + 1e-3) * norm["gamma"] + norm["beta"]
    folded = fold(layer, Node("norm", "batch_norm", ("layer",), {"epsilon": 1e-3}, norm))
    found = run(Graph(5, (Node("input", "input"), folded)), x)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())


def chain(*nodes):
    return Graph(4, (Node("input", "input"), *nodes))


def weighted(name, reads):
    weights = {"kernel": np.ones((1, 1, 1, 1), np.float32), "bias": np.zeros(1, np.float32)}
    return Node(name, "conv", (reads,), {"strides": [1, 1], "padding": "SAME"}, weights)


def norm(reads, rank=4):
    one = np.ones(1, np.float32)
    weights = {"gamma": one, "beta": one, "mean": one, "variance": one}
    return Node("norm", "batch_norm", (reads,), {"epsilon": 1e-3, "rank": rank}, weights)


def after_activation(padding, flat):
    """Convolution, ReLU, batch norm, then something that may take the norm in; the same at every call."""
    keras = load_keras()
    keras.utils.set_random_seed(4)
    layers = keras.layers
    inputs = keras.Input((8, 8, 1))
    x = layers.Conv2D(3, 3, activation="relu")(layers.Rescaling(1 / 255)(inputs))
    x = layers.BatchNormalization(name="norm")(x)
    x = layers.Flatten()(layers.Dropout(0.1)(x)) if flat else layers.Conv2D(4, 3, padding=padding)(x)
    x = x if flat else layers.Flatten()(x)
    x = layers.BatchNormalization(name="last")(layers.Dense(6, activation="relu")(x))
    return shake(keras.Model(inputs, layers.Dense(5, activation="softmax")(x)))


@pytest.mark.parametrize(
    ("padding", "flat", "kinds"),
    [
        ("valid", False, ["conv", "relu", "conv", "flatten", "dense", "relu", "dense", "softmax"]),
        ("valid", True, ["conv", "relu", "flatten", "dense", "relu", "dense", "softmax"]),
        # The zeros around the picture come behind the norm, so the convolution cannot take it in.
        ("same", False, ["conv", "relu", "depthwise", "conv", "flatten", "dense", "relu", "dense", "softmax"]),
    ],
)
def test_a_norm_behind_an_activation_goes_forward_or_becomes_depthwise(padding, flat, kinds):
    model = after_activation(padding, flat)
    pixels = np.random.default_rng(1).integers(0, 256, (6, 8, 8, 1)).astype(np.float32)
    folded = fold_batch_norms(read_keras(model))
    assert [node.kind for node in folded.nodes[1:]] == kinds
    expected = model.predict(pixels, verbose=0)
    assert expected.std(axis=0).max() > 0.01
    np.testing.assert_allclose(run(folded, pixels / 255), expected, atol=1e-5)


def test_a_norm_of_vectors_that_nothing_takes_in_is_refused():
    graph = chain(weighted("conv", "input"), Node("relu", "relu", ("conv",)), norm("relu", rank=2))
    with pytest.raises(ConversionError, match=r"batch norm 'norm'.*found 'relu' \(relu\)"):
        fold_batch_norms(graph)


def test_a_norm_behind_a_value_that_others_read_becomes_depthwise():
    both = Node("sum", "add", ("conv", "norm"))
    folded = fold_batch_norms(chain(weighted("conv", "input"), norm("conv"), both))
    assert [node.kind for node in folded.nodes] == ["input", "conv", "depthwise", "add"]


def test_readers_of_the_norm_read_the_layer():
    graph = chain(weighted("conv", "input"), norm("conv"), Node("relu", "relu", ("norm",)))
    folded = fold_batch_norms(graph)
    assert [node.name for node in folded.nodes] == ["input", "conv", "relu"]
    assert folded.node("relu").inputs == ("conv",)
    assert dataclasses.replace(graph.node("relu"), inputs=("conv",)) == folded.node("relu")
