"""What a TFLite file costs, whatever machine runs it: multiply-adds and parameters."""

from __future__ import annotations

import dataclasses
import math

from fer_edge.convert.flatbuffer import Operator, TFLiteGraph


@dataclasses.dataclass(frozen=True)
class Cost:
    """Of one inference of one image.

    Attributes:
        multiply_adds: products of convolutions and dense layers; biases, activations and pooling not counted.
        parameters: numbers in kernels and biases.
    """

    multiply_adds: int
    parameters: int


def tflite_cost(graph: TFLiteGraph) -> Cost:
    """Count the multiply-adds and parameters of a TFLite file."""
    weighted = [o for o in graph.operators if o.name in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")]
    # The steps of an LSTM share their kernel.
    stored = {id(tensor): tensor for operator in weighted for tensor in operator.inputs[1:]}
    parameters = sum(math.prod(tensor.shape) for tensor in stored.values())
    return Cost(sum(map(_multiply_adds, weighted)), parameters)


def _multiply_adds(operator: Operator) -> int:
    kernel, output = operator.inputs[1].shape, operator.outputs[0].shape
    if operator.name == "FULLY_CONNECTED":  # kernel: outputs x inputs
        return math.prod(kernel)
    # Conv: outputs x H x W x inputs; depthwise: 1 x H x W x channels. Each is used once at every output position.
    return math.prod(output[:3]) * math.prod(kernel)
