"""``cnn-lstm``: five convolutions whose last map is read as a sequence by two LSTMs.

Ioannou (City College of New York), 457,863 parameters for seven classes: convolutions 32, 64 valid, pool, 64 valid, 128
same, pool, 128 valid, pool; reshape 16x128, LSTM 128, reshape 2x64, LSTM 64, dense 200, dropout 0.6. The 832 that are
not trained are the statistics of a batch norm after every convolution. On which side of the ReLU it is is not printed;
here it is before it, where conversion folds it for nothing. Nor is the first convolution's padding:
same and valid give the same count and the same 16x128, and this is same.
"""

from __future__ import annotations

from typing import Any

from fer_edge.train.keras_setup import load_keras
from fer_edge.train.zoo.convnet import MOMENTUM

STAGES = ((32, "same", False), (64, "valid", True), (64, "valid", False), (128, "same", True), (128, "valid", True))
"""Filters, padding, and whether a 2x2 max-pooling follows, of each convolution."""


def build(input_size: int, classes: int, dropout: float) -> Any:
    """Return a Keras model from float32 pixels 0..255 (size x size x 1) to class probabilities."""
    keras = load_keras()
    layers = keras.layers
    inputs = keras.Input((input_size, input_size, 1), name="image")
    x = layers.Rescaling(1 / 255, name="scale")(inputs)
    for number, (filters, padding, pool) in enumerate(STAGES, start=1):
        x = layers.Conv2D(filters, 3, padding=padding, kernel_initializer="he_normal", name=f"conv{number}")(x)
        x = layers.BatchNormalization(momentum=MOMENTUM, name=f"norm{number}")(x)
        x = layers.ReLU(name=f"relu{number}")(x)
        if pool:
            x = layers.MaxPooling2D(2, name=f"pool{number}")(x)
    # A sequence of places: the rows of the map, one after the other.
    x = layers.Reshape((-1, x.shape[-1]), name="places")(x)
    x = layers.LSTM(128, name="lstm1")(x)
    x = layers.Reshape((2, 64), name="halves")(x)
    x = layers.LSTM(64, name="lstm2")(x)
    x = layers.Dense(200, activation="relu", name="dense1")(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    # Probabilities need more than the eight bits of bfloat16, in which the rest may be computed.
    x = layers.Dense(classes, name="logits", dtype="float32")(x)
    return keras.Model(inputs, layers.Softmax(name="probabilities", dtype="float32")(x), name="cnn-lstm")
