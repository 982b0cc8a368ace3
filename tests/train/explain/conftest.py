"""Small models to explain."""

import numpy as np
import pytest

from fer_edge.labels import EXPRESSIONS
from fer_edge.model_file import ModelInfo, write_info
from fer_edge.shipped import shipped_models
from fer_edge.train.explain.keras_network import KerasNetwork
from fer_edge.train.explain.pictures import read_pictures
from fer_edge.train.explain.tflite_network import TFLiteNetwork
from fer_edge.train.keras_setup import load_keras
from fer_edge.train.zoo.registry import ZOO


@pytest.fixture(scope="session")
def keras_file(tmp_path_factory):
    load_keras().utils.set_random_seed(3)
    path = tmp_path_factory.mktemp("model") / "nano.keras"
    ZOO["nano"].build(48, 7, 0.2).save(path)
    write_info(path, ModelInfo("nano", EXPRESSIONS))
    return path


@pytest.fixture(scope="session")
def keras_network(keras_file):
    return KerasNetwork(keras_file)


@pytest.fixture(scope="session")
def tflite_network():
    return TFLiteNetwork(shipped_models()["compact"])


@pytest.fixture(scope="session")
def face():
    """The portrait's face, 48 x 48."""
    (picture,) = read_pictures([], 48)
    return picture.pixels


@pytest.fixture(scope="session")
def corner_model():
    """A model whose first class is the brighter, the brighter the picture's upper left quarter is; 16 x 16 pixels."""
    keras = load_keras()
    inputs = keras.Input((16, 16, 1))
    x = keras.layers.Rescaling(1 / 255)(inputs)
    x = keras.layers.Conv2D(2, 1, name="maps", use_bias=False)(x)
    y = keras.layers.Flatten()(x)
    outputs = keras.layers.Dense(2, activation="softmax", name="head")(y)
    model = keras.Model(inputs, outputs)
    model.get_layer("maps").kernel.assign(np.array([[[[1.0, -1.0]]]]))
    weights = np.zeros((16, 16, 2, 2), np.float32)
    weights[:8, :8, 0, 0] = 0.1
    model.get_layer("head").kernel.assign(weights.reshape(-1, 2))
    return model
