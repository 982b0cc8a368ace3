"""Reading a Keras model: the graph it becomes, and the layers and options that are refused."""

import numpy as np
import pytest

from fer_edge.convert.graph.from_keras import read_keras
from fer_edge.errors import ConversionError
from fer_edge.train.keras_setup import load_keras
from fer_edge.train.zoo.hog_layer import Hog
from tests.convert.conftest import plain_model, varied_model

keras = load_keras()
layers = keras.layers


def model_of(*chain, size=8, rescaling=True):
    inputs = keras.Input((size, size, 1))
    x = layers.Rescaling(1 / 255)(inputs) if rescaling else inputs
    for layer in chain:
        x = layer(x)
    return keras.Model(inputs, x)


def test_the_plain_model():
    graph = read_keras(plain_model())
    block = ["conv", "batch_norm", "relu6"]
    assert [node.kind for node in graph.nodes] == ["input", *block, *block, *block, "mean", "dense", "softmax"]
    assert graph.input_size == 48
    first = graph.nodes[1]
    assert first.inputs == ("input",)  # the rescaling is gone
    assert first.options == {"strides": [2, 2], "padding": "SAME"}
    assert first.weights["kernel"].shape == (3, 3, 1, 8)
    np.testing.assert_array_equal(first.weights["bias"], np.zeros(8, np.float32))  # Keras has none there


def test_every_layer_it_knows():
    graph = read_keras(varied_model())
    kinds = {node.kind for node in graph.nodes}
    assert {"add", "concat", "depthwise", "max_pool", "average_pool", "flatten", "relu", "relu6", "softmax"} <= kinds
    assert {"mean", "sigmoid", "multiply"} <= kinds  # squeeze and excitation
    for position, node in enumerate(graph.nodes):  # in the order of evaluation
        assert set(node.inputs) <= {earlier.name for earlier in graph.nodes[:position]}


@pytest.mark.parametrize(
    ("chain", "message"),
    [
        ([layers.UpSampling2D(2)], "is a UpSampling2D, which has no int8 form here; expected one of Activation, Add"),
        ([layers.Reshape((8, 8)), layers.GRU(4)], "is a GRU"),
        ([Hog()], r"'hog.*' \(Hog\): expected one such layer, directly behind the input"),
        ([layers.Conv2D(2, 3, dilation_rate=2)], r"expected dilation_rate \(1, 1\), found \(2, 2\)"),
        ([layers.Conv2D(2, 3, activation="gelu")], "found gelu"),
        ([layers.Activation("tanh")], "found tanh"),
        ([layers.Conv2D(2, 3), layers.ReLU(max_value=1.0)], "expected max_value None or 6, found 1.0"),
        ([layers.Conv2D(2, 3), layers.ReLU(negative_slope=0.1)], "expected negative_slope 0.0, found 0.1"),
        ([layers.Conv2D(2, 3), layers.Rescaling(1 / 255)], "directly behind the input"),
        ([layers.Softmax(axis=1)], "expected axis -1, found 1"),
    ],
)
def test_what_it_does_not_know_is_refused_by_name(chain, message):
    with pytest.raises(ConversionError, match=message):
        read_keras(model_of(*chain))


@pytest.mark.parametrize("kind", [layers.Multiply, layers.Add])
def test_inputs_of_other_ranks_are_refused(kind):
    inputs = keras.Input((8, 8, 1))
    maps = layers.Conv2D(4, 3)(layers.Rescaling(1 / 255)(inputs))
    weights = layers.Dense(4)(layers.GlobalAveragePooling2D()(maps))
    with pytest.raises(ConversionError, match=r"expected inputs of equally many axes, found 4 and 2"):
        read_keras(keras.Model(inputs, kind()([maps, weights])))


def test_another_scaling_is_refused():
    inputs = keras.Input((8, 8, 1))
    with pytest.raises(ConversionError, match=r"expected Rescaling\(1/255\)"):
        read_keras(keras.Model(inputs, layers.Rescaling(1 / 127.5, offset=-1)(inputs)))


def test_a_model_without_scaling_is_refused():
    with pytest.raises(ConversionError, match="whose first layer is Rescaling"):
        read_keras(model_of(layers.Conv2D(2, 3), rescaling=False))


def hog_model(*, scaled=True, twice=False):
    inputs = keras.Input((16, 16, 1))
    x = layers.Rescaling(1 / 255)(inputs) if scaled else inputs
    features = layers.Rescaling(6)(Hog(name="hog")(inputs))
    joined = [layers.Flatten()(x), features, *([Hog()(inputs)] if twice else [])]
    return keras.Model(inputs, layers.Dense(7, activation="softmax")(layers.Concatenate()(joined)))


def test_hog_features_are_a_second_input_with_a_gain():
    graph = read_keras(hog_model())
    assert (graph.hog.name, graph.hog.inputs, graph.hog.options) == ("hog", (), {"gain": 6.0})
    assert "hog" in next(node.inputs for node in graph.nodes if node.kind == "concat")


def test_two_hog_layers_are_refused():
    with pytest.raises(ConversionError, match="expected one such layer"):
        read_keras(hog_model(twice=True))


def test_scaled_features_do_not_stand_for_scaled_pixels():
    with pytest.raises(ConversionError, match="whose first layer is Rescaling"):
        read_keras(hog_model(scaled=False))


def test_a_crop_and_a_reshape():
    graph = read_keras(model_of(layers.Cropping2D(((1, 2), (3, 0))), layers.Reshape((-1, 5))))
    assert [(node.kind, node.options) for node in graph.nodes[1:]] == [
        ("crop", {"edges": [1, 2, 3, 0]}),
        ("reshape", {"shape": [5, 5]}),
    ]


def test_a_layer_used_twice_is_refused():
    shared = layers.Conv2D(1, 3, padding="same", name="twice")
    with pytest.raises(ConversionError, match="every layer is used once"):
        read_keras(model_of(shared, shared))


def test_a_layer_used_twice_in_the_middle_is_refused():
    shared = layers.Conv2D(1, 3, padding="same")
    with pytest.raises(ConversionError, match="'behind'.*shared or nested"):
        read_keras(model_of(shared, shared, layers.ReLU(name="behind")))


def test_a_nested_model_is_refused():
    with pytest.raises(ConversionError, match="is a Sequential"):
        read_keras(model_of(keras.Sequential([layers.Conv2D(1, 3)])))


def test_two_outputs_are_refused():
    inputs = keras.Input((8, 8, 1))
    x = layers.Rescaling(1 / 255)(inputs)
    with pytest.raises(ConversionError, match="found 1 and 2"):
        read_keras(keras.Model(inputs, [layers.ReLU()(x), layers.MaxPooling2D()(x)]))


def test_arithmetic_between_layers_is_refused():
    inputs = keras.Input((8, 8, 1))
    x = layers.Rescaling(1 / 255)(inputs)
    with pytest.raises(ConversionError, match="Multiply"):
        read_keras(keras.Model(inputs, layers.GlobalAveragePooling2D()(x * 2.0)))


def test_weights_that_are_not_numbers_are_refused():
    model = model_of(layers.Conv2D(2, 3, name="diverged"))
    kernel, bias = model.get_layer("diverged").get_weights()
    model.get_layer("diverged").set_weights([kernel * np.nan, bias])
    with pytest.raises(ConversionError, match="'diverged'.*finite"):
        read_keras(model)


def test_a_model_that_is_no_graph_is_refused():
    class Subclassed(keras.Model):
        def call(self, x):
            return x

    with pytest.raises(ConversionError, match="functional Keras model, found a Subclassed"):
        read_keras(Subclassed())


def test_pooling_without_padding_is_a_convolution_that_averages():
    inputs = keras.Input((8, 8, 1))
    x = layers.Conv2D(3, 1)(layers.Rescaling(1 / 255)(inputs))
    x = layers.AveragePooling2D((2, 4), strides=2, padding="same")(layers.AveragePooling2D((2, 3), strides=1)(x))
    free, padded = read_keras(keras.Model(inputs, layers.Flatten()(x))).nodes[2:4]
    assert (free.kind, free.options["strides"], free.options["padding"]) == ("depthwise", [1, 1], "VALID")
    np.testing.assert_allclose(free.weights["kernel"], np.full((2, 3, 3, 1), 1 / 6))
    np.testing.assert_array_equal(free.weights["bias"], np.zeros(3))
    assert padded.kind == "average_pool"  # at the border it divides by fewer
