"""The network's arithmetic in TensorFlow, written once for calibration, fine-tuning and export.

What differs between them is only what happens to each kernel and each value on its way: nothing, being
observed, or being rounded to int8. That part is a `Hooks`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

from fer_edge.convert.graph.graph import WEIGHTED, Graph, Node

Tensor = Any


class Hooks(Protocol):
    """What happens to kernels and values."""

    def kernel(self, node: Node, kernel: Tensor, bias: Tensor) -> Tensor:
        """Return the kernel that `node` computes with."""

    def value(self, node: Node, value: Tensor) -> Tensor:
        """Return what the readers of `node` get for the `value` it computed."""


class Unchanged:
    """Hooks that do nothing: the float network."""

    def kernel(self, node: Node, kernel: Tensor, bias: Tensor) -> Tensor:
        """Return `kernel`."""
        return kernel

    def value(self, node: Node, value: Tensor) -> Tensor:
        """Return `value`."""
        return value


def forward(
    graph: Graph,
    images: Tensor,
    weights: Mapping[str, Mapping[str, Tensor]],
    hooks: Hooks,
    features: Tensor | None = None,
) -> Tensor:
    """Compute the output of a folded graph.

    Args:
        graph: without batch norms.
        images: float32, B x size x size x channels, as `Graph.values` gives them.
        weights: kernel and bias by node, in place of those in `graph`; constants or variables.
        hooks: what happens to each kernel and value.
        features: float32, B x length, HOG features times the ``gain`` of the graph's ``hog`` node, if it has one;
            None computes them from the images.

    Returns:
        float32, B x classes.
    """
    values: dict[str, Tensor] = {}
    last_reader = {name: node.name for node in graph.nodes for name in node.inputs}
    kernels: dict[str, Tensor] = {}
    for node in graph.nodes:
        if node.kind == "input":
            value = images
        elif node.kind == "hog":
            value = _hog(images) * node.options["gain"] if features is None else features
        else:
            inputs = [values[name] for name in node.inputs]
            if node.kind in WEIGHTED:
                owner = node.options.get("weights_of", node.name)
                kernel = weights[owner]["kernel"]
                # The converter leaves a dense layer without a bias in float.
                bias = weights[owner].get("bias", np.zeros(kernel.shape[-1], np.float32))
                if owner not in kernels:  # one rounded kernel for all that share it, so that the file stores one
                    kernels[owner] = hooks.kernel(node, kernel, bias)
                value = WITH_KERNEL[node.kind](node, inputs[0], kernels[owner]) + bias
            else:
                value = WITHOUT_KERNEL[node.kind](node, inputs)
        values[node.name] = hooks.value(node, value)
        for name in {name for name in node.inputs if last_reader[name] == node.name}:
            del values[name]  # a batch of large maps would fill the memory
    return values[graph.output.name]


def _hog(images: Tensor) -> Tensor:
    from fer_edge.train.zoo.hog_layer import Hog  # Keras, which exporting other networks does without

    return Hog()(images * 255.0)


def _crop(node: Node, x: Tensor) -> Tensor:
    top, bottom, left, right = node.options["edges"]
    return x[:, top : x.shape[1] - bottom, left : x.shape[2] - right, :]


def _padded(node: Node, x: Tensor) -> Tensor:
    top, bottom, left, right = node.options["edges"]
    return tf.pad(x, [[0, 0], [top, bottom], [left, right], [0, 0]])


def _strides(node: Node) -> list[int]:
    return [1, *node.options["strides"], 1]


def _window(node: Node) -> list[int]:
    return [1, *node.options["size"], 1]


WITH_KERNEL: Mapping[str, Callable[[Node, Tensor, Tensor], Tensor]] = {
    "conv": lambda n, x, k: tf.nn.conv2d(x, k, _strides(n), n.options["padding"]),
    "depthwise": lambda n, x, k: tf.nn.depthwise_conv2d(x, k, _strides(n), n.options["padding"]),
    "dense": lambda n, x, k: tf.matmul(x, k),
}
WITHOUT_KERNEL: Mapping[str, Callable[[Node, list[Tensor]], Tensor]] = {
    "relu": lambda n, x: tf.nn.relu(x[0]),
    "relu6": lambda n, x: tf.nn.relu6(x[0]),
    "leaky_relu": lambda n, x: tf.nn.leaky_relu(x[0], n.options["slope"]),
    # As the converter knows it, which makes a single operator of it.
    "hard_swish": lambda n, x: x[0] * tf.nn.relu6(x[0] + np.float32(3)) * np.float32(1 / 6),
    "sigmoid": lambda n, x: tf.nn.sigmoid(x[0]),
    "tanh": lambda n, x: tf.nn.tanh(x[0]),
    "softmax": lambda n, x: tf.nn.softmax(x[0]),
    "add": lambda n, x: tf.add(x[0], x[1]),
    "multiply": lambda n, x: tf.multiply(x[0], x[1]),
    "concat": lambda n, x: tf.concat(x, axis=-1),
    "max_pool": lambda n, x: tf.nn.max_pool2d(x[0], _window(n), _strides(n), n.options["padding"]),
    "average_pool": lambda n, x: tf.nn.avg_pool2d(x[0], _window(n), _strides(n), n.options["padding"]),
    "pad": lambda n, x: _padded(n, x[0]),
    "crop": lambda n, x: _crop(n, x[0]),
    "space_to_depth": lambda n, x: tf.nn.space_to_depth(x[0], n.options["block"]),
    # The parts of one value are asked for one by one; the converter makes a single operator of them.
    "part": lambda n, x: tf.split(x[0], n.options["parts"], axis=-1)[n.options["index"]],
    "reshape": lambda n, x: tf.reshape(x[0], [-1, *n.options["shape"]]),
    "mean": lambda n, x: tf.reduce_mean(x[0], axis=[1, 2], keepdims=n.options["keepdims"]),
    # A constant shape: asking the tensor for its batch would leave shape operators in the exported file.
    "flatten": lambda n, x: tf.reshape(x[0], [-1, math.prod(x[0].shape[1:])]),
}
