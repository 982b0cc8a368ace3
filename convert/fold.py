"""Batch norm folded into the layer before it, which leaves the function unchanged.

In inference a batch norm multiplies each channel by ``gamma / sqrt(variance + epsilon)`` and adds a
constant (Ioffe and Szegedy 2015, arXiv:1502.03167, section 3.1). A convolution or dense layer before it
can do both with its own kernel and bias (Jacob et al. 2018, arXiv:1712.05877, section 3.2).
"""

from __future__ import annotations

import dataclasses

import numpy as np

from fer_edge.convert.graph import WEIGHTED, Graph, Node, drop_nodes
from fer_edge.errors import ConversionError


def fold_batch_norms(graph: Graph) -> Graph:
    """Return an equal network without batch norms.

    Raises:
        ConversionError: a batch norm that does not directly follow a convolution or dense layer, or
            follows one whose output is read elsewhere too.
    """
    replaced, changed = {}, []
    for norm in graph.nodes:
        if norm.kind != "batch_norm":
            continue
        before = graph.node(norm.inputs[0])
        if before.kind not in WEIGHTED or len(graph.readers(before.name)) > 1:
            raise ConversionError(
                f"batch norm '{norm.name}': expected a convolution or dense layer before it that nothing else reads, "
                f"found '{before.name}' ({before.kind}), so it cannot be folded; move the batch norm between "
                "the convolution and its activation"
            )
        replaced[norm.name] = before.name
        changed.append(fold(before, norm))
    return drop_nodes(graph, replaced, changed)


def fold(layer: Node, norm: Node) -> Node:
    """Return `layer` with the batch norm `norm` in its kernel and bias.

    Computed in float64, so that the only error is the final rounding of each weight to float32.
    """
    w = {key: value.astype(np.float64) for key, value in norm.weights.items()}
    scale = w["gamma"] / np.sqrt(w["variance"] + norm.options["epsilon"])
    kernel = layer.weights["kernel"].astype(np.float64)
    # A depthwise kernel's channels are its last two axes, in the order of the output's.
    kernel = kernel * (scale.reshape(kernel.shape[2:]) if layer.kind == "depthwise" else scale)
    bias = (layer.weights["bias"].astype(np.float64) - w["mean"]) * scale + w["beta"]
    weights = {"kernel": kernel.astype(np.float32), "bias": bias.astype(np.float32)}
    return dataclasses.replace(layer, weights=weights)
