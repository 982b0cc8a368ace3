"""The calibration sample and the ranges that values take on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from fer_edge.convert.forward import Unchanged, forward
from fer_edge.convert.graph import Graph, Node
from fer_edge.convert.ranges import Range, quantized_nodes, shared_ranges
from fer_edge.train.data.dataset import Split

PER_CLASS = 50
"""Images of each class; the same number of each, so that the rare expressions have their say."""

BATCH = 50


def calibration_sample(training: Split, seed: int, per_class: int = PER_CLASS) -> Split:
    """Return `per_class` images of each class of the Training split (all of a class that has fewer).

    The same split and seed give the same images, in the order of the split.
    """
    rng = np.random.default_rng(seed)
    chosen = [
        rng.permutation(np.flatnonzero(training.labels == label))[:per_class] for label in np.unique(training.labels)
    ]
    return training.take(np.sort(np.concatenate(chosen)))


class _Extremes(Unchanged):
    """Hooks that keep the smallest and largest value of each node they see."""

    def __init__(self, names: list[str]) -> None:
        self.seen: dict[str, list[Any]] = {name: [] for name in names}

    def value(self, node: Node, value: Any) -> Any:
        if node.name in self.seen:
            self.seen[node.name] += [tf.reduce_min(value), tf.reduce_max(value)]
        return value


def calibrate(graph: Graph, images: NDArray[np.uint8], advance: Callable[[int], None]) -> dict[str, Range]:
    """Return the range of every quantized node: its smallest and largest value on the images.

    Args:
        graph: a folded graph.
        images: uint8, N x size x size.
        advance: called with the number of images done.
    """
    extremes = _Extremes([node.name for node in quantized_nodes(graph)])
    weights = {node.name: node.weights for node in graph.nodes}
    for start in range(0, len(images), BATCH):
        batch = images[start : start + BATCH, :, :, None].astype(np.float32) / np.float32(255)
        forward(graph, tf.constant(batch), weights, extremes)
        advance(len(batch))
    observed = {name: Range(float(min(values)), float(max(values))) for name, values in extremes.seen.items()}
    return shared_ranges(graph, observed)
