"""Data-parallel training on JAX, on two virtual CPU devices, in a process of its own."""

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
