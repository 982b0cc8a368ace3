"""A network with HOG features: converted with two inputs, run by the device's class, refused when they do not fit."""

import numpy as np
import pytest
import tensorflow as tf

from fer_edge.convert.export import child as export_child
from fer_edge.convert.export.allow_list import allowed_operators
from fer_edge.convert.export.flatbuffer import read_tflite
from fer_edge.convert.export.verify import verify_int8
from fer_edge.convert.graph.fold import fold_batch_norms
from fer_edge.convert.graph.forward import Unchanged, forward
from fer_edge.convert.graph.from_keras import read_keras
from fer_edge.convert.quantize.calibration import calibrate
from fer_edge.convert.quantize.fake_quant import FakeQuantization
from fer_edge.errors import ConversionError, ModelFileError
from fer_edge.labels import EXPRESSIONS
from fer_edge.model_file import ModelInfo, write_info
from fer_edge.preprocess import HOG_DEFINITION, HogExtractor, hog_length
from fer_edge.runtime import TFLiteModel
from fer_edge.train.keras_setup import load_keras
from fer_edge.train.zoo import convnet
from fer_edge.train.zoo.convnet import Convolution, Network
from tests.convert.conftest import shake

# What TensorFlow's converter says about every fully quantized model.
pytestmark = pytest.mark.filterwarnings("ignore:Statistics for quantized inputs were expected:UserWarning")
SIZE = 16
HOG = {**HOG_DEFINITION, "gain": 6.0}


@pytest.fixture(scope="module")
def model():
    load_keras().utils.set_random_seed(3)
    network = Network((Convolution(4, pool=4),), (12,), hog=True)
    return shake(convnet.build("hog-cnn", network, SIZE, 7, 0.1))


@pytest.fixture(scope="module")
def graph(model):
    return fold_batch_norms(read_keras(model))


@pytest.fixture(scope="module")
def images():
    coarse = np.random.default_rng(2).integers(0, 256, (60, 8, 8), dtype=np.uint8)
    return coarse.repeat(2, axis=1).repeat(2, axis=2)


@pytest.fixture(scope="module")
def int8(graph, images):
    return export_child.convert(graph, FakeQuantization(calibrate(graph, images, lambda _: None)))


def stored(path, data, hog=HOG):
    path.write_bytes(data)
    write_info(path, ModelInfo("hog-cnn", EXPRESSIONS, SIZE, conversion={"hog": hog} if hog else {}))
    return path


def test_the_graph_computes_what_the_model_does_from_either_features(model, graph, images):
    expected = model.predict(images[..., None].astype(np.float32), verbose=0)
    weights = {node.name: node.weights for node in graph.nodes}
    pixels = tf.constant(images[..., None] / np.float32(255))
    np.testing.assert_allclose(forward(graph, pixels, weights, Unchanged()), expected, atol=1e-4)
    extractor = HogExtractor(SIZE)
    features = tf.constant(np.stack([extractor.features(image) for image in images]) * np.float32(6))
    np.testing.assert_allclose(forward(graph, pixels, weights, Unchanged(), features), expected, atol=1e-3)


def test_the_int8_file_has_two_inputs_and_agrees(model, graph, images, int8, tmp_path):
    verify_int8(read_tflite(int8), allowed_operators("hog-cnn"), SIZE, 7, hog_length(SIZE))
    found = TFLiteModel(stored(tmp_path / "m.tflite", int8)).predict(images)
    expected = model.predict(images[..., None].astype(np.float32), verbose=0)
    assert np.abs(found - expected).mean() < 0.015
    # The features count: those of other pictures give another answer.
    classifier = TFLiteModel(tmp_path / "m.tflite")
    classifier._extractor.features = lambda crop: np.zeros(hog_length(SIZE), np.float32)
    assert np.abs(classifier.predict(images) - found).max() > 0.02


def test_the_float_file_agrees_closely(model, graph, images, tmp_path):
    data = export_child.convert(graph, Unchanged())
    found = TFLiteModel(stored(tmp_path / "m.tflite", data), allow_float=True).predict(images)
    np.testing.assert_allclose(found, model.predict(images[..., None].astype(np.float32), verbose=0), atol=1e-3)


def test_a_file_whose_features_nobody_promised_is_refused(int8):
    with pytest.raises(ConversionError, match="the input: expected INT8 1x16x16x1, found INT8 .* and INT8"):
        verify_int8(read_tflite(int8), allowed_operators("hog-cnn"), SIZE, 7)
    with pytest.raises(ConversionError, match="the input of features: expected INT8 1x900, found INT8 1x36"):
        verify_int8(read_tflite(int8), allowed_operators("hog-cnn"), SIZE, 7, 900)


@pytest.mark.parametrize(
    ("hog", "message"),
    [
        (None, "expected an int8 input of 1x16x16x1, found int8 1x16x16x1 and int8 1x36"),
        ({**HOG, "cell": 4}, "expected HOG features of cell 8, block 16, stride 8, bins 9, found cell 4, "),
        ({**HOG, "gain": 0}, "expected HOG features"),
        ({"gain": 6.0}, "found no definition"),
        ("yes", "found no definition"),
    ],
)
def test_the_device_refuses_features_it_does_not_compute(int8, tmp_path, hog, message):
    with pytest.raises(ModelFileError, match=message):
        TFLiteModel(stored(tmp_path / "m.tflite", int8, hog))
