"""Small pictures, small networks, and one that is trained."""

import warnings

import numpy as np
import pytest

from fer_edge.convert.graph.fold import fold_batch_norms
from fer_edge.convert.graph.from_keras import read_keras
from fer_edge.convert.quantize.calibration import calibrate
from fer_edge.labels import EXPRESSIONS
from fer_edge.model_file import ModelInfo, write_info
from fer_edge.train.data.dataset import PUBLIC_TEST, TRAINING, Dataset, Split
from fer_edge.train.keras_model import load_model
from fer_edge.train.keras_setup import load_keras


def pictures(count, seed):
    """Noisy stripes whose period says the class: learnable by a few convolutions, and no two alike."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count, dtype=np.int64) % len(EXPRESSIONS)
    phase = rng.integers(0, 8, count)
    rows = (np.arange(48)[None, :] + phase[:, None]) // (labels[:, None] + 1) % 2
    images = rows[:, :, None] * 150 + rng.integers(0, 100, (count, 48, 48))
    return Split(images.astype(np.uint8), labels, np.arange(count))


@pytest.fixture(scope="session")
def tiny():
    """Seven classes, 210 training and 70 test images."""
    return Dataset.make("tiny", EXPRESSIONS, {TRAINING: pictures(210, 1), PUBLIC_TEST: pictures(70, 2)})


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    """Keep the user's cache out of the tests."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


def write_csv(path, dataset):
    """Write a data set as a FER2013 file."""
    lines = ["emotion,pixels,Usage"]
    for name, split in dataset.splits.items():
        for image, label in zip(split.images, split.labels, strict=True):
            lines.append(f"{label},{' '.join(map(str, image.ravel()))},{name}")
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="session")
def csv_file(tiny, tmp_path_factory):
    return write_csv(tmp_path_factory.mktemp("data") / "fer2013.csv", tiny)


def normalized(layers, x, layer, activation=None):
    """A layer, its batch norm and its activation."""
    x = layers.BatchNormalization(momentum=0.8)(layer(x))  # the statistics settle within a few steps
    return (activation or layers.ReLU(6.0))(x)


def plain_model(size=48, channels=(8, 16, 16)):
    """A small net of the kinds of layer that the zoo's ``compact`` has; the same at every call."""
    keras = load_keras()
    keras.utils.set_random_seed(3)
    layers = keras.layers
    inputs = keras.Input((size, size, 1))
    x = layers.Rescaling(1 / 255)(inputs)
    for count in channels:
        x = normalized(layers, x, layers.Conv2D(count, 3, strides=2, padding="same", use_bias=False))
    x = layers.Dropout(0.2)(layers.GlobalAveragePooling2D()(x))
    return keras.Model(inputs, layers.Softmax()(layers.Dense(7)(x)))


def varied_model(size=16):
    """Every kind of layer that conversion knows; the same at every call."""
    keras = load_keras()
    keras.utils.set_random_seed(3)
    layers = keras.layers
    inputs = keras.Input((size, size, 1))
    x = layers.Rescaling(1 / 255)(inputs)
    x = normalized(layers, x, layers.Conv2D(8, 3, padding="same"))
    x = layers.MaxPooling2D(2)(x)
    y = normalized(layers, x, layers.DepthwiseConv2D(3, padding="same", use_bias=False))
    y = layers.BatchNormalization()(layers.Conv2D(8, 1, use_bias=False)(y))
    x = layers.ReLU()(layers.Add()([x, y]))
    x = layers.SpatialDropout2D(0.1)(x)
    left = layers.Conv2D(4, 3, padding="same", activation="relu")(x)
    right = layers.Conv2D(4, 1, activation="relu6")(x)
    x = layers.Concatenate()([left, right])
    weights = layers.Conv2D(4, 1, activation="relu")(layers.GlobalAveragePooling2D(keepdims=True)(x))
    x = layers.Multiply()([x, layers.Conv2D(8, 1, activation="sigmoid")(weights)])
    x = layers.AveragePooling2D(2, strides=1, padding="same")(layers.AveragePooling2D(2)(x))
    x = layers.Flatten()(layers.GaussianNoise(0.1)(x))
    x = normalized(layers, x, layers.Dense(12, use_bias=False), layers.Activation("relu"))
    spread = keras.initializers.RandomNormal(stddev=1.0)  # so that the classes differ, as after training
    return keras.Model(inputs, layers.Dense(7, activation="softmax", kernel_initializer=spread)(x))


def shake(model, seed=0):
    """Give batch norms and biases values like those of a trained net."""
    rng = np.random.default_rng(seed)
    for layer in model.layers:
        if getattr(layer, "bias", None) is not None:
            layer.bias.assign(rng.normal(0, 0.3, layer.bias.shape))
        if type(layer).__name__ == "BatchNormalization":
            channels = layer.gamma.shape[0]
            layer.set_weights(
                [
                    rng.uniform(0.5, 1.5, channels),
                    rng.normal(0, 0.3, channels),
                    rng.normal(0, 0.3, channels),
                    rng.uniform(0.3, 2, channels),
                ]
            )
    return model


@pytest.fixture(scope="session")
def trained(tiny, tmp_path_factory):
    """A ``.keras`` file of a small net that tells the stripes apart."""
    keras = load_keras()
    model = plain_model()
    training = tiny.split(TRAINING)
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    model.fit(training.images[..., None].astype(np.float32), training.labels, batch_size=35, epochs=12, verbose=0)
    path = tmp_path_factory.mktemp("trained") / "model.keras"
    model.save(path)
    write_info(path, ModelInfo("compact", EXPRESSIONS, training={"run": "0123456789abcdef"}))
    return path


@pytest.fixture(scope="session")
def folded(trained):
    """The graph of `trained`, batch norms folded."""
    return fold_batch_norms(read_keras(load_model(trained).model))


@pytest.fixture(scope="session")
def ranges(folded, tiny):
    """The ranges of `folded`."""
    return calibrate(folded, tiny.split(TRAINING).images, lambda _: None)


@pytest.fixture
def quiet_converter():
    """The converter remarks, correctly, that fake quantization needs no statistics."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield
