"""Temperature scaling: finds the temperature that was put in, folds it, changes no prediction."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_edge.errors import DataError
from fer_edge.train.keras_setup import load_keras
from fer_edge.train.loop import temperature as module
from fer_edge.train.loop.temperature import LEAST_IMAGES, at_temperature, calibrate, fit_temperature
from fer_edge.train.zoo.registry import ZOO


def drawn(temperature, count=20_000, seed=0):
    """Return overconfident (or shy) scores whose labels were drawn from the true probabilities."""
    random = np.random.default_rng(seed)
    truth = random.dirichlet(np.ones(4), count)
    labels = (truth.cumsum(axis=1) > random.random((count, 1))).argmax(axis=1)
    return at_temperature(truth, 1 / temperature).astype(np.float32), labels


@settings(max_examples=8, deadline=None)
@given(st.floats(0.5, 3.0))
def test_it_finds_the_temperature_that_was_put_in(temperature):
    scores, labels = drawn(temperature)
    assert fit_temperature(scores, labels) == pytest.approx(temperature, rel=0.05)


def test_where_labels_are_noisy_it_is_as_sure_as_right():
    scores, labels = drawn(2.0)
    noisy = np.where(np.arange(len(labels)) % 5 == 0, np.random.default_rng(3).permutation(labels), labels)
    found = at_temperature(scores, fit_temperature(scores, noisy))
    assert found.max(axis=1).mean() == pytest.approx((scores.argmax(axis=1) == noisy).mean(), abs=2e-3)


def test_it_is_folded_into_the_model():
    model = ZOO["nano"].build(48, 7, 0.0)
    head = model.get_layer("logits")
    random = np.random.default_rng(1)
    head.set_weights([random.normal(0, 1, array.shape) for array in head.get_weights()])  # surer than at the beginning
    images = random.integers(0, 255, (300, 48, 48, 1)).astype(np.float32)
    before = model.predict(images, verbose=0)
    truth = at_temperature(before, 2.0)
    labels = (truth.cumsum(axis=1) > random.random((300, 1))).argmax(axis=1)
    found = calibrate(model, before, labels, len(labels))
    assert found.found
    assert found.temperature == pytest.approx(2, rel=0.3)
    after = model.predict(images, verbose=0)
    assert np.allclose(after, at_temperature(before, found.temperature), atol=1e-4)
    assert np.array_equal(after.argmax(axis=1), before.argmax(axis=1))
    assert found.images == 300
    assert found.error_after < found.error_before


def test_where_no_temperature_is_the_most_likely_the_model_stays():
    model = ZOO["nano"].build(48, 7, 0.0)
    images = np.random.default_rng(1).integers(0, 255, (40, 48, 48, 1)).astype(np.float32)
    before = model.predict(images, verbose=0)
    found = calibrate(model, before, before.argmax(axis=1), 40)  # all right: the surer, the likelier
    assert (found.temperature, found.found) == (1.0, False)
    assert found.error_after == pytest.approx(found.error_before)
    assert np.array_equal(model.predict(images, verbose=0), before)


def test_of_a_handful_of_images_no_temperature_is_taken():
    model = ZOO["nano"].build(48, 7, 0.0)
    scores, labels = drawn(2.0)
    for images, found in ((LEAST_IMAGES - 1, False), (LEAST_IMAGES, True)):
        assert calibrate(model, scores, labels, images).found is found


def test_a_temperature_that_makes_it_worse_is_not_taken(monkeypatch):
    model = ZOO["nano"].build(48, 7, 0.0)
    scores, labels = drawn(1.0)
    before = [weights.copy() for weights in model.get_layer("logits").get_weights()]
    monkeypatch.setattr(module, "fit_temperature", lambda *_: 0.5)
    found = calibrate(model, scores, labels, len(labels))
    assert (found.temperature, found.found) == (1.0, False)
    assert found.error_after == found.error_before < 0.02
    assert all(map(np.array_equal, before, model.get_layer("logits").get_weights()))


def test_a_model_that_ends_otherwise_is_refused():
    keras = load_keras()
    model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(3, 8), keras.layers.Flatten()])
    with pytest.raises(DataError, match="expected a dense layer at the end"):
        calibrate(model, np.full((4, 3), 1 / 3, np.float32), np.zeros(4, np.int64), 4)
