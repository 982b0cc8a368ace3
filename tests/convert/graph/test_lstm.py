"""LSTMs written out: the same function as Keras's, and a file that is int8 throughout."""

import numpy as np
import pytest
import tensorflow as tf

from fer_edge.convert.export import child as export_child
from fer_edge.convert.export.allow_list import allowed_operators
from fer_edge.convert.export.cost import tflite_cost
from fer_edge.convert.export.flatbuffer import read_tflite
from fer_edge.convert.export.verify import verify_int8
from fer_edge.convert.graph.fold import fold_batch_norms
from fer_edge.convert.graph.forward import Unchanged, forward
from fer_edge.convert.graph.from_keras import read_keras
from fer_edge.convert.graph.lstm import LARGEST_CELL, LARGEST_PART
from fer_edge.convert.quantize.calibration import calibrate
from fer_edge.convert.quantize.fake_quant import FakeQuantization
from fer_edge.convert.quantize.qat import FakeQuantModel
from fer_edge.convert.quantize.ranges import SATURATION
from fer_edge.errors import ConversionError
from fer_edge.labels import EXPRESSIONS
from fer_edge.model_file import ModelInfo, write_info
from fer_edge.runtime import TFLiteModel
from fer_edge.train.keras_setup import load_keras

keras = load_keras()
layers = keras.layers


def recurrent_model(**options):
    """A map of 16x16 pixels read as 16 places, then as 2 halves, as ``cnn-lstm`` does; the same at every call."""
    keras.utils.set_random_seed(3)
    inputs = keras.Input((16, 16, 1))
    x = layers.Rescaling(1 / 255)(inputs)
    x = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(8, 3, padding="same")(x)))
    x = layers.MaxPooling2D(4)(x)
    x = layers.Reshape((-1, 8))(x)
    spread = keras.initializers.RandomNormal(stddev=1.5)  # gates that open and close, as after training
    x = layers.LSTM(12, kernel_initializer=spread, recurrent_initializer=spread, name="first", **options)(x)
    x = layers.LSTM(6, kernel_initializer=spread, name="second")(layers.Reshape((2, 6))(x))
    return keras.Model(inputs, layers.Dense(7, activation="softmax", kernel_initializer=spread)(x))


@pytest.fixture(scope="module")
def images():
    coarse = np.random.default_rng(2).integers(0, 256, (60, 4, 4), dtype=np.uint8)
    return coarse.repeat(4, axis=1).repeat(4, axis=2)


@pytest.fixture(scope="module")
def graph():
    return fold_batch_norms(read_keras(recurrent_model()))


@pytest.fixture(scope="module")
def ranges(graph, images):
    return calibrate(graph, images, lambda _: None)


def scores(graph, images, hooks):
    weights = {node.name: node.weights for node in graph.nodes}
    return forward(graph, tf.constant(images[..., None] / np.float32(255)), weights, hooks).numpy()


def test_written_out_it_computes_what_keras_does(graph, images):
    expected = recurrent_model().predict(images[..., None].astype(np.float32), verbose=0)
    assert expected.std(axis=0).max() > 0.02  # the pictures make a difference
    np.testing.assert_allclose(scores(graph, images, Unchanged()), expected, atol=1e-5)


def test_the_steps_share_one_recurrent_kernel(graph):
    dense = [node for node in graph.nodes if node.kind == "dense" and node.name.startswith("first")]
    assert len(dense) == 15  # the first step has no state to read
    assert [bool(node.weights) for node in dense] == [True] + 14 * [False]
    assert {node.options["weights_of"] for node in dense[1:]} == {dense[0].name}


def test_ranges_fit_the_operators(graph, ranges):
    for node in graph.nodes:
        if node.kind == "tanh":
            assert ranges[node.name] == (-1, 127 / 128)
        if node.kind == "sigmoid":
            assert ranges[node.name] == (0, 255 / 256)
        if node.name.endswith(".gates"):  # read by nothing but sigmoids and tanhs
            assert max(map(abs, ranges[node.name])) <= SATURATION
        if node.name.endswith((".cell", ".kept")):  # without the limit they reach 14 here
            assert max(map(abs, ranges[node.name])) <= LARGEST_CELL
    states = {ranges[node.inputs[0]] for node in graph.nodes if node.kind == "dense" and "first" in node.name}
    assert len(states) == 1


def test_what_a_gate_reads_ends_where_it_is_saturated(graph, images):
    loud = {node.name: {**node.weights, "kernel": 4 * node.weights["kernel"]} for node in graph.nodes if node.weights}
    ranges = calibrate(graph.with_weights(loud), images, lambda _: None)
    parts = [node for node in graph.nodes if node.name.endswith((".inputs", ".recurrent", ".h"))]
    assert {node.kind for node in parts} == {"conv", "dense"}
    largest = [max(map(abs, ranges[node.name])) for node in parts]
    assert max(largest) == pytest.approx(LARGEST_PART)


@pytest.mark.usefixtures("quiet_converter")
def test_the_file_is_int8_throughout(graph, ranges, images, tmp_path):
    data = export_child.convert(graph, FakeQuantization(ranges))
    contents = read_tflite(data)
    verify_int8(contents, allowed_operators("cnn-lstm"), 16, 7)
    kernels = sum(array.size for node in graph.nodes for array in node.weights.values())
    assert tflite_cost(contents).parameters == pytest.approx(kernels, abs=30)  # the shared kernel counts once
    assert tflite_cost(contents).multiply_adds > 15 * 12 * 48  # and works at every step
    path = tmp_path / "model.tflite"
    path.write_bytes(data)
    write_info(path, ModelInfo("cnn-lstm", EXPRESSIONS, 16))
    found, expected = TFLiteModel(path).predict(images), scores(graph, images, Unchanged())
    error = np.abs(found - expected).mean()
    assert error < 0.012


def test_fine_tuning_reaches_the_shared_kernel(graph, ranges, images):
    model = FakeQuantModel(graph, ranges)
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(model(tf.constant(images[..., None].astype(np.float32)))[:, 0])
    kernel = model.kernels_and_biases["first.recurrent"]["kernel"]
    assert np.abs(tape.gradient(total, kernel.value)).max() > 0
    assert set(model.kernels_and_biases["first.recurrent"]) == {"kernel"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"activation": "relu"}, "expected the activations tanh and sigmoid, found relu and sigmoid"),
        ({"use_bias": False}, "expected use_bias True, found False"),
        ({"go_backwards": True}, "expected go_backwards False, found True"),
    ],
)
def test_another_lstm_is_refused(options, message):
    with pytest.raises(ConversionError, match=f"'first'.*{message}"):
        read_keras(recurrent_model(**options))
