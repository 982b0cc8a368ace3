"""The gate: real files that are not what they claim, each with one thing wrong, and what it says of them."""

import dataclasses
import re

import numpy as np
import pytest
import tensorflow as tf

from fer_edge.convert.export import child as export_child
from fer_edge.convert.export.allow_list import INT8_OPERATORS, allowed_operators
from fer_edge.convert.export.flatbuffer import read_tflite
from fer_edge.convert.export.verify import verify_int8
from fer_edge.convert.graph.fold import fold_batch_norms
from fer_edge.convert.graph.forward import Unchanged, forward
from fer_edge.convert.graph.from_keras import read_keras
from fer_edge.convert.graph.graph import Graph
from fer_edge.convert.quantize.calibration import calibrate
from fer_edge.convert.quantize.fake_quant import FakeQuantization
from fer_edge.convert.quantize.ranges import Range
from fer_edge.errors import ConversionError
from tests.convert.conftest import plain_model, shake, varied_model

pytestmark = pytest.mark.usefixtures("quiet_converter")


def quantizable(model, size):
    graph = fold_batch_norms(read_keras(shake(model)))
    images = np.random.default_rng(0).integers(0, 256, (20, size, size), dtype=np.uint8)
    return graph, calibrate(graph, images, lambda _: None)


@pytest.fixture(scope="module")
def plain():
    return quantizable(plain_model(16), 16)


COMPACT = allowed_operators("compact")


def refusal(data, allowed=COMPACT, size=16, classes=7):
    with pytest.raises(ConversionError) as caught:
        verify_int8(read_tflite(data), allowed, size, classes)
    assert "\n" not in str(caught.value)
    found = re.fullmatch(
        r"the converted model failed verification: (.*): expected (.*), found (.*); nothing was written",
        str(caught.value),
    )
    assert found, str(caught.value)
    return found.groups()


def test_a_good_file_passes(plain):
    graph, ranges = plain
    data = export_child.convert(graph, FakeQuantization(ranges))
    verify_int8(read_tflite(data), allowed_operators("compact"), 16, 7)


def test_a_float_file(plain):
    data = export_child.convert(plain[0], Unchanged())
    assert refusal(data) == ("the input", "INT8 1x16x16x1", "FLOAT32 1x16x16x1")


def test_float_ports_around_an_int8_network(plain):
    graph, ranges = plain
    weights = {node.name: node.weights for node in graph.nodes}
    hooks = FakeQuantization(ranges)
    classify = tf.function(lambda x: forward(graph, x, weights, hooks))
    concrete = classify.get_concrete_function(tf.TensorSpec((1, 16, 16, 1), tf.float32))
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], classify)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    data = converter.convert()
    assert {"QUANTIZE", "DEQUANTIZE"} <= set(read_tflite(data).operator_counts())
    assert refusal(data)[0] == "the input"


def test_another_input_scale(plain):
    graph, ranges = plain
    data = export_child.convert(graph, FakeQuantization(ranges | {"input": Range(0, 2)}))
    check, expected, found = refusal(data)
    assert (check, expected) == ("the scale of the input", "1/255")
    assert float(found) == pytest.approx(2 / 255)


def test_another_zero_point(plain):
    graph, ranges = plain
    data = export_child.convert(graph, FakeQuantization(ranges | {"input": Range(-0.5, 0.5)}))
    check, expected, found = refusal(data)
    assert (check, expected) == ("the zero point of the input", "-128")
    assert abs(int(found)) <= 1


def test_an_output_without_softmax(plain):
    graph, ranges = plain
    headless = Graph(16, graph.nodes[:-1])
    data = export_child.convert(headless, FakeQuantization(ranges))
    assert refusal(data)[:2] == ("the scale of the output", "1/256")


def test_an_output_that_only_has_the_softmaxs_scale(plain):
    graph, ranges = plain
    headless = Graph(16, graph.nodes[:-1])
    posing = ranges | {headless.output.name: Range(0, 255 / 256)}
    data = export_child.convert(headless, FakeQuantization(posing))
    assert refusal(data) == ("the output's operator", "SOFTMAX", "FULLY_CONNECTED")


def test_another_number_of_classes(plain):
    graph, ranges = plain
    data = export_child.convert(graph, FakeQuantization(ranges))
    assert refusal(data, classes=8) == ("the output", "INT8 1x8", "INT8 1x7")


@pytest.mark.parametrize("kind", ["mean", "dense", "relu6"])
def test_a_value_that_was_not_quantized_leaves_float_operators(plain, kind):
    graph, ranges = plain
    forgotten = next(node.name for node in reversed(graph.nodes) if node.kind == kind)
    hooks = FakeQuantization({name: r for name, r in ranges.items() if name != forgotten})
    if kind != "dense":  # kernels are rounded with the input's scale at hand
        hooks.ranges = ForKernels(hooks.ranges, ranges)
    data = export_child.convert(graph, hooks)
    check, expected, found = refusal(data)
    assert check == "operators"
    assert expected == f"only {', '.join(sorted(COMPACT))}"
    assert found in ("DEQUANTIZE", "QUANTIZE")


class ForKernels(dict):
    """Ranges that lack one for values but still give its scale to the kernel behind it."""

    def __init__(self, present, all_of_them):
        super().__init__(all_of_them)
        self.present = present

    def __contains__(self, name):
        return name in self.present


class OneScale(FakeQuantization):
    """Rounds convolution kernels with one scale for the whole kernel."""

    def kernel(self, node, kernel, bias):
        return super().kernel(dataclasses.replace(node, kind="dense"), kernel, bias)


def test_convolutions_with_one_scale(plain):
    graph, ranges = plain
    check, expected, found = refusal(export_child.convert(graph, OneScale(ranges)))
    assert check.startswith("the kernel of CONV_2D")
    assert (expected, found) == ("a scale for each of its 8 channels", "1 along axis 0")


def test_depthwise_convolutions_with_one_scale():
    """Their first axis has one entry, which must not be taken for a scale for each channel."""

    class OneDepthwiseScale(FakeQuantization):
        def kernel(self, node, kernel, bias):
            kind = "dense" if node.kind == "depthwise" else node.kind
            return super().kernel(dataclasses.replace(node, kind=kind), kernel, bias)

    graph, ranges = quantizable(varied_model(), 16)
    check, expected, found = refusal(export_child.convert(graph, OneDepthwiseScale(ranges)), INT8_OPERATORS)
    assert check.startswith("the kernel of DEPTHWISE_CONV_2D")
    assert (expected, found) == ("a scale for each of its 8 channels", "1 along axis 0")


def test_an_operator_that_the_allow_list_does_not_name():
    graph, ranges = quantizable(varied_model(), 16)
    data = export_child.convert(graph, FakeQuantization(ranges))
    verify_int8(read_tflite(data), INT8_OPERATORS, 16, 7)
    assert refusal(data)[::2] == ("operators", "MAX_POOL_2D")


def test_an_allow_list_never_allows_what_stands_for_float():
    for allowed in (allowed_operators("compact"), allowed_operators("another")):
        assert not allowed & {"QUANTIZE", "DEQUANTIZE", "CAST", "SHAPE", "STRIDED_SLICE", "PACK"}


def with_tensor(graph, index, **changes):
    """The same graph with one tensor changed, wherever it is referred to."""
    old, new = graph.tensors[index], dataclasses.replace(graph.tensors[index], **changes)

    def swap(tensors):
        return tuple(new if tensor is old else tensor for tensor in tensors)

    operators = tuple(dataclasses.replace(o, inputs=swap(o.inputs), outputs=swap(o.outputs)) for o in graph.operators)
    return dataclasses.replace(
        graph, tensors=swap(graph.tensors), operators=operators, inputs=swap(graph.inputs), outputs=swap(graph.outputs)
    )


@pytest.mark.parametrize(
    ("which", "changes", "message"),
    [
        ("kernel", {"zero_points": (1,) * 8}, "expected zero point 0"),
        ("kernel", {"dtype": "INT4"}, "expected INT8, or INT32 if constant, found INT4"),
        ("kernel", {"scales": (0.0,) * 8}, "expected a positive number"),
        ("kernel", {"scales": (float("nan"),) * 8}, "expected a positive number"),
        ("value", {"scales": (), "zero_points": ()}, "expected a positive number"),
        ("value", {"dtype": "FLOAT32"}, "found FLOAT32"),
        ("value", {"dtype": "INT32"}, "found INT32"),
    ],
)
def test_single_tensors(plain, which, changes, message):
    """Faults that no converter here makes, put into the description of a good file."""
    graph, ranges = plain
    contents = read_tflite(export_child.convert(graph, FakeQuantization(ranges)))
    first = contents.operators[0]
    tensor = first.inputs[1] if which == "kernel" else first.outputs[0]
    broken = with_tensor(contents, contents.tensors.index(tensor), **changes)
    with pytest.raises(ConversionError, match=message):
        verify_int8(broken, allowed_operators("compact"), 16, 7)
