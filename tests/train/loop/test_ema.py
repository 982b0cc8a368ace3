"""The averaged weights: batch norm statistics of all the images in any order; the trained weights come back."""

import numpy as np
import pytest

from fer_edge.train.loop.ema import BATCH, averaged_weights, recompute_statistics
from fer_edge.train.loop.optimizer import make_optimizer
from fer_edge.train.loop.training_model import AugmentedModel
from fer_edge.train.recipe import Recipe
from fer_edge.train.zoo.registry import ZOO


def statistics(images):
    model = ZOO["nano"].build(48, 7, 0.0)
    norm = model.get_layer("norm1")
    model.get_layer("conv1").set_weights([np.full((3, 3, 1, 12), 0.1, np.float32)])
    recompute_statistics(model, images)
    return np.asarray(norm.moving_mean), np.asarray(norm.moving_variance)


def test_classes_that_lie_apart_do_not_narrow_them():
    random = np.random.default_rng(1)
    dark, bright = (random.integers(low, low + 30, (300, 48, 48), dtype=np.uint8) for low in (0, 200))
    apart = np.concatenate([dark, bright])
    together = apart[random.permutation(len(apart))]
    assert len(apart) % BATCH  # the last ones count too
    for found, expected in zip(statistics(apart), statistics(together), strict=True):
        assert found == pytest.approx(expected, rel=0.03)
    assert statistics(apart)[1].min() > 3 * statistics(dark)[1].max()  # the classes do differ


@pytest.fixture
def stepped():
    """A model in training whose averages are not its weights any more, with the state it has now."""
    model = AugmentedModel(ZOO["nano"].build(48, 7, 0.0), None, 0.0)
    model.classifier.get_layer("norm1").momentum = 0.9
    model.compile(optimizer=make_optimizer(Recipe(epochs=10, ema_epochs=1.0, learning_rate=0.1), 10))
    model.optimizer.build(model.trainable_variables)
    for _ in range(3):  # the average begins with the weights after the first step
        model.optimizer.apply([np.ones(v.shape, np.float32) for v in model.trainable_variables])
    return model, [np.array(v.numpy()) for v in model.variables]


def assert_unchanged(model, before):
    for variable, value in zip(model.variables, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)
    assert model.classifier.get_layer("norm1").momentum == 0.9


def test_the_averages_are_there_in_the_block_and_the_trained_weights_after_it(stepped):
    model, before = stepped
    with averaged_weights(model, np.zeros((4, 48, 48), np.uint8)):
        averages = [v.numpy() for v in model.trainable_variables]
    trained = [v.numpy() for v in model.trainable_variables]
    assert not any(map(np.array_equal, averages, trained))
    assert_unchanged(model, before)


def test_an_error_while_the_averages_are_put_in_place_leaves_the_trained_weights(stepped):
    model, before = stepped
    too_small = np.zeros((4, 2, 2), np.uint8)  # for a network of 48 x 48 pixels
    with pytest.raises(ValueError, match="incompatible"), averaged_weights(model, too_small):
        pass
    assert_unchanged(model, before)


def test_an_error_in_the_block_leaves_the_trained_weights(stepped):
    model, before = stepped
    with pytest.raises(KeyboardInterrupt), averaged_weights(model, np.zeros((4, 48, 48), np.uint8)):
        raise KeyboardInterrupt
    assert_unchanged(model, before)
