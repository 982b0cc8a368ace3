"""Where an int8 file differs from its float network, layer by layer, so that a bad layer can be found."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from fer_edge.convert.graph.forward import Tensor, forward
from fer_edge.convert.graph.graph import FUSED, Graph, Node
from fer_edge.train.explain.tflite_network import TFLiteNetwork


@dataclasses.dataclass(frozen=True)
class LayerError:
    """What quantization did to one value of the network.

    Attributes:
        node: of the float network.
        operator: of the file.
        signal_to_noise: mean square of the float values over that of the difference, in decibels; every bit of
            precision is worth 6 (Bennett 1948, "Spectra of quantized signals"). All layers before have a part in it.
    """

    node: str
    operator: str
    signal_to_noise: float


def layer_errors(path: Path, graph: Graph, images: NDArray[np.uint8]) -> list[LayerError]:
    """Compare every value that the file rounds with the float network's.

    Args:
        path: the int8 file.
        graph: the folded float network, as trained.
        images: uint8 N x S x S (x 3), as the network sees them.

    Returns:
        In the order of evaluation, but for values that are 0 in all images, of units that never answer: they have no
        signal. Empty where operators and nodes are not one to one, as in an LSTM.
    """
    network = TFLiteNetwork(path)
    # Blocks of pixels are pixels, which are not rounded.
    layers = [layer for layer in network.layers if layer.kind != "SPACE_TO_DEPTH"]
    keep = _Keep(graph)
    forward(graph, tf.constant(graph.values(images)), {n.name: n.weights for n in graph.nodes}, keep)
    shapes = [tuple(map(int, value.shape[1:])) for value in keep.values.values()]
    if shapes != [layer.shape for layer in layers]:
        return []
    signal, noise = np.zeros(len(shapes)), np.zeros(len(shapes))
    for number, image in enumerate(images):
        rounded = network.activations(image, layers)
        for i, (exact, value) in enumerate(zip(keep.values.values(), rounded, strict=True)):
            expected = exact.numpy()[number].astype(np.float64)
            signal[i] += np.square(expected).sum()
            noise[i] += np.square(expected - value).sum()
    return [
        LayerError(node, layer.kind, round(10 * math.log10(max(s, 1e-30) / max(n, 1e-30)), 2))
        for node, layer, s, n in zip(keep.values, layers, signal, noise, strict=True)
        if s > 0
    ]


class _Keep:
    """Hooks that keep the values which an int8 file has as well: all but those before a fused activation."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self.values: dict[str, Tensor] = {}

    def kernel(self, node: Node, kernel: Tensor, bias: Tensor) -> Tensor:
        """Return `kernel`."""
        return kernel

    def value(self, node: Node, value: Tensor) -> Tensor:
        """Keep and return `value`."""
        readers = self._graph.readers(node.name)
        fused = len(readers) == 1 and readers[0].kind in FUSED
        if node.kind not in ("input", "hog") and not fused:
            self.values[node.name] = value
        return value
