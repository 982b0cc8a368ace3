"""Networks of the classical form, described as data: convolutions, then dense layers, then softmax.

Each convolution is followed by batch norm, ReLU, max-pooling and dropout, each dense layer by batch norm, ReLU and
dropout: the ``[Conv-(BN)-ReLU-(Dropout)-(Max-pool)]^M - [Affine-(BN)-ReLU-(Dropout)]^N - Affine - Softmax`` of
Alizadeh and Fazel 2017 (arXiv:1704.06756, section 3), which describes several of the published nets.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from fer_edge.train.keras_setup import load_keras

MOMENTUM = 0.95
"""Of batch norm's running statistics, which so settle within a short run too; an epoch of FER2013 has 440 steps."""


@dataclasses.dataclass(frozen=True)
class Convolution:
    """A convolution that keeps the size of its input but for `stride`, and the max-pooling after it.

    Attributes:
        filters: output channels.
        kernel: side of the square kernel in pixels.
        stride: step of the kernel in pixels.
        pool: side and step of the max-pooling window; 1 for none.
    """

    filters: int
    kernel: int = 3
    stride: int = 1
    pool: int = 1

    def output_size(self, size: int) -> int:
        """Return the side of the output for an input of `size`; 0 if nothing is left."""
        return -(-size // self.stride) // self.pool


@dataclasses.dataclass(frozen=True)
class Network:
    """A network of this form.

    Attributes:
        convolutions: in their order.
        dense: units of each hidden dense layer, in their order.
        batch_norm: after every convolution and hidden dense layer.
        dropout: rate after every convolution and hidden dense layer; None leaves it to the training run.
        l2: weight of the squared kernels in the loss.
        hog: join HOG features to those of the convolutions.
    """

    convolutions: tuple[Convolution, ...]
    dense: tuple[int, ...] = ()
    batch_norm: bool = True
    dropout: float | None = None
    l2: float = 0.0
    hog: bool = False


def build(name: str, network: Network, input_size: int, classes: int, dropout: float) -> Any:
    """Return a Keras model from float32 pixels 0..255 (size x size x 1) to class probabilities.

    Args:
        name: of the model.
        network: its layers.
        input_size: side of the input in pixels.
        classes: number of outputs.
        dropout: rate, where the network does not fix its own.
    """
    keras = load_keras()
    layers = keras.layers
    rate = dropout if network.dropout is None else network.dropout
    regularizer = keras.regularizers.L2(network.l2) if network.l2 else None
    options = {"use_bias": True, "kernel_initializer": "he_normal", "kernel_regularizer": regularizer}

    def activated(x: Any, number: str) -> Any:
        if network.batch_norm:
            x = layers.BatchNormalization(momentum=MOMENTUM, name=f"norm{number}")(x)
        return layers.ReLU(name=f"relu{number}")(x)

    inputs = keras.Input((input_size, input_size, 1), name="image")
    x = layers.Rescaling(1 / 255, name="scale")(inputs)
    for number, c in enumerate(network.convolutions, start=1):
        convolve = layers.Conv2D(c.filters, c.kernel, c.stride, padding="same", name=f"conv{number}", **options)
        x = activated(convolve(x), f"{number}")
        if c.pool > 1:
            x = layers.MaxPooling2D(c.pool, name=f"pool{number}")(x)
        x = layers.Dropout(rate, name=f"dropout{number}")(x)
    x = layers.Flatten(name="flatten")(x)
    if network.hog:
        from fer_edge.train.zoo.hog_layer import GAIN, Hog

        features = layers.Rescaling(GAIN, name="hog_scale", dtype="float32")(Hog(name="hog")(inputs))
        x = layers.Concatenate(name="join")([x, features])
    for number, units in enumerate(network.dense, start=1):
        x = activated(layers.Dense(units, name=f"dense{number}", **options)(x), f"_dense{number}")
        x = layers.Dropout(rate, name=f"dropout_dense{number}")(x)
    # Probabilities need more than the eight bits of bfloat16, in which the rest may be computed.
    x = layers.Dense(classes, name="logits", kernel_regularizer=regularizer, dtype="float32")(x)
    return keras.Model(inputs, layers.Softmax(name="probabilities", dtype="float32")(x), name=name)
