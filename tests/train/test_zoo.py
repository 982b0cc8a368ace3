"""The zoo's models: size, input, output."""

import numpy as np
import pytest

from fer_edge.train.zoo.registry import ZOO


def test_compact_has_its_published_size():
    model = ZOO["compact"].build(48, 7, 0.2)
    assert model.count_params() == 175_471
    assert {type(layer).__name__ for layer in model.layers} == {
        "InputLayer", "Rescaling", "Conv2D", "BatchNormalization", "ReLU", "GlobalAveragePooling2D", "Dropout", "Dense",
        "Softmax",
    }  # fmt: skip


@pytest.mark.parametrize("name", ZOO)
def test_every_model_maps_pixels_to_probabilities(name):
    architecture = ZOO[name]
    size = architecture.input_size
    model = architecture.build(size, 5, 0.1)
    scores = model(np.random.default_rng(0).uniform(0, 255, (3, size, size, 1)).astype(np.float32)).numpy()
    assert scores.shape == (3, 5)
    assert np.allclose(scores.sum(axis=1), 1, atol=1e-5)
