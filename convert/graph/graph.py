"""A network as plain data: what conversion reads, rewrites, fine-tunes and hands to the exporting process.

Keras layers know how to train; folding and quantization need to know what is computed from what. A
`Graph` says only that: nodes in the order of evaluation, each with its inputs, weights and options.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_edge.preprocess import with_channels

Weights = Mapping[str, NDArray[np.float32]]

WEIGHTED = ("conv", "depthwise", "dense")
"""Kinds with a ``kernel``, which a batch norm behind them folds into."""
ACTIVATIONS = ("relu", "relu6", "sigmoid", "softmax")
FUSED = ("relu", "relu6")
"""Activations that the TFLite operator before them computes itself."""


@dataclasses.dataclass(frozen=True)
class Node:
    """One operation on float32 arrays.

    Attributes:
        name: unique in its graph.
        kind: ``input``, ``hog`` (the second input), ``conv``, ``depthwise``, ``dense``, ``batch_norm``, ``relu``,
            ``relu6``, ``leaky_relu``, ``hard_swish``, ``sigmoid``, ``tanh``, ``softmax``, ``add``,
            ``multiply``, ``concat``, ``max_pool``, ``average_pool``, ``mean`` (global average pooling), ``flatten``,
            ``reshape``, ``crop``, ``pad`` (with zeros), ``space_to_depth`` or ``part`` (one of the
            equal parts of its last axis).
        inputs: names of the nodes it reads, all earlier in the graph.
        options: ``strides`` and ``padding`` ("SAME" or "VALID") of convolutions and pooling, ``size`` of
            pooling, ``keepdims`` of a mean (whether it gives B x 1 x 1 x channels), ``epsilon`` and ``rank`` (of its
            value, batch included) of a batch norm, ``shape`` (without the batch) of a reshape, ``edges`` (top, bottom,
            left, right) of a crop or pad, ``of`` (rows and columns) of what is padded, ``slope`` of a leaky ReLU,
            ``block`` (its side) of a space_to_depth, ``parts`` and ``index`` of a part, ``gain`` (a
            factor on the descriptor) of ``hog``, ``limit`` (the largest absolute value that its range spans) of a sum
            or product, ``weights_of`` (the name of the node whose weights it uses) of a dense layer without its own.
        weights: ``kernel`` and ``bias`` of the kinds in `WEIGHTED` (the bias may be missing), in Keras's layout: H x W
            x in x out (conv), H x W x channels x multiplier (depthwise), in x out (dense); ``gamma``, ``beta``,
            ``mean`` and ``variance`` of a batch norm.
    """

    name: str
    kind: str
    inputs: tuple[str, ...] = ()
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    weights: Weights = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Graph:
    """A network from float32 B x size x size x channels to what its last node gives, B x classes.

    What it takes of a pixel 0..255 is ``(pixel - input_zero) / 255``, see `values`.

    Attributes:
        input_size: side of the square input in pixels; of an oblong one, its rows.
        nodes: in the order of evaluation; the first is the only ``input``, the last the only output; at most
            one is ``hog``.
        input_columns: of an oblong input; None of a square one.
        channels: 1 for a grey input, 3 for RGB.
        input_zero: level that it takes as 0, and that the padding of its first layer stands for.
    """

    input_size: int
    nodes: tuple[Node, ...]
    input_columns: int | None = None
    channels: int = 1
    input_zero: int = 0

    def values(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return what the network takes of uint8 images, N x rows x columns (x 3)."""
        pixels = with_channels(images).astype(np.float32)
        values: NDArray[np.float32] = (pixels - np.float32(self.input_zero)) / np.float32(255)
        return values

    @property
    def input_shape(self) -> tuple[int, int]:
        """Rows and columns of the input in pixels."""
        return self.input_size, self.input_columns or self.input_size

    @property
    def output(self) -> Node:
        """The node whose value is the result."""
        return self.nodes[-1]

    def node(self, name: str) -> Node:
        """Return the node called `name`."""
        return next(node for node in self.nodes if node.name == name)

    @property
    def hog(self) -> Node | None:
        """The node that takes HOG features, where the network has one."""
        return next((node for node in self.nodes if node.kind == "hog"), None)

    def readers(self, name: str) -> list[Node]:
        """Return the nodes that read `name`."""
        return [node for node in self.nodes if name in node.inputs]

    def with_weights(self, weights: Mapping[str, Weights]) -> Graph:
        """Return the same network with the weights of the nodes named in `weights` replaced."""
        nodes = tuple(dataclasses.replace(n, weights=weights[n.name]) if n.name in weights else n for n in self.nodes)
        return dataclasses.replace(self, nodes=nodes)


def save_graph(graph: Graph, path: Path) -> None:
    """Write a graph as an ``.npz`` file that `load_graph` reads."""
    layout = [[n.name, n.kind, n.inputs, dict(n.options), list(n.weights)] for n in graph.nodes]
    arrays = {f"{n.name}/{key}": value for n in graph.nodes for key, value in n.weights.items()}
    shape = graph.input_size, graph.input_columns, graph.channels, graph.input_zero
    np.savez(path, allow_pickle=False, layout=json.dumps([*shape, layout]), **arrays)


def load_graph(path: Path) -> Graph:
    """Read what `save_graph` wrote."""
    with np.load(path) as arrays:
        size, *others, layout = json.loads(str(arrays["layout"]))
        nodes = [
            Node(name, kind, tuple(inputs), options, {key: arrays[f"{name}/{key}"] for key in keys})
            for name, kind, inputs, options, keys in layout
        ]
    return Graph(size, tuple(nodes), *others)


def drop_nodes(graph: Graph, replaced: Mapping[str, str], changed: Iterable[Node] = ()) -> Graph:
    """Return the graph without some nodes.

    Args:
        graph: the network.
        replaced: name of a dropped node -> the node whose value its readers get instead.
        changed: nodes that take the place of those with the same name.
    """
    changes = {node.name: node for node in changed}
    nodes = []
    for node in graph.nodes:
        if node.name not in replaced:
            node = changes.get(node.name, node)
            nodes.append(dataclasses.replace(node, inputs=tuple(replaced.get(i, i) for i in node.inputs)))
    return dataclasses.replace(graph, nodes=tuple(nodes))
