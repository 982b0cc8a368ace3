"""What a network of the zoo costs, before anything is trained."""

from __future__ import annotations

import math
from typing import Any


def multiply_adds(model: Any) -> int:
    """Return the products that a Keras model forms for one image, in convolutions, dense layers and LSTMs.

    Biases, batch norm (folded into the convolution before it on conversion), activations and pooling by
    maxima are not counted, as in `fer_edge.convert.export.cost`.
    """
    return sum(_of_layer(layer) for layer in model.layers)


def _of_layer(layer: Any) -> int:
    kind = type(layer).__name__
    if kind in ("Conv2D", "DepthwiseConv2D"):
        return int(math.prod(layer.output.shape[1:3]) * math.prod(layer.kernel.shape))
    if kind == "AveragePooling2D" and layer.padding == "valid":  # conversion makes a depthwise convolution of it
        return int(math.prod(layer.output.shape[1:]) * math.prod(layer.pool_size))
    if kind == "Dense":
        return int(math.prod(layer.kernel.shape))
    if kind == "LSTM":
        step = math.prod(layer.cell.kernel.shape) + math.prod(layer.cell.recurrent_kernel.shape)
        return int(layer.input.shape[1] * step)
    return 0
