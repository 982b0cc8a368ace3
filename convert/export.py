"""Conversion to TFLite in a process of its own: the converter leaks memory and, on a bad graph, can crash.

The request is a folder: ``graph.npz`` and either ``ranges.json`` (int8 from fake quantization),
``calibration.npy`` (int8 by the converter's own calibration) or neither (float32); the answer is
``model.tflite`` in it.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_edge.convert.graph import Graph, save_graph
from fer_edge.convert.ranges import Range
from fer_edge.errors import ConversionError

GRAPH, RANGES, CALIBRATION, ANSWER = "graph.npz", "ranges.json", "calibration.npy", "model.tflite"


def export_float(graph: Graph) -> bytes:
    """Return a folded graph as a float32 TFLite flatbuffer with an input in [0, 1]."""
    return _export(graph, {})


def export_fake_quantized(graph: Graph, ranges: Mapping[str, Range]) -> bytes:
    """Return a folded graph as an int8 TFLite flatbuffer with the given ranges of its values.

    Raises:
        ConversionError: the converter refused or crashed.
    """
    return _export(graph, {RANGES: json.dumps(ranges).encode()})


def export_calibrated(graph: Graph, images: NDArray[np.uint8]) -> bytes:
    """Return a folded graph as an int8 TFLite flatbuffer whose ranges the converter measures itself.

    Args:
        graph: a folded graph.
        images: uint8, N x size x size, the representative data set.

    Raises:
        ConversionError: the converter refused or crashed.
    """
    return _export(graph, {CALIBRATION: images})


def _export(graph: Graph, request: Mapping[str, bytes | NDArray[np.uint8]]) -> bytes:
    with tempfile.TemporaryDirectory(prefix="fer-edge-") as name:
        folder = Path(name)
        save_graph(graph, folder / GRAPH)
        for file, content in request.items():
            if isinstance(content, bytes):
                (folder / file).write_bytes(content)
            else:
                np.save(folder / file, content)
        child = subprocess.run(
            [sys.executable, "-m", "fer_edge.convert.export_child", name],
            env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"},  # a GPU has nothing to do
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        if child.returncode != 0:
            raise ConversionError(
                f"the TFLite converter {explain_failure(child.returncode, child.stderr)}; "
                "nothing was written; check the model's layers, or report this with the model"
            )
        return (folder / ANSWER).read_bytes()


def explain_failure(status: int, stderr: str) -> str:
    """Return how the converter ended: the signal that killed it, or the last line that says what was wrong."""
    if status < 0:
        return f"crashed ({signal.Signals(-status).name})"
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    # MLIR prints "error: what" first and notes after it; a Python exception is the last line.
    said = [line for line in lines if re.search(r"\berror: |^[\w.]*(Error|Exception)\b", line)]
    return f"failed ({(said or lines or ['no message'])[-1][:300]})"
