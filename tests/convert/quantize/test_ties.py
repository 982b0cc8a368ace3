"""Products lie so far from halves of a step that every runtime rounds them alike."""

import dataclasses

import numpy as np
import pytest

from fer_edge.convert.export import child as export_child
from fer_edge.convert.export.flatbuffer import read_tflite
from fer_edge.convert.graph.fold import fold_batch_norms
from fer_edge.convert.graph.from_keras import read_keras
from fer_edge.convert.graph.graph import Graph, Node
from fer_edge.convert.quantize.calibration import calibrate
from fer_edge.convert.quantize.fake_quant import FakeQuantization
from fer_edge.convert.quantize.ranges import Range
from fer_edge.convert.quantize.ties import LEAST_FACTOR, without_ties
from tests.convert.conftest import shake, varied_model

PRODUCTS = np.arange(-255 * 255, 255 * 255 + 1)


def distance_from_a_tie(factor):
    return np.abs((PRODUCTS * factor) % 1 - 0.5).min()


@pytest.mark.usefixtures("quiet_converter")
def test_no_product_of_a_file_is_near_a_tie():
    graph = fold_batch_norms(read_keras(shake(varied_model())))
    images = np.random.default_rng(2).integers(0, 256, (60, 16, 16), dtype=np.uint8)
    contents = read_tflite(export_child.convert(graph, FakeQuantization(calibrate(graph, images, lambda _: None))))
    (product,) = [operator for operator in contents.operators if operator.name == "MUL"]
    left, right = (tensor.scales[0] for tensor in product.inputs)
    assert distance_from_a_tie(left * right / product.outputs[0].scales[0]) > 1e-3


def weighed(*more):
    nodes = (("map", "relu", "input"), ("weights", "sigmoid", "map"), ("product", "multiply", "map", "weights"), *more)
    return Graph(4, (Node("input", "input"), *(Node(name, kind, tuple(inputs)) for name, kind, *inputs in nodes)))


RANGES = {"input": Range(0, 1), "map": Range(0, 6), "weights": Range(0, 255 / 256), "product": Range(0, 4.5)}


def factor(ranges):
    return ranges["product"].scale / (ranges["map"].scale * ranges["weights"].scale)


@pytest.mark.parametrize("high", [3.0, 4.5, 4.52, 5.99, 6.0])
def test_the_factor_becomes_odd_and_the_range_hardly_changes(high):
    before = RANGES | {"product": Range(0, high)}
    after = without_ties(weighed(), before)
    assert factor(after) % 2 == pytest.approx(1)
    assert abs(factor(after) - factor(before)) <= 1.001
    assert {name: after[name] for name in ("input", "map", "weights")} == {
        name: before[name] for name in ("input", "map", "weights")
    }


def test_a_limit_is_kept():
    nodes = tuple(
        dataclasses.replace(node, options={"limit": 4.5}) if node.name == "product" else node
        for node in weighed().nodes
    )
    before = RANGES | {"product": Range(-4.5, 4.5)}
    after = without_ties(Graph(4, nodes), before)
    assert factor(after) % 2 == pytest.approx(1)
    assert after["product"].high <= 4.5


def test_values_that_share_the_range_go_along():
    graph = weighed(("pooled", "max_pool", "product"))
    after = without_ties(graph, RANGES | {"pooled": RANGES["product"]})
    assert after["pooled"] == after["product"] != RANGES["product"]


def test_a_range_that_others_depend_on_stays():
    twice = weighed(("other", "multiply", "map", "map"), ("joined", "concat", "product", "other"))
    shared = RANGES | {"other": RANGES["product"], "joined": RANGES["product"]}
    assert without_ties(twice, shared) == shared
    coarse = RANGES | {"product": Range(0, 6 / 255 * LEAST_FACTOR * 0.9)}
    assert without_ties(weighed(), coarse) == coarse
