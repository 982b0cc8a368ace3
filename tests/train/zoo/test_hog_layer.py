"""HOG inside a network: equal to OpenCV's, with gradients, and loaded from a file."""

import numpy as np
import pytest

from fer_edge.labels import EXPRESSIONS
from fer_edge.model_file import ModelInfo, write_info
from fer_edge.preprocess import HogExtractor
from fer_edge.train.data.demo import make_demo
from fer_edge.train.keras_model import load_model
from fer_edge.train.keras_setup import load_keras
from fer_edge.train.zoo.hog_layer import GAIN, Hog

keras = load_keras()


def pictures(kind):
    rng = np.random.default_rng(0)
    if kind == "faces":
        return make_demo(training=30, public_test=0, private_test=0).split("Training").images
    if kind == "noise":
        return rng.integers(0, 256, (20, 48, 48), dtype=np.uint8)
    if kind == "faint":
        return rng.integers(100, 103, (20, 48, 48), dtype=np.uint8)
    return np.full((1, 48, 48), 77, np.uint8)


@pytest.mark.parametrize("kind", ["faces", "noise", "faint", "flat"])
def test_it_is_opencvs_descriptor(kind):
    images = pictures(kind)
    extractor = HogExtractor(48)
    expected = np.stack([extractor.features(image) for image in images])
    found = keras.ops.convert_to_numpy(Hog()(images[..., None].astype(np.float32)))
    # OpenCV's angle is good to a hundredth of a degree, and a step of the int8 input is 40 times as much.
    np.testing.assert_allclose(found, expected, atol=1e-3)
    assert expected.any() == (kind != "flat")


def test_the_gain_makes_features_one_in_the_root_mean_square():
    features = HogExtractor(48).features(pictures("noise")[0]) * GAIN
    assert np.sqrt((features**2).mean()) == pytest.approx(1, abs=0.01)


def test_the_gradient_is_finite_everywhere():
    import tensorflow as tf

    images = np.concatenate([pictures("faces")[:3], pictures("flat")])
    images[0, 10:30, 10:30] = 0
    pixels = tf.Variable(images[..., None].astype(np.float32))
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(Hog()(pixels) ** 3)
    gradient = tape.gradient(total, pixels).numpy()
    assert np.isfinite(gradient).all()
    assert np.abs(gradient).max() > 0


def test_a_model_with_it_comes_back_from_its_file(tmp_path):
    inputs = keras.Input((48, 48, 1))
    joined = keras.layers.Concatenate()(
        [keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(inputs)), Hog(name="hog")(inputs)]
    )
    model = keras.Model(inputs, keras.layers.Dense(7, activation="softmax")(joined))
    path = tmp_path / "model.keras"
    model.save(path)
    write_info(path, ModelInfo("hog-cnn", EXPRESSIONS))
    images = pictures("faces")
    expected = model.predict(images[..., None].astype(np.float32), verbose=0)
    np.testing.assert_allclose(load_model(path).predict(images), expected, atol=1e-6)
