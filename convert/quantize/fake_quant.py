"""Rounding to int8 in the float network: fake quantization (Jacob et al. 2018, arXiv:1712.05877, section 3).

The rounded values are those of the int8 file, and the gradient passes through the rounding unchanged, so
fine-tuning can adapt the weights to it. The TFLite converter reads the scales off the same operations.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from fer_edge.convert.graph.graph import Node
from fer_edge.convert.quantize.ranges import Range

Tensor = Any

WEIGHT_STEPS = 127
"""Weights use -127..127: symmetric, so their zero point is 0 (the TFLite 8-bit quantization specification)."""

LARGEST_BIAS = 2**30
"""Half of what an int32 bias holds; the other half is for the sum of products."""


class FakeQuantization:
    """`fer_edge.convert.graph.forward.Hooks` that round as the int8 file does.

    Kernels: symmetric, one scale a channel for convolutions, one for the whole kernel of a dense layer (the
    converter fails on a dense kernel with more). Values: asymmetric, with the given ranges; values
    without a range pass, because their operator computes the activation behind them too.
    """

    def __init__(self, ranges: Mapping[str, Range]) -> None:
        self.ranges = ranges

    def kernel(self, node: Node, kernel: Tensor, bias: Tensor) -> Tensor:
        """Return `kernel` rounded to int8."""
        # The scale follows the weights and is not itself trained.
        limits = tf.stop_gradient(weight_limits(node, kernel, bias, self.ranges[node.inputs[0]].scale))
        if node.kind == "dense":
            limit = tf.reduce_max(limits)
            return tf.quantization.fake_quant_with_min_max_vars(kernel, -limit, limit, narrow_range=True)
        flat = tf.reshape(kernel, [*kernel.shape[:2], -1]) if node.kind == "depthwise" else kernel
        rounded = tf.quantization.fake_quant_with_min_max_vars_per_channel(flat, -limits, limits, narrow_range=True)
        return tf.reshape(rounded, kernel.shape)

    def value(self, node: Node, value: Tensor) -> Tensor:
        """Return `value` rounded to int8 if it is a tensor of the file."""
        if node.name not in self.ranges:
            return value
        low, high = self.ranges[node.name]
        return tf.quantization.fake_quant_with_min_max_args(value, low, high)


def weight_limits(node: Node, kernel: Tensor, bias: Tensor, input_scale: float) -> Tensor:
    """Return the largest absolute weight that each output channel's int8 kernel can express.

    That is the channel's largest absolute weight, or more where the channel's bias, stored as int32 in steps
    of input scale times weight scale, would not fit: a channel that batch norm has nearly switched off
    has tiny weights and an ordinary bias.

    Returns:
        float32, (channels,); greater than 0.
    """
    axes = [0, 1] if node.kind == "depthwise" else list(range(len(kernel.shape) - 1))
    largest = tf.reshape(tf.reduce_max(tf.abs(kernel), axis=axes), [-1])
    smallest_for_bias = tf.abs(bias) * (WEIGHT_STEPS / (input_scale * LARGEST_BIAS))
    return tf.maximum(tf.maximum(largest, smallest_for_bias), 1e-6)
