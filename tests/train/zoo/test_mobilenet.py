"""MobileNets: colour, width and size, and published weights."""

import numpy as np
import pytest

from fer_edge.errors import ConfigError, ModelFileError
from fer_edge.train.keras_setup import load_keras
from fer_edge.train.recipe import Recipe
from fer_edge.train.runs.config import TrainConfig
from fer_edge.train.zoo.mobilenet import take_backbone
from fer_edge.train.zoo.registry import find_architecture


def built(channels=3, width=0.35, size=32):
    architecture = find_architecture("mobilenet-v2", size, channels, width)
    assert (architecture.input_size, architecture.channels) == (size, channels)
    return architecture.build(size, 5, 0.1)


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A file of weights as Keras publishes them, for 96 pixels in colour, with random values."""
    load_keras().utils.set_random_seed(7)
    backbone = load_keras().applications.MobileNetV2((96, 96, 3), alpha=0.35, include_top=False, weights=None)
    path = tmp_path_factory.mktemp("weights") / "backbone.weights.h5"
    backbone.save_weights(path)
    return path


def test_published_weights_are_taken_and_summed_for_grey(published):
    colour, grey = built(), built(channels=1)
    before = colour.get_layer("logits").get_weights()[0].copy()
    for model in (colour, grey):
        take_backbone(model, published, 0.35)
    assert np.array_equal(colour.get_layer("logits").get_weights()[0], before)
    grey.get_layer("logits").set_weights(colour.get_layer("logits").get_weights())
    images = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 1)).astype(np.float32)
    expected = colour(np.repeat(images, 3, axis=-1)).numpy()
    assert np.allclose(grey(images).numpy(), expected, atol=1e-5)


def test_other_weights_are_refused(published, tmp_path):
    with pytest.raises(ModelFileError, match=r"of width 0\.5 without its top, found others"):
        take_backbone(built(width=0.5), published, 0.5)
    (tmp_path / "no.h5").write_bytes(b"no HDF5")
    with pytest.raises(ModelFileError, match="expected weights of mobilenet-v2"):
        take_backbone(built(), tmp_path / "no.h5", 0.35)
    with pytest.raises(ConfigError, match="is for mobilenet-v2 and"):
        take_backbone(find_architecture("nano").build(48, 7, 0.1), published, 1.0)


def test_what_only_mobilenets_have_is_refused_elsewhere(tmp_path):
    for changed in ({"input": "rgb"}, {"input_size": 64}, {"width": 0.5}):
        with pytest.raises(ConfigError, match="it is for mobilenet-v2"):
            TrainConfig(tmp_path, Recipe(**changed), model="nano")
        TrainConfig(tmp_path, Recipe(**changed), model="mobilenet-v2")
        assert set(changed) <= set(Recipe(**changed).to_dict())
    assert not {"input", "input_size", "width"} & set(Recipe().to_dict())
    with pytest.raises(ConfigError, match="for grey crops"):
        Recipe(input="rgb", contrast="clahe")
