"""A first convolution on blocks of pixels: the same answers to the bit, and nothing else changed."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from fer_edge.convert.export import child as export_child
from fer_edge.convert.export.blocks import block_kernel, on_blocks
from fer_edge.convert.export.cost import tflite_cost
from fer_edge.convert.export.flatbuffer import read_tflite
from fer_edge.convert.graph.graph import Graph
from fer_edge.convert.quantize.fake_quant import FakeQuantization
from fer_edge.labels import EXPRESSIONS
from fer_edge.model_file import ModelInfo, write_info
from fer_edge.runtime import TFLiteModel
from fer_edge.train.data.dataset import PUBLIC_TEST
from fer_edge.train.explain.tflite_network import TFLiteNetwork

SIZE = 48


def first(graph):
    return next(node for node in graph.nodes if node.kind == "conv")


def with_first(graph, **changes):
    node = first(graph)
    changed = dataclasses.replace(node, **changes)
    return Graph(graph.input_size, tuple(changed if n is node else n for n in graph.nodes))


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from([3, 4]).flatmap(
        lambda width: arrays.arrays(np.float32, (3, width, 1, 2), elements=st.integers(-127, 127))
    ),
    arrays.arrays(np.uint8, st.tuples(st.just(1), st.integers(1, 6), st.integers(1, 6), st.just(1))),
)
def test_the_sums_are_the_same(kernel, corners):
    picture = tf.constant(np.kron(corners, np.ones((1, 2, 2, 1))).astype(np.float32))
    picture += tf.reshape(tf.range(tf.size(picture), dtype=tf.float32) % 7, picture.shape)
    expected = tf.nn.conv2d(picture, kernel, 2, "SAME")
    found = tf.nn.conv2d(tf.nn.space_to_depth(picture, 2), block_kernel(kernel), 1, "SAME")
    np.testing.assert_array_equal(found, expected)  # whole numbers: no rounding


@settings(max_examples=20, deadline=None)
@given(
    arrays.arrays(np.float32, (6, 6, 1, 2), elements=st.integers(-127, 127)),
    arrays.arrays(np.uint8, st.tuples(st.just(1), st.integers(1, 4), st.integers(1, 4), st.just(1))),
)
def test_the_sums_of_a_larger_window_are_the_same(kernel, corners):
    picture = tf.constant(np.kron(corners, np.ones((1, 4, 4, 1))).astype(np.float32))
    picture += tf.reshape(tf.range(tf.size(picture), dtype=tf.float32) % 7, picture.shape)
    expected = tf.nn.conv2d(picture, kernel, 4, "SAME")
    found = tf.nn.conv2d(tf.nn.space_to_depth(picture, 2), block_kernel(kernel), 2, "SAME")
    np.testing.assert_array_equal(found, expected)


@pytest.mark.usefixtures("quiet_converter")
@pytest.mark.parametrize("width", [3, 4])
def test_the_int8_file_answers_as_before(folded, ranges, tiny, tmp_path, width):
    kernel = np.resize(first(folded).weights["kernel"], (3, width, 1, first(folded).weights["kernel"].shape[3]))
    folded = with_first(folded, weights={**first(folded).weights, "kernel": kernel})
    answers, first_filters, costs = [], [], []
    for name, (network, known) in {"before": (folded, ranges), "blocks": on_blocks(folded, ranges)}.items():
        path = tmp_path / f"{name}.tflite"
        path.write_bytes(export_child.convert(network, FakeQuantization(known)))
        write_info(path, ModelInfo("custom", EXPRESSIONS, SIZE))
        contents = read_tflite(path.read_bytes())
        costs.append(tflite_cost(contents))
        counts = contents.operator_counts()
        assert counts.get("SPACE_TO_DEPTH", 0) == (name == "blocks")
        answers.append(TFLiteModel(path).predict(tiny.split(PUBLIC_TEST).images))
        first_filters.append(TFLiteNetwork(path).filters().kernels)
    assert answers[0].std(axis=0).max() > 0.05  # the pictures make a difference
    np.testing.assert_array_equal(answers[1], answers[0])
    np.testing.assert_array_equal(first_filters[1], first_filters[0])
    assert costs[1] == costs[0]  # the zeros that fill the kernel up are no cost of the network


def test_others_stay_as_they_are(folded, ranges):
    options = dict(first(folded).options)
    unfit = [
        with_first(folded, options={**options, "strides": [1, 1]}),
        with_first(folded, options={**options, "padding": "VALID"}),
        with_first(folded, weights={**first(folded).weights, "kernel": np.zeros((5, 5, 1, 8), np.float32)}),
        dataclasses.replace(folded, input_size=SIZE + 1),
    ]
    for network in unfit:
        found, known = on_blocks(network, ranges)
        assert found == network
        assert known == ranges
    changed, _ = on_blocks(folded, ranges)
    strides = [node.options["strides"] for node in changed.nodes if node.kind == "conv"]
    assert strides == [[1, 1], [2, 2], [2, 2]]  # of three, only the one of pixels
