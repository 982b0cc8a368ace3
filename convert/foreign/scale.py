"""How a network wants its pixels, folded into its first layer, so that a device still only subtracts 128.

A layer that pads does so with 0 as the network sees it: with black where it sees 0..1, with mid-grey where it sees
-1..1. The int8 input pads with its zero point, so that is put where the network's zero is (`Graph.input_zero`).
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from fer_edge.convert.foreign.operators import affine
from fer_edge.convert.graph.fold import as_depthwise
from fer_edge.convert.graph.graph import Graph, Node, drop_nodes
from fer_edge.errors import ConfigError

IMAGENET_MEAN, IMAGENET_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's RGB channels in 0..1, as PyTorch's models take them."""

LEVELS = 1.0
"""By so much may the level of the padding differ from the network's own zero; it is a whole number."""


def factors(scale: str, channels: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what each channel of a pixel 0..255 is multiplied by, and what is added then."""
    if scale == "imagenet":
        if channels != 3:
            raise ConfigError("scale", "`scale` imagenet is for RGB networks, found one of one channel")
        deviation = np.array(IMAGENET_DEVIATION)
        return 1 / (255 * deviation), -np.array(IMAGENET_MEAN) / deviation
    factor, constant = {"0..1": (1 / 255, 0.0), "-1..1": (1 / 127.5, -1.0), "0..255": (1.0, 0.0)}[scale]
    return np.full(channels, factor), np.full(channels, constant)


def rescales(graph: Graph) -> bool:
    """Return whether a network begins with a scale of its own; a batch norm says nothing of how pixels were scaled."""
    return _begins_linear(graph) and not _is_batch_norm(graph.readers(graph.nodes[0].name)[0])


def _begins_linear(graph: Graph) -> bool:
    readers = graph.readers(graph.nodes[0].name)
    return len(readers) == 1 and readers[0].kind == "batch_norm"


def _is_batch_norm(node: Node) -> bool:
    """Return whether a factor and a constant are a BatchNormalization layer's, fused or by TensorFlow's operators."""
    return node.options["epsilon"] > 0 or "batchnorm" in node.name.split("/")


def fold_scale(graph: Graph, scale: str, grey: bool) -> Graph:
    """Return a network of `Graph.values` that computes what `graph` does of scaled pixels.

    Args:
        graph: takes pixels as it expects them; what it does to them first is a ``batch_norm``.
        scale: one of `fer_edge.convert.config.SCALES`, done to the pixels before.
        grey: whether a network of three channels is to get one, three times.
    """
    source, channels = graph.nodes[0].name, graph.channels
    scaled = affine("scale", source, *factors(scale, channels), rank=4)
    graph = dataclasses.replace(
        graph, nodes=(graph.nodes[0], scaled, *(_reading(node, source, "scale") for node in graph.nodes[1:]))
    )
    factor, constant = np.full(channels, 255.0), np.zeros(channels)  # the graph takes pixel / 255
    while _begins_linear(graph):
        norm = graph.readers(source)[0]
        gamma, shift = _scale_and_shift(norm)
        factor, constant = factor * gamma, constant * gamma + shift
        graph = drop_nodes(graph, {norm.name: source})
    return _fold_into_first(graph, factor, constant, grey and channels > 1)


def _fold_into_first(graph: Graph, factor: NDArray[np.float64], constant: NDArray[np.float64], grey: bool) -> Graph:
    source = graph.nodes[0].name
    readers = graph.readers(source)
    padded = len(readers) == 1 and readers[0].kind == "pad"
    layers = graph.readers(readers[0].name) if padded else readers
    zero = 0
    if len(layers) == 1 and layers[0].kind in (("conv",) if grey else ("conv", "depthwise")):
        if padded or layers[0].options["padding"] == "SAME":
            wanted = -255 * constant / factor
            zero = int(np.clip(np.floor(wanted.mean() + 0.501), 0, 255))
        if not (padded or layers[0].options["padding"] == "SAME") or np.abs(wanted - zero).max() <= LEVELS:
            folded = _folded(layers[0], factor, constant + factor * zero / 255, grey)
            graph = drop_nodes(graph, {}, [folded])
            return dataclasses.replace(graph, channels=1 if grey else graph.channels, input_zero=zero)
    first = _spread(source, factor, constant) if grey else as_depthwise(affine("scale", source, factor, constant, 4))
    nodes = (graph.nodes[0], first, *(_reading(node, source, first.name) for node in graph.nodes[1:]))
    return dataclasses.replace(graph, nodes=nodes, channels=1 if grey else graph.channels)


def _reading(node: Node, old: str, new: str) -> Node:
    return dataclasses.replace(node, inputs=tuple(new if name == old else name for name in node.inputs))


def _scale_and_shift(norm: Node) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    w = {key: value.astype(np.float64) for key, value in norm.weights.items()}
    gamma = w["gamma"] / np.sqrt(w["variance"] + norm.options["epsilon"])
    return gamma, w["beta"] - w["mean"] * gamma


def _folded(layer: Node, factor: NDArray[np.float64], constant: NDArray[np.float64], grey: bool) -> Node:
    """Return `layer` for inputs that are yet to be scaled; of three equal channels, for one of them."""
    kernel = layer.weights["kernel"].astype(np.float64)
    bias = layer.weights["bias"].astype(np.float64)
    shift = (kernel * constant[:, None]).sum(axis=(0, 1) if layer.kind == "depthwise" else (0, 1, 2)).reshape(-1)
    kernel = kernel * factor[:, None]
    if grey:
        kernel = kernel.sum(axis=2, keepdims=True)
    weights = {"kernel": kernel.astype(np.float32), "bias": (bias + shift).astype(np.float32)}
    return dataclasses.replace(layer, weights=weights)


def _spread(source: str, factor: NDArray[np.float64], constant: NDArray[np.float64]) -> Node:
    """Return a 1x1 convolution that makes three scaled channels of a grey one."""
    weights = {"kernel": factor.reshape(1, 1, 1, -1).astype(np.float32), "bias": constant.astype(np.float32)}
    return Node("scale", "conv", (source,), {"strides": [1, 1], "padding": "VALID"}, weights)
