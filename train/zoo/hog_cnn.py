"""``hog-cnn``: the convolutions of ``deep-cnn`` with HOG features joined to theirs before the dense layers.

Alizadeh and Fazel 2017 (arXiv:1704.06756, section 3), "hybrid features". Training computes the features inside the
network, from the augmented picture (`fer_edge.train.zoo.hog_layer`); a converted file takes them as its second input,
which `fer_edge.hog` computes with OpenCV from the same crop.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from fer_edge.train.zoo import convnet, deep_cnn

NETWORK = dataclasses.replace(deep_cnn.NETWORK, hog=True)


def build(input_size: int, classes: int, dropout: float) -> Any:
    """Return a Keras model from float32 pixels 0..255 (size x size x 1) to class probabilities."""
    return convnet.build("hog-cnn", NETWORK, input_size, classes, dropout)
