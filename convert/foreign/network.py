"""A network that somebody else trained, opened: what it computes, and what fits it."""

from __future__ import annotations

import dataclasses
import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from fer_edge.convert.foreign.frozen import freeze
from fer_edge.convert.foreign.layers import KERAS_SUFFIXES, check_layers
from fer_edge.convert.foreign.operators import read_operations
from fer_edge.convert.foreign.scale import factors, fold_scale, rescales
from fer_edge.convert.foreign.simplify import simplify
from fer_edge.convert.graph.graph import Graph, Node
from fer_edge.errors import ConfigError, ConversionError, ModelFileError
from fer_edge.model_file import ModelInfo
from fer_edge.preprocess import with_channels
from fer_edge.train.keras_setup import load_keras

SMALLEST, LARGEST = 32, 224
"""Sides of the input, in pixels."""

BATCH = 64
SAVED_MODEL = "saved_model.pb"
SIGNATURE = "serving_default"


class ForeignModel:
    """A float network as it came, with the scale that it wants; a `fer_edge.runtime.Classifier`."""

    def __init__(self, compute: Callable[[Any], Any], info: ModelInfo, scale: str, wants: int, softmax: bool) -> None:
        self.info = info
        self._factor, self._constant = (values.astype(np.float32) for values in factors(scale, wants))
        self._wants = wants

        def probabilities(pixels: Any) -> Any:
            found = tf.reshape(compute(pixels), [-1, len(info.labels)])
            return tf.nn.softmax(found) if softmax else found

        self._compute = tf.function(probabilities, autograph=False, reduce_retracing=True)

    def predict(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return class probabilities, N x classes, for uint8 images of N x size x size, or x 3 in colour."""
        parts = [np.empty((0, len(self.info.labels)), np.float32)]
        for start in range(0, len(images), BATCH):
            pixels = with_channels(images[start : start + BATCH]).astype(np.float32)
            if pixels.shape[-1] < self._wants:
                pixels = np.repeat(pixels, self._wants, axis=-1)
            parts.append(self._compute(tf.constant(pixels * self._factor + self._constant)).numpy())
        return np.concatenate(parts)


@dataclasses.dataclass(frozen=True)
class Opened:
    """A foreign network, ready for conversion.

    Attributes:
        model: computes what the file does, for comparison.
        graph: of pixels, with nothing folded yet but the scale.
        notes: sentences about what was changed.
    """

    model: ForeignModel
    graph: Graph
    notes: tuple[str, ...]


def open_foreign(path: Path, labels: tuple[str, ...], colour: str | None, scale: str | None, name: str) -> Opened:
    """Open a ``.keras`` or ``.h5`` file, or a SavedModel folder.

    Args:
        path: the file or folder.
        labels: of its outputs, in their order; canonical names.
        colour: ``grey`` or ``rgb``: what it is to be shown; None for what its channels say.
        scale: see `fer_edge.convert.config.SCALES`; None for a network that scales its pixels itself.
        name: what the converted file is called.

    Raises:
        ConfigError: `labels`, `colour` or `scale` do not fit the network.
        ModelFileError: no such network, or one of another input or output.
        ConversionError: a layer that has no int8 form, by its name.
    """
    compute, shape, classes, notes = _saved_model(path) if path.is_dir() else _keras_model(path)
    size, channels = _checked_input(path, shape)
    if len(labels) != classes:
        raise ConfigError(
            "labels",
            f"`labels`: expected {classes} for the outputs of {path}, found {len(labels)}: {', '.join(labels)}",
        )
    if colour == "rgb" and channels == 1:
        raise ConfigError("input", f"`input` rgb is for networks of three channels, found one of one in {path}")
    grey = colour == "grey" or channels == 1
    graph = simplify(read_operations(freeze(compute, (size, size, channels))))
    if scale is None and not rescales(graph):
        raise ConfigError(
            "scale",
            f"{path}: the network has no Rescaling or Normalization layer of its own; give `scale`: how its "
            "pixels were scaled in training, 0..1, -1..1, 0..255 or imagenet",
        )
    graph, softmax = _with_softmax(path, graph)
    if softmax:
        notes.append("the network ends without softmax; one was added, so that outputs are probabilities")
    own = rescales(graph)
    if own and scale not in (None, "0..255"):
        notes.append(
            f"the network scales its pixels itself, after what --scale {scale} does to them; leave --scale out if its "
            "training gave it pixels 0..255"
        )
    graph = fold_scale(graph, scale or "0..255", grey)
    folded = graph.readers(graph.nodes[0].name)[0].name != "scale"
    if own or scale:
        where = "folded into its first layer" if folded else "a layer of its own, as the first layer cannot take it in"
        notes.append(f"the scale of the pixels is {where}")
    info = ModelInfo(name, labels, size, channels=graph.channels, input_zero=graph.input_zero)
    return Opened(ForeignModel(compute, info, scale or "0..255", channels, softmax), graph, tuple(notes))


def read_network(model: Any) -> Graph:
    """Return the graph of a Keras model of our own that begins with a scale of pixels 0..255."""
    rows, columns, channels = (int(side) for side in model.inputs[0].shape[1:])

    def compute(pixels: Any) -> Any:
        return model(pixels, training=False)

    return fold_scale(simplify(read_operations(freeze(compute, (rows, columns, channels)))), "0..255", grey=False)


def _checked_input(path: Path, shape: tuple[int | None, ...]) -> tuple[int, int]:
    found = "x".join("?" if side is None else str(side) for side in shape)
    sides = shape if len(shape) == 4 else (None,) * 4
    if sides[1] in (1, 3) and sides[3] not in (1, 3):
        raise ModelFileError(
            f"{path}: expected channels last, found an input of {found} with them first; build the network with "
            "data_format='channels_last'"
        )
    side, channels = sides[1], sides[3]
    if side is None or side != sides[2] or channels not in (1, 3):
        raise ModelFileError(
            f"{path}: expected an input of one square image of fixed size with 1 or 3 channels, found {found}"
        )
    if not SMALLEST <= side <= LARGEST:
        raise ModelFileError(f"{path}: expected an input of {SMALLEST} to {LARGEST} pixels a side, found {side}")
    return side, channels


def _with_softmax(path: Path, graph: Graph) -> tuple[Graph, bool]:
    last = graph.nodes[-1]
    if last.kind == "softmax":
        return graph, False
    if last.kind in ("sigmoid", "relu", "relu6", "tanh", "hard_swish", "leaky_relu"):
        raise ConversionError(
            f"{path}: expected a network that ends with softmax or with logits, found one that ends with {last.kind}; "
            "probabilities that sum to 1 are needed"
        )
    return dataclasses.replace(graph, nodes=(*graph.nodes, Node("probabilities", "softmax", (last.name,)))), True


def _keras_model(path: Path) -> tuple[Callable[[Any], Any], tuple[int | None, ...], int, list[str]]:
    if path.suffix not in KERAS_SUFFIXES:
        raise ModelFileError(
            f"{path}: expected a .keras or .h5 file or a SavedModel folder, found '{path.suffix or 'no suffix'}'"
        )
    notes = check_layers(path)
    keras = load_keras()
    try:
        model = keras.saving.load_model(path, compile=False, custom_objects=_of_keras_2(keras))
    except Exception as error:  # whatever zipfile, HDF5 or Keras's own code stumbles over
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ModelFileError(f"{path}: Keras cannot load this network ({_short(reason)}); save it again") from error
    inputs, outputs = list(getattr(model, "inputs", None) or []), list(getattr(model, "outputs", None) or [])
    _check_ports(path, len(inputs), len(outputs))
    classes = outputs[0].shape[-1]

    def compute(pixels: Any) -> Any:
        return model(pixels, training=False)

    _check_weights(path, model)
    return compute, tuple(inputs[0].shape), classes, notes


def _check_weights(path: Path, model: Any) -> None:
    for variable in model.variables:
        if not np.isfinite(np.asarray(variable)).all():
            layer = variable.path.split("/")[-2] if "/" in variable.path else variable.path
            raise ConversionError(
                f"{path}: layer '{layer}': expected finite weights, found some that are not; the training diverged, "
                "train again with a smaller learning rate"
            )


def _check_ports(path: Path, inputs: int, outputs: int) -> None:
    if inputs != 1 or outputs != 1:
        raise ModelFileError(
            f"{path}: expected a network with one input and one output, found {inputs} and {outputs}; save a model of "
            "the one that you need"
        )


def _of_keras_2(keras: Any) -> dict[str, Any]:
    """Return layers that take what Keras 2 wrote of them and Keras 3 does not know any more."""

    class DepthwiseConv2D(keras.layers.DepthwiseConv2D):  # type: ignore[misc, name-defined]
        def __init__(self, *arguments: Any, groups: int = 1, **options: Any) -> None:
            super().__init__(*arguments, **options)

    return {"DepthwiseConv2D": DepthwiseConv2D}


def _saved_model(path: Path) -> tuple[Callable[[Any], Any], tuple[int | None, ...], int, list[str]]:
    if not (path / SAVED_MODEL).is_file():
        raise ModelFileError(f"{path}: expected a SavedModel folder, found one without {SAVED_MODEL}")
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    try:
        loaded = tf.saved_model.load(str(path))
    except Exception as error:  # damaged or foreign: whatever TensorFlow stumbles over
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ModelFileError(f"{path}: TensorFlow cannot load this SavedModel ({_short(reason)})") from error
    signatures = dict(loaded.signatures)
    signature = signatures.get(SIGNATURE, next(iter(signatures.values()), None))
    if signature is None:
        raise ModelFileError(f"{path}: expected a SavedModel with a signature, found none; export it with model.export")
    inputs, outputs = signature.structured_input_signature[1], signature.structured_outputs
    _check_ports(path, len(inputs), len(outputs))
    (input_name, spec), (output_name, output) = next(iter(inputs.items())), next(iter(outputs.items()))

    def compute(pixels: Any) -> Any:
        return signature(**{input_name: pixels})[output_name]

    compute.keeps = loaded  # type: ignore[attr-defined] # its variables live as long as it does
    return compute, _known_shape(path, "input", spec), _known_shape(path, "output", output)[-1] or 0, []


def _known_shape(path: Path, what: str, tensor: Any) -> tuple[int | None, ...]:
    """Return a tensor's shape; its rank and, of an output, its last side must be known."""
    rank = getattr(getattr(tensor, "shape", None), "rank", None)
    if not rank or (what == "output" and tensor.shape[-1] is None):
        raise ModelFileError(
            f"{path}: expected an {what} of known shape in the signature, found one that says none; export the network "
            "with a fixed input"
        )
    return tuple(tensor.shape.as_list())


def _short(reason: str) -> str:
    return re.sub(r"\s+", " ", reason)[:200]
