"""The proposer: a small fully convolutional network that suggests squares on three grids of a luma frame."""

from __future__ import annotations

from typing import Any

from fer_edge.faces.grid import CHANNELS, FRAME_HEIGHT, FRAME_WIDTH

FIRST_LOGIT = -4.6
"""Of every score: one cell in a hundred, so that background does not fill the first steps."""


def build_proposer(widths: tuple[int, int, int, int] = (24, 32, 64, 64)) -> Any:
    """Return the untrained network: B x 120 x 160 x 1 luma 0..255 -> B x (cells * 4).

    Args:
        widths: channels at strides 4, 8, 16 and 32.
    """
    import keras
    from keras import layers

    def block(x: Any, filters: int, kernel: int = 3, strides: int = 1) -> Any:
        x = layers.Conv2D(filters, kernel, strides, padding="same", use_bias=False)(x)
        return layers.ReLU(6.0)(layers.BatchNormalization(momentum=0.97)(x))

    heads = [layers.Conv2D(CHANNELS, 1) for _ in range(3)]
    stem, small, middle, large = widths
    inputs = keras.Input((FRAME_HEIGHT, FRAME_WIDTH, 1))
    x = layers.Rescaling(1 / 255)(inputs)
    x = block(x, stem, kernel=6, strides=4)
    x = block(x, small, strides=2)
    for _ in range(3):
        x = block(x, small)
    outputs = [layers.Flatten()(heads[0](x))]
    x = block(block(x, middle, strides=2), middle)
    outputs.append(layers.Flatten()(heads[1](x)))
    x = block(block(x, large, strides=2), large)
    outputs.append(layers.Flatten()(heads[2](x)))
    model = keras.Model(inputs, layers.Concatenate()(outputs), name="face_proposer")
    for head in heads:
        head.bias.assign([FIRST_LOGIT, 0.0, 0.0, 0.0])
    return model
