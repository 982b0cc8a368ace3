"""The gate: an int8 file is written only if it is int8 throughout and keeps the model file's contract.

It reads the flatbuffer (`fer_edge.convert.export.flatbuffer`); whoever calls it writes the file afterwards.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from fer_edge.convert.export.flatbuffer import Operator, Tensor, TFLiteGraph
from fer_edge.errors import ConversionError
from fer_edge.runtime import INPUT_SCALE, INPUT_ZERO_POINT, OUTPUT_SCALE, OUTPUT_ZERO_POINT

SCALE_TOLERANCE = 1e-6
"""Relative; a scale is a float32 that was computed from two others."""

CHANNEL_AXIS = {"CONV_2D": 0, "DEPTHWISE_CONV_2D": 3}
"""Where a kernel's output channels are, for the operators whose kernels have a scale for each."""


def verify_int8(
    graph: TFLiteGraph,
    allowed: frozenset[str],
    input_size: int,
    classes: int,
    features: int = 0,
    *,
    channels: int = 1,
    input_zero: int = 0,
) -> None:
    """Check that a converted model is what ``--int8`` promises.

    - Inputs: int8, 1 x size x size x channels, scale 1/255 and zero point -128 plus the level that is 0; int8,
      1 x features, if there are any.
    - Output: int8, 1 x classes, scale 1/256 and zero point -128, from a softmax.
    - Operators: none outside `allowed`.
    - Tensors: int8, each with a finite, positive scale, but for int32 constants (biases and shapes).
    - Kernels: zero point 0; those of convolutions have a scale for each output channel.

    Args:
        graph: what the file holds.
        allowed: operators, by their names in the schema.
        input_size: side of the image, in pixels.
        classes: of the output.
        features: HOG features of an image; 0 for a model without.
        channels: of the image.
        input_zero: level of a pixel that the network takes as 0.

    Raises:
        ConversionError: the first check that fails, with what was expected and found.
    """
    shape = (1, input_size, input_size, channels)
    pixels = tuple(t for t in graph.inputs if not features or len(t.shape) > 2)
    _check_port("input", pixels, shape, INPUT_SCALE, INPUT_ZERO_POINT + input_zero)
    if features:
        _check_kind("input of features", tuple(t for t in graph.inputs if t not in pixels), (1, features))
    _check_port("output", graph.outputs, (1, classes), OUTPUT_SCALE, OUTPUT_ZERO_POINT)
    _check_operators(graph, allowed)
    last = next((o.name for o in graph.operators if graph.outputs[0] in o.outputs), "none")
    if last != "SOFTMAX":
        raise _violation("the output's operator", "SOFTMAX", last)
    _check_tensors(graph)


def verify_int8_values(graph: TFLiteGraph, allowed: frozenset[str], input_shape: tuple[int, int], values: int) -> None:
    """Check a converted network that gives real numbers instead of probabilities: the output's scale is its own.

    One int8 input of 1 x rows x columns x 1 with scale 1/255 and zero point -128; one int8 output of 1 x values; the
    rest as `verify_int8` checks it.

    Raises:
        ConversionError: the first check that fails, with what was expected and found.
    """
    _check_port("input", graph.inputs, (1, *input_shape, 1), INPUT_SCALE, INPUT_ZERO_POINT)
    _check_kind("output", graph.outputs, (1, values))
    _check_operators(graph, allowed)
    _check_tensors(graph)


def _check_operators(graph: TFLiteGraph, allowed: frozenset[str]) -> None:
    for name in graph.operator_counts():
        if name not in allowed:
            raise _violation("operators", f"only {', '.join(sorted(allowed))}", name)


def _check_tensors(graph: TFLiteGraph) -> None:
    for tensor in graph.tensors:
        if tensor.dtype != "INT8" and not (tensor.dtype == "INT32" and tensor.constant):
            raise _violation(f"the type of tensor '{tensor.name}'", "INT8, or INT32 if constant", tensor.dtype)
        bad = [scale for scale in tensor.scales if not 0 < scale < math.inf]
        if tensor.dtype == "INT8" and (bad or not tensor.scales):
            raise _violation(f"the scale of tensor '{tensor.name}'", "a positive number", str((*bad, "none")[0]))
    for operator, kernel in _kernels(graph):
        shifted = [point for point in kernel.zero_points if point != 0]
        if shifted:
            raise _violation(f"the kernel of {operator.name} '{kernel.name}'", "zero point 0", str(shifted[0]))
        axis = CHANNEL_AXIS.get(operator.name)
        if axis is None:
            continue
        channels = kernel.shape[axis]
        if len(kernel.scales) != channels or (channels > 1 and kernel.axis != axis):
            raise _violation(
                f"the kernel of {operator.name} '{kernel.name}'",
                f"a scale for each of its {channels} channels",
                f"{len(kernel.scales)} along axis {kernel.axis}",
            )


def _kernels(graph: TFLiteGraph) -> Iterator[tuple[Operator, Tensor]]:
    for operator in graph.operators:
        if operator.name in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"):
            yield operator, operator.inputs[1]


def _check_port(name: str, tensors: tuple[Tensor, ...], shape: tuple[int, ...], scale: float, zero_point: int) -> None:
    _check_kind(name, tensors, shape)
    tensor = tensors[0]
    if len(tensor.scales) != 1 or not math.isclose(tensor.scales[0], scale, rel_tol=SCALE_TOLERANCE):
        raise _violation(f"the scale of the {name}", f"1/{1 / scale:.0f}", ", ".join(map(str, tensor.scales)) or "none")
    if tensor.zero_points != (zero_point,):
        raise _violation(f"the zero point of the {name}", str(zero_point), str(tensor.zero_points[0]))


def _check_kind(name: str, tensors: tuple[Tensor, ...], shape: tuple[int, ...]) -> None:
    found = " and ".join(f"{t.dtype} {'x'.join(map(str, t.shape))}" for t in tensors) or "none"
    expected = f"INT8 {'x'.join(map(str, shape))}"
    if found != expected:
        raise _violation(f"the {name}", expected, found)


def _violation(check: str, expected: str, found: str) -> ConversionError:
    return ConversionError(
        f"the converted model failed verification: {check}: expected {expected}, found {found}; nothing was written"
    )
