"""Fine-tuning under fake quantization: starts where the float network is, learns, and repeats itself."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from fer_edge.convert.graph.fold import fold_batch_norms
from fer_edge.convert.graph.forward import Unchanged, forward
from fer_edge.convert.graph.from_keras import read_keras
from fer_edge.convert.quantize.calibration import calibrate
from fer_edge.convert.quantize.fake_quant import FakeQuantization
from fer_edge.convert.quantize.qat import FakeQuantModel, fine_tune, fine_tuning_recipe, step_size, steps_per_epoch
from fer_edge.convert.quantize.ranges import Range
from fer_edge.train.data.dataset import TRAINING
from fer_edge.train.keras_model import load_model
from fer_edge.train.keras_setup import load_keras
from tests.convert.conftest import plain_model, shake, varied_model


@pytest.fixture(scope="module")
def start(trained, tiny):
    graph = fold_batch_norms(read_keras(load_model(trained).model))
    return graph, calibrate(graph, tiny.split(TRAINING).images, lambda _: None)


def distance(graph, ranges, original, images):
    """The mean difference between what rounding makes of `graph` and what `original` gives in floats."""
    pixels = tf.constant(images[..., None] / np.float32(255))

    def scores(network, hooks):
        return forward(network, pixels, {n.name: n.weights for n in network.nodes}, hooks).numpy()

    return float(np.abs(scores(graph, FakeQuantization(ranges)) - scores(original, Unchanged())).mean())


def test_before_any_step_it_is_the_fake_quantized_network(start, tiny):
    graph, ranges = start
    images = tiny.split(TRAINING).images[:20]
    model = FakeQuantModel(graph, ranges)
    found = model(images[..., None].astype(np.float32)).numpy()
    hooks = FakeQuantization({name: r for name, r in ranges.items() if name != graph.output.name})
    weights = {node.name: node.weights for node in graph.nodes}
    expected = forward(graph, tf.constant(images[..., None] / np.float32(255)), weights, hooks).numpy()
    # Dividing by 255 once in each library may put a value on the other side of a rounding.
    assert np.abs(found - expected).max() < 0.02
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("build", [plain_model, varied_model])
def test_every_weight_gets_a_gradient(build):
    graph = fold_batch_norms(read_keras(shake(build(16))))
    images = np.random.default_rng(0).integers(0, 256, (30, 16, 16), dtype=np.uint8)
    model = FakeQuantModel(graph, calibrate(graph, images, lambda _: None))
    pixels = tf.constant(images[..., None].astype(np.float32))
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(model(pixels)[:, 0])
    variables = [v.value for v in model.trainable_variables]
    assert len(variables) == 2 * sum(bool(node.weights) for node in graph.nodes)
    for variable, gradient in zip(variables, tape.gradient(total, variables), strict=True):
        assert gradient is not None, variable.name
        assert np.abs(gradient).max() > 0, variable.name


def test_it_makes_up_for_what_rounding_breaks(start, tiny):
    """Ranges that cut off what is above a third do more harm than int8 alone."""
    graph, ranges = start
    inner = {node.name for node in graph.nodes if node.kind == "relu6"}
    cut = {name: Range(r.low, r.high * 0.33) if name in inner else r for name, r in ranges.items()}
    images = tiny.split(TRAINING).images
    recipe = dataclasses.replace(fine_tuning_recipe(4, seed=1), batch_size=30, learning_rate=2e-3)
    steps = []
    tuned = fine_tune(graph, graph, cut, images, recipe, steps.append)
    assert sum(steps) == 4 * steps_per_epoch(len(images), recipe) == 28
    broken = distance(graph, cut, graph, images)
    assert broken > 2 * distance(graph, ranges, graph, images)
    assert distance(tuned, cut, graph, images) < 0.7 * broken


@pytest.mark.parametrize(
    ("kind", "shape", "expected"),
    [
        ("dense", (720, 7), 1.0),
        ("dense", (4608, 4096), 720 / 4608),
        ("conv", (3, 3, 160, 16), 0.5),
        ("depthwise", (3, 3, 999, 1), 1.0),
    ],
)
def test_steps_shorten_with_the_products_of_a_sum(kind, shape, expected):
    assert step_size(kind, shape) == pytest.approx(expected)


def test_a_step_of_adam_moves_a_wide_kernel_by_as_much_less():
    keras = load_keras()
    inputs = keras.Input((48, 48, 1), name="image")
    x = keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(inputs))
    x = keras.layers.Dense(30, activation="relu", name="wide")(x)
    x = keras.layers.Dense(7, name="narrow")(x)
    graph = fold_batch_norms(read_keras(keras.Model(inputs, keras.layers.Softmax()(x))))
    images = np.random.default_rng(0).integers(0, 256, (64, 48, 48), dtype=np.uint8)
    recipe = dataclasses.replace(fine_tuning_recipe(1, seed=1), schedule="constant", learning_rate=1e-4)
    tuned = fine_tune(graph, graph, calibrate(graph, images, lambda _: None), images, recipe, lambda _: None)

    def moved(name):
        return np.abs(tuned.node(name).weights["kernel"] - graph.node(name).weights["kernel"]).max()

    # The first step of Adam moves a weight by the rate, or a little less where the gradient is nearly its epsilon.
    wide, narrow = (next(n.name for n in graph.nodes if n.name.startswith(name)) for name in ("wide", "narrow"))
    assert moved(narrow) == pytest.approx(1e-4, rel=0.02)
    assert moved(wide) == pytest.approx(1e-4 * 720 / 2304, rel=0.15)


def test_the_same_seed_gives_the_same_weights(start, tiny):
    graph, ranges = start
    recipe = dataclasses.replace(fine_tuning_recipe(1, seed=5), batch_size=70)

    def weights(seed):
        seeded = dataclasses.replace(recipe, seed=seed)
        tuned = fine_tune(graph, graph, ranges, tiny.split(TRAINING).images, seeded, lambda _: None)
        return np.concatenate([array.ravel() for node in tuned.nodes for array in node.weights.values()])

    first = weights(5)
    np.testing.assert_array_equal(first, weights(5))
    assert np.abs(first - weights(6)).max() > 0
    assert np.abs(first - np.concatenate([a.ravel() for n in graph.nodes for a in n.weights.values()])).max() > 0
