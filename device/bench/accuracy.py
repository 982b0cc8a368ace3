"""Accuracy of the file whose latency is measured, in the same run."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from fer_edge.errors import FerEdgeError, ModelFileError


@dataclasses.dataclass(frozen=True)
class Accuracy:
    """What ``fer-edge evaluate`` says about the file. All rates are shares in 0..1.

    Attributes:
        data: name of the data set.
        fingerprint: SHA-256 over its pixels and labels.
        split: of the data set.
        images: in the split.
        top1: share of the images whose class has the highest score.
        top1_se: its binomial standard error.
        balanced_accuracy: mean recall of the classes.
        macro_f1: mean F1 of the classes.
    """

    data: str
    fingerprint: str
    split: str
    images: int
    top1: float
    top1_se: float
    balanced_accuracy: float
    macro_f1: float


def measure_accuracy(model: Path, sha256: str, data: str, split: str) -> Accuracy:
    """Run ``fer-edge evaluate`` on this machine, in a process of its own, whose memory is not the device's.

    Args:
        model: a ``.tflite`` file.
        sha256: the digest that it must have.
        data: what ``--data`` of ``fer-edge evaluate`` takes.
        split: of the data.

    Raises:
        FerEdgeError: what the command says: data that cannot be read, labels that differ, a missing package.
        ModelFileError: the file changed meanwhile.
    """
    command = [sys.executable, "-P", "-m", "fer_edge", "evaluate", str(model), "--data", data, "--split", split]
    ran = subprocess.run([*command, "--json"], capture_output=True, text=True, errors="replace", check=False)
    if ran.returncode:
        said = ran.stderr.strip().splitlines() or ["no reason given"]
        raise FerEdgeError(said[-1].removeprefix("Error: "))
    result: dict[str, Any] = json.loads(ran.stdout)
    if result["models"][0]["sha256"] != sha256:
        raise ModelFileError(f"{model}: the file changed while it was measured; measure again")
    return Accuracy(
        data=result["data"]["name"],
        fingerprint=result["data"]["fingerprint"],
        split=result["data"]["split"],
        images=result["images"],
        top1=result["top1"],
        top1_se=result["accuracy_se"],
        balanced_accuracy=result["balanced_accuracy"],
        macro_f1=result["macro_f1"],
    )
