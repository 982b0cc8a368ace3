"""An epoch as one program of JAX: the steps of Keras's own loop, in a process with that backend."""

import importlib.util
import json
import os
import subprocess
import sys

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="needs JAX: pip install jax"),
]

# The processor stands in for the accelerator. Three steps: more would let rounding errors grow.
BOTH = """
import json
import numpy as np
from fer_edge.train.keras_setup import load_keras
keras = load_keras()
from fer_edge.train.augment.augmenter import Augmenter
from fer_edge.train.loop.training_model import AugmentedModel
from fer_edge.train.loop.batches import EpochBatches
from fer_edge.train.loop.optimizer import make_optimizer
from fer_edge.train.recipe import Recipe
from fer_edge.train.loop.device_resident import ResidentEpochs
from fer_edge.train.zoo.registry import ZOO

draw = np.random.default_rng(0)
images = draw.integers(0, 255, (100, 48, 48), dtype=np.uint8)
targets = np.eye(7, dtype=np.float32)[draw.integers(0, 7, 100)]
recipe = Recipe(optimizer="sgd", learning_rate=1e-2, epochs=1)

def train(resident):
    keras.utils.set_random_seed(1)
    model = AugmentedModel(ZOO["nano"].build(48, 7, 0.1), Augmenter(recipe.augmentation, 1), 0.1)
    batches = EpochBatches(images, targets, 32, seed=1, epoch=0)
    model.compile(optimizer=make_optimizer(recipe, len(batches)), jit_compile=True)
    model(batches[0][0], training=False)
    model.optimizer.build(model.trainable_variables)
    if resident:
        loss = ResidentEpochs(model).fit(batches)
    else:
        loss = model.fit(batches, verbose=0, shuffle=False).history["loss"][0]
    return loss, [np.array(v.numpy(), np.float64) for v in (*model.variables, *model.optimizer.variables)]

(loss, fit), (resident_loss, resident) = train(False), train(True)
largest = max(float(np.abs(a - b).max()) for a, b in zip(fit, resident, strict=True))
print(json.dumps({"fit": loss, "resident": resident_loss, "largest difference": largest}))
"""


def test_an_epoch_in_one_program_takes_the_steps_of_keras():
    environment = os.environ | {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
    ran = subprocess.run([sys.executable, "-c", BOTH], env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    assert found["resident"] == pytest.approx(found["fit"], rel=1e-5)
    assert found["largest difference"] < 1e-5
