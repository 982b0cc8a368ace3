"""Conversion within the test's process: starting TensorFlow anew for each file takes longer than converting it."""

import json
import warnings

import pytest

from fer_edge.convert.export import tflite
from fer_edge.convert.export.child import convert
from fer_edge.convert.graph.forward import Unchanged
from fer_edge.convert.quantize.fake_quant import FakeQuantization
from fer_edge.convert.quantize.ranges import Range


@pytest.fixture
def in_process(monkeypatch):
    """Export without a child; that the child does the same is tested elsewhere."""

    def export(graph, ranges=""):
        limits = {name: Range(*ends) for name, ends in json.loads(ranges or "{}").items()}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # fake quantization needs no statistics
            return convert(graph, FakeQuantization(limits) if limits else Unchanged())

    monkeypatch.setattr(tflite, "_export", export)
