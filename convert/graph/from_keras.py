"""A trained Keras model read into a `Graph`, layer by layer; what has no int8 form here is refused by name."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from fer_edge.convert.graph.graph import ACTIVATIONS, Graph, Node
from fer_edge.convert.graph.lstm import lstm_nodes
from fer_edge.errors import ConversionError

INACTIVE = ("Dropout", "SpatialDropout2D", "GaussianNoise")
"""Layers that do something in training only."""


def read_keras(model: Any) -> Graph:
    """Return the inference graph of a functional Keras model.

    The model takes pixels of 0..255 and begins with ``Rescaling(1/255)``; the graph takes [0, 1] and has no
    such node, because the int8 input's scale does its work. HOG features that the model computes from its pixels
    become a second input, and a ``Rescaling`` behind them goes into that one's scale.

    Args:
        model: keras.Model with one input (B x rows x columns x 1) and one output (B x classes).

    Raises:
        ConversionError: a layer, or an option of one, that conversion does not know.
    """
    if not hasattr(model, "operations"):
        raise ConversionError(f"expected a functional Keras model, found a {type(model).__name__}")
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise ConversionError(
            f"expected a model with one input and one output, found {len(model.inputs)} and {len(model.outputs)}"
        )
    size, columns = (int(side) for side in model.inputs[0].shape[1:3])
    nodes = [Node("input", "input")]
    hog_names: set[str] = set()
    produced = {id(model.inputs[0]): "input"}  # Keras tensor -> node that computes it
    for layer in model.operations:
        kind = type(layer).__name__
        if kind == "InputLayer":
            continue
        inputs = _inputs_of(layer, produced)
        if kind not in ("Rescaling", "Hog") and layer.input is model.inputs[0]:
            raise ConversionError("expected a model whose first layer is Rescaling(1/255) of pixels 0..255, found none")
        if kind == "Rescaling" and inputs[0] in hog_names:
            nodes = [_with_gain(node, layer) if node.name == inputs[0] else node for node in nodes]
            added: list[Node] = []
        elif kind == "Rescaling":
            _check_rescaling(layer, inputs)
            added = []
        elif kind == "Hog":
            if layer.input is not model.inputs[0] or hog_names:
                raise ConversionError(
                    f"layer '{layer.name}' (Hog): expected one such layer, directly behind the input, found another"
                )
            added = [Node(layer.name, "hog", options={"gain": 1.0})]
            hog_names = {layer.name}
        elif kind in INACTIVE:
            added = []
        elif kind in READERS:
            added = READERS[kind](layer, inputs)
        else:
            raise ConversionError(
                f"layer '{layer.name}' is a {kind}, which has no int8 form here; "
                f"expected one of {', '.join(sorted((*READERS, *INACTIVE, 'Hog', 'Rescaling')))}"
            )
        _check_finite(layer, added)
        nodes += added
        produced[id(layer.output)] = added[-1].name if added else inputs[0]
    if produced.get(id(model.outputs[0])) != nodes[-1].name:
        raise ConversionError(
            f"expected layer '{nodes[-1].name}', computed last, to be the output of a plain functional model in which "
            "every layer is used once, found another"
        )
    return Graph(size, tuple(nodes), None if columns == size else columns)


def _inputs_of(layer: Any, produced: dict[int, str]) -> tuple[str, ...]:
    try:
        tensors = layer.input if isinstance(layer.input, list | tuple) else [layer.input]
        return tuple(produced[id(tensor)] for tensor in tensors)
    except (AttributeError, KeyError, ValueError) as error:
        raise ConversionError(
            f"layer '{layer.name}' ({type(layer).__name__}): expected a plain functional model in which every layer "
            "is used once, found one that is shared or nested"
        ) from error


def _check_rescaling(layer: Any, inputs: tuple[str, ...]) -> None:
    if inputs != ("input",) or abs(float(layer.scale) * 255 - 1) > 1e-6 or float(layer.offset) != 0:
        raise ConversionError(
            f"layer '{layer.name}': expected Rescaling(1/255) directly behind the input, found a scale of "
            f"{layer.scale} and an offset of {layer.offset} behind '{inputs[0]}'"
        )


def _check_finite(layer: Any, nodes: list[Node]) -> None:
    if not all(np.isfinite(array).all() for node in nodes for array in node.weights.values()):
        raise ConversionError(
            f"layer '{layer.name}': expected finite weights, found some that are not; the training diverged, "
            "train again with a smaller learning rate"
        )


def _with_gain(hog: Node, rescaling: Any) -> Node:
    _require(rescaling, offset=0.0)
    return dataclasses.replace(hog, options={"gain": float(rescaling.scale)})


def _require(layer: Any, **expected: Any) -> None:
    for option, value in expected.items():
        found = getattr(layer, option)
        if found != value:
            raise ConversionError(
                f"layer '{layer.name}' ({type(layer).__name__}): expected {option} {value!r}, found {found!r}"
            )


def _array(variable: Any) -> Any:
    return np.asarray(variable.numpy(), np.float32)


def _weights(kernel: Any, bias: Any, channels: int) -> dict[str, Any]:
    return {"kernel": _array(kernel), "bias": np.zeros(channels, np.float32) if bias is None else _array(bias)}


def _activated(layer: Any, node: Node) -> list[Node]:
    """Append the node of the layer's own activation, if it has one."""
    name = layer.activation.__name__
    if name == "linear":
        return [node]
    if name not in ACTIVATIONS:
        raise ConversionError(
            f"layer '{layer.name}': expected an activation among linear, {', '.join(ACTIVATIONS)}, found {name}"
        )
    return [node, Node(f"{layer.name}.{name}", name, (node.name,))]


def _window(layer: Any) -> dict[str, Any]:
    _require(layer, data_format="channels_last")
    return {"strides": list(layer.strides), "padding": layer.padding.upper()}


def _conv(layer: Any, inputs: tuple[str, ...]) -> list[Node]:
    _require(layer, dilation_rate=(1, 1), groups=1)
    weights = _weights(layer.kernel, layer.bias if layer.use_bias else None, layer.filters)
    return _activated(layer, Node(layer.name, "conv", inputs, _window(layer), weights))


def _depthwise(layer: Any, inputs: tuple[str, ...]) -> list[Node]:
    _require(layer, dilation_rate=(1, 1), strides=(layer.strides[0],) * 2)
    channels = layer.kernel.shape[2] * layer.kernel.shape[3]
    weights = _weights(layer.kernel, layer.bias if layer.use_bias else None, channels)
    return _activated(layer, Node(layer.name, "depthwise", inputs, _window(layer), weights))


def _dense(layer: Any, inputs: tuple[str, ...]) -> list[Node]:
    weights = _weights(layer.kernel, layer.bias if layer.use_bias else None, layer.units)
    return _activated(layer, Node(layer.name, "dense", inputs, weights=weights))


def _batch_norm(layer: Any, inputs: tuple[str, ...]) -> list[Node]:
    channels = int(layer.moving_mean.shape[0])
    _require(layer, axis=-1)
    weights = {
        "gamma": _array(layer.gamma) if layer.scale else np.ones(channels, np.float32),
        "beta": _array(layer.beta) if layer.center else np.zeros(channels, np.float32),
        "mean": _array(layer.moving_mean),
        "variance": _array(layer.moving_variance),
    }
    options = {"epsilon": float(layer.epsilon), "rank": len(layer.output.shape)}
    return [Node(layer.name, "batch_norm", inputs, options, weights)]


def _relu(layer: Any, inputs: tuple[str, ...]) -> list[Node]:
    _require(layer, negative_slope=0.0, threshold=0.0)
    if layer.max_value not in (None, 6.0):
        raise ConversionError(f"layer '{layer.name}' (ReLU): expected max_value None or 6, found {layer.max_value}")
    return [Node(layer.name, "relu" if layer.max_value is None else "relu6", inputs)]


def _activation(layer: Any, inputs: tuple[str, ...]) -> list[Node]:
    name = layer.activation.__name__
    if name not in ACTIVATIONS:
        raise ConversionError(
            f"layer '{layer.name}': expected an activation among {', '.join(ACTIVATIONS)}, found {name}"
        )
    return [Node(layer.name, name, inputs)]


def _softmax(layer: Any, inputs: tuple[str, ...]) -> list[Node]:
    _require(layer, axis=-1)
    return [Node(layer.name, "softmax", inputs)]


def _pool(kind: str) -> Callable[[Any, tuple[str, ...]], list[Node]]:
    def read(layer: Any, inputs: tuple[str, ...]) -> list[Node]:
        return [Node(layer.name, kind, inputs, {"size": list(layer.pool_size), **_window(layer)})]

    return read


def _average_pool(layer: Any, inputs: tuple[str, ...]) -> list[Node]:
    """Return a depthwise convolution with equal weights.

    AVERAGE_POOL_2D keeps the scale of what it reads, whose largest values no mean reaches: rounding means of a map to
    the map's steps was the largest error but one in ``nano``.
    """
    pool = _pool("average_pool")(layer, inputs)
    if layer.padding != "valid":  # at the border, SAME pooling divides by fewer
        return pool
    height, width = layer.pool_size
    kernel = np.full((height, width, layer.output.shape[-1], 1), 1 / (height * width), np.float32)
    weights = {"kernel": kernel, "bias": np.zeros(kernel.shape[2], np.float32)}
    return [dataclasses.replace(pool[0], kind="depthwise", weights=weights)]


def _merge(kind: str) -> Callable[[Any, tuple[str, ...]], list[Node]]:
    def read(layer: Any, inputs: tuple[str, ...]) -> list[Node]:
        if kind == "concat":
            _require(layer, axis=-1)
        elif len(inputs) != 2:
            raise ConversionError(
                f"layer '{layer.name}' ({type(layer).__name__}): expected two inputs, found {len(inputs)}"
            )
        # Keras puts missing axes behind the batch, TensorFlow in front of it.
        ranks = [len(tensor.shape) for tensor in layer.input]
        if len(set(ranks)) > 1:
            raise ConversionError(
                f"layer '{layer.name}' ({type(layer).__name__}): expected inputs of equally many axes, found "
                f"{' and '.join(map(str, ranks))}; put a Reshape before it, or pool with keepdims"
            )
        return [Node(layer.name, kind, inputs)]

    return read


def _mean(layer: Any, inputs: tuple[str, ...]) -> list[Node]:
    _require(layer, data_format="channels_last")
    return [Node(layer.name, "mean", inputs, {"keepdims": bool(layer.keepdims)})]


def _flatten(layer: Any, inputs: tuple[str, ...]) -> list[Node]:
    _require(layer, data_format="channels_last")
    return [Node(layer.name, "flatten", inputs)]


def _reshape(layer: Any, inputs: tuple[str, ...]) -> list[Node]:
    return [Node(layer.name, "reshape", inputs, {"shape": [int(side) for side in layer.output.shape[1:]]})]


def _crop(layer: Any, inputs: tuple[str, ...]) -> list[Node]:
    _require(layer, data_format="channels_last")
    return [Node(layer.name, "crop", inputs, {"edges": [pixels for pair in layer.cropping for pixels in pair]})]


def _lstm(layer: Any, inputs: tuple[str, ...]) -> list[Node]:
    _require(layer, return_sequences=False, return_state=False, go_backwards=False, use_bias=True)
    functions = layer.activation.__name__, layer.recurrent_activation.__name__
    if functions != ("tanh", "sigmoid"):
        raise ConversionError(
            f"layer '{layer.name}' (LSTM): expected the activations tanh and sigmoid, found {' and '.join(functions)}"
        )
    steps, width = layer.input.shape[1:]
    weights = _array(layer.cell.kernel), _array(layer.cell.recurrent_kernel), _array(layer.cell.bias)
    return lstm_nodes(layer.name, inputs[0], (int(steps), int(width)), *weights)


READERS: dict[str, Callable[[Any, tuple[str, ...]], list[Node]]] = {
    "Activation": _activation,
    "Add": _merge("add"),
    "AveragePooling2D": _average_pool,
    "BatchNormalization": _batch_norm,
    "Concatenate": _merge("concat"),
    "Conv2D": _conv,
    "Cropping2D": _crop,
    "Dense": _dense,
    "DepthwiseConv2D": _depthwise,
    "Flatten": _flatten,
    "GlobalAveragePooling2D": _mean,
    "LSTM": _lstm,
    "MaxPooling2D": _pool("max_pool"),
    "Multiply": _merge("multiply"),
    "ReLU": _relu,
    "Reshape": _reshape,
    "Softmax": _softmax,
}
"""Keras layer -> how it becomes nodes."""
