"""What a TFLite file costs, whatever machine runs it: multiply-adds and parameters."""

from __future__ import annotations

import dataclasses
import math

from fer_edge.convert.export.blocks import BLOCK
from fer_edge.convert.export.flatbuffer import Operator, Tensor, TFLiteGraph


@dataclasses.dataclass(frozen=True)
class Cost:
    """Of one inference of one image.

    Attributes:
        multiply_adds: products of convolutions and dense layers; biases, activations and pooling not counted.
        parameters: numbers in kernels and biases.

    The zeros that fill up a kernel on blocks of pixels (`fer_edge.convert.export.blocks`) are in neither: 7 of 16
    numbers of one that was 3x3, half of one that was 3x4.
    """

    multiply_adds: int
    parameters: int


def tflite_cost(graph: TFLiteGraph) -> Cost:
    """Count the multiply-adds and parameters of a TFLite file."""
    weighted = [o for o in graph.operators if o.name in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")]
    blocks = {id(o.outputs[0]) for o in graph.operators if o.name == "SPACE_TO_DEPTH"}
    filled = {id(o.inputs[1]) for o in weighted if id(o.inputs[0]) in blocks}

    def numbers(tensor: Tensor) -> int:
        count = math.prod(tensor.shape)  # filters x block rows x block columns x 4
        return count // 16 * (9 if tensor.shape[2] % BLOCK == 0 else 8) if id(tensor) in filled else count

    # The steps of an LSTM share their kernel.
    stored = {id(tensor): tensor for operator in weighted for tensor in operator.inputs[1:]}
    parameters = sum(map(numbers, stored.values()))
    return Cost(sum(_multiply_adds(operator, numbers(operator.inputs[1])) for operator in weighted), parameters)


def _multiply_adds(operator: Operator, kernel: int) -> int:
    if operator.name == "FULLY_CONNECTED":
        return kernel
    # Each number of a convolution's kernel, depthwise or not, is used once at every output position.
    return math.prod(operator.outputs[0].shape[:3]) * kernel
