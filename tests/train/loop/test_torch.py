"""Training on PyTorch, in a process of its own: every augmentation, a teacher, the fused batch norm, bfloat16, Muon."""

import importlib.util
import os
import subprocess
import sys

import pytest

from fer_edge.model_file import read_info

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="needs PyTorch: pip install torch"),
]

SHARES = ("glasses", "shear", "vignette", "sharpness", "light", "blur", "noise", "erasing", "mixup", "cutmix")
ALL_AUGMENTATION = [word for name in SHARES for word in (f"--{name}", "0.3")]
TAUGHT = [
    "--teacher",
    "nano",
    "--views",
    "1",
    "--precision",
    "bfloat16",
    "--optimizer",
    "muon",
    "--learning-rate",
    "2e-2",
]


@pytest.mark.parametrize("options", [TAUGHT, ["--optimizer", "adamw"]], ids=["taught", "alone"])
def test_a_run_on_pytorch_learns(tmp_path, options):
    environment = os.environ | {"KERAS_BACKEND": "torch", "XDG_CACHE_HOME": str(tmp_path / "cache")}
    run = tmp_path / "run"
    command = [sys.executable, "-m", "fer_edge", "train", "demo", "--model", "nano", "--epochs", "2", "--out", str(run)]
    result = subprocess.run(
        [*command, *ALL_AUGMENTATION, *options], env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    losses = [float(line.split(",")[1]) for line in (run / "history.csv").read_text().splitlines()[1:]]
    assert losses[1] < losses[0]
    assert read_info(run / "model.keras").name == "nano"
