"""Weights in mirrored pairs: a picture and its mirror image get the same, in training, in the file, and in int8."""

import dataclasses

import numpy as np
import pytest
from click.testing import CliRunner

from fer_edge.cli import main
from fer_edge.errors import DataError
from fer_edge.runtime import TFLiteModel
from fer_edge.train.augment.augmentation import Augmentation
from fer_edge.train.data.dataset import PUBLIC_TEST
from fer_edge.train.keras_model import load_model
from fer_edge.train.keras_setup import load_keras
from fer_edge.train.loop.mirror_equivariance import MirroredPairs, tie
from fer_edge.train.loop.training import train_model
from fer_edge.train.recipe import Recipe
from fer_edge.train.zoo.registry import ZOO, find_architecture

VGG = """
convolutions:
  - {filters: 8}
  - {filters: 12, pool: 2}
  - {filters: 8, kernel: 4, stride: 2}
dense: [10]
"""
SHORT = Recipe(
    epochs=2, batch_size=20, warmup_epochs=0.5, learning_rate=1e-2, symmetric=True, augmentation=Augmentation(mixup=0.5)
)


def network(tmp_path, text):
    path = tmp_path / "network.yaml"
    path.write_text(text)
    return str(path)


def scrambled(model, seed=1):
    """Give every weight, and every statistic of a batch norm, a value of its own."""
    random = np.random.default_rng(seed)
    model.set_weights(
        [
            random.normal(0, 0.1, w.shape) if w.ndim > 1 else random.uniform(0.5, 1.5, w.shape)
            for w in model.get_weights()
        ]
    )
    return model


def both_ways(model, seed=2):
    """Return what a model says of pictures, and of their mirror images."""
    pictures = np.random.default_rng(seed).uniform(0, 255, (4, 48, 48, 1)).astype(np.float32)
    return [np.asarray(model(x, training=False)) for x in (pictures, pictures[:, :, ::-1])]


def tied(model):
    tie(model)
    for layer in model.layers:
        if type(layer).__name__ == "BatchNormalization":
            for statistic in (layer.moving_mean, layer.moving_variance):
                statistic.assign(layer.gamma.constraint(statistic.value))
    return model


@pytest.mark.parametrize("name", ["compact", "large", "teacher", "vgg"])
def test_a_picture_and_its_mirror_image_get_the_same(name):
    keras = load_keras()
    keras.utils.set_random_seed(1)
    model = ZOO[name].build(48, 7, 0.0)
    there, mirrored = both_ways(model)
    assert np.abs(there - mirrored).max() > 1e-4  # without ties
    there, mirrored = both_ways(tied(model))
    assert there == pytest.approx(mirrored, abs=1e-5)
    assert np.ptp(there, axis=0).max() > 1e-4  # pictures still differ


def test_whatever_the_weights_are(tmp_path):
    model = scrambled(find_architecture(network(tmp_path, VGG)).build(48, 7, 0.0))
    there, mirrored = both_ways(model)
    assert np.abs(there - mirrored).max() > 1e-3
    there, mirrored = both_ways(tied(model))
    assert there == pytest.approx(mirrored, abs=1e-5)


def test_what_is_tied_stays_as_it_is():
    pairs = MirroredPairs((2, 3), width=1)
    kernel = pairs(np.random.default_rng(1).normal(size=(3, 4, 6, 8)).astype(np.float32))
    assert np.asarray(pairs(kernel)) == pytest.approx(np.asarray(kernel))
    assert np.asarray(kernel)[:, :, :3, :4] == pytest.approx(np.asarray(kernel)[:, ::-1, 3:, 4:])


@pytest.mark.parametrize(("optimizer", "sam"), [("adamw", 0), ("muon", 0), ("sgd", 0.05)])
def test_a_trained_model_is_symmetric_and_plain(tiny, tmp_path, optimizer, sam):
    train_model(tiny, "compact", dataclasses.replace(SHORT, optimizer=optimizer, sam=sam), tmp_path)
    model = load_model(tmp_path / "model.keras")
    images = tiny.split(PUBLIC_TEST).images
    assert model.predict(images) == pytest.approx(model.predict(images[:, :, ::-1]), abs=1e-5)
    assert model.model.get_layer("conv1").kernel_constraint is None
    assert model.info.training["recipe"]["symmetric"] is True


def test_momentum_is_tied_too(tiny, tmp_path):
    """The gradient is projected, not the weights alone: else an optimizer's memory would fight the ties."""
    train_model(tiny, "compact", dataclasses.replace(SHORT, optimizer="sgd", epochs=1), tmp_path)
    with np.load(tmp_path / "checkpoint.npz") as arrays:
        momenta = [arrays[name] for name in arrays.files if arrays[name].shape == (3, 3, 24, 24)]
    assert len(momenta) > 1  # weights, momentum, averages
    pairs = MirroredPairs((2, 3), width=1)
    for array in momenta:
        assert np.abs(array).max() > 0
        assert array == pytest.approx(np.asarray(pairs(array)), abs=1e-6)


def test_the_int8_file_hardly_tells_them_apart(tiny, fer_csv, tmp_path):
    pytest.importorskip("tensorflow")
    train_model(tiny, "compact", dataclasses.replace(SHORT, epochs=6), tmp_path)
    file = tmp_path / "compact.tflite"
    arguments = ["convert", str(tmp_path / "model.keras"), "--int8", "--qat-epochs", "0"]
    result = CliRunner().invoke(main, [*arguments, "--data", str(fer_csv), "--out", str(file)])
    assert result.exit_code == 0, result.output
    images = tiny.split(PUBLIC_TEST).images
    there, mirrored = (TFLiteModel(file).predict(x) for x in (images, images[:, :, ::-1]))
    assert np.abs(there - mirrored).mean() < 0.01
    assert there.std(axis=0).max() > 0.05  # pictures differ


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("nano", "", "found a window of 3 pixels and a stride of 2 on 48"),
        ("cnn-lstm", "", "found a window of 2 pixels and a stride of 2 on 21"),
        ("hog-cnn", "", "found a layer of another kind"),
        ("", "convolutions: [{filters: 7}]", "found 7 channels, an odd number"),
        ("", "convolutions: [{filters: 8, stride: 2}]", "found a window of 3 pixels and a stride of 2 on 48"),
        ("", "convolutions: [{filters: 8, kernel: 5, pool: 5}]", "found a window of 5 pixels and a stride of 5 on 48"),
    ],
)
def test_a_network_that_cannot_be_tied_is_told(fer_csv, tmp_path, name, text, found):
    name = name or network(tmp_path, text)
    arguments = ["train", str(fer_csv), "--model", name, "--out", str(tmp_path / "run"), "--symmetric"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1
    assert found in result.output
    assert "leave --symmetric out" in result.output
    assert not (tmp_path / "run").exists()


def test_an_odd_layer_is_refused():
    layers = load_keras().layers
    inputs = load_keras().Input((48, 48, 1))
    x = layers.Flatten()(layers.Conv2D(4, 3, padding="same")(inputs))
    model = load_keras().Model(inputs, layers.Dense(7, name="logits")(layers.Dense(5)(x)))
    with pytest.raises(DataError, match="found 5 channels, an odd number"):
        tie(model)


def test_a_batch_norm_of_flattened_maps_is_refused():
    layers = load_keras().layers
    inputs = load_keras().Input((48, 48, 1))
    x = layers.BatchNormalization()(layers.Flatten()(layers.Conv2D(4, 3, padding="same")(inputs)))
    with pytest.raises(DataError, match="found one of flattened maps"):
        tie(load_keras().Model(inputs, layers.Dense(7)(x)))
