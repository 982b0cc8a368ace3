"""Layer errors: about what 8 bits give, worse where a layer is made worse, and none for what cannot be matched."""

import dataclasses

import numpy as np
import pytest

from fer_edge.convert.export.tflite import export_int8
from fer_edge.convert.graph.fold import fold_batch_norms
from fer_edge.convert.graph.from_keras import read_keras
from fer_edge.convert.quantize.calibration import calibrate
from fer_edge.convert.quantize.layer_errors import layer_errors
from fer_edge.labels import EXPRESSIONS
from fer_edge.model_file import ModelInfo, write_info
from fer_edge.train.keras_setup import load_keras
from fer_edge.train.zoo.registry import ZOO

IMAGES = np.random.default_rng(0).integers(0, 255, (60, 48, 48)).astype(np.uint8)


@pytest.fixture(scope="module")
def converted(tmp_path_factory):
    load_keras().utils.set_random_seed(1)  # of random networks some have units that answer to no picture
    graph = fold_batch_norms(read_keras(ZOO["nano"].build(48, 7, 0.0)))
    path = tmp_path_factory.mktemp("int8") / "nano.tflite"
    path.write_bytes(export_int8(graph, calibrate(graph, IMAGES, lambda _: None)))
    write_info(path, ModelInfo("nano", EXPRESSIONS))
    return graph, path


def test_each_layer_is_named_and_has_the_noise_of_eight_bits(converted):
    graph, path = converted
    errors = layer_errors(path, graph, IMAGES[:20])
    weighed = ["MEAN", "CONV_2D", "CONV_2D", "LOGISTIC", "MUL"]
    behind = ["DEPTHWISE_CONV_2D", "RESHAPE", "FULLY_CONNECTED", "SOFTMAX"]
    expected = ["CONV_2D"] * 4 + weighed + ["CONV_2D"] * 2 + weighed + behind
    assert [e.operator for e in errors] == expected
    assert [e.node for e in errors][:2] == ["relu1", "relu2"]
    assert all(20 < e.signal_to_noise < 60 for e in errors)


def test_a_bad_layer_is_found(converted):
    graph, path = converted
    good = {e.node: e.signal_to_noise for e in layer_errors(path, graph, IMAGES[:20])}
    name = next(n.name for n in graph.nodes if n.kind == "conv" and n.name.startswith("conv4"))
    weights = graph.node(name).weights
    noise = np.random.default_rng(1).normal(0, 0.5 * weights["kernel"].std(), weights["kernel"].shape)
    other = graph.with_weights({name: {**weights, "kernel": (weights["kernel"] + noise).astype(np.float32)}})
    bad = {e.node: e.signal_to_noise for e in layer_errors(path, other, IMAGES[:20])}
    assert bad["relu3"] == good["relu3"]
    assert bad["relu4"] < good["relu4"] - 10


def test_units_that_never_answer_have_no_error(converted):
    graph, path = converted
    name = next(n.name for n in graph.nodes if n.name == "between4")
    weights = graph.node(name).weights
    silent = {"kernel": 0 * weights["kernel"], "bias": weights["bias"] - 1}
    errors = layer_errors(path, graph.with_weights({name: silent}), IMAGES[:5])
    assert "between_relu4" not in [e.node for e in errors]
    assert "between_relu6" in [e.node for e in errors]


def test_a_file_of_another_network_is_not_compared(converted):
    graph, path = converted
    shorter = dataclasses.replace(graph, nodes=graph.nodes[:-1])
    assert layer_errors(path, shorter, IMAGES[:2]) == []
