"""The calibration sample and the ranges that values take on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from fer_edge.convert.graph.forward import Hooks, Unchanged, forward
from fer_edge.convert.graph.graph import Graph, Node
from fer_edge.convert.quantize.range_search import BINS, histogram, least_error_range
from fer_edge.convert.quantize.ranges import Range, has_fixed_range, same_range, shared_ranges
from fer_edge.convert.quantize.ties import without_ties
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


class Extremes(Unchanged):
    """Hooks that keep the smallest and largest value of each node they see."""

    def __init__(self, names: Iterable[str]) -> None:
        self.seen: dict[str, list[Any]] = {name: [] for name in names}

    def value(self, node: Node, value: Any) -> Any:
        """Take note of `value` and return it."""
        if node.name in self.seen:
            self.seen[node.name] += [tf.reduce_min(value), tf.reduce_max(value)]
        return value

    def ranges(self) -> dict[str, Range]:
        """Return each node's smallest and largest value."""
        return {name: Range(float(min(values)), float(max(values))) for name, values in self.seen.items()}


class _Histograms(Unchanged):
    """Hooks that count how the values of each group of nodes are spread over their widest range."""

    def __init__(self, groups: Mapping[str, frozenset[str]], widest: Mapping[str, Range]) -> None:
        self.groups, self.widest = groups, widest
        self.counts = {group: np.zeros(BINS, np.int64) for group in groups.values()}

    def value(self, node: Node, value: Any) -> Any:
        if node.name in self.groups:
            self.counts[self.groups[node.name]] += histogram(value.numpy(), self.widest[node.name])
        return value


def calibrate(graph: Graph, images: NDArray[np.uint8], advance: Callable[[int], None]) -> dict[str, Range]:
    """Return the range of every quantized node: that of the least rounding error on the images, without ties.

    The images pass twice: to find the largest values, and to count how many are near them.

    Args:
        graph: a folded graph.
        images: uint8, N x size x size (x 3).
        advance: called with the number of images done, each counted twice.
    """
    groups = same_range(graph)
    extremes = Extremes(groups)
    see(graph, images, extremes, advance)
    widest = shared_ranges(graph, extremes.ranges())
    free = {name: group for name, group in groups.items() if not has_fixed_range(graph, group)}
    histograms = _Histograms(free, widest)
    see(graph, images, histograms, advance)
    best = {group: least_error_range(counts, widest[next(iter(group))]) for group, counts in histograms.counts.items()}
    return without_ties(graph, {name: best.get(group, widest[name]) for name, group in groups.items()})


def see(graph: Graph, images: NDArray[np.uint8], hooks: Hooks, advance: Callable[[int], None]) -> None:
    """Compute the network on all images, in batches, for what the hooks see of it."""
    weights = {node.name: node.weights for node in graph.nodes}
    for start in range(0, len(images), BATCH):
        batch = graph.values(images[start : start + BATCH])
        forward(graph, tf.constant(batch), weights, hooks)
        advance(len(batch))
