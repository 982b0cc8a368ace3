"""MobileNets of keras.applications, for colour and larger crops, and for weights that were trained on ImageNet.

MobileNetV2 (Sandler et al. 2018, arXiv:1801.04381) and V3 small (Howard et al. 2019, arXiv:1905.02244), with a dropout
and a dense layer behind the pooled features. Pixels 0..255 are scaled to -1..1 in the network, as both were trained.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fer_edge.errors import ConfigError, ModelFileError
from fer_edge.train.keras_setup import load_keras

MOBILENETS = ("mobilenet-v2", "mobilenet-v3-small")
INPUT_SIZE = 96
LEAST_SIZE, LARGEST_SIZE = 32, 224
"""Sides of the input, in pixels."""


def build(name: str, channels: int, width: float, input_size: int, classes: int, dropout: float) -> Any:
    """Return a Keras model from float32 pixels 0..255 (size x size x channels) to class probabilities.

    Args:
        name: one of `MOBILENETS`.
        channels: 1 or 3.
        width: factor on the number of channels of all layers.
        input_size: side of the input in pixels, `LEAST_SIZE` to `LARGEST_SIZE`.
        classes: number of outputs.
        dropout: rate before the last layer.
    """
    layers = load_keras().layers
    inputs = load_keras().Input((input_size, input_size, channels), name="image")
    x = layers.Rescaling(1 / 127.5, offset=-1.0, name="scale")(inputs)
    backbone = _backbone(name, width, input_size, channels, x)
    x = layers.GlobalAveragePooling2D(name="pool")(backbone.output)
    x = layers.Dropout(dropout, name="dropout")(x)
    x = layers.Dense(classes, name="logits", dtype="float32")(x)
    return load_keras().Model(inputs, layers.Softmax(name="probabilities", dtype="float32")(x), name=name)


def _backbone(name: str, width: float, input_size: int, channels: int, tensor: Any = None) -> Any:
    applications = load_keras().applications
    options = {
        "input_shape": (input_size, input_size, channels),
        "alpha": width,
        "include_top": False,
        "weights": None,
        "input_tensor": tensor,
    }
    if name == "mobilenet-v2":
        return applications.MobileNetV2(**options)
    return applications.MobileNetV3Small(**options, include_preprocessing=False)


def take_backbone(classifier: Any, path: Path, width: float) -> None:
    """Give a MobileNet the weights of a file for ``include_top=False``, as Keras publishes them.

    A grey network gets the sum of the first kernel over red, green and blue, which answers as the RGB one does to a
    grey image.

    Args:
        classifier: what `build` returned.
        path: a ``.h5`` or ``.weights.h5`` file for the same width.
        width: of `classifier`.

    Raises:
        ModelFileError: the file holds other weights.
        ConfigError: `classifier` is no MobileNet.
    """
    if classifier.name not in MOBILENETS:
        raise ConfigError("start_from", f"`start_from` {path.name} is for {' and '.join(MOBILENETS)}")
    own = [layer for layer in classifier.layers if layer.weights and layer.name != "logits"]
    backbone = _backbone(classifier.name, width, int(classifier.inputs[0].shape[1]), 3)
    try:
        backbone.load_weights(path)
    except Exception as error:  # whatever HDF5 or Keras's own code stumbles over
        reason = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        raise ModelFileError(
            f"{path}: expected weights of {classifier.name} of width {width:g} without its top, found others ({reason})"
        ) from error
    theirs = [layer for layer in backbone.layers if layer.weights]
    for layer, source in zip(own, theirs, strict=True):
        weights = source.get_weights()
        if layer is own[0] and layer.kernel.shape[2] == 1:
            weights[0] = weights[0].sum(axis=2, keepdims=True)
        layer.set_weights(weights)
