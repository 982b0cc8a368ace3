"""The refiner: a small network that says whether a crop shows a face, where exactly, and where its landmarks are."""

from __future__ import annotations

from typing import Any

from fer_edge.faces.crop import VALUES
from fer_edge.faces.grid import CROP_SIZE


def build_refiner(widths: tuple[int, int, int, int] = (16, 24, 32, 72)) -> Any:
    """Return the untrained network: B x 48 x 48 x 1 luma 0..255 -> B x 14.

    Args:
        widths: channels at strides 2, 4 and 8, and of the last convolution.
    """
    import keras
    from keras import layers

    def block(x: Any, filters: int, strides: int = 1) -> Any:
        x = layers.Conv2D(filters, 3, strides, padding="same", use_bias=False)(x)
        return layers.ReLU(6.0)(layers.BatchNormalization(momentum=0.97)(x))

    inputs = keras.Input((CROP_SIZE, CROP_SIZE, 1))
    x = layers.Rescaling(1 / 255)(inputs)
    for filters in widths[:3]:
        x = block(block(x, filters, strides=2), filters)
    x = layers.AveragePooling2D(2)(block(x, widths[3]))
    x = layers.Flatten()(x)
    return keras.Model(inputs, layers.Dense(VALUES)(x), name="face_refiner")
