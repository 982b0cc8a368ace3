"""Training on JAX, in processes of their own: two virtual devices, an epoch as one program, two that train together."""

import csv
import importlib.util
import json
import os
import socket
import subprocess
import sys

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
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


def start(tmp_path, fer_csv, name, **variables):
    environment = os.environ | {
        "KERAS_BACKEND": "jax",
        "JAX_PLATFORMS": "cpu",
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        **variables,
    }
    command = [sys.executable, "-m", "fer_edge", "train", str(fer_csv), "--model", "nano", "--epochs", "2", "--json"]
    command += ["--batch-size", "16", "--holdout", "0.2", "--out", str(tmp_path / name)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ended(process):
    try:
        out, err = process.communicate(timeout=400)
    finally:
        process.kill()
    assert process.returncode == 0, err
    return json.loads(out)


def history_of(folder):
    with (folder / "history.csv").open() as rows:
        return [
            {name: float(value) for name, value in row.items() if name != "seconds"} for row in csv.DictReader(rows)
        ]


def test_two_processes_learn_what_one_learns(tmp_path, fer_csv):
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
    both = [
        start(
            *(tmp_path, fer_csv, "together"),
            KERAS_DISTRIBUTION_JOB_ADDRESSES=address,
            KERAS_DISTRIBUTION_NUM_PROCESSES="2",
            KERAS_DISTRIBUTION_PROCESS_ID=str(number),
        )
        for number in range(2)
    ]
    first, second = map(ended, both)
    assert first == second
    assert first["model"] == str(tmp_path / "together/model.keras")  # of both: the second one keeps no files
    ended(start(tmp_path, fer_csv, "alone"))
    together, alone = history_of(tmp_path / "together"), history_of(tmp_path / "alone")
    assert len(together) == len(alone) == 2
    for ours, theirs in zip(together, alone, strict=True):
        # Sums in another order; the same batches, weights and augmentation.
        assert ours["loss"] == pytest.approx(theirs["loss"], rel=1e-3)
        assert ours["holdout_loss"] == pytest.approx(theirs["holdout_loss"], rel=1e-3)
