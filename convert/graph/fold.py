"""Batch norm folded into the layers around it, which leaves the function unchanged.

In inference a batch norm multiplies each channel by ``gamma / sqrt(variance + epsilon)`` and adds a
constant (Ioffe and Szegedy 2015, arXiv:1502.03167, section 3.1). A convolution or dense layer before it
can do both with its own kernel and bias (Jacob et al. 2018, arXiv:1712.05877, section 3.2). So can one behind it that
pads nothing, which takes in a batch norm behind an activation. What neither can take becomes a depthwise 1x1
convolution.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from fer_edge.convert.graph.graph import WEIGHTED, Graph, Node, drop_nodes
from fer_edge.errors import ConversionError

MAP_RANK = 4
"""Axes of a map: batch, height, width, channels."""


def fold_batch_norms(graph: Graph) -> Graph:
    """Return an equal network without batch norms.

    Raises:
        ConversionError: a batch norm of vectors, with neither a layer that it can be folded into before it nor
            one behind it.
    """
    while norm := next((node for node in graph.nodes if node.kind == "batch_norm"), None):
        before, readers = graph.node(norm.inputs[0]), graph.readers(norm.name)
        behind = graph.readers(readers[0].name) if len(readers) == 1 and readers[0].kind == "flatten" else readers
        if before.kind in WEIGHTED and len(graph.readers(before.name)) == 1:
            graph = drop_nodes(graph, {norm.name: before.name}, [fold(before, norm)])
        elif len(behind) == 1 and _pads_nothing(behind[0]):
            graph = drop_nodes(graph, {norm.name: before.name}, [fold_forward(norm, behind[0])])
        elif norm.options["rank"] == MAP_RANK:
            graph = drop_nodes(graph, {}, [as_depthwise(norm)])
        else:
            raise ConversionError(
                f"batch norm '{norm.name}': expected a layer before or behind it that takes it in and that nothing "
                f"else reads, found '{before.name}' ({before.kind}), so it cannot be folded; move the batch norm "
                "between the dense layer and its activation"
            )
    return graph


def _pads_nothing(node: Node) -> bool:
    return node.kind == "dense" or (node.kind == "conv" and node.options["padding"] == "VALID")


def fold(layer: Node, norm: Node) -> Node:
    """Return `layer` with the batch norm `norm` behind it in its kernel and bias.

    Computed in float64, so that the only error is the final rounding of each weight to float32.
    """
    scale, shift = _scale_and_shift(norm)
    kernel = layer.weights["kernel"].astype(np.float64)
    # A depthwise kernel's channels are its last two axes, in the order of the output's.
    kernel = kernel * (scale.reshape(kernel.shape[2:]) if layer.kind == "depthwise" else scale)
    bias = layer.weights["bias"].astype(np.float64) * scale + shift
    return _with_weights(layer, kernel, bias)


def fold_forward(norm: Node, layer: Node) -> Node:
    """Return `layer` with the batch norm `norm` before it in its weights.

    `layer` is a dense layer or a convolution without padding. One behind a flattened map has the channels as the
    fastest axis of its inputs.
    """
    scale, shift = _scale_and_shift(norm)
    kernel = layer.weights["kernel"].astype(np.float64)
    inputs = kernel.shape[-2]
    scale, shift = (np.tile(values, inputs // len(values)) for values in (scale, shift))
    constant = (kernel * shift[:, None]).sum(axis=tuple(range(kernel.ndim - 1)))
    return _with_weights(layer, kernel * scale[:, None], layer.weights["bias"].astype(np.float64) + constant)


def as_depthwise(norm: Node) -> Node:
    """Return a depthwise 1x1 convolution that does what the batch norm `norm` does to a map."""
    scale, shift = _scale_and_shift(norm)
    node = Node(norm.name, "depthwise", norm.inputs, {"strides": [1, 1], "padding": "VALID"})
    return _with_weights(node, scale.reshape(1, 1, -1, 1), shift)


def _scale_and_shift(norm: Node) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    w = {key: value.astype(np.float64) for key, value in norm.weights.items()}
    scale = w["gamma"] / np.sqrt(w["variance"] + norm.options["epsilon"])
    return scale, w["beta"] - w["mean"] * scale


def _with_weights(layer: Node, kernel: NDArray[np.float64], bias: NDArray[np.float64]) -> Node:
    return dataclasses.replace(layer, weights={"kernel": kernel.astype(np.float32), "bias": bias.astype(np.float32)})
