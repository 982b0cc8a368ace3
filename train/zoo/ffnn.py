"""``ffnn``: dense layers on the vectorised picture, the classical baseline without convolutions.

Jain names a feed-forward network on vectorised face images and prints no sizes; two hidden layers of 512 and 256 units
are this project's choice.
"""

from __future__ import annotations

from typing import Any

from fer_edge.train.zoo import convnet
from fer_edge.train.zoo.convnet import Network

NETWORK = Network(convolutions=(), dense=(512, 256))


def build(input_size: int, classes: int, dropout: float) -> Any:
    """Return a Keras model from float32 pixels 0..255 (size x size x 1) to class probabilities."""
    return convnet.build("ffnn", NETWORK, input_size, classes, dropout)
