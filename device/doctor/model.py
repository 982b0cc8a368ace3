"""Checks of the model file."""

from __future__ import annotations

import math
from pathlib import Path

import fer_edge
from fer_edge.device.doctor.child import ask
from fer_edge.device.doctor.finding import Finding, Status, split_advice
from fer_edge.device.doctor.system import System
from fer_edge.errors import ModelFileError
from fer_edge.model_file import check_tflite, file_hash, read_info
from fer_edge.shipped import DEFAULT, shipped_models

CONVERT = "convert the model again with 'fer-edge convert --int8'"
REINSTALL = "{} install --force-reinstall --no-deps 'ai-edge-litert>=2.1,<3'"

SUM_TOLERANCE = 0.05
"""How far seven scores in steps of 1/256 may be from 1 in sum, with room for the runtime's rounding."""


def check_model(system: System, path: Path | None) -> Finding:
    """See whether the model file is whole, and name it.

    Args:
        system: the machine.
        path: the file; None if the package's own is missing.
    """
    try:
        return _model(system, path)
    except Exception as error:  # without a model nothing works, whatever it is that keeps it from being read
        return _failed("model", error)


def check_inference(system: System, path: Path | None) -> Finding:
    """See whether the model is int8 and one inference works."""
    try:
        return _inference(system, path)
    except Exception as error:
        return _failed("inference", error)


def _failed(name: str, error: Exception) -> Finding:
    reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
    return Finding(name, Status.PROBLEM, f"the model cannot be checked: {reason}", CONVERT)


def _model(system: System, path: Path | None) -> Finding:
    if path is None:
        wheel = f"fer_edge-{fer_edge.__version__}-py3-none-any.whl"
        again = f"install fer-edge's wheel again: {system.pip} install --force-reinstall --no-deps {wheel}"
        return Finding("model", Status.PROBLEM, "the model that belongs to fer-edge is missing", again)
    try:
        check_tflite(path)
        info = read_info(path)
        digest = file_hash(path)
    except ModelFileError as error:
        return Finding("model", Status.PROBLEM, *split_advice(str(error)))
    size = path.stat().st_size / 1024
    return Finding(
        "model",
        Status.OK,
        f"{info.name}, {len(info.labels)} classes, {info.input_size}x{info.input_size} pixels, {size:.0f} KB, "
        f"SHA-256 {digest}",
    )


def _inference(system: System, path: Path | None) -> Finding:
    name = "inference"
    if path is None or check_model(system, path).status is Status.PROBLEM:
        return Finding(name, Status.UNKNOWN, "not tried without a model")
    answer = ask(system, "inference", str(path))
    if answer.error == "MissingExtraError" or answer.lacks("numpy"):
        return Finding(name, Status.UNKNOWN, "not tried without numpy and a TFLite runtime")
    if answer.ours:
        return Finding(name, Status.PROBLEM, *split_advice(answer.message))
    if answer.error:
        return Finding(
            name,
            Status.PROBLEM,
            f"the TFLite runtime fails: {answer.message}",
            CONVERT if _runs_our_own(system, path) else REINSTALL.format(system.pip),
        )
    scores = answer.value
    if not all(map(math.isfinite, scores)) or abs(sum(scores) - 1) > SUM_TOLERANCE:
        return Finding(
            name,
            Status.PROBLEM,
            f"the scores should add up to 1, but add up to {sum(scores):.2f}",
            CONVERT,
        )
    return Finding(name, Status.OK, "int8, works")


def _runs_our_own(system: System, path: Path) -> bool:
    """Say whether the package's own model runs where that of another file does not: then the file is to blame."""
    own = shipped_models().get(DEFAULT)
    return own is not None and not own.samefile(path) and not ask(system, "inference", str(own)).error
