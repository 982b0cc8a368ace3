"""``vgg``: four stages of two convolutions and two dense layers of 4096.

Khaireddin and Chen 2021 (arXiv:2105.03588), as used by Gaballa and Tantawy. The original trains on random 40x40 crops
of the 48x48 picture: ``vgg-40`` cuts the middle 40x40 inside the network, so that data sets, files and devices
still see 48x48, and a training shift of a twelfth of the side (4 pixels) makes the crop random.
"""

from __future__ import annotations

from typing import Any

from fer_edge.train.keras_setup import load_keras
from fer_edge.train.zoo.convnet import MOMENTUM

STAGES = (64, 128, 256, 512)
DENSE = (4096, 4096)


def build(name: str, cropped: int, input_size: int, classes: int, dropout: float) -> Any:
    """Return a Keras model from float32 pixels 0..255 (size x size x 1) to class probabilities.

    Args:
        name: of the model.
        cropped: pixels cut off at each edge.
        input_size: side of the input in pixels.
        classes: number of outputs.
        dropout: rate after each dense layer of 4096.
    """
    keras = load_keras()
    layers = keras.layers
    inputs = keras.Input((input_size, input_size, 1), name="image")
    x = layers.Rescaling(1 / 255, name="scale")(inputs)
    if cropped:
        x = layers.Cropping2D(cropped, name="crop")(x)
    for stage, filters in enumerate(STAGES, start=1):
        for part in "ab":
            convolve = layers.Conv2D(
                filters, 3, padding="same", kernel_initializer="he_normal", name=f"conv{stage}{part}"
            )
            x = layers.BatchNormalization(momentum=MOMENTUM, name=f"norm{stage}{part}")(convolve(x))
            x = layers.ReLU(name=f"relu{stage}{part}")(x)
        x = layers.MaxPooling2D(2, name=f"pool{stage}")(x)
    x = layers.Flatten(name="flatten")(x)
    for number, units in enumerate(DENSE, start=1):
        x = layers.Dense(units, activation="relu", kernel_initializer="he_normal", name=f"dense{number}")(x)
        x = layers.Dropout(dropout, name=f"dropout{number}")(x)
    # Probabilities need more than the eight bits of bfloat16, in which the rest may be computed.
    x = layers.Dense(classes, name="logits", dtype="float32")(x)
    return keras.Model(inputs, layers.Softmax(name="probabilities", dtype="float32")(x), name=name)
