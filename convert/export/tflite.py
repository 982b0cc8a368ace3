"""Conversion to TFLite in a process of its own: the converter leaks memory and, on a bad graph, can crash."""

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

from fer_edge.convert.export.blocks import on_blocks
from fer_edge.convert.export.exchange import ANSWER, GRAPH, RANGES
from fer_edge.convert.graph.graph import Graph, save_graph
from fer_edge.convert.quantize.ranges import Range
from fer_edge.errors import ConversionError


def export_float(graph: Graph) -> bytes:
    """Return a folded graph as a float32 TFLite flatbuffer with an input in [0, 1]."""
    return _export(graph)


def export_int8(graph: Graph, ranges: Mapping[str, Range]) -> bytes:
    """Return a folded graph as an int8 TFLite flatbuffer with the given ranges of its values.

    Raises:
        ConversionError: the converter refused or crashed.
    """
    graph, ranges = on_blocks(graph, ranges)
    return _export(graph, json.dumps(ranges))


def _export(graph: Graph, ranges: str = "") -> bytes:
    with tempfile.TemporaryDirectory(prefix="fer-edge-") as name:
        folder = Path(name)
        save_graph(graph, folder / GRAPH)
        if ranges:
            (folder / RANGES).write_text(ranges)
        child = subprocess.run(
            [sys.executable, "-m", "fer_edge.convert.export.child", name],
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
