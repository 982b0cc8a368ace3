"""Which values become int8 tensors, and the range of real numbers that each of them spans.

The scheme is that of Jacob et al. 2018 (arXiv:1712.05877, section 2): real = scale * (q - zero point), one
scale and zero point for each value, asymmetric, zero exactly representable.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from fer_edge.convert.graph.graph import FUSED, WEIGHTED, Graph, Node


class Range(NamedTuple):
    """The real numbers that the int8 values -128 and 127 stand for; contains 0."""

    low: float
    high: float

    @property
    def scale(self) -> float:
        """The step between neighbouring int8 values."""
        return (self.high - self.low) / 255


FIXED = {
    "softmax": Range(0.0, 255 / 256),
    "sigmoid": Range(0.0, 255 / 256),
    "tanh": Range(-1.0, 127 / 128),
}
"""Kinds whose range is fixed: by the model file's contract (1/256 of the softmax) or by the TFLite operator
(1/256 of LOGISTIC, 1/128 of TANH). That of the input is `input_range`."""

SAME_SCALE = ("max_pool", "average_pool", "flatten", "reshape", "crop", "pad", "part", "concat")
"""Kinds whose TFLite operator wants the same scale for its inputs and its output."""

SATURATION = 6.25
"""Beyond it a sigmoid in steps of 1/256 stays at its first or last step, as does a tanh; a wider range is wasted."""

SMALLEST_WIDTH = 1e-3
"""A value that is zero on every calibration image still needs a scale that is not."""


def quantized_nodes(graph: Graph) -> list[Node]:
    """Return the nodes whose value is a tensor of the int8 file.

    All but convolutions, dense layers and additions whose only reader is an activation that their
    operator computes itself: rounding between the two would be a rounding that the file does not do.
    """
    return [node for node in graph.nodes if not _is_fused(graph, node)]


def _is_fused(graph: Graph, node: Node) -> bool:
    readers = graph.readers(node.name)
    return node.kind in (*WEIGHTED, "add") and len(readers) == 1 and readers[0].kind in FUSED


def same_range(graph: Graph) -> dict[str, frozenset[str]]:
    """Return for every quantized node the nodes that must have the same range, itself among them."""
    groups = {node.name: frozenset([node.name]) for node in quantized_nodes(graph)}
    for node in graph.nodes:
        if node.kind in SAME_SCALE:
            _merge(groups, [node.name, *node.inputs])
        elif "weights_of" in node.options:
            # One kernel and bias in the file, whose bias has the scale of the input times that of the kernel.
            _merge(groups, [node.inputs[0], graph.node(node.options["weights_of"]).inputs[0]])
    return groups


def has_fixed_range(graph: Graph, group: Iterable[str]) -> bool:
    """Return whether the contract or an operator fixes the range of these nodes."""
    return any(graph.node(name).kind in (*FIXED, "input") for name in group)


def input_range(graph: Graph) -> Range:
    """Return the range of the input: pixels in steps of 1/255, whatever level is 0."""
    return Range(-graph.input_zero / 255, (255 - graph.input_zero) / 255)


def shared_ranges(graph: Graph, observed: Mapping[str, Range]) -> dict[str, Range]:
    """Return the range of every quantized node.

    Args:
        graph: a folded graph.
        observed: smallest and largest value of each quantized node on the calibration images.

    Returns:
        The observed ranges, widened to contain 0 and to be equal where operators demand it; those of the
        input and the softmax are fixed.
    """
    kinds = {node.name: node.kind for node in graph.nodes}
    known = FIXED | {"input": input_range(graph)}
    ranges = {}
    for name, group in same_range(graph).items():
        fixed = [known[kinds[member]] for member in group if kinds[member] in known]
        if fixed:
            ranges[name] = fixed[0]
        else:
            low = min(0.0, *(observed[member].low for member in group))
            high = max(0.0, *(observed[member].high for member in group))
            readers = {reader.kind for member in group for reader in graph.readers(member) if reader.name not in group}
            if readers and readers <= {"sigmoid", "tanh"}:
                low, high = max(low, -SATURATION), min(high, SATURATION)
            limit = min(graph.node(member).options.get("limit", math.inf) for member in group)
            low, high = max(low, -limit), min(high, limit)
            ranges[name] = Range(low, max(high, low + SMALLEST_WIDTH))
    return ranges


def _merge(groups: dict[str, frozenset[str]], names: list[str]) -> None:
    merged = frozenset().union(*(groups[name] for name in names))
    groups.update(dict.fromkeys(merged, merged))
