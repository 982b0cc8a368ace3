"""What rounding adds to a layer's sums on average, taken off its bias.

The rounding errors of a kernel are fixed numbers, and inputs behind a ReLU, or pixels, are never negative: their
products do not cancel, and shift all sums of a channel to one side (Nagel et al. 2019, arXiv:1906.04721, section 4.2;
from calibration images, as here, appendix D). The first layer suffers most, whose few weights meet bright pixels.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from fer_edge.convert.graph.forward import Unchanged, forward
from fer_edge.convert.graph.graph import Graph, Node
from fer_edge.convert.quantize.fake_quant import FakeQuantization
from fer_edge.convert.quantize.ranges import Range

Means = dict[str, NDArray[np.float32]]


def correct_biases(graph: Graph, ranges: Mapping[str, Range], images: NDArray[np.uint8]) -> Graph:
    """Return the graph with biases under which its rounded sums have the means of the float network's.

    Layer by layer, each with those before it already corrected.

    Args:
        graph: a folded graph.
        ranges: of every quantized node.
        images: uint8, N x size x size (x 3), of the calibration; all at once, for the means.
    """
    batch = tf.constant(graph.values(images))
    weights = {node.name: node.weights for node in graph.nodes}
    exact = _Means()
    forward(graph, batch, weights, exact)
    correction = _Correction(ranges, exact.means)
    forward(graph, batch, weights, correction)
    return graph.with_weights(
        {
            name: {**weights[name], "bias": (weights[name]["bias"] + shift).astype(np.float32)}
            for name, shift in correction.shifts.items()
        }
    )


def _mean(value: Any) -> NDArray[np.float32]:
    means: NDArray[np.float32] = tf.reduce_mean(value, axis=list(range(len(value.shape) - 1))).numpy()
    return means


class _Means(Unchanged):
    """Hooks that keep the mean sum of each channel of each layer with a bias."""

    def __init__(self) -> None:
        self.means: Means = {}

    def value(self, node: Node, value: Any) -> Any:
        if "bias" in node.weights:
            self.means[node.name] = _mean(value)
        return value


class _Correction(FakeQuantization):
    """Hooks that round as the int8 file does, and shift each layer's sums to the expected means before."""

    def __init__(self, ranges: Mapping[str, Range], expected: Means) -> None:
        super().__init__(ranges)
        self.expected = expected
        self.shifts: Means = {}

    def value(self, node: Node, value: Any) -> Any:
        """Return `value` shifted, then rounded."""
        if node.name in self.expected:
            self.shifts[node.name] = self.expected[node.name] - _mean(value)
            value = value + self.shifts[node.name]
        return super().value(node, value)
