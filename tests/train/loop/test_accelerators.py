"""Training on JAX, in processes of their own: on two virtual devices, and an epoch as one program on one."""

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
from fer_edge.train.loop.accelerators import ResidentEpochs
from fer_edge.train.zoo.registry import ZOO

draw = np.random.default_rng(0)
images = draw.integers(0, 255, (100, 48, 48), dtype=np.uint8)
label = np.eye(7, dtype=np.float32)[draw.integers(0, 7, 100)]
targets = {"label": label, "auxiliary": label[:, :3]}
recipe = Recipe(optimizer="sgd", learning_rate=1e-2, epochs=1)

def train(resident):
    keras.utils.set_random_seed(1)
    network = ZOO["nano"].build(48, 7, 0.1)
    model = AugmentedModel(network, Augmenter(recipe.augmentation, 1), 0.1, auxiliary=(3, 0.5))
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


def train(tmp_path, name, devices, *options):
    environment = os.environ | {
        "KERAS_BACKEND": "jax",
        "XLA_FLAGS": f"--xla_force_host_platform_device_count={devices}",
        "JAX_PLATFORMS": "cpu",
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }
    arguments = ["train", "demo", "--model", "nano", "--epochs", "1", "--out", str(tmp_path / name), *options]
    return subprocess.run(
        [sys.executable, "-m", "fer_edge", *arguments], env=environment, capture_output=True, text=True, check=False
    )


def test_two_devices_learn_what_one_learns(tmp_path):
    losses = []
    for devices in (1, 2):
        result = train(tmp_path, f"run{devices}", devices, "--json")
        assert result.returncode == 0, result.stderr
        assert json.loads(result.stdout)["epochs"] == 1
        losses.append(float((tmp_path / f"run{devices}/history.csv").read_text().splitlines()[1].split(",")[1]))
    # Sums in another order; the same batches, weights and augmentation.
    assert losses[0] == pytest.approx(losses[1], rel=0.02)


def test_a_batch_that_cannot_be_divided_is_refused(tmp_path):
    result = train(tmp_path, "run", 2, "--batch-size", "63")
    assert result.returncode == 1
    assert "expected a multiple of the 2 devices" in result.stderr
