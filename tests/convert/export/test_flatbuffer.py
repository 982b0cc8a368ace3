"""Reading a TFLite file, and counting what it costs."""

import numpy as np
import pytest

from fer_edge.convert.export import child as export_child
from fer_edge.convert.export.cost import tflite_cost
from fer_edge.convert.export.flatbuffer import read_tflite
from fer_edge.convert.graph.fold import fold_batch_norms
from fer_edge.convert.graph.forward import Unchanged
from fer_edge.convert.graph.from_keras import read_keras
from fer_edge.convert.graph.graph import load_graph, save_graph
from fer_edge.labels import EXPRESSIONS
from fer_edge.model_file import ModelInfo, write_info
from tests.convert.conftest import plain_model, shake, varied_model

pytestmark = pytest.mark.usefixtures("quiet_converter")


def flatbuffer_of(model):
    return export_child.convert(fold_batch_norms(read_keras(shake(model))), Unchanged())


def test_operators_and_tensors():
    contents = read_tflite(flatbuffer_of(plain_model()))
    assert contents.operator_counts() == {"CONV_2D": 3, "MEAN": 1, "FULLY_CONNECTED": 1, "SOFTMAX": 1}
    assert contents.inputs[0].shape == (1, 48, 48, 1)
    assert contents.outputs[0].shape == (1, 7)
    assert {t.dtype for t in contents.inputs + contents.outputs} == {"FLOAT32"}
    kernel = contents.operators[0].inputs[1]
    assert (kernel.shape, kernel.constant, kernel.scales) == ((8, 3, 3, 1), True, ())
    assert not contents.inputs[0].constant


def test_the_metadata_behind_the_flatbuffer_does_not_matter(tmp_path):
    data = flatbuffer_of(plain_model())
    path = tmp_path / "model.tflite"
    path.write_bytes(data)
    write_info(path, ModelInfo("plain", EXPRESSIONS))
    assert path.stat().st_size > len(data)
    assert read_tflite(path.read_bytes()) == read_tflite(data)


def test_cost_of_the_plain_net():
    cost = tflite_cost(read_tflite(flatbuffer_of(plain_model())))
    convolutions = 24 * 24 * 8 * 9 + 12 * 12 * 16 * 8 * 9 + 6 * 6 * 16 * 16 * 9
    assert cost.multiply_adds == convolutions + 16 * 7
    assert cost.parameters == 8 * 9 + 8 + 16 * 8 * 9 + 16 + 16 * 16 * 9 + 16 + 16 * 7 + 7


def test_cost_with_every_kind_of_layer():
    cost = tflite_cost(read_tflite(flatbuffer_of(varied_model())))
    at_16 = 16 * 16 * 8 * 9
    at_8 = 8 * 8 * (8 * 9 + 8 * 8 + 8 * 4 * 9 + 8 * 4)  # depthwise, 1x1, 3x3, 1x1
    at_1 = 8 * 4 + 4 * 8  # the weights of the maps
    pooled = 4 * 4 * 8 * 2 * 2  # a depthwise convolution
    assert cost.multiply_adds == at_16 + at_8 + at_1 + pooled + 4 * 4 * 8 * 12 + 12 * 7


def test_a_graph_survives_being_saved(tmp_path):
    graph = read_keras(shake(varied_model()))
    save_graph(graph, tmp_path / "graph.npz")
    loaded = load_graph(tmp_path / "graph.npz")
    assert loaded.input_size == graph.input_size
    for before, after in zip(graph.nodes, loaded.nodes, strict=True):
        assert (before.name, before.kind, before.inputs, before.options) == (
            after.name,
            after.kind,
            after.inputs,
            after.options,
        )
        assert before.weights.keys() == after.weights.keys()
        for key in before.weights:
            np.testing.assert_array_equal(before.weights[key], after.weights[key])
