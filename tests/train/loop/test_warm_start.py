"""Training that begins with what a trained model, or a converted one such as a shipped one, has learned."""

import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from fer_edge.convert.export.blocks import block_kernel
from fer_edge.convert.export.tflite import export_float
from fer_edge.convert.graph.from_keras import read_keras
from fer_edge.errors import ModelFileError
from fer_edge.labels import EXPRESSIONS
from fer_edge.model_file import ModelInfo, read_info, write_info
from fer_edge.runtime import TFLiteModel
from fer_edge.shipped import shipped_models
from fer_edge.train.augment.augmentation import Augmentation
from fer_edge.train.data.dataset import TRAINING
from fer_edge.train.data.demo import make_demo
from fer_edge.train.keras_model import KerasModel, load_model
from fer_edge.train.keras_setup import load_keras
from fer_edge.train.loop.training import train_model
from fer_edge.train.loop.warm_start import load_warm_start, off_blocks, take_weights
from fer_edge.train.recipe import Recipe
from fer_edge.train.zoo.registry import ZOO, find_architecture
from tests.train.loop.conftest import SHORT

STILL = Augmentation(flip=False, rotation=0, scale=0, shift=0, contrast=0, erasing=0, mixup=0)
SLOW = Recipe(epochs=1, learning_rate=1e-6, weight_decay=0.0, ema_epochs=0.0, holdout=0.0, augmentation=STILL)


@pytest.fixture(scope="module")
def faces():
    return make_demo(training=300, public_test=20, private_test=20).split(TRAINING).images


def begun(name, images, labels=EXPRESSIONS, symmetric=True):
    classifier = ZOO[name].build(48, len(labels), 0.1)
    load_warm_start(classifier, shipped_models()[name], labels, images, mirror_equivariant=symmetric)
    return classifier


@pytest.mark.parametrize("name", ["nano", "compact", "large"])
def test_it_says_what_the_int8_file_says(name, faces):
    path = shipped_models()[name]
    said = KerasModel(begun(name, faces, symmetric=name != "nano"), read_info(path)).predict(faces)
    expected = TFLiteModel(path).predict(faces)
    assert np.abs(said - expected).mean() < 0.01
    assert (said.argmax(axis=1) == expected.argmax(axis=1)).mean() > 0.95


def test_norms_have_the_statistics_of_the_images_and_kernels_the_length_of_new_ones(faces):
    classifier = begun("compact", faces)
    before = KerasModel(classifier, read_info(shipped_models()["compact"])).predict(faces)
    pixels = np.concatenate([faces, faces[:, :, ::-1]])[..., None].astype(np.float32)
    in_training = np.asarray(classifier(pixels, training=True))[: len(faces)]
    # Dropout is the only other thing that differs in training.
    assert np.abs(in_training - before).mean() < 0.05
    for number in range(1, 8):
        kernel = np.asarray(classifier.get_layer(f"conv{number}").kernel)
        assert np.sqrt((kernel**2).sum(axis=(0, 1, 2))) == pytest.approx(np.sqrt(2), rel=1e-3)


def test_a_run_goes_on_from_a_shipped_model(tiny, tmp_path):
    path = shipped_models()["compact"]
    recipe = dataclasses.replace(SLOW, symmetric=True, start="hash")
    train_model(tiny, "compact", recipe, tmp_path / "run", start=path)
    assert json.loads((tmp_path / "run/run.json").read_text())["recipe"]["start"] == "hash"
    images = tiny.split(TRAINING).images
    said = load_model(tmp_path / "run/model.keras").predict(images)
    assert np.abs(said - TFLiteModel(path).predict(images)).mean() < 0.02


def test_for_other_classes_the_last_layer_begins_anew(faces):
    keras = load_keras()
    keras.utils.set_random_seed(3)
    new = ZOO["compact"].build(48, 3, 0.1).get_layer("logits").get_weights()
    keras.utils.set_random_seed(3)
    classifier = begun("compact", faces, labels=("a", "b", "c"))
    for value, expected in zip(classifier.get_layer("logits").get_weights(), new, strict=True):
        np.testing.assert_array_equal(value, expected)
    features = classifier.get_layer("conv7").get_weights()[0]
    np.testing.assert_array_equal(features, begun("compact", faces).get_layer("conv7").get_weights()[0])


@pytest.mark.parametrize("other", ["nano", "large", "deep-cnn"])
def test_another_networks_file_is_refused(other, faces):
    path = shipped_models()["compact"]
    with pytest.raises(ModelFileError, match=r"compact.tflite: expected the int8 file of the network"):
        load_warm_start(ZOO[other].build(48, 7, 0.1), path, EXPRESSIONS, faces, mirror_equivariant=False)


def test_a_float_file_is_refused(faces, tmp_path):
    keras = load_keras()
    inputs = keras.Input((48, 48, 1))
    x = keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(inputs))
    model = keras.Model(inputs, keras.layers.Dense(7, activation="softmax")(x))
    path = tmp_path / "float.tflite"
    path.write_bytes(export_float(read_keras(model)))
    write_info(path, ModelInfo("custom", EXPRESSIONS))
    with pytest.raises(ModelFileError, match=r"float.tflite: expected the int8 file of the network"):
        load_warm_start(model, path, EXPRESSIONS, faces, mirror_equivariant=False)


def test_a_damaged_file_is_refused(faces, tmp_path):
    path = tmp_path / "torn.tflite"
    content = bytearray(shipped_models()["compact"].read_bytes())
    content[90_000] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match="the file is damaged"):
        load_warm_start(ZOO["compact"].build(48, 7, 0.1), path, EXPRESSIONS, faces, mirror_equivariant=False)


@settings(max_examples=20, deadline=None)
@given(arrays.arrays(np.float32, st.sampled_from([(3, 3, 1, 5), (3, 4, 1, 2)]), elements=st.floats(-3, 3, width=32)))
def test_a_kernel_on_blocks_comes_back(kernel):
    np.testing.assert_array_equal(off_blocks(block_kernel(kernel), kernel.shape), kernel)


def test_a_kernel_of_other_blocks_is_none():
    assert off_blocks(np.zeros((2, 2, 4, 5), np.float32), (3, 4, 1, 5)) is None
    assert off_blocks(np.zeros((3, 3, 4, 5), np.float32), (3, 3, 8, 5)) is None


def test_it_begins_with_a_trained_models_weights(tiny, run, tmp_path):
    one = dataclasses.replace(SHORT, epochs=1, learning_rate=1e-9, ema_epochs=0.0, weight_decay=0.0)
    trained = run[0] / "model.keras"
    train_model(tiny, "compact", dataclasses.replace(one, start="hash"), tmp_path / "b", start=trained)
    assert json.loads((tmp_path / "b/run.json").read_text())["recipe"]["start"] == "hash"
    for layer, before in zip(
        *(load_model(p / "model.keras").model.layers for p in (tmp_path / "b", run[0])), strict=True
    ):
        if layer.name.startswith("conv"):
            np.testing.assert_allclose(layer.get_weights()[0], before.get_weights()[0], atol=1e-6)


def test_for_other_classes_only_the_last_layer_begins_anew(run):
    keras = load_keras()
    trained = load_model(run[0] / "model.keras")
    keras.utils.set_random_seed(5)
    classifier = find_architecture("compact").build(48, 3, 0.1)
    last = classifier.get_layer("logits").get_weights()
    take_weights(classifier, trained, ("a", "b", "c"), run[0])
    for layer in classifier.layers:
        expected = last if layer.name == "logits" else trained.model.get_layer(layer.name).get_weights()
        for value, other in zip(layer.get_weights(), expected, strict=True):
            np.testing.assert_array_equal(value, other)


def test_another_networks_weights_are_refused(run):
    trained = load_model(run[0] / "model.keras")
    with pytest.raises(ModelFileError, match="expected the network that is to be trained, found another \\(compact\\)"):
        take_weights(find_architecture("nano").build(48, 7, 0.1), trained, EXPRESSIONS, run[0])


def test_a_free_network_does_not_become_a_symmetric_one(run, tiny, tmp_path):
    symmetric = dataclasses.replace(SHORT, symmetric=True)
    with pytest.raises(ModelFileError, match="expected a symmetric network"):
        train_model(tiny, "compact", symmetric, tmp_path / "run", start=run[0] / "model.keras")
    assert not (tmp_path / "run").exists()
