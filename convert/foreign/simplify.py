"""Rewrites that leave what a network computes: fewer operators, and a form that the exporter knows."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from fer_edge.convert.graph.graph import Graph, Node, drop_nodes

PADDED = ("conv", "depthwise")


def simplify(graph: Graph) -> Graph:
    """Return a network with paddings that a convolution does itself in it, and hard-swish as one node."""
    return _hard_swishes(_paddings(graph))


def _paddings(graph: Graph) -> Graph:
    for pad in [node for node in graph.nodes if node.kind == "pad"]:
        readers = graph.readers(pad.name)
        if len(readers) == 1 and _pads_alike(pad, readers[0]):
            options = {**readers[0].options, "padding": "SAME"}
            graph = drop_nodes(graph, {pad.name: pad.inputs[0]}, [dataclasses.replace(readers[0], options=options)])
    return graph


def _pads_alike(pad: Node, layer: Node) -> bool:
    """Return whether 'same' padding of `layer` is what `pad` does."""
    if layer.kind not in PADDED or layer.options["padding"] != "VALID":
        return False
    edges: list[int] = []
    for side, kernel, stride in zip(
        pad.options["of"], layer.weights["kernel"].shape[:2], layer.options["strides"], strict=True
    ):
        total = max((math.ceil(side / stride) - 1) * stride + kernel - side, 0)
        edges += [total // 2, total - total // 2]
    return edges == list(pad.options["edges"])


def _hard_swishes(graph: Graph) -> Graph:
    """Find ``x * relu6(x + 3) / 6``, in either order of its products."""
    while found := next(filter(None, (_hard_swish(graph, node) for node in graph.nodes)), None):
        whole, gone = found
        nodes = tuple(whole if node.name == whole.name else node for node in graph.nodes if node.name not in gone)
        graph = dataclasses.replace(graph, nodes=nodes)
    return graph


def _hard_swish(graph: Graph, last: Node) -> tuple[Node, set[str]] | None:
    """Return the node that takes the place of `last`, and the names of those that are not needed any more."""
    if last.kind == "batch_norm" and _is_affine(last, 1 / 6, 0):  # x * relu6(x + 3), and then / 6
        product = graph.node(last.inputs[0])
        if product.kind != "multiply" or len(graph.readers(product.name)) > 1:
            return None
        pairs, gone = _sides(product), {product.name}
    elif last.kind == "multiply":
        pairs, gone = _sides(last), set()
    else:
        return None
    for x, gate in pairs:
        node = graph.node(gate)
        inner = set()
        if last.kind == "multiply":
            if not (node.kind == "batch_norm" and _is_affine(node, 1 / 6, 0)):
                continue
            inner, node = {node.name}, graph.node(node.inputs[0])
        shifted = graph.node(node.inputs[0]) if node.kind == "relu6" else node
        if node.kind != "relu6" or not (shifted.kind == "batch_norm" and _is_affine(shifted, 1, 3)):
            continue
        inner |= {node.name, shifted.name}
        if shifted.inputs[0] == x and all(len(graph.readers(name)) == 1 for name in inner):
            return Node(last.name, "hard_swish", (x,)), gone | inner
    return None


def _sides(product: Node) -> tuple[tuple[str, str], tuple[str, str]]:
    first, second = product.inputs
    return (first, second), (second, first)


def _is_affine(node: Node, factor: float, constant: float) -> bool:
    plain = node.options["epsilon"] == 0 and not node.weights["mean"].any() and (node.weights["variance"] == 1).all()
    return bool(
        plain
        and np.allclose(node.weights["gamma"], factor, rtol=1e-5)
        and np.allclose(node.weights["beta"], constant, atol=1e-5)
    )
