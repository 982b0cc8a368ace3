"""``fer_edge.benchmark``: the device's measurement, with the workstation's evaluation where data are given.

This stands above all packages, beside the command line's shell: neither of the two knows the other.
"""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fer_edge.errors import ConfigError, FerEdgeError, ModelFileError
from fer_edge.lazy import require

if TYPE_CHECKING:
    from fer_edge.device.bench.accuracy import Accuracy
    from fer_edge.device.bench.measure import BenchConfig
    from fer_edge.device.bench.report import Measurement


def benchmark(
    model: str | os.PathLike[str] | None = None,
    config: BenchConfig | None = None,
    *,
    report: Callable[[str], None] = lambda doing: None,
    **options: Any,
) -> Measurement:
    """Measure the latency of a model, and of the device loop with it, on this machine.

    Args:
        model: name of a shipped model, or path of a ``.tflite`` file; by default that of `config`.
        config: a `fer_edge.device.bench.measure.BenchConfig`; by default the protocol's, which takes minutes.
        report: told what is done before each part.
        options: fields of the configuration by name, instead of those of `config`: ``frames`` of the loop, ``runs`` and
            ``seconds`` of the model, ``threads``, ``xnnpack``, ``source``; ``data`` and ``split`` for its accuracy.

    Returns:
        The measurement. ``latency`` has a row for each thread count with and without XNNPACK, in microseconds a face;
        ``pipeline`` milliseconds a frame by stage; ``accuracy`` shares in 0..1.

    Raises:
        ConfigError: a value out of its range, or data that do not exist.
        ModelFileError: the model does not exist or is of another kind.
        SourceError: the source does not exist or delivers no frames.
        MissingExtraError: what a part needs is not installed.
        FerEdgeError: the data cannot be read, or do not fit the model.

    Example:
        >>> import fer_edge
        >>> found = fer_edge.benchmark("nano", frames=0, runs=5, seconds=0, threads=(1,), xnnpack="on")
        >>> found.latency[0].wall_us.p50 > 0
        True
    """
    require("cv2", "device")
    from fer_edge.device.bench.measure import BenchConfig, measure

    if model is not None:
        options["model"] = model
    config = dataclasses.replace(config or BenchConfig(), **options)
    if config.data is not None:
        _check_data(config.data)
    return measure(config, measure_accuracy=measure_accuracy, report=report)


def _check_data(data: str) -> None:
    if not require("fer_edge.train.data.spec", "train").parts_of(data):
        raise ConfigError(
            "data",
            f"`data` '{data}' does not exist; give a fer2013.csv, a folder or zip of pictures, 'demo', or several "
            "joined with '+'",
        )


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
    from fer_edge.device.bench.accuracy import Accuracy

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
