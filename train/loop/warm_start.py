"""Training that begins with a trained model's weights: to continue its training, or to fine-tune it on other classes.

A ``.keras`` file has the weights as they were trained. An int8 ``.tflite`` file, such as a shipped one, has each batch
norm folded into the layer before it (`fer_edge.convert.graph.fold`): one kernel and one bias for both. Many kernels and
norms have the same product. What is made of it here suits training: kernels as long as those that He et al. 2015
(arXiv:1502.01852, section 2.2) begin with, and norms with the statistics of what these give for the images at hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_edge.errors import ModelFileError
from fer_edge.lazy import require
from fer_edge.model_file import check_tflite, flatbuffer, read_info
from fer_edge.train.keras_model import KerasModel, load_model
from fer_edge.train.keras_setup import load_keras

keras = load_keras()

LAST = "logits"
"""The layer that belongs to the classes: it starts from random weights where they differ."""

KINDS = {"Conv2D": "CONV_2D", "Dense": "FULLY_CONNECTED"}
"""Layers whose weights are taken, and the operators that they become."""
READ, BATCH = 1024, 256
"""Images that statistics are taken from, and how many at a time."""


def load_warm_start(
    classifier: Any, path: Path, labels: tuple[str, ...], images: NDArray[np.uint8], *, mirror_equivariant: bool
) -> None:
    """Give `classifier` the weights of the model in a file, ``.keras`` or int8 ``.tflite``.

    Where `labels` are not that model's, its last layer is not taken: features carry over, classes do not.

    Args:
        classifier: the model to be trained.
        path: the file.
        labels: its classes.
        images: uint8 N x S x S, as the network gets them; an int8 file has no statistics of batch norms any more.
        mirror_equivariant: whether the weights are to be tied in mirrored pairs.

    Raises:
        ModelFileError: no such file, one of another network, or one that is to become mirror-equivariant and is not.
        MissingExtraError: an int8 file, and the TFLite runtime's schema is not installed.
    """
    converted = path.suffix == ".tflite"
    if converted:
        check_tflite(path)
    trained = None if converted else load_model(path)
    info = trained.info if trained else read_info(path)
    if mirror_equivariant and not info.training.get("recipe", {}).get("symmetric"):
        raise ModelFileError(
            f"{path}: expected a symmetric network, as --symmetric makes, found one whose channels are no pairs; "
            "leave --symmetric out, or begin without it"
        )
    if trained:
        take_weights(classifier, trained, labels, path)
    else:
        take_int8_weights(classifier, path, images, last=labels == info.labels)


def take_weights(classifier: Any, trained: KerasModel, labels: tuple[str, ...], path: Path) -> None:
    """Give `classifier` the weights of the model `trained`, read from `path`, layer by layer.

    Where `labels` are not the trained model's, its last layer is not taken.

    Raises:
        ModelFileError: the file holds another network.
    """
    theirs = {layer.name: layer for layer in trained.model.layers if layer.weights}
    own = {layer.name: layer for layer in classifier.layers if layer.weights}

    def shapes(layers: dict[str, Any]) -> dict[str, Any]:
        return {name: [tuple(w.shape) for w in layer.weights] for name, layer in layers.items() if name != LAST}

    if shapes(own) != shapes(theirs):
        raise ModelFileError(
            f"{path}: expected the network that is to be trained, found another ({trained.info.name}); "
            "give the --model that made the file"
        )
    for name, layer in own.items():
        if name != LAST or labels == trained.info.labels:
            layer.set_weights(theirs[name].get_weights())


def take_int8_weights(classifier: Any, path: Path, images: NDArray[np.uint8], *, last: bool) -> None:
    """Give `classifier` the weights of an int8 file of the same network.

    Args:
        classifier: keras.Model of convolutions, dense layers and batch norms right after such.
        path: the file.
        images: uint8 N x S x S, as the network gets them, for the statistics of batch norms.
        last: whether its last layer is taken as well, or left as it is.

    Raises:
        MissingExtraError: the file's schema is not installed.
        ModelFileError: a file of another network, or of one with other layers than these.
    """
    layers = [layer for layer in classifier.layers if layer.weights]
    norms = {id(layer.input): layer for layer in layers if type(layer).__name__ == "BatchNormalization"}
    weighted = [layer for layer in layers if type(layer).__name__ != "BatchNormalization"]
    found = list(_weights(path))
    folded = set(norms) <= {id(layer.output) for layer in weighted} and len(found) == len(weighted)
    if not last:
        weighted, found = weighted[:-1], found[:-1]
    kernels = [_kernel_of(*pair) for pair in zip(weighted, found, strict=False)]
    if not folded or any(kernel is None for kernel in kernels):
        raise ModelFileError(
            f"{path}: expected the int8 file of the network that is to be trained, of convolutions, dense layers and "
            "batch norms right after them, found another; give the --model that made the file, or its .keras file"
        )
    chosen = images[np.random.default_rng(0).permutation(len(images))[:READ]]
    # A mirror-equivariant network has the same statistics for both.
    chosen = np.concatenate([chosen, chosen[:, :, ::-1]])
    for layer, kernel, (_, _, bias) in zip(weighted, kernels, found, strict=True):
        if norm := norms.get(id(layer.output)):
            _divide(keras.Model(classifier.inputs, layer.output), layer, norm, kernel, bias, chosen)
        else:
            layer.set_weights([kernel, bias])


def _divide(until: Any, layer: Any, norm: Any, kernel: Any, bias: Any, images: NDArray[np.uint8]) -> None:
    """Make of a folded kernel and bias those of a layer and its norm; `until` gives what the layer gives."""
    length = np.maximum(np.sqrt((kernel**2).sum(axis=tuple(range(kernel.ndim - 1)))), 1e-6) / np.sqrt(2)
    layer.set_weights([kernel / length, *([np.zeros_like(bias)] if layer.use_bias else [])])
    batches = [images[i : i + BATCH, ..., None].astype(np.float32) for i in range(0, len(images), BATCH)]
    values = np.concatenate([np.asarray(until.predict_on_batch(batch), np.float32) for batch in batches])
    axes = tuple(range(values.ndim - 1))
    mean, variance = values.mean(axis=axes), values.var(axis=axes)
    norm.set_weights([length * np.sqrt(variance + norm.epsilon), bias + length * mean, mean, variance])


def _kernel_of(layer: Any, found: tuple[str, NDArray[np.float32], NDArray[np.float32]]) -> NDArray[np.float32] | None:
    """Return a file's kernel as the Keras layer has it, None if it is none of that layer's."""
    operator, kernel, _ = found
    if operator != KINDS.get(type(layer).__name__):
        return None
    own = tuple(layer.kernel.shape)
    moved = np.moveaxis(kernel, 0, -1)
    if moved.shape == own:
        return moved
    return off_blocks(moved, own) if len(own) == len(moved.shape) == 4 else None


def off_blocks(kernel: NDArray[np.float32], own: tuple[int, ...]) -> NDArray[np.float32] | None:
    """Return the kernel of shape `own` that `fer_edge.convert.export.blocks.block_kernel` made this one of, if any."""
    rows, columns, pixels, out = kernel.shape
    if (rows, columns, pixels, *own) not in ((2, 2, 4, 3, 3, 1, out), (2, 3, 4, 3, 4, 1, out)):
        return None
    apart = kernel.reshape(rows, columns, 2, 2, out).transpose(0, 2, 1, 3, 4).reshape(rows * 2, columns * 2, 1, out)
    before = columns == 3
    return np.ascontiguousarray(apart[:3, int(before) : own[1] + int(before)])


def _weights(path: Path) -> Iterator[tuple[str, NDArray[np.float32], NDArray[np.float32]]]:
    """Yield operator, kernel (output channels first) and bias of each layer in a file, in order, as numbers."""
    schema = require("ai_edge_litert.schema_py_generated", "train")
    model = schema.ModelT.InitFromPackedBuf(flatbuffer(path.read_bytes()))
    graph = model.subgraphs[0]
    names = {getattr(schema.BuiltinOperator, name): name for name in KINDS.values()}
    for operator in graph.operators:
        code = model.operatorCodes[operator.opcodeIndex]
        name = names.get(max(code.builtinCode, code.deprecatedBuiltinCode))
        tensors = [graph.tensors[i] for i in operator.inputs[1:] if i >= 0]
        # A float file's operators are passed over, and the file refused for want of layers.
        if name and [t.type for t in tensors] == [schema.TensorType.INT8, schema.TensorType.INT32]:
            kernel, bias = (
                _numbers(t, model.buffers, dtype) for t, dtype in zip(tensors, ("int8", "<i4"), strict=True)
            )
            yield name, kernel, bias


def _numbers(tensor: Any, buffers: Any, dtype: str) -> NDArray[np.float32]:
    values = np.frombuffer(bytes(buffers[tensor.buffer].data), dtype).reshape(tensor.shape)
    scales = np.asarray(tensor.quantization.scale, np.float32)
    numbers: NDArray[np.float32] = values * scales.reshape(-1, *[1] * (values.ndim - 1))
    return numbers.astype(np.float32)
