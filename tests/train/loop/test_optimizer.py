"""Steps and rates of the optimizers."""

import numpy as np
import pytest

from fer_edge.train.keras_setup import load_keras
from fer_edge.train.loop.optimizer import make_optimizer, plateau_rate
from fer_edge.train.recipe import Recipe


def test_a_step_of_muon_goes_as_far_in_every_direction_of_a_kernel():
    keras = load_keras()
    layer = keras.layers.Conv2D(8, 3, use_bias=False)
    layer.build((None, 6, 6, 4))
    draw = np.random.default_rng(1)
    # One direction has nearly all of the gradient; a step along it would hardly move the others.
    strong = np.outer(draw.normal(size=36), draw.normal(size=8))
    gradient = (strong + 0.05 * draw.normal(size=(36, 8))).reshape(3, 3, 4, 8).astype(np.float32)
    before = layer.get_weights()[0]
    recipe = Recipe(optimizer="muon", warmup_epochs=0.0, weight_decay=0.0, learning_rate=0.01)
    make_optimizer(recipe, 10).apply([keras.ops.array(gradient)], layer.trainable_variables)
    step = (before - layer.get_weights()[0]).reshape(36, 8)
    values = np.linalg.svd(step, compute_uv=False)
    of_gradient = np.linalg.svd(gradient.reshape(36, 8), compute_uv=False)
    assert of_gradient.max() > 20 * np.median(of_gradient)
    assert values.min() > 0.4 * values.max()
    assert values.max() == pytest.approx(0.01 * 0.2 * 36**0.5, rel=0.3)  # Liu et al. 2025, section 2.2


def test_plateau_lowers_the_rate_after_epochs_without_a_better_one():
    recipe = Recipe(learning_rate=1.0)
    assert plateau_rate(recipe, []) == 1
    assert plateau_rate(recipe, [0.5] * 5) == 1
    assert plateau_rate(recipe, [0.5] * 6) == 0.75
    assert plateau_rate(recipe, [0.5] * 10) == 0.75
    assert plateau_rate(recipe, [0.5] * 11) == 0.75**2
    assert plateau_rate(recipe, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]) == 1
