"""What an explanation needs of a model, whichever format it is stored in."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fer_edge.errors import ModelFileError
from fer_edge.model_file import ModelInfo

TINY = 1e-30
"""Below this a probability counts as this; float32 ends at 1e-38."""


@dataclasses.dataclass(frozen=True)
class Layer:
    """A layer, or an operator of a converted model, whose output can be shown.

    Attributes:
        name: how ``--layer`` calls it.
        kind: its class in Keras or its operator in TFLite, such as ``Conv2D`` or ``CONV_2D``.
        shape: of its output for one picture: H x W x channels, steps x features, or features.
        pools: whether it only takes means, whatever its kind: conversion makes a depthwise convolution of a pooling.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    pools: bool = False

    @property
    def convolves(self) -> bool:
        """Whether it is a convolution over the picture, not over the steps of a sequence, which have no height."""
        return "conv" in self.kind.lower() and not self.pools and len(self.shape) == 3 and self.shape[0] > 1


@dataclasses.dataclass(frozen=True)
class Filters:
    """The weights of the first layer that looks at the pixels.

    Attributes:
        layer: its name.
        kernels: float32, filters x height x width.
    """

    layer: str
    kernels: NDArray[np.float32]


class Network(Protocol):
    """A trained model whose inside can be looked at."""

    path: Path

    @property
    def info(self) -> ModelInfo:
        """Labels, input size and provenance."""

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers in the order of the computation, those without a showable output left out."""

    def predict(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return class probabilities, N x classes, for uint8 images of N x size x size."""

    def logits(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return what the softmax is fed, N x classes, less its mean over the classes."""

    def activations(self, image: NDArray[np.uint8], layers: Sequence[Layer]) -> list[NDArray[np.float32]]:
        """Return the outputs of `layers`, each of its `Layer.shape`, for one uint8 image of size x size."""

    def filters(self) -> Filters:
        """Return the first layer's filters; raises ModelFileError if no layer has filters of grey pixels."""


def centred_log(probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the logits of a softmax, less their mean, from its N x classes output.

    A softmax does not tell the mean of its logits, and nothing here depends on it.
    """
    log = np.log(np.maximum(probabilities, np.float32(TINY)))
    centred: NDArray[np.float32] = log - log.mean(axis=1, keepdims=True)
    return centred


def find_layer(network: Network, name: str) -> Layer:
    """Return the layer called `name`.

    Raises:
        ModelFileError: there is none; names those there are.
    """
    for layer in network.layers:
        if layer.name == name:
            return layer
    known = ", ".join(layer.name for layer in network.layers)
    raise ModelFileError(f"{network.path}: expected one of its layers ({known}), found '{name}'")


def find_class(network: Network, name: str) -> int:
    """Return the index of the class called `name`.

    Raises:
        ModelFileError: there is none; names those there are.
    """
    if name not in network.info.labels:
        known = ", ".join(network.info.labels)
        raise ModelFileError(f"{network.path}: expected one of its classes ({known}), found '{name}'")
    return network.info.labels.index(name)


def stages(layers: Sequence[Layer]) -> list[Layer]:
    """Return one layer for each convolution: the last before the shape changes or the next convolution begins.

    In a network of convolution, batch norm and ReLU that is each ReLU; in a converted one, where the three
    are one operator, the operator.
    """
    chosen: list[Layer] = []
    growing = False  # whether the stage of chosen[-1] goes on
    for layer in layers:
        if layer.convolves:
            chosen.append(layer)
            growing = True
        elif growing and layer.shape == chosen[-1].shape:
            chosen[-1] = layer
        else:
            growing = False
    return chosen
