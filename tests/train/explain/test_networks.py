"""The inside of .keras and .tflite models."""

import numpy as np
import pytest

from fer_edge.errors import ModelFileError
from fer_edge.labels import EXPRESSIONS
from fer_edge.model_file import ModelInfo, flatbuffer, write_info
from fer_edge.shipped import shipped_models
from fer_edge.train.explain.explanation import open_network
from fer_edge.train.explain.keras_network import KerasNetwork
from fer_edge.train.explain.network import Layer, centred_log, find_class, find_layer, stages
from fer_edge.train.keras_setup import load_keras


def softmax(logits):
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def test_centred_logs_are_the_logits_less_their_mean():
    logits = np.array([[3.0, -1.0, 0.5], [40.0, 0.0, -20.0]], np.float32)
    assert np.allclose(centred_log(softmax(logits)), logits - logits.mean(axis=1, keepdims=True), atol=1e-4)
    assert np.isfinite(centred_log(np.array([[1.0, 0.0]], np.float32))).all()


def test_stages_end_before_the_shape_changes():
    layers = [
        Layer("c1", "Conv2D", (8, 8, 4)),
        Layer("r1", "ReLU", (8, 8, 4)),
        Layer("p1", "MaxPooling2D", (4, 4, 4)),
        Layer("d1", "Dropout", (4, 4, 4)),
        Layer("c2", "CONV_2D", (4, 4, 4)),
        Layer("c3", "Conv2D", (4, 4, 4)),
        Layer("steps", "CONV_2D", (1, 16, 512)),
        Layer("out", "Dense", (7,)),
    ]
    assert [layer.name for layer in stages(layers)] == ["r1", "c2", "c3"]


def test_keras_activations_are_the_layers_outputs(keras_network, face):
    layers = [find_layer(keras_network, name) for name in ("conv1", "relu1", "pool", "probabilities")]
    convolved, rectified, pooled, scores = keras_network.activations(face, layers)
    assert [values.shape for values in (convolved, pooled)] == [(24, 24, 12), (3, 3, 48)]
    assert convolved.min() < 0 <= rectified.min()
    assert np.allclose(scores, keras_network.predict(face[None])[0], atol=1e-6)
    assert np.allclose(softmax(keras_network.logits(face[None])), scores, atol=1e-5)


def test_keras_filters_are_the_first_kernel(keras_network, face):
    filters = keras_network.filters()
    assert (filters.layer, filters.kernels.shape) == ("conv1", (12, 3, 3))
    (values,) = keras_network.activations(face, [find_layer(keras_network, "conv1")])
    # At stride 2 "same" padding begins inside the picture.
    patch = face[20:23, 40:43].astype(np.float32) / 255
    assert values[10, 20] == pytest.approx((filters.kernels * patch).sum(axis=(1, 2)), abs=1e-4)


def test_tflite_activations_come_from_the_running_graph(tflite_network, face):
    names = [layer.name for layer in tflite_network.layers]
    assert names == [
        "space_to_depth_1",
        *(f"conv_2d_{i}" for i in range(1, 5)),
        *("mean_1", "conv_2d_5", "conv_2d_6", "logistic_1", "mul_1"),
        *(f"conv_2d_{i}" for i in range(7, 10)),
        *("mean_2", "conv_2d_10", "conv_2d_11", "logistic_2", "mul_2"),
        "depthwise_conv_2d_1",
        "reshape_1",
        "fully_connected_1",
        "softmax_1",
    ]
    # The depthwise convolution stands for the pooling, and those of 1x1 in between have no maps.
    convolutions = [f"conv_2d_{i}" for i in (1, 2, 3, 4, 7, 8, 9)]
    assert [layer.name for layer in stages(tflite_network.layers)] == convolutions
    last_maps, means, _, logits, scores = tflite_network.activations(face, tflite_network.layers[-5:])
    assert (last_maps.shape, means.shape) == ((6, 6, 96), (3, 3, 96))
    assert np.abs(last_maps.reshape(3, 2, 3, 2, 96).mean(axis=(1, 3)) - means).max() < 0.02
    assert np.abs(softmax(logits) - scores).max() < 1 / 128
    assert np.allclose(scores, tflite_network.predict(face[None])[0])
    assert np.allclose(tflite_network.logits(face[None])[0], logits - logits.mean(), atol=1e-5)


def test_tflite_filters_are_dequantized(tflite_network, face):
    """Convolved by hand with the picture they must give the first map, but for the bias of each channel."""
    filters = tflite_network.filters()
    assert (filters.layer, filters.kernels.shape) == ("conv_2d_1", (24, 3, 4))
    (values,) = tflite_network.activations(face, [find_layer(tflite_network, "conv_2d_1")])
    pixels = np.pad(face.astype(np.float32) / 255, ((0, 0), (1, 1)))
    compared = 0
    for channel in range(24):
        inner = values[:-1, :, channel]
        answer = np.lib.stride_tricks.sliding_window_view(pixels, (3, 4))[::2, ::2] * filters.kernels[channel]
        answer = answer.sum(axis=(2, 3))
        active = (inner > 0.1) & (inner < 5.9)  # between the ends of ReLU6
        if active.sum() > 50:
            bias = (inner - answer)[active]
            assert np.ptp(bias) < 0.1
            compared += 1
    assert compared >= 8


def test_unknown_names_are_answered_with_the_known(keras_network):
    with pytest.raises(ModelFileError, match=r"expected one of its layers \(scale, conv1, .*, found 'x'"):
        find_layer(keras_network, "x")
    with pytest.raises(ModelFileError, match="expected one of its classes .*angry, disgust.*, found 'joy'"):
        find_class(keras_network, "joy")


def test_other_files_are_refused(tmp_path):
    bare = tmp_path / "bare.tflite"
    bare.write_bytes(flatbuffer(shipped_models()["compact"].read_bytes()))
    with pytest.raises(ModelFileError, match="labels and input definition inside, found none"):
        open_network(bare)
    with pytest.raises(ModelFileError, match=r"expected a .keras or .tflite file, found '.h5'"):
        open_network(tmp_path / "model.h5")


def saved(tmp_path, build):
    keras = load_keras()
    inputs = keras.Input((8, 8, 1))
    path = tmp_path / "model.keras"
    keras.Model(inputs, keras.layers.Dense(7, activation="softmax")(build(keras.layers, inputs))).save(path)
    write_info(path, ModelInfo("own", EXPRESSIONS, input_size=8))
    return KerasNetwork(path)


def test_a_dense_first_layer_has_filters_of_the_whole_picture(tmp_path):
    network = saved(tmp_path, lambda layers, x: layers.Dense(5, name="wide")(layers.Flatten()(x)))
    filters = network.filters()
    assert (filters.layer, filters.kernels.shape) == ("wide", (5, 8, 8))
    kernel = np.asarray(network.model.get_layer("wide").kernel)
    assert np.array_equal(filters.kernels[3].ravel(), kernel[:, 3])


def test_a_model_without_filters_of_pixels_says_so(tmp_path):
    network = saved(tmp_path, lambda layers, x: layers.GlobalAveragePooling2D()(x))
    with pytest.raises(ModelFileError, match="leave out --filters"):
        network.filters()
