"""Export: what the file computes is what the network computes, and failures of the child are one sentence."""

import numpy as np
import pytest
import tensorflow as tf

from fer_edge.convert.export import child as export_child
from fer_edge.convert.export.allow_list import INT8_OPERATORS
from fer_edge.convert.export.flatbuffer import read_tflite
from fer_edge.convert.export.tflite import explain_failure, export_float, export_int8
from fer_edge.convert.export.verify import verify_int8
from fer_edge.convert.graph.fold import fold_batch_norms
from fer_edge.convert.graph.forward import Unchanged, forward
from fer_edge.convert.graph.from_keras import read_keras
from fer_edge.convert.graph.graph import Graph, Node
from fer_edge.convert.quantize.calibration import calibrate
from fer_edge.convert.quantize.fake_quant import FakeQuantization
from fer_edge.errors import ConversionError
from fer_edge.labels import EXPRESSIONS
from fer_edge.model_file import ModelInfo, write_info
from fer_edge.runtime import TFLiteModel
from fer_edge.train.data.dataset import PUBLIC_TEST
from tests.convert.conftest import shake, varied_model

OUTPUT_STEP = 1 / 256


def scores_of_file(data, images, tmp_path, size=48):
    path = tmp_path / "model.tflite"
    path.write_bytes(data)
    write_info(path, ModelInfo("test", EXPRESSIONS, size))
    return TFLiteModel(path, allow_float=True).predict(images)


def scores_of_graph(graph, images, hooks):
    weights = {node.name: node.weights for node in graph.nodes}
    return forward(graph, tf.constant(images[..., None] / np.float32(255)), weights, hooks).numpy()


def test_the_int8_file_gives_the_fake_quantized_networks_output(folded, ranges, tiny, tmp_path):
    images = tiny.split(PUBLIC_TEST).images
    expected = scores_of_graph(folded, images, FakeQuantization(ranges))
    found = scores_of_file(export_int8(folded, ranges), images, tmp_path)
    steps = np.abs(found - expected).max(axis=1) / OUTPUT_STEP
    # Where a sum falls between two int8 values the file rounds in integers, the network in floats.
    assert (steps <= 2.01).mean() >= 0.95
    assert (found.argmax(axis=1) == expected.argmax(axis=1)).mean() >= 0.97


def test_the_float_file_gives_the_folded_networks_output(folded, tiny, tmp_path):
    images = tiny.split(PUBLIC_TEST).images
    expected = scores_of_graph(folded, images, Unchanged())
    np.testing.assert_allclose(scores_of_file(export_float(folded), images, tmp_path), expected, atol=1e-4)


@pytest.mark.usefixtures("quiet_converter")
def test_every_kind_of_layer_becomes_int8(tmp_path):
    """Residual sums, concatenation, pooling, depthwise and flatten, converted in this process for speed."""
    graph = fold_batch_norms(read_keras(shake(varied_model())))
    rng = np.random.default_rng(2)
    coarse = rng.integers(0, 256, (40, 4, 4), dtype=np.uint8)
    images = coarse.repeat(4, axis=1).repeat(4, axis=2)
    ranges = calibrate(graph, images, lambda _: None)
    data = export_child.convert(graph, FakeQuantization(ranges))
    contents = read_tflite(data)
    verify_int8(contents, INT8_OPERATORS, 16, 7)
    elsewhere = {"SPACE_TO_DEPTH", "HARD_SWISH", "LEAKY_RELU", "PAD", "TANH"}  # test_blocks.py, tests/convert/foreign
    assert set(contents.operator_counts()) == INT8_OPERATORS - elsewhere
    expected = scores_of_graph(graph, images, FakeQuantization(ranges))
    assert expected.std(axis=0).max() > 0.02  # the pictures make a difference
    steps = np.abs(scores_of_file(data, images, tmp_path, 16) - expected).max(axis=1) / OUTPUT_STEP
    assert (steps <= 2.01).mean() >= 0.9


@pytest.mark.usefixtures("quiet_converter")
def test_channels_that_are_switched_off_convert(folded, ranges, tiny, tmp_path):
    first = next(node for node in folded.nodes if node.kind == "conv")
    kernel, bias = first.weights["kernel"].copy(), first.weights["bias"].copy()
    kernel[..., 0], bias[0] = 0.0, 2.0
    kernel[..., 1] *= 1e-9
    graph = folded.with_weights({first.name: {"kernel": kernel, "bias": bias}})
    data = export_child.convert(graph, FakeQuantization(ranges))
    verify_int8(read_tflite(data), INT8_OPERATORS, 48, 7)
    images = tiny.split(PUBLIC_TEST).images
    expected = scores_of_graph(graph, images, FakeQuantization(ranges))
    assert np.abs(scores_of_file(data, images, tmp_path) - expected).mean() < OUTPUT_STEP


def test_a_failing_child_is_one_sentence():
    """A kernel whose input channels are not those of the picture."""
    weights = {"kernel": np.ones((3, 3, 5, 2), np.float32), "bias": np.zeros(2, np.float32)}
    conv = Node("conv", "conv", ("input",), {"strides": [1, 1], "padding": "SAME"}, weights)
    with pytest.raises(ConversionError, match=r"the TFLite converter failed \(ValueError: .*\); nothing was") as caught:
        export_float(Graph(8, (Node("input", "input"), conv)))
    assert "\n" not in str(caught.value)


def test_a_crash_names_its_signal():
    assert explain_failure(-11, "") == "crashed (SIGSEGV)"


@pytest.mark.parametrize(
    ("stderr", "said"),
    [
        ("Traceback\n  File x\nRuntimeError: what was wrong\n", "RuntimeError: what was wrong"),
        ("loc: error: 'tfl.foo' op bad\nnote: see current operation\n", "loc: error: 'tfl.foo' op bad"),
        ("W0000 chatter\n", "W0000 chatter"),
        ("", "no message"),
    ],
)
def test_the_meaningful_line_of_a_failure(stderr, said):
    assert explain_failure(1, stderr) == f"failed ({said})"
