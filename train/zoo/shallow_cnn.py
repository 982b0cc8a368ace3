"""``shallow-cnn``: two convolutions and a dense layer of 512, the smaller network of Alizadeh and Fazel 2017.

arXiv:1704.06756, section 3: 32 and 64 filters of 3x3 with batch norm, ReLU and dropout, 2x2 max-pooling behind the
second only; these counts were not checked against its text. Nearly all of its parameters are in the dense layer,
which reads 24x24x64 values.
"""

from __future__ import annotations

from typing import Any

from fer_edge.train.zoo import convnet
from fer_edge.train.zoo.convnet import Convolution, Network

NETWORK = Network(convolutions=(Convolution(32), Convolution(64, pool=2)), dense=(512,))


def build(input_size: int, classes: int, dropout: float) -> Any:
    """Return a Keras model from float32 pixels 0..255 (size x size x 1) to class probabilities."""
    return convnet.build("shallow-cnn", NETWORK, input_size, classes, dropout)
