"""``deep-cnn``: four wide convolutions and two dense layers, 4,478,727 parameters for seven classes.

The network of Jain (California State University, Long Beach) and, with the same layers, of Khopkar and Saxena; also
the deep one of Alizadeh and Fazel (arXiv:1704.06756). A printed first layer of 56x56 gives the same count,
because 48 and 56 both end at 3x3 after four poolings.
"""

from __future__ import annotations

from typing import Any

from fer_edge.train.zoo import convnet
from fer_edge.train.zoo.convnet import Convolution, Network

NETWORK = Network(
    convolutions=(
        Convolution(64, kernel=3, pool=2),
        Convolution(128, kernel=5, pool=2),
        Convolution(512, kernel=3, pool=2),
        Convolution(512, kernel=3, pool=2),
    ),
    dense=(256, 512),
)


def build(input_size: int, classes: int, dropout: float) -> Any:
    """Return a Keras model from float32 pixels 0..255 (size x size x 1) to class probabilities."""
    return convnet.build("deep-cnn", NETWORK, input_size, classes, dropout)
