"""Which values are tensors of the int8 file, and how their ranges come about."""

import pytest

from fer_edge.convert.graph.graph import Graph, Node
from fer_edge.convert.quantize.ranges import Range, quantized_nodes, shared_ranges


def graph_of(*nodes):
    return Graph(4, (Node("input", "input"), *(Node(name, kind, inputs) for name, kind, *inputs in nodes)))


def names(graph):
    return [node.name for node in quantized_nodes(graph)]


@pytest.mark.parametrize("kind", ["conv", "depthwise", "dense", "add"])
@pytest.mark.parametrize("activation", ["relu", "relu6"])
def test_nothing_is_rounded_between_an_operator_and_its_activation(kind, activation):
    graph = graph_of(("layer", kind, "input"), ("act", activation, "layer"))
    assert names(graph) == ["input", "act"]


def test_a_softmax_is_an_operator_of_its_own():
    graph = graph_of(("logits", "dense", "input"), ("out", "softmax", "logits"))
    assert names(graph) == ["input", "logits", "out"]


def test_a_value_with_two_readers_is_a_tensor():
    graph = graph_of(("conv", "conv", "input"), ("act", "relu", "conv"), ("sum", "add", "act", "conv"))
    assert names(graph) == ["input", "conv", "act", "sum"]


def test_input_and_softmax_have_the_ranges_of_the_contract():
    graph = graph_of(("out", "softmax", "input"))
    ranges = shared_ranges(graph, {"input": Range(0.1, 0.7), "out": Range(0.2, 0.3)})
    assert ranges == {"input": Range(0, 1), "out": Range(0, 255 / 256)}
    assert ranges["input"].scale == pytest.approx(1 / 255)
    assert ranges["out"].scale == pytest.approx(1 / 256)


def test_ranges_contain_zero_and_are_never_empty():
    graph = graph_of(("a", "conv", "input"), ("b", "conv", "a"), ("c", "conv", "b"))
    observed = {"input": Range(0, 1), "a": Range(2, 3), "b": Range(-3, -2), "c": Range(0, 0)}
    ranges = shared_ranges(graph, observed)
    assert ranges["a"] == Range(0, 3)
    assert ranges["b"] == Range(-3, 0)
    assert ranges["c"].low == 0
    assert ranges["c"].scale > 0


def test_pooling_keeps_the_range_of_its_input_and_joined_values_share_one():
    graph = graph_of(
        ("a", "relu", "input"),
        ("b", "relu", "input"),
        ("pooled", "max_pool", "a"),
        ("joined", "concat", "pooled", "b"),
        ("flat", "flatten", "joined"),
        ("after", "conv", "flat"),
    )
    observed = {
        "input": Range(0, 1),
        "a": Range(0, 4),
        "b": Range(-1, 2),
        "pooled": Range(1, 4),
        "joined": Range(-1, 4),
        "flat": Range(-1, 4),
        "after": Range(-9, 9),
    }
    ranges = shared_ranges(graph, observed)
    assert {ranges[name] for name in ("a", "b", "pooled", "joined", "flat")} == {Range(-1, 4)}
    assert ranges["after"] == Range(-9, 9)


def test_a_pooled_input_keeps_the_inputs_range():
    graph = graph_of(("pooled", "average_pool", "input"))
    ranges = shared_ranges(graph, {"input": Range(0, 1), "pooled": Range(0.2, 0.4)})
    assert ranges["pooled"] == Range(0, 1)


def test_a_limit_bounds_a_range_and_those_that_share_it():
    limited = Node("a", "add", ("input",), {"limit": 3.0})
    graph = Graph(4, (Node("input", "input"), limited, Node("b", "reshape", ("a",)), Node("c", "conv", ("b",))))
    observed = {"input": Range(0, 1), "a": Range(-9, 2), "b": Range(-9, 2), "c": Range(-9, 9)}
    ranges = shared_ranges(graph, observed)
    assert ranges["a"] == ranges["b"] == Range(-3, 2)
    assert ranges["c"] == Range(-9, 9)
