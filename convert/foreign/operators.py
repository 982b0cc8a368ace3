"""TensorFlow's operators as nodes of a `Graph`; what has no int8 form here is refused by its name and layer."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_edge.convert.foreign.frozen import Operation
from fer_edge.convert.graph.graph import Graph, Node
from fer_edge.errors import ConversionError

SPATIAL = (1, 2)
"""Axes of rows and columns."""


def read_operations(operations: Sequence[Operation]) -> Graph:
    """Return a network from pixels, as it expects them, to what its last operator gives.

    A scale and shift by constants, such as a bias, a batch norm or a rescaling, becomes a ``batch_norm``, which is
    folded later.

    Raises:
        ConversionError: an operator that conversion does not know, weights that are not finite, or a batch that is no
            batch any more.
    """
    source = operations[0]
    nodes = [Node("input", "input")]
    names = {source.name: "input"}
    for operation in operations[1:]:
        if operation.kind not in READERS:
            said = EXPLAINED.get(operation.kind, "which has no int8 form here")
            raise ConversionError(
                f"layer '{operation.layer}' uses the operator {operation.kind}, {said}; see the list of layers in "
                "docs/own-networks.md"
            )
        if operation.shape[:1] != (1,):
            raise ConversionError(
                f"layer '{operation.layer}' ({operation.kind}): expected a value of fixed shape for each image, found "
                f"{'x'.join(map(str, operation.shape)) if operation.shape != (-1,) else 'one of unknown shape'}"
            )
        inputs = tuple(names[i] for i in operation.inputs if isinstance(i, str))
        added = READERS[operation.kind](operation, inputs)
        if not all(np.isfinite(array).all() for node in added for array in node.weights.values()):
            raise ConversionError(
                f"layer '{operation.layer}': expected finite weights, found some that are not; the training diverged, "
                "train again with a smaller learning rate"
            )
        nodes += added
        names[operation.name] = added[-1].name if added else inputs[0]
    rows, columns, channels = source.shape[1:]
    return Graph(rows, tuple(nodes), None if columns == rows else columns, channels)


EXPLAINED = {
    "Conv3D": "which works in three dimensions",
    "While": "a loop, as of a recurrent layer; use a network of convolutions",
    "StatelessWhile": "a loop, as of a recurrent layer; use a network of convolutions",
    "TensorListReserve": "of a recurrent layer; use a network of convolutions",
    "Transpose": "as a network with its channels first does; build it with data_format='channels_last'",
}


def _refuse(operation: Operation, expected: str, found: Any) -> ConversionError:
    return ConversionError(f"layer '{operation.layer}' ({operation.kind}): expected {expected}, found {found}")


def _constant(operation: Operation, index: int, what: str) -> NDArray[Any]:
    value = operation.inputs[index]
    if isinstance(value, str):
        raise _refuse(operation, f"{what} that is constant", "one that is computed from the image")
    return value


def _word(operation: Operation, key: str) -> str:
    value = operation.attributes.get(key, b"")
    return value.decode() if isinstance(value, bytes) else str(value)


def _window(operation: Operation) -> dict[str, Any]:
    if _word(operation, "data_format") not in ("NHWC", ""):
        raise _refuse(operation, "channels last", "channels first")
    padding = _word(operation, "padding")
    if padding not in ("SAME", "VALID"):
        raise _refuse(operation, "padding SAME or VALID", padding)
    if any(step != 1 for step in operation.attributes.get("dilations", [])):
        raise _refuse(operation, "a dilation of 1", operation.attributes["dilations"])
    return {"strides": [int(step) for step in operation.attributes["strides"][1:3]], "padding": padding}


def _weighted(kind: str) -> Callable[[Operation, tuple[str, ...]], list[Node]]:
    def read(operation: Operation, inputs: tuple[str, ...]) -> list[Node]:
        kernel = _constant(operation, 1, "a kernel").astype(np.float32)
        if kernel.shape[2] != operation.shapes[0][-1]:
            raise _refuse(operation, "one group", f"{operation.shapes[0][-1] // kernel.shape[2]} groups of channels")
        window = _window(operation)
        if kind == "depthwise" and len(set(window["strides"])) > 1:
            raise _refuse(operation, "equal strides", window["strides"])
        weights = {"kernel": kernel, "bias": np.zeros(operation.shape[-1], np.float32)}
        return [Node(operation.name, kind, inputs, window, weights)]

    return read


def _dense(operation: Operation, inputs: tuple[str, ...]) -> list[Node]:
    kernel = _constant(operation, 1, "a kernel").astype(np.float32)
    if operation.attributes.get("transpose_b") or operation.attributes.get("adj_y"):
        kernel = kernel.T
    if kernel.ndim != 2 or operation.attributes.get("transpose_a"):
        raise _refuse(operation, "a product of a vector and a matrix", f"one of {kernel.ndim} axes")
    weights = {"kernel": kernel, "bias": np.zeros(kernel.shape[1], np.float32)}
    return [Node(operation.name, "dense", inputs, weights=weights)]


def affine(name: str, source: str, gamma: NDArray[Any], beta: NDArray[Any], rank: int) -> Node:
    """Return a node that multiplies each channel by `gamma` and adds `beta`."""
    zero = np.zeros(len(gamma), np.float32)
    weights = {"gamma": gamma.astype(np.float32), "beta": beta.astype(np.float32), "mean": zero, "variance": zero + 1}
    return Node(name, "batch_norm", (source,), {"epsilon": 0.0, "rank": rank}, weights)


def _arithmetic(kind: str) -> Callable[[Operation, tuple[str, ...]], list[Node]]:
    def read(operation: Operation, inputs: tuple[str, ...]) -> list[Node]:
        if len(inputs) == 2:
            if kind not in ("add", "multiply"):
                raise _refuse(operation, "a constant on one side", "two values that are computed from the image")
            if len(operation.shapes[0]) != len(operation.shapes[1]):
                raise _refuse(operation, "two values of equally many axes", "others; put a Reshape before it")
            return [Node(operation.name, kind, inputs)]
        first = isinstance(operation.inputs[0], str)
        constant = _per_channel(operation, _constant(operation, int(first), "a value"))
        one, zero = np.ones_like(constant), np.zeros_like(constant)
        if kind == "divide" and not first:
            raise _refuse(operation, "a division by a constant", "a division of one")
        factors = {
            "add": (one, constant),
            "multiply": (constant, zero),
            "subtract": (one, -constant) if first else (-one, constant),
            "divide": (one / constant, zero) if kind == "divide" else (one, zero),
        }
        gamma, beta = factors[kind]
        if (gamma == 1).all() and (beta == 0).all():
            return []
        return [affine(operation.name, inputs[0], gamma, beta, len(operation.shape))]

    return read


def _per_channel(operation: Operation, constant: NDArray[Any]) -> NDArray[np.float64]:
    """Return a constant as one number for each channel."""
    channels = operation.shape[-1]
    if constant.size not in (1, channels) or constant.shape[-1:] not in ((), (1,), (channels,)):
        raise _refuse(operation, "one number, or one for each channel", f"{'x'.join(map(str, constant.shape))} numbers")
    return np.broadcast_to(constant.astype(np.float64).reshape(-1), (channels,)).copy()


def _batch_norm(operation: Operation, inputs: tuple[str, ...]) -> list[Node]:
    if operation.attributes.get("is_training"):
        raise _refuse(operation, "a batch norm with fixed statistics", "one that is still training")
    keys = ("gamma", "beta", "mean", "variance")
    weights = {key: _constant(operation, i, key).astype(np.float32) for i, key in enumerate(keys, start=1)}
    options = {"epsilon": float(operation.attributes["epsilon"]), "rank": len(operation.shape)}
    return [Node(operation.name, "batch_norm", inputs, options, weights)]


def _simple(kind: str) -> Callable[[Operation, tuple[str, ...]], list[Node]]:
    return lambda operation, inputs: [Node(operation.name, kind, inputs)]


def _leaky(operation: Operation, inputs: tuple[str, ...]) -> list[Node]:
    return [Node(operation.name, "leaky_relu", inputs, {"slope": float(operation.attributes["alpha"])})]


def _pool(kind: str) -> Callable[[Operation, tuple[str, ...]], list[Node]]:
    def read(operation: Operation, inputs: tuple[str, ...]) -> list[Node]:
        size = [int(side) for side in operation.attributes["ksize"][1:3]]
        return [Node(operation.name, kind, inputs, {"size": size, **_window(operation)})]

    return read


def _average_pool(operation: Operation, inputs: tuple[str, ...]) -> list[Node]:
    """Return a depthwise convolution with equal weights, whose result has a scale of its own; at borders a pooling."""
    (pool,) = _pool("average_pool")(operation, inputs)
    rows, columns = pool.options["size"]
    if pool.options["padding"] != "VALID" or len(set(pool.options["strides"])) > 1:
        return [pool]
    kernel = np.full((rows, columns, operation.shape[-1], 1), 1 / (rows * columns), np.float32)
    weights = {"kernel": kernel, "bias": np.zeros(operation.shape[-1], np.float32)}
    return [dataclasses.replace(pool, kind="depthwise", weights=weights)]


def _over_map(kind: str) -> Callable[[Operation, tuple[str, ...]], list[Node]]:
    def read(operation: Operation, inputs: tuple[str, ...]) -> list[Node]:
        rank = len(operation.shapes[0])
        axes = sorted(int(axis) % rank for axis in np.ravel(_constant(operation, 1, "axes")))
        if rank != 4 or tuple(axes) != SPATIAL:
            raise _refuse(operation, "a reduction over rows and columns", f"one over axes {axes} of {rank}")
        keeps = bool(operation.attributes.get("keep_dims"))
        if kind == "mean":
            return [Node(operation.name, "mean", inputs, {"keepdims": keeps})]
        size = list(operation.shapes[0][1:3])
        pool = Node(operation.name, "max_pool", inputs, {"size": size, "strides": size, "padding": "VALID"})
        return [pool] if keeps else [pool, Node(f"{operation.name}.flat", "flatten", (pool.name,))]

    return read


def _concat(operation: Operation, inputs: tuple[str, ...]) -> list[Node]:
    axis = int(_constant(operation, -1, "an axis")) % len(operation.shape)
    if axis != len(operation.shape) - 1 or len(inputs) != len(operation.inputs) - 1:
        raise _refuse(operation, "values joined along their channels", f"axis {axis}, or constants among them")
    return [Node(operation.name, "concat", inputs)]


def _pad(operation: Operation, inputs: tuple[str, ...]) -> list[Node]:
    amounts = _constant(operation, 1, "an amount of padding")
    value = float(_constant(operation, 2, "a value")) if len(operation.inputs) > 2 else 0.0
    if amounts.shape != (4, 2) or amounts[0].any() or amounts[3].any() or value:
        raise _refuse(operation, "padding of rows and columns with 0", f"{amounts.tolist()} with {value:g}")
    options = {"edges": [int(n) for n in amounts[1:3].reshape(-1)], "of": list(operation.shapes[0][1:3])}
    return [Node(operation.name, "pad", inputs, options)]


def _reshape(operation: Operation, inputs: tuple[str, ...]) -> list[Node]:
    if operation.shape == operation.shapes[0]:
        return []
    if len(operation.shape) == 2:
        return [Node(operation.name, "flatten", inputs)]
    return [Node(operation.name, "reshape", inputs, {"shape": list(operation.shape[1:])})]


READERS: dict[str, Callable[[Operation, tuple[str, ...]], list[Node]]] = {
    "Add": _arithmetic("add"),
    "AddV2": _arithmetic("add"),
    "AvgPool": _average_pool,
    "BatchMatMulV2": _dense,
    "BiasAdd": _arithmetic("add"),
    "ConcatV2": _concat,
    "Conv2D": _weighted("conv"),
    "DepthwiseConv2dNative": _weighted("depthwise"),
    "ExpandDims": _reshape,
    "FusedBatchNormV3": _batch_norm,
    "LeakyRelu": _leaky,
    "MatMul": _dense,
    "Max": _over_map("max"),
    "MaxPool": _pool("max_pool"),
    "Mean": _over_map("mean"),
    "Mul": _arithmetic("multiply"),
    "Pad": _pad,
    "PadV2": _pad,
    "RealDiv": _arithmetic("divide"),
    "Relu": _simple("relu"),
    "Relu6": _simple("relu6"),
    "Reshape": _reshape,
    "Sigmoid": _simple("sigmoid"),
    "Softmax": _simple("softmax"),
    "Squeeze": _reshape,
    "Sub": _arithmetic("subtract"),
    "Tanh": _simple("tanh"),
}
"""TensorFlow operator -> how it becomes nodes."""
